// Provider extension "plugboard.status/1": what the operator sees of an instance's links.
#ifndef PLUGBOARD_EXT_STATUS_H
#define PLUGBOARD_EXT_STATUS_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_STATUS "plugboard.status/1"

#define PLUGBOARD_LINK_DOWN ((uint32_t)0)
#define PLUGBOARD_LINK_CONNECTING ((uint32_t)1)
#define PLUGBOARD_LINK_UP ((uint32_t)2)
#define PLUGBOARD_LINK_BACKING_OFF ((uint32_t)3)

// OWNERSHIP: borrowed until report() returns.
typedef struct plugboard_link_1 {
    uint32_t struct_size;
    uint32_t state;             // PLUGBOARD_LINK_…
    plugboard_bytes_t name;     // partner domain, or account
    plugboard_bytes_t detail;   // "out, TLSv1.3, EXTERNAL", or the last error in plain words
    uint64_t sent;              // envelopes handed to the peer since start
    uint64_t received;          // envelopes that came from it
    uint64_t waiting;           // envelopes queued for it
    int64_t since_ms;           // when it entered this state
} plugboard_link_t;

typedef struct plugboard_status_extension_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [worker] Calls report(sink, link) for each link.
    void (*links)(void *self, void *sink, void (*report)(void *sink, const plugboard_link_t *link));
} plugboard_status_extension_t;

#ifdef __cplusplus
}
#endif

#endif
