// What the host offers an instance: envelopes in and out, streams, TLS, names, timers, log.
//
// All functions take the host table's `context` as their first argument and are [worker], unless
// tagged otherwise. None of them calls back into the instance before it returns: answers arrive
// later, as calls of their own.
#ifndef PLUGBOARD_HOST_H
#define PLUGBOARD_HOST_H

#include "base.h"
#include "envelope.h"

#ifdef __cplusplus
extern "C" {
#endif

// Handles carry a generation, so that one which was closed is recognised and refused. 0 is none.
typedef uint64_t plugboard_stream_t;
typedef uint64_t plugboard_listener_t;
typedef uint64_t plugboard_timer_t;
typedef uint64_t plugboard_query_t;

#define PLUGBOARD_TLS_VERIFY_REQUIRED ((uint32_t)0)  // the handshake fails on an untrusted peer
#define PLUGBOARD_TLS_VERIFY_RECORD ((uint32_t)1)    // it goes on; plugboard_tls_info_t has the verdict

// How a stream is secured. TLS 1.2 is the least that is spoken.
typedef struct plugboard_tls_options_1 {
    uint32_t struct_size;
    uint32_t verification;           // PLUGBOARD_TLS_VERIFY_…
    plugboard_bytes_t identity;      // name of a configured certificate to present; empty: none (client),
                                     // by the name that the client asks for (server)
    plugboard_bytes_t peer_name;     // client: server name to send (SNI) and to verify the certificate by
    const plugboard_bytes_t *alpn;   // alpn_count protocol names, best first (RFC 7301)
    size_t alpn_count;               // 0 … 8
} plugboard_tls_options_t;

#define PLUGBOARD_TLS_HAS_CERTIFICATE ((uint32_t)1)
#define PLUGBOARD_TLS_TRUSTED ((uint32_t)2)  // its chain ends in a trusted root and it is in date

typedef struct plugboard_tls_info_1 {
    uint32_t struct_size;
    uint32_t flags;                      // PLUGBOARD_TLS_…
    plugboard_bytes_t version;           // "TLSv1.3"
    plugboard_bytes_t alpn;              // negotiated protocol; empty: none
    plugboard_bytes_t untrusted_reason;  // a sentence, where TRUSTED is not set
} plugboard_tls_info_t;

typedef struct plugboard_connect_options_1 {
    uint32_t struct_size;
    uint32_t timeout_ms;                 // for name resolution and connection; 0: the host's default
    plugboard_bytes_t host;              // name or IP literal
    uint16_t port;                       // 1 … 65535
    uint16_t reserved;                   // 0
    uint32_t input_max;                  // most unconsumed bytes the host keeps; 0: the host's default
    const plugboard_tls_options_t *tls;  // NULL: plaintext
} plugboard_connect_options_t;

typedef struct plugboard_listen_options_1 {
    uint32_t struct_size;
    uint32_t input_max;                  // as above, for each accepted stream
    plugboard_bytes_t address;           // IP literal; empty: all addresses
    uint16_t port;                       // 0: any free one
    uint16_t reserved;                   // 0
    uint32_t streams_max;                // accepted streams open at once; 0: the host's default
    const plugboard_tls_options_t *tls;  // NULL: plaintext
} plugboard_listen_options_t;

#define PLUGBOARD_RECORD_ADDRESS ((uint32_t)1)  // A and AAAA
#define PLUGBOARD_RECORD_SRV ((uint32_t)2)
#define PLUGBOARD_RECORD_TXT ((uint32_t)3)

// One answer to resolve(). SRV answers come sorted as RFC 2782 wants them tried.
typedef struct plugboard_record_1 {
    uint32_t struct_size;
    uint32_t type;            // PLUGBOARD_RECORD_…
    plugboard_bytes_t value;  // IP literal, SRV target ("." = service not offered), or TXT
    uint16_t port;            // SRV only
    uint16_t priority;        // SRV only
    uint16_t weight;          // SRV only
    uint16_t reserved;        // 0
} plugboard_record_t;

#define PLUGBOARD_LOG_TRACE ((uint32_t)0)
#define PLUGBOARD_LOG_DEBUG ((uint32_t)1)  // the most verbose level at which message text may appear
#define PLUGBOARD_LOG_INFO ((uint32_t)2)
#define PLUGBOARD_LOG_NOTICE ((uint32_t)3)
#define PLUGBOARD_LOG_WARNING ((uint32_t)4)
#define PLUGBOARD_LOG_ERROR ((uint32_t)5)

#define PLUGBOARD_CLAIM_DOMAIN ((uint32_t)1)   // every address at a domain
#define PLUGBOARD_CLAIM_ADDRESS ((uint32_t)2)  // one address; beats the claim of its domain

// OWNERSHIP: the host's; valid until the instance's destroy() returns.
typedef struct plugboard_host_1 {
    uint32_t struct_size;
    uint32_t abi_version;  // PLUGBOARD_ABI_VERSION of the host
    void *context;         // the host's own; pass it back unchanged

    // --- Envelopes ---

    // Hands one envelope from the network to the router.
    //
    // envelope  copied before return; token, origin and idempotency_key are ignored
    // cookie    the provider's own name for it, given back by submitted(); 0: do not tell me
    // returns   OK: taken; if cookie is not 0, submitted() follows exactly once
    //           BUSY: no room now. Inside received(), return what was consumed before it: the host
    //           stops reading that stream, and offers the rest again after room()
    //           E_INVALID, E_LIMIT, E_SHUTDOWN
    plugboard_status_t (*submit)(void *context, const plugboard_envelope_t *envelope, uint64_t cookie);

    // Settles an envelope that deliver() took: DELIVERED, DEFERRED or FAILED. Exactly once a token.
    //
    // returns  OK, E_HANDLE (unknown or settled before), E_INVALID
    plugboard_status_t (*complete)(void *context, uint64_t token, const plugboard_outcome_t *outcome);

    // Asks for the rest, after deliver() took less than it was offered.
    void (*ready)(void *context);

    // Routes to this instance what is addressed to `subject`, from now on until stop: a domain, or an
    // address, each within the limits of an envelope's addresses.
    //
    // returns  OK, E_INVALID, E_CONFLICT (claimed by another instance), E_LIMIT
    plugboard_status_t (*claim)(void *context, uint32_t scope, plugboard_bytes_t subject);

    // --- Streams: TCP, with TLS above it where asked for ---

    // Opens a connection; opened() or closed() follows.
    //
    // user     comes back in every call about the stream; may be NULL
    // returns  OK and *stream; E_INVALID, E_LIMIT, E_UNSUPPORTED (unknown identity), E_SHUTDOWN
    plugboard_status_t (*connect)(void *context, const plugboard_connect_options_t *options, void *user,
                                  plugboard_stream_t *stream);

    // Listens; accepted() follows for each connection. *port is the port that was bound.
    plugboard_status_t (*listen)(void *context, const plugboard_listen_options_t *options, void *user,
                                 plugboard_listener_t *listener, uint16_t *port);

    // Stops listening. Streams that it accepted live on.
    plugboard_status_t (*close_listener)(void *context, plugboard_listener_t listener);

    // Sends bytes, copied before return; all writes of a tick leave together.
    //
    // returns  OK; HIGH: taken, but wait for writable() before the next; E_HANDLE, E_STATE, E_LIMIT
    plugboard_status_t (*write)(void *context, plugboard_stream_t stream, plugboard_bytes_t bytes);

    // Stops (0) or resumes (1) received() for the stream.
    plugboard_status_t (*set_reading)(void *context, plugboard_stream_t stream, uint32_t reading);

    // Sends what was written, then closes; nothing is received any more. closed() follows.
    plugboard_status_t (*finish)(void *context, plugboard_stream_t stream);

    // Closes at once. closed() follows.
    plugboard_status_t (*abort)(void *context, plugboard_stream_t stream);

    // Turns a plaintext stream into TLS (STARTTLS): as client if it was connected, as server if it
    // was accepted. Call it inside received(), return right after it, having consumed all; opened()
    // follows. Plaintext that is still unread then was injected: the host closes the stream.
    // Until opened(), write answers E_STATE.
    plugboard_status_t (*start_tls)(void *context, plugboard_stream_t stream,
                                    const plugboard_tls_options_t *options);

    // Whether the peer's certificate is valid for a domain by RFC 6125: dNSName (wildcards in the
    // left-most label) or SRVName for `service` ("_xmpp-server"; empty: dNSName only). Trust is a
    // separate question: see plugboard_tls_info_t.
    //
    // returns  1 yes, 0 no, E_HANDLE, E_STATE (no TLS)
    plugboard_status_t (*certificate_matches)(void *context, plugboard_stream_t stream, plugboard_bytes_t domain,
                                              plugboard_bytes_t service);

    // The peer's address as "192.0.2.1:5269" or "[2001:db8::1]:5269", into buffer[size].
    //
    // returns  its length in bytes, or a negative status
    plugboard_status_t (*peer_address)(void *context, plugboard_stream_t stream, uint8_t *buffer, size_t size);

    // --- Names, time, chance, log ---

    // Looks a name up; resolved() follows exactly once.
    plugboard_status_t (*resolve)(void *context, uint32_t type, plugboard_bytes_t name, void *user,
                                  plugboard_query_t *query);

    // Calls fired() once, no sooner than delay_ms from now.
    plugboard_status_t (*start_timer)(void *context, uint64_t delay_ms, void *user, plugboard_timer_t *timer);

    // After it returns OK, fired() will not come. E_HANDLE: it has fired or was cancelled.
    plugboard_status_t (*cancel_timer)(void *context, plugboard_timer_t timer);

    int64_t (*wall_ms)(void *context);        // [any-thread] since 1970
    uint64_t (*monotonic_ns)(void *context);  // [any-thread] since a moment of the host's choosing
    void (*random)(void *context, uint8_t *buffer, size_t count);  // fit for keys and nonces

    // [any-thread] One line; secrets never, message text at DEBUG and below only.
    void (*log)(void *context, uint32_t level, plugboard_bytes_t message);

    // [any-thread] The table of an optional ability of the host, by its versioned id
    // ("plugboard.digest/1"), or NULL. It lives as long as the host table.
    const void *(*extension)(void *context, const char *id);
} plugboard_host_t;

#ifdef __cplusplus
}
#endif

#endif
