#ifndef PLUGBOARD_CEXPAT_SHIM_H
#define PLUGBOARD_CEXPAT_SHIM_H

#include <expat.h>

// Weak, because an Expat before 2.6.0 may lack the function; distributions that backported the fix for
// CVE-2023-52425 have it. Without it there is no reparse deferral either, so nothing has to be switched off.
extern XML_Bool XML_SetReparseDeferralEnabled(XML_Parser parser, XML_Bool enabled) __attribute__((weak));

// Makes the parser report every token as soon as its last byte is there, where it would defer otherwise.
static inline void plugboard_expat_disable_reparse_deferral(XML_Parser parser) {
    if (XML_SetReparseDeferralEnabled) {
        XML_SetReparseDeferralEnabled(parser, XML_FALSE);
    }
}

#endif
