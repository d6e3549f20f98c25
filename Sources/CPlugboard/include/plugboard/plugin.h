// The plugin: what a shared object says of itself, and its one exported function.
#ifndef PLUGBOARD_PLUGIN_H
#define PLUGBOARD_PLUGIN_H

#include "base.h"
#include "host.h"
#include "provider.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_LEVEL_PARTIAL ((uint32_t)1)  // the README of the plugin says what is missing
#define PLUGBOARD_LEVEL_FULL ((uint32_t)2)

// One thing that the network can do, e.g. "messages", "receipts.delivered", "typing", "presence",
// "contacts", "calls.audio". What is not listed is not offered.
typedef struct plugboard_capability_1 {
    uint32_t struct_size;
    uint32_t level;    // PLUGBOARD_LEVEL_…
    const char *name;
    uint64_t limit;    // 0: none. "messages": bytes of text; "contacts": entries
} plugboard_capability_t;

#define PLUGBOARD_SETTING_STRING ((uint32_t)1)
#define PLUGBOARD_SETTING_INTEGER ((uint32_t)2)   // minimum … maximum
#define PLUGBOARD_SETTING_BOOLEAN ((uint32_t)3)   // handed over as "true" or "false"
#define PLUGBOARD_SETTING_DURATION ((uint32_t)4)  // "250ms", "5s", "10m", "48h"; handed over in ms
#define PLUGBOARD_SETTING_SIZE ((uint32_t)5)      // "512", "64KiB", "1MiB"; handed over in bytes
#define PLUGBOARD_SETTING_CHOICE ((uint32_t)6)    // one of `choices`
#define PLUGBOARD_SETTING_ADDRESS ((uint32_t)7)   // host:port
#define PLUGBOARD_SETTING_SECRET ((uint32_t)8)    // written env:NAME or file:PATH; handed over resolved

#define PLUGBOARD_SETTING_REQUIRED ((uint32_t)1)  // in each element, where the path has []

// One setting in the schema. The host checks types, ranges and unknown names by it, with the line
// of the configuration file, before the plugin sees anything.
typedef struct plugboard_setting_schema_1 {
    uint32_t struct_size;
    uint32_t type;         // PLUGBOARD_SETTING_…
    uint32_t flags;        // PLUGBOARD_SETTING_REQUIRED
    uint32_t reserved;     // 0
    const char *path;      // "listen[]", "partners[].domain"
    const char *standard;  // the default, as it would be written; NULL: none
    const char *choices;   // "required|optional|not-supported"; NULL otherwise
    const char *help;      // one sentence
    int64_t minimum;       // INTEGER, DURATION (ms), SIZE (bytes)
    int64_t maximum;       // the same; 0 with minimum 0: no range
} plugboard_setting_schema_t;

// One setting as configured, e.g. "partners[0].domain" = "example.org". Settings with a default
// and no configured value are present with the default.
typedef struct plugboard_setting_1 {
    uint32_t struct_size;
    uint32_t reserved;
    plugboard_bytes_t path;
    plugboard_bytes_t value;
} plugboard_setting_t;

#define PLUGBOARD_PROBLEM_WARNING ((uint32_t)1)
#define PLUGBOARD_PROBLEM_ERROR ((uint32_t)2)

// Where a plugin reports what is wrong with its settings. `path` names the setting; the host adds
// file and line. `sentence` says what is wrong and how to mend it; it never contains a secret.
typedef struct plugboard_problems_1 {
    uint32_t struct_size;
    uint32_t reserved;
    void *context;
    void (*report)(void *context, uint32_t severity, plugboard_bytes_t path, plugboard_bytes_t sentence);
} plugboard_problems_t;

// An operator's command: a plain C function and its signature, called through libffi. [worker]
//
// signature       "RESULT(ARGUMENTS)"; types: i int64_t, d double, b uint8_t (0 or 1), s const char *,
//                 v nothing (result only). The first argument, `self`, is not written. At most 16
//                 arguments. A result of type s is malloc()ed by the plugin; the host frees it, and
//                 NULL is no answer.
// argument_names  as many names as arguments; the last ones may have a default, as an operator
//                 would write it, without commas: "user,seconds=60"
// function        NULL: the provider's extension "plugboard.commands/1" carries the command out.
//                 The host's extension of that name is how a command says that it failed.
//
// A command that is declared wrongly is refused alone; the operator is told.
typedef struct plugboard_command_1 {
    uint32_t struct_size;
    uint32_t reserved;
    const char *name;          // "set-profile"
    const char *signature;     // "s(s,i)"
    const char *argument_names;  // "user,seconds=60"
    const char *help;          // one sentence
    void (*function)(void);    // cast to the signature's type
} plugboard_command_t;

// OWNERSHIP: static; valid for the life of the process.
typedef struct plugboard_descriptor_1 {
    uint32_t struct_size;
    uint32_t reserved;
    const char *id;       // reverse domain name, unique: "org.example.aim"
    const char *name;     // for people: "AOL Instant Messenger"
    const char *version;  // "1.2.0"
    const char *vendor;
    const plugboard_capability_t *capabilities;
    size_t capability_count;
    const plugboard_setting_schema_t *settings;
    size_t setting_count;
    const plugboard_command_t *commands;
    size_t command_count;
} plugboard_descriptor_t;

// What the host tells an instance at its creation.
typedef struct plugboard_instance_1 {
    uint32_t struct_size;
    uint32_t reserved;
    plugboard_bytes_t id;                  // the instance's name in the configuration
    const plugboard_setting_t *settings;   // setting_count, in the order of the configuration
    size_t setting_count;
    const plugboard_bytes_t *home_domains; // home_domain_count domains that the organisation serves
    size_t home_domain_count;
    const plugboard_problems_t *problems;  // where create() says why it failed
} plugboard_instance_t;

// OWNERSHIP: static; valid for the life of the process.
typedef struct plugboard_plugin_1 {
    uint32_t struct_size;
    uint32_t abi_version;  // PLUGBOARD_ABI_VERSION that the plugin was built with
    void *context;         // the plugin's own; passed back unchanged
    const plugboard_descriptor_t *descriptor;

    // [loader] Checks settings that fit the schema for what a schema cannot say. Starts nothing.
    void (*check)(void *context, const plugboard_instance_t *instance);

    // [worker] Makes an instance. It may not use the host's streams, timers or envelopes before
    // start(). On failure it reports why to instance->problems and returns NULL.
    //
    // self     set to the instance; the first argument of every function in the table
    // returns  the instance's table
    const plugboard_provider_t *(*create)(void *context, const plugboard_host_t *host,
                                          const plugboard_instance_t *instance, void **self);
} plugboard_plugin_t;

#if defined(__GNUC__) || defined(__clang__)
#define PLUGBOARD_EXPORT __attribute__((visibility("default")))
#else
#define PLUGBOARD_EXPORT
#endif

// The plugin's only exported symbol. [loader]
//
// host_abi  the host's PLUGBOARD_ABI_VERSION, for plugins that serve several
// returns   the plugin's table; NULL only if it cannot work in this process at all
PLUGBOARD_EXPORT const plugboard_plugin_t *plugboard_plugin_entry(uint32_t host_abi);

#define PLUGBOARD_ENTRY_SYMBOL "plugboard_plugin_entry"

#ifdef __cplusplus
}
#endif

#endif
