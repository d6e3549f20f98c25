// Provider extension "plugboard.homes/1": an instance that goes on when the organisation serves other domains.
#ifndef PLUGBOARD_EXT_HOMES_H
#define PLUGBOARD_EXT_HOMES_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_HOMES "plugboard.homes/1"

typedef struct plugboard_homes_extension_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // The organisation serves these domains from now on, in place of plugboard_instance_t.home_domains. The router has
    // changed its routes already; the instance's streams stay open.
    //
    // Return PLUGBOARD_OK to go on with them. After anything else the router starts another instance, which is told the
    // domains as usual, and drains this one: so it does without this extension.
    //
    // OWNERSHIP: borrowed until it returns.
    // [worker]
    plugboard_status_t (*changed)(void *self, const plugboard_bytes_t *domains, size_t count);
} plugboard_homes_extension_t;

#ifdef __cplusplus
}
#endif

#endif
