// Host extension "plugboard.log/1": lines for the operator with fields beside their sentence.
//
// The sentence is the same each time, and what changes is in the fields: so that programs can search
// for it, and so that the host can hold back what a peer brings about too often. It writes up to 50
// lines with one sentence in 10 s, and up to 1000 of an instance; then it counts, and the next line
// says in the field "held-back" how many there were. At debug and below nothing is held back.
//
// What host.h says of the log counts here too: no secret in any level, no message text above debug.
#ifndef PLUGBOARD_EXT_LOG_H
#define PLUGBOARD_EXT_LOG_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_LOG "plugboard.log/1"

#define PLUGBOARD_LOG_FIELDS_MAX 16
#define PLUGBOARD_LOG_VALUE_BYTES_MAX 1024  // more is cut off

// One field. Names that the host and its plugins share: "partner" (the domain on the other side),
// "peer" (its address and port), "from", "to", "message-id", "kind", "reason" (a sentence), "code"
// (the network's word), "attempts", "retry-in-ms", "count".
//
// OWNERSHIP: borrowed until write() returns.
typedef struct plugboard_log_field_1 {
    uint32_t struct_size;
    uint32_t reserved;         // 0
    plugboard_bytes_t name;    // small letters, digits, "-"; begins with a letter; up to 32 bytes; not
                               // "provider", "held-back", "time", "level", "part" or "message"
    plugboard_bytes_t value;
} plugboard_log_field_t;

// OWNERSHIP: the host's; lives as long as the host table. `context` is the host table's.
typedef struct plugboard_log_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [any-thread] Writes a line. A field with a wrong name is left out.
    //
    // level    PLUGBOARD_LOG_…
    // fields   field_count of them; may be NULL if there is none
    // returns  OK; E_INVALID (no UTF-8, or too many fields), and then nothing is written
    plugboard_status_t (*write)(void *context, uint32_t level, plugboard_bytes_t message,
                                const plugboard_log_field_t *fields, size_t field_count);
} plugboard_log_t;

#ifdef __cplusplus
}
#endif

#endif
