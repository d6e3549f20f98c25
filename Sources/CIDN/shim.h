#ifndef PLUGBOARD_CIDN_SHIM_H
#define PLUGBOARD_CIDN_SHIM_H

#include <idna.h>
#include <stringprep.h>

// The profiles are arrays of unknown length, which Swift does not import; hence these.

static inline const Stringprep_profile *plugboard_idn_nodeprep(void) { return stringprep_xmpp_nodeprep; }
static inline const Stringprep_profile *plugboard_idn_nameprep(void) { return stringprep_nameprep; }
static inline const Stringprep_profile *plugboard_idn_resourceprep(void) { return stringprep_xmpp_resourceprep; }

#endif
