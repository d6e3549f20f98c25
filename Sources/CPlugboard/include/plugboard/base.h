// Version, status codes, borrowed bytes, and the classes of failure.
#ifndef PLUGBOARD_BASE_H
#define PLUGBOARD_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The ABI these headers describe. A host loads a plugin whose major version is its own and refuses
// any other; a smaller or larger minor version is bridged by struct_size.
#define PLUGBOARD_ABI_MAJOR 1
#define PLUGBOARD_ABI_MINOR 0
#define PLUGBOARD_ABI_VERSION ((uint32_t)0x00010000)

// A borrowed run of bytes.
//
// OWNERSHIP: the caller's; valid until the call it was passed to returns.
typedef struct plugboard_bytes_1 {
    const uint8_t *start;  // may be NULL only when count == 0
    size_t count;          // bytes
} plugboard_bytes_t;

// What a host call answers. Zero and positive values are success; negative ones changed nothing.
typedef int32_t plugboard_status_t;

#define PLUGBOARD_OK ((int32_t)0)
// Done, but the stream's write buffer is above its high-water mark: stop until writable().
#define PLUGBOARD_HIGH ((int32_t)1)
// Not now: the router has no room. Keep the envelope; room() announces when to try again.
#define PLUGBOARD_BUSY ((int32_t)-1)
// An argument is malformed (NULL where a value is needed, bad UTF-8, bad address, out of range).
#define PLUGBOARD_E_INVALID ((int32_t)-2)
// The handle is unknown: never issued, already closed, or another instance's.
#define PLUGBOARD_E_HANDLE ((int32_t)-3)
// The call does not fit the present state (write after finish, or during a TLS handshake).
#define PLUGBOARD_E_STATE ((int32_t)-4)
// A limit of the host is reached (streams, timers, buffers, sizes).
#define PLUGBOARD_E_LIMIT ((int32_t)-5)
// The host, or its configuration, does not provide this.
#define PLUGBOARD_E_UNSUPPORTED ((int32_t)-6)
// The system refused (address in use, permission denied); the host logged the details.
#define PLUGBOARD_E_SYSTEM ((int32_t)-7)
// The instance is stopping; nothing new is taken.
#define PLUGBOARD_E_SHUTDOWN ((int32_t)-8)
// Another instance holds what was asked for.
#define PLUGBOARD_E_CONFLICT ((int32_t)-9)

// What became of an envelope.
#define PLUGBOARD_ACCEPTED ((uint16_t)1)   // the router has it, on disk if the kind is durable
#define PLUGBOARD_DELIVERED ((uint16_t)2)  // the network has it, as far as the network tells
#define PLUGBOARD_DEFERRED ((uint16_t)3)   // not delivered; worth another attempt
#define PLUGBOARD_FAILED ((uint16_t)4)     // not delivered, and no attempt will change that

// Why an envelope was not delivered.
#define PLUGBOARD_CLASS_NONE ((uint16_t)0)
#define PLUGBOARD_CLASS_TRANSIENT ((uint16_t)1)    // try later, not before retry_after_ms
#define PLUGBOARD_CLASS_THROTTLED ((uint16_t)2)    // too fast; honour retry_after_ms
#define PLUGBOARD_CLASS_CREDENTIALS ((uint16_t)3)  // the account or certificate was not accepted
#define PLUGBOARD_CLASS_RECIPIENT ((uint16_t)4)    // no such recipient, or one that cannot be reached ever
#define PLUGBOARD_CLASS_CONTENT ((uint16_t)5)      // this content is not acceptable to the network
#define PLUGBOARD_CLASS_POLICY ((uint16_t)6)       // forbidden, here or there
#define PLUGBOARD_CLASS_PROTOCOL ((uint16_t)7)     // the peer broke its protocol
#define PLUGBOARD_CLASS_UNAVAILABLE ((uint16_t)8)  // the network or the peer is not there
#define PLUGBOARD_CLASS_INTERNAL ((uint16_t)9)     // a fault of the router or the plugin

// The outcome may be wrong: the link broke between sending and the acknowledgement.
#define PLUGBOARD_OUTCOME_UNCERTAIN ((uint32_t)1)

// The result of one envelope's hand-over.
typedef struct plugboard_outcome_1 {
    uint32_t struct_size;
    uint16_t result;         // PLUGBOARD_ACCEPTED … PLUGBOARD_FAILED
    uint16_t failure_class;  // PLUGBOARD_CLASS_…; NONE for ACCEPTED and DELIVERED
    uint32_t flags;          // PLUGBOARD_OUTCOME_…
    uint32_t retry_after_ms; // 0: no wish
    plugboard_bytes_t reason; // a sentence for people; at most 1024 bytes are kept
    plugboard_bytes_t code;   // the network's own code, e.g. "item-not-found", "404"
} plugboard_outcome_t;

#ifdef __cplusplus
}
#endif

#endif
