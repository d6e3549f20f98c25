// Extension "plugboard.http/1": requests to web servers.
//
// The host's extension of this id is a plugboard_http_t. The answers come through the provider's
// extension of the same id, a plugboard_http_events_t, which the host asks for once, before start().
// Without it, request() answers E_UNSUPPORTED.
//
// Names, connections, certificates and the trust in them are the host's, as for streams: an https
// server must prove its name. The host writes Host, Content-Length and Connection, and adds nothing
// else: no cookies, no User-Agent, no Accept-Encoding. Connections are kept for later requests of
// the same instance to the same origin.
#ifndef PLUGBOARD_EXT_HTTP_H
#define PLUGBOARD_EXT_HTTP_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_HTTP "plugboard.http/1"

// Carries a generation, as all handles do. 0 is none.
typedef uint64_t plugboard_http_request_id_t;

// One header field. Names are compared without regard to case; order and case are kept.
typedef struct plugboard_http_field_1 {
    uint32_t struct_size;
    uint32_t reserved;        // 0
    plugboard_bytes_t name;   // a token of RFC 9110 section 5.6.2
    plugboard_bytes_t value;  // without control characters
} plugboard_http_field_t;

#define PLUGBOARD_HTTP_STREAM ((uint32_t)1)  // head() and body() tell the answer as it comes

// OWNERSHIP: the caller's; copied before request() returns.
typedef struct plugboard_http_request_1 {
    uint32_t struct_size;
    uint32_t flags;                        // PLUGBOARD_HTTP_…
    plugboard_bytes_t method;              // "GET", "POST", …; not CONNECT
    plugboard_bytes_t url;                 // "https://host[:port]/path?query", http or https; no user in it
    const plugboard_http_field_t *fields;  // field_count fields, sent in this order after Host
    size_t field_count;
    plugboard_bytes_t body;
    plugboard_bytes_t identity;            // name of a configured certificate to present; empty: none
    uint32_t timeout_ms;                   // for the whole exchange; 0: the host's default
    uint32_t redirects_max;                // redirects to follow; 0: a redirect is an answer like any other
    uint64_t answer_bytes_max;             // of the answer's body; 0: the host's default
} plugboard_http_request_t;

// OWNERSHIP: borrowed until the call that it was passed to returns.
typedef struct plugboard_http_answer_1 {
    uint32_t struct_size;
    uint32_t status;                       // 200 … 599
    plugboard_bytes_t url;                 // where it came from, after redirects
    const plugboard_http_field_t *fields;  // field_count fields, in the order of the server
    size_t field_count;
    plugboard_bytes_t body;                // the whole body; empty where body() told it
} plugboard_http_answer_t;

#define PLUGBOARD_HTTP_NAME_FAILED ((uint32_t)1)     // the host has no address
#define PLUGBOARD_HTTP_CONNECT_FAILED ((uint32_t)2)  // no address took the connection
#define PLUGBOARD_HTTP_TLS ((uint32_t)3)             // handshake failed, or the certificate was refused
#define PLUGBOARD_HTTP_TIMEOUT ((uint32_t)4)
#define PLUGBOARD_HTTP_BAD_ANSWER ((uint32_t)5)      // no HTTP, or a head past the host's limits
#define PLUGBOARD_HTTP_TOO_LARGE ((uint32_t)6)       // more body than answer_bytes_max
#define PLUGBOARD_HTTP_REDIRECT ((uint32_t)7)        // one too many, or to where the host does not go
#define PLUGBOARD_HTTP_CLOSED ((uint32_t)8)          // the connection broke before the answer was complete

// OWNERSHIP: borrowed until the call that it was passed to returns.
typedef struct plugboard_http_failure_1 {
    uint32_t struct_size;
    uint32_t cause;            // PLUGBOARD_HTTP_NAME_FAILED …
    plugboard_bytes_t detail;  // a sentence for the log
} plugboard_http_failure_t;

// OWNERSHIP: the host's; lives as long as the host table. `context` is the host table's.
typedef struct plugboard_http_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [worker] Begins a request; done() follows exactly once, unless it is cancelled or the instance
    // stops. An idempotent request whose kept connection proves stale is sent again, once.
    //
    // user     comes back in every call about it; may be NULL
    // returns  OK and *id; E_INVALID (URL, method, a field that is the host's to write), E_LIMIT,
    //          E_UNSUPPORTED (unknown identity, no events table), E_SHUTDOWN
    plugboard_status_t (*request)(void *context, const plugboard_http_request_t *request, void *user,
                                  plugboard_http_request_id_t *id);

    // [worker] After it returns OK, no call about the request comes. Whether the server has had it is
    // not known.
    //
    // returns  OK, E_HANDLE (done, or never begun)
    plugboard_status_t (*cancel)(void *context, plugboard_http_request_id_t id);

    // [worker] Stops (0) or resumes (1) body() for a request with STREAM. Time goes on meanwhile.
    //
    // returns  OK, E_HANDLE, E_STATE (no STREAM)
    plugboard_status_t (*set_reading)(void *context, plugboard_http_request_id_t id, uint32_t reading);
} plugboard_http_t;

// OWNERSHIP: the plugin's; valid until destroy() returns. Every function must be set. All are
// [worker], and come neither from inside a host call nor after stop().
typedef struct plugboard_http_events_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // The head of an answer came; for requests with STREAM alone. Its `body` is empty.
    void (*head)(void *self, plugboard_http_request_id_t id, void *user, const plugboard_http_answer_t *answer);

    // A piece of body; for requests with STREAM alone.
    void (*body)(void *self, plugboard_http_request_id_t id, void *user, const uint8_t *bytes, size_t count);

    // The last call about a request: `failure` is NULL, or says why there is no (complete) answer,
    // and then `answer` is NULL.
    void (*done)(void *self, plugboard_http_request_id_t id, void *user, const plugboard_http_answer_t *answer,
                 const plugboard_http_failure_t *failure);
} plugboard_http_events_t;

#ifdef __cplusplus
}
#endif

#endif
