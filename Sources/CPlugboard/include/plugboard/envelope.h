// The envelope: the one thing that is routed.
//
// It speaks no network's language. Addresses are user@domain (RFC 3860, RFC 3859: what follows
// "im:" and "pres:"); a device is what XMPP calls a resource and SIP a GRUU.
#ifndef PLUGBOARD_ENVELOPE_H
#define PLUGBOARD_ENVELOPE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

// Kinds, each with its content struct. Messages, contact changes, subscriptions and failures are
// durable: they are on disk before they count as accepted. The rest are of the moment.
#define PLUGBOARD_MESSAGE ((uint16_t)1)       // plugboard_message_t       durable
#define PLUGBOARD_RECEIPT ((uint16_t)2)       // plugboard_receipt_t
#define PLUGBOARD_TYPING ((uint16_t)3)        // plugboard_typing_t        latest value wins
#define PLUGBOARD_PRESENCE ((uint16_t)4)      // plugboard_presence_t      latest value wins
#define PLUGBOARD_SUBSCRIPTION ((uint16_t)5)  // plugboard_subscription_t  durable
#define PLUGBOARD_CONTACT ((uint16_t)6)       // plugboard_contact_t       durable
#define PLUGBOARD_CALL ((uint16_t)7)          // plugboard_call_t
#define PLUGBOARD_FAILURE ((uint16_t)8)       // plugboard_failure_t       durable

// Limits that the host enforces on submit; past one it answers PLUGBOARD_E_LIMIT.
#define PLUGBOARD_ADDRESS_BYTES_MAX 2047  // local part and domain, 1023 each, and '@'
#define PLUGBOARD_DEVICE_BYTES_MAX 1023
#define PLUGBOARD_ID_BYTES_MAX 1023
#define PLUGBOARD_ENVELOPE_BYTES_MAX 524288  // all fields together
#define PLUGBOARD_HOPS_MAX 16

// This envelope was handed to a provider before, or may have been before a crash, and may have reached its network.
#define PLUGBOARD_ENVELOPE_REDELIVERED ((uint16_t)1)
// It was stored on its way; timestamp_ms is when it was written.
#define PLUGBOARD_ENVELOPE_DELAYED ((uint16_t)2)
// On submit: the source network says that the sender is who the address says, or that it does not know.
// Without either it says nothing. Policy may depend on it; a host that does not know the flags ignores them.
#define PLUGBOARD_ENVELOPE_VERIFIED ((uint16_t)4)
#define PLUGBOARD_ENVELOPE_UNVERIFIED ((uint16_t)8)

// OWNERSHIP: every pointer in it is borrowed until the call it was passed to returns.
typedef struct plugboard_envelope_1 {
    uint32_t struct_size;
    uint16_t kind;                   // PLUGBOARD_MESSAGE …
    uint16_t flags;                  // PLUGBOARD_ENVELOPE_…
    uint64_t token;                  // host → provider: name it to complete(); 0 on submit
    int64_t timestamp_ms;            // when its author sent it; 0 on submit: now
    int64_t expires_ms;              // worthless after; 0: the host's default
    uint8_t idempotency_key[16];     // host → provider: the same for each attempt, across restarts
    uint32_t hops;                   // routers and providers crossed; keep it when passing on
    uint32_t reserved;               // 0
    plugboard_bytes_t from;          // user@domain
    plugboard_bytes_t from_device;   // may be empty
    plugboard_bytes_t to;            // user@domain
    plugboard_bytes_t to_device;     // empty: any device
    plugboard_bytes_t id;            // the source network's id of it; a message that comes again with it is dropped
    plugboard_bytes_t conversation;  // thread; may be empty
    plugboard_bytes_t origin;        // host → provider: the instance that submitted it
    plugboard_bytes_t account;       // linked account it travels by; empty for federation
    const void *content;             // the kind's struct
} plugboard_envelope_t;

// The sender wants to know when it was delivered, or read.
#define PLUGBOARD_MESSAGE_WANTS_DELIVERED ((uint32_t)1)
#define PLUGBOARD_MESSAGE_WANTS_READ ((uint32_t)2)
// A nudge, buzz or attention request; the text may be empty.
#define PLUGBOARD_MESSAGE_ATTENTION ((uint32_t)4)

typedef struct plugboard_message_1 {
    uint32_t struct_size;
    uint32_t flags;               // PLUGBOARD_MESSAGE_…
    plugboard_bytes_t text;       // plain text
    plugboard_bytes_t subject;    // may be empty
    plugboard_bytes_t language;   // BCP 47; may be empty
    plugboard_bytes_t replaces;   // id of the message that this one corrects; may be empty
    plugboard_bytes_t formatted;  // the same text with markup; may be empty
    plugboard_bytes_t formatted_type;  // its media type, e.g. "text/html"
} plugboard_message_t;

#define PLUGBOARD_RECEIPT_DELIVERED ((uint32_t)1)
#define PLUGBOARD_RECEIPT_READ ((uint32_t)2)

typedef struct plugboard_receipt_1 {
    uint32_t struct_size;
    uint32_t receipt;              // PLUGBOARD_RECEIPT_…
    plugboard_bytes_t message_id;  // id of the message it is about
} plugboard_receipt_t;

