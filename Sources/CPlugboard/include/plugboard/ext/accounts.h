// Extension "plugboard.accounts/1": the home users' accounts on the network of an instance.
//
// An operator links accounts to home users, by the instance's name in the configuration; passwords
// are in the vault. The host's extension of this id is a plugboard_accounts_t. What it tells comes
// through the provider's extension of the same id, a plugboard_accounts_events_t, which the host
// asks for once, before start(). Without it, both calls answer E_UNSUPPORTED.
//
//   follow()  ─►  linked()  linked()  …  linked() with LISTED      the accounts that there are
//                 linked()  changed()  unlinked()  …               what becomes of them, in order
//
// An instance has up to 10,000 accounts. One account is one user's; a user may have several.
#ifndef PLUGBOARD_EXT_ACCOUNTS_H
#define PLUGBOARD_EXT_ACCOUNTS_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_ACCOUNTS "plugboard.accounts/1"

// Names an account from linked() to unlinked(). Carries a generation, as all handles do: one that is
// linked again has another. 0 is none.
typedef uint64_t plugboard_account_t;
typedef uint64_t plugboard_account_request_t;

// The last part of the list that follow() asked for; there may be none in it.
#define PLUGBOARD_ACCOUNTS_LISTED ((uint32_t)1)

// OWNERSHIP: borrowed until the call that it is passed to returns.
typedef struct plugboard_linked_account_1 {
    uint32_t struct_size;
    uint32_t reserved;
    plugboard_account_t account;
    plugboard_bytes_t user;  // the home user's address
    plugboard_bytes_t name;  // what the network calls the user; 1 … 255 bytes
} plugboard_linked_account_t;

// OWNERSHIP: borrowed until password() returns; the host wipes its copy then. Keep yours no longer
// than the sign-on needs it.
typedef struct plugboard_credentials_1 {
    uint32_t struct_size;
    uint32_t reserved;
    plugboard_bytes_t password;  // 1 … 4096 bytes, as they were typed
} plugboard_credentials_t;

// OWNERSHIP: the host's; lives as long as the host table. `context` is the host table's.
typedef struct plugboard_accounts_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [worker] Asks for the accounts that there are, and for all that becomes of them later.
    //
    // returns  OK; E_STATE (it follows already), E_UNSUPPORTED, E_SHUTDOWN
    plugboard_status_t (*follow)(void *context);

    // [worker] Asks for an account's password; password() has the answer, exactly once, unless the
    // instance stops.
    //
    // returns  OK and *request; E_INVALID (no `request`), E_HANDLE (no such account, or no longer),
    //          E_LIMIT (256 requests without an answer), E_UNSUPPORTED, E_SHUTDOWN
    plugboard_status_t (*password)(void *context, plugboard_account_t account, void *user,
                                   plugboard_account_request_t *request);
} plugboard_accounts_t;

// OWNERSHIP: the plugin's; valid until destroy() returns. Every function must be set. All are
// [worker], neither from inside a host call nor after stop().
typedef struct plugboard_accounts_events_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // Accounts that are linked: up to 256.
    void (*linked)(void *self, const plugboard_linked_account_t *accounts, size_t count, uint32_t flags);

    // An account has another password: what was signed on with the old one may go on.
    void (*changed)(void *self, plugboard_account_t account);

    // An account is linked no longer: sign off. The handle is stale.
    void (*unlinked)(void *self, plugboard_account_t account);

    // Answers a request for a password.
    //
    // status       OK; E_HANDLE (unlinked meanwhile); E_SYSTEM (the vault does not open it; the host
    //              logged why)
    // credentials  NULL unless OK
    void (*password)(void *self, plugboard_account_request_t request, void *user, plugboard_status_t status,
                     const plugboard_credentials_t *credentials);
} plugboard_accounts_events_t;

#ifdef __cplusplus
}
#endif

#endif
