// Extension "plugboard.store/1": keys and values on disk, for each instance its own.
//
// The host's extension of this id is a plugboard_store_t. The answers come through the provider's
// extension of the same id, a plugboard_store_events_t, which the host asks for once, before
// start(). Without it, requests answer E_UNSUPPORTED.
//
// Keys are 1 to 512 bytes, values up to 1 MiB; an instance may keep 100,000 keys and 256 MiB in all.
// An instance is known by its name in the configuration: under another name it has another store.
// Requests are carried out, and answered, in the order in which they were made.
#ifndef PLUGBOARD_EXT_STORE_H
#define PLUGBOARD_EXT_STORE_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_STORE "plugboard.store/1"

// Carries a generation, as all handles do. 0 is none.
typedef uint64_t plugboard_store_request_t;

#define PLUGBOARD_STORE_IF_ABSENT ((uint32_t)1)  // there is nothing under the key
#define PLUGBOARD_STORE_IF_EQUAL ((uint32_t)2)   // there is `value`

// What must be there for a put to be done.
//
// OWNERSHIP: the caller's; copied before put() returns.
typedef struct plugboard_store_condition_1 {
    uint32_t struct_size;
    uint32_t kind;            // PLUGBOARD_STORE_IF_…
    plugboard_bytes_t value;  // IF_EQUAL only
} plugboard_store_condition_t;

// OWNERSHIP: borrowed until done() returns.
typedef struct plugboard_store_entry_1 {
    uint32_t struct_size;
    uint32_t reserved;
    plugboard_bytes_t key;    // of list(); empty otherwise
    plugboard_bytes_t value;  // of get() and put(); empty otherwise
} plugboard_store_entry_t;

// OWNERSHIP: the host's; lives as long as the host table. `context` is the host table's.
//
// All are [worker], copy what they are given, and answer OK and *request; done() follows exactly
// once, unless the instance stops. Otherwise E_INVALID (a key of a wrong length, a limit out of
// range), E_LIMIT (a value too long, or 256 requests or 8 MiB without an answer), E_UNSUPPORTED (no
// events table; secrets: no vault is configured), E_SHUTDOWN.
typedef struct plugboard_store_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // done() has one entry with the value, or none if there is nothing under the key.
    plugboard_status_t (*get)(void *context, plugboard_bytes_t key, void *user, plugboard_store_request_t *request);

    // Stores a value, in place of one that is there. It is on disk when done() says OK.
    //
    // condition  NULL: whatever is there. If it does not hold, done() has E_CONFLICT and one entry with
    //            the value that is there, or none
    plugboard_status_t (*put)(void *context, plugboard_bytes_t key, plugboard_bytes_t value,
                              const plugboard_store_condition_t *condition, void *user,
                              plugboard_store_request_t *request);

    // Removes a key; OK also if it is not there.
    plugboard_status_t (*remove)(void *context, plugboard_bytes_t key, void *user,
                                 plugboard_store_request_t *request);

    // Lists keys in the order of their bytes; done() has an entry for each.
    //
    // prefix  what they begin with; empty: all
    // after   only those that come after it; empty: from the first
    // limit   1 … 1000 keys
    plugboard_status_t (*list)(void *context, plugboard_bytes_t prefix, plugboard_bytes_t after, uint32_t limit,
                               void *user, plugboard_store_request_t *request);
} plugboard_store_t;

// OWNERSHIP: the plugin's; valid until destroy() returns. Every function must be set.
typedef struct plugboard_store_events_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [worker] Answers a request; neither from inside a host call nor after stop().
    //
    // status   OK; E_CONFLICT (put: the condition does not hold); E_LIMIT (the instance keeps as much
    //          as it may); E_SYSTEM (the disk failed, or a secret cannot be opened; the host logged
    //          which)
    void (*done)(void *self, plugboard_store_request_t request, void *user, plugboard_status_t status,
                 const plugboard_store_entry_t *entries, size_t count);
} plugboard_store_events_t;

#ifdef __cplusplus
}
#endif

#endif
