// Extension "plugboard.commands/1", of host and provider: commands that can fail with a reason, and commands that are no
// C functions of their own, for languages that make none of their closures.
#ifndef PLUGBOARD_EXT_COMMANDS_H
#define PLUGBOARD_EXT_COMMANDS_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_COMMANDS "plugboard.commands/1"

#define PLUGBOARD_VALUE_INTEGER ((uint32_t)1)  // `integer`
#define PLUGBOARD_VALUE_NUMBER ((uint32_t)2)   // `number`
#define PLUGBOARD_VALUE_TRUTH ((uint32_t)3)    // `integer`, 0 or 1
#define PLUGBOARD_VALUE_TEXT ((uint32_t)4)     // `text`

// An argument or an answer.
//
// OWNERSHIP: borrowed until the call that it was passed to returns.
typedef struct plugboard_value_1 {
    uint32_t struct_size;
    uint32_t type;  // PLUGBOARD_VALUE_…; the other fields are 0
    int64_t integer;
    double number;
    plugboard_bytes_t text;
} plugboard_value_t;

// What the host offers a command while it runs.
typedef struct plugboard_commands_host_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [worker] The command has failed, and why: a sentence for the operator, of which at most 1024 bytes are kept. What it
    // returns is not shown then.
    //
    // returns  OK, E_INVALID, E_STATE (no command runs)
    plugboard_status_t (*fail)(void *context, plugboard_bytes_t reason);

    // [worker] The answer of a command that the provider's call() carries out; copied before return, the last one counts.
    //
    // returns  OK, E_INVALID (not the type that the signature declares), E_LIMIT (too long), E_STATE (no such command runs)
    plugboard_status_t (*answer)(void *context, const plugboard_value_t *value);
} plugboard_commands_host_t;

// What a provider offers whose descriptor has commands with a NULL function.
typedef struct plugboard_commands_extension_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [worker] Carries out a command whose function is NULL.
    //
    // command    its index in the descriptor
    // arguments  as the signature declares them, all there
    void (*call)(void *self, size_t command, const plugboard_value_t *arguments, size_t count);
} plugboard_commands_extension_t;

#ifdef __cplusplus
}
#endif

#endif