#define PLUGBOARD_TYPING_ACTIVE ((uint32_t)1)     // attentive, not typing
#define PLUGBOARD_TYPING_COMPOSING ((uint32_t)2)
#define PLUGBOARD_TYPING_PAUSED ((uint32_t)3)
#define PLUGBOARD_TYPING_INACTIVE ((uint32_t)4)
#define PLUGBOARD_TYPING_GONE ((uint32_t)5)

typedef struct plugboard_typing_1 {
    uint32_t struct_size;
    uint32_t state;  // PLUGBOARD_TYPING_…
} plugboard_typing_t;

#define PLUGBOARD_PRESENCE_UNKNOWN ((uint32_t)0)  // the link is down: not the same as offline
#define PLUGBOARD_PRESENCE_OFFLINE ((uint32_t)1)
#define PLUGBOARD_PRESENCE_AVAILABLE ((uint32_t)2)
#define PLUGBOARD_PRESENCE_CHATTY ((uint32_t)3)
#define PLUGBOARD_PRESENCE_AWAY ((uint32_t)4)
#define PLUGBOARD_PRESENCE_EXTENDED_AWAY ((uint32_t)5)
#define PLUGBOARD_PRESENCE_BUSY ((uint32_t)6)

typedef struct plugboard_presence_1 {
    uint32_t struct_size;
    uint32_t availability;     // PLUGBOARD_PRESENCE_…
    int64_t changed_ms;        // last change; 0: not known
    int32_t priority;          // -128…127
    uint32_t abilities;        // PLUGBOARD_MEDIA_… the device can do in calls
    plugboard_bytes_t status;  // the user's own words; may be empty
} plugboard_presence_t;

#define PLUGBOARD_SUBSCRIPTION_REQUEST ((uint32_t)1)  // "may I see your presence?"
#define PLUGBOARD_SUBSCRIPTION_ACCEPT ((uint32_t)2)
#define PLUGBOARD_SUBSCRIPTION_REFUSE ((uint32_t)3)   // also takes an accepted one back
#define PLUGBOARD_SUBSCRIPTION_CANCEL ((uint32_t)4)   // "I no longer want to see it"
#define PLUGBOARD_SUBSCRIPTION_PROBE ((uint32_t)5)    // "what is it now?"

typedef struct plugboard_subscription_1 {
    uint32_t struct_size;
    uint32_t action;         // PLUGBOARD_SUBSCRIPTION_…
    plugboard_bytes_t name;  // how the requester calls themselves; may be empty
    plugboard_bytes_t text;  // a word of introduction; may be empty
} plugboard_subscription_t;

#define PLUGBOARD_CONTACT_ADDED ((uint32_t)1)
#define PLUGBOARD_CONTACT_CHANGED ((uint32_t)2)
#define PLUGBOARD_CONTACT_REMOVED ((uint32_t)3)
#define PLUGBOARD_CONTACT_GROUPS_MAX 64

typedef struct plugboard_contact_1 {
    uint32_t struct_size;
    uint32_t change;                  // PLUGBOARD_CONTACT_…
    plugboard_bytes_t address;        // whose entry on the list of the envelope's `to`
    plugboard_bytes_t name;           // may be empty
    const plugboard_bytes_t *groups;  // group_count names
    size_t group_count;               // 0 … PLUGBOARD_CONTACT_GROUPS_MAX
} plugboard_contact_t;

#define PLUGBOARD_CALL_INVITE ((uint32_t)1)
#define PLUGBOARD_CALL_RINGING ((uint32_t)2)
#define PLUGBOARD_CALL_ACCEPT ((uint32_t)3)
#define PLUGBOARD_CALL_REJECT ((uint32_t)4)
#define PLUGBOARD_CALL_UPDATE ((uint32_t)5)      // new session description in a running call
#define PLUGBOARD_CALL_CANDIDATES ((uint32_t)6)  // ICE candidates that came later
#define PLUGBOARD_CALL_END ((uint32_t)7)

#define PLUGBOARD_MEDIA_AUDIO ((uint32_t)1)
#define PLUGBOARD_MEDIA_VIDEO ((uint32_t)2)

typedef struct plugboard_call_1 {
    uint32_t struct_size;
    uint32_t event;                 // PLUGBOARD_CALL_…
    uint32_t media;                 // PLUGBOARD_MEDIA_…, or-ed
    uint32_t reserved;              // 0
    plugboard_bytes_t call_id;      // the same in all events of one call
    plugboard_bytes_t description;  // SDP (RFC 8866), or candidate lines; may be empty
    plugboard_bytes_t reason;       // for REJECT and END; may be empty
} plugboard_call_t;

// Tells the author of an envelope that it was not delivered after all.
typedef struct plugboard_failure_1 {
    uint32_t struct_size;
    uint16_t failure_class;        // PLUGBOARD_CLASS_…
    uint16_t failed_kind;          // kind of the envelope that failed
    uint32_t flags;                // PLUGBOARD_OUTCOME_…
    uint32_t reserved;             // 0
    plugboard_bytes_t message_id;  // id of the envelope that failed
    plugboard_bytes_t reason;      // a sentence for people
    plugboard_bytes_t code;        // the network's own code; may be empty
} plugboard_failure_t;

#ifdef __cplusplus
}
#endif

#endif
