// What an instance offers the host.
//
// All functions are [worker], take the `self` that create() returned, and never overlap. Every
// function must be set; a host refuses an instance with a NULL in its table.
#ifndef PLUGBOARD_PROVIDER_H
#define PLUGBOARD_PROVIDER_H

#include "base.h"
#include "envelope.h"
#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

// What became of a submitted envelope: ACCEPTED, or FAILED with the reason.
typedef struct plugboard_submitted_1 {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t cookie;
    const plugboard_outcome_t *outcome;
} plugboard_submitted_t;

#define PLUGBOARD_CLOSED_BY_PEER ((uint32_t)1)
#define PLUGBOARD_CLOSED_BY_US ((uint32_t)2)
#define PLUGBOARD_CLOSED_CONNECT_FAILED ((uint32_t)3)
#define PLUGBOARD_CLOSED_NAME_FAILED ((uint32_t)4)
#define PLUGBOARD_CLOSED_TIMEOUT ((uint32_t)5)
#define PLUGBOARD_CLOSED_TLS ((uint32_t)6)       // handshake failed, or the certificate was refused
#define PLUGBOARD_CLOSED_PROTOCOL ((uint32_t)7)  // plaintext behind STARTTLS, or input_max exceeded
#define PLUGBOARD_CLOSED_ERROR ((uint32_t)8)     // reset, or another error of the system

typedef struct plugboard_closed_1 {
    uint32_t struct_size;
    uint32_t cause;            // PLUGBOARD_CLOSED_…
    plugboard_bytes_t detail;  // a sentence for the log
} plugboard_closed_t;

// OWNERSHIP: the plugin's; valid until destroy() returns.
typedef struct plugboard_provider_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // Begins work: listen, connect, claim. Called once. On failure the host calls destroy() next.
    plugboard_status_t (*start)(void *self);

    // Ends work in an orderly way: take no new work from the network, finish what is in flight,
    // close the streams. Envelopes may still be delivered meanwhile. stop() follows after the
    // drain time, or as soon as no stream is open and nothing is in flight.
    void (*drain)(void *self);

    // The last call but one. All handles are closed already; what is not completed is redelivered
    // at the next start.
    void (*stop)(void *self);

    // Frees the instance. No host call may be made any more.
    void (*destroy)(void *self);

    // Offers envelopes for the network, in order. An envelope that is taken stays the provider's
    // duty until complete() names its token; its bytes are gone when deliver() returns.
    //
    // returns  how many it took, from the front. Fewer than count: the host waits for ready()
    size_t (*deliver)(void *self, const plugboard_envelope_t *const *envelopes, size_t count);

    // Answers submit().
    void (*submitted)(void *self, const plugboard_submitted_t *results, size_t count);

    // submit() may be tried again after it answered BUSY.
    void (*room)(void *self);

    // A connection came in. *user is what later calls about it carry.
    //
    // returns  1 to keep it, 0 to have it closed (no closed() follows)
    uint32_t (*accepted)(void *self, plugboard_stream_t stream, void *listener_user, void **user);

    // The stream can be written to: it is connected (tls is NULL if it is plaintext), or has
    // finished a TLS handshake; a second time when start_tls() has done its work.
    void (*opened)(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls);

    // Bytes arrived.
    //
    // returns  how many were consumed, from the front; the host keeps the rest, and offers it
    //          again together with what follows it
    size_t (*received)(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes, size_t count);

    // The write buffer has drained after HIGH.
    void (*writable)(void *self, plugboard_stream_t stream, void *user);

    // The stream is gone: the last call about it, exactly once.
    void (*closed)(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason);

    // Answers resolve(). A name without such records is OK with count 0.
    void (*resolved)(void *self, plugboard_query_t query, void *user, plugboard_status_t status,
                     const plugboard_record_t *records, size_t count);

    void (*fired)(void *self, plugboard_timer_t timer, void *user);

    // The table of an optional ability, by its versioned id ("plugboard.status/1"), or NULL.
    const void *(*extension)(void *self, const char *id);
} plugboard_provider_t;

#ifdef __cplusplus
}
#endif

#endif
