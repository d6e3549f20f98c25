// What operators can call: ordinary functions with ordinary types.
#define _POSIX_C_SOURCE 200809L
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(gate *gate, const char *reason) {
    const plugboard_commands_host_t *commands = gate->host->extension(gate->host->context, PLUGBOARD_EXT_COMMANDS);
    if (commands) commands->fail(gate->host->context, bytes_of(reason));
}

// s(): who has logged in, a line each. The host frees it.
static char *who(void *self) {
    gate *gate = self;
    char *names = calloc((size_t)gate->connection_count + 1, NAME_BYTES_MAX + 1);
    if (!names) return NULL;
    char *end = names;
    for (connection *each = gate->connections; each; each = each->next) {
        if (each->name[0]) end += sprintf(end, "%s%s", end == names ? "" : "\n", each->name);
    }
    return names;
}

// v(s,s): closes a person's connection.
static void kick(void *self, const char *name, const char *reason) {
    connection *person = gate_find(self, name, strlen(name));
    if (!person) {
        fail(self, "nobody has logged in by this name");
        return;
    }
    connection_say(person, "BYE", bytes_of(reason));
    connection_finish(person, NULL);
}

// i(s): tells everybody something; how many they were.
static int64_t announce(void *self, const char *text) {
    gate *gate = self;
    int64_t count = 0;
    for (connection *each = gate->connections; each; each = each->next) {
        if (!each->name[0] || each->is_closing) continue;
        connection_say(each, "NOTICE", bytes_of(text));
        count++;
    }
    return count;
}

#define COMMAND(name_, signature_, argument_names_, help_, function_)                                       \
    {.struct_size = sizeof(plugboard_command_t), .name = name_, .signature = signature_,                    \
     .argument_names = argument_names_, .help = help_, .function = (void (*)(void))function_}

const plugboard_command_t gate_commands[] = {
    COMMAND("who", "s()", "", "Lists who has logged in.", who),
    COMMAND("kick", "v(s,s)", "name,reason=an operator closed it", "Closes a person's connection.", kick),
    COMMAND("announce", "i(s)", "text", "Tells everybody something, and answers how many they were.", announce),
};
const size_t gate_command_count = sizeof gate_commands / sizeof gate_commands[0];
