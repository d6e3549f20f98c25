#include "gate.h"

#include <stdlib.h>
#include <string.h>

#define SETTING(path_, type_, flags_, standard_, minimum_, maximum_, help_)                                       \
    {.struct_size = sizeof(plugboard_setting_schema_t), .type = type_, .flags = flags_, .path = path_,            \
     .standard = standard_, .help = help_, .minimum = minimum_, .maximum = maximum_}

const plugboard_setting_schema_t gate_settings[] = {
    SETTING("listen", PLUGBOARD_SETTING_ADDRESS, PLUGBOARD_SETTING_REQUIRED, NULL, 0, 0,
            "Where people connect: an IP address and a port, of which 0 is any free one."),
    SETTING("domain", PLUGBOARD_SETTING_STRING, PLUGBOARD_SETTING_REQUIRED, NULL, 0, 0,
            "Who logs in as bob is bob@ this domain."),
    SETTING("login_timeout", PLUGBOARD_SETTING_DURATION, 0, "10s", 10, 3600000, "How long a connection may take to log in."),
    SETTING("ack_timeout", PLUGBOARD_SETTING_DURATION, 0, "30s", 10, 3600000,
            "How long a message may be unacknowledged before it is tried again."),
    SETTING("connections_max", PLUGBOARD_SETTING_INTEGER, 0, "100", 1, 10000, "Connections at a time."),
};
const size_t gate_setting_count = sizeof gate_settings / sizeof gate_settings[0];

static void report(const plugboard_instance_t *instance, const char *path, const char *sentence) {
    const plugboard_problems_t *problems = instance->problems;
    problems->report(problems->context, PLUGBOARD_PROBLEM_ERROR, bytes_of(path), bytes_of(sentence));
}

// Copies a value into buffer[size] with a zero at its end. Returns 0 if there is none; one that has no room or has a zero
// in it is reported, too.
static int copy(const plugboard_instance_t *instance, const char *path, char *buffer, size_t size) {
    plugboard_bytes_t wanted = bytes_of(path);
    buffer[0] = 0;
    for (size_t index = 0; index < instance->setting_count; index++) {
        const plugboard_setting_t *setting = &instance->settings[index];
        if (setting->path.count != wanted.count || memcmp(setting->path.start, wanted.start, wanted.count) != 0) continue;
        if (setting->value.count >= size || memchr(setting->value.start, 0, setting->value.count)) {
            report(instance, path, "is too long, or holds a zero");
            return -1;
        }
        memcpy(buffer, setting->value.start, setting->value.count);
        buffer[setting->value.count] = 0;
        return 1;
    }
    return 0;
}

// A number that the host has checked: durations are in ms.
static uint64_t number(const plugboard_instance_t *instance, const char *path) {
    char text[32];
    return copy(instance, path, text, sizeof text) > 0 ? strtoull(text, NULL, 10) : 0;
}

static int is_domain(const char *text) {
    if (!*text || strlen(text) > 253) return 0;
    for (const char *at = text; *at; at++) {
        int is_good = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '-' || *at == '.';
        if (!is_good) return 0;
    }
    return 1;
}

// Splits "[::1]:7000" or "127.0.0.1:7000".
static int read_listen(gate *gate, char *text) {
    char *colon = strrchr(text, ':');
    if (!colon) return 0;
    *colon = 0;
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text[length - 1] = 0;
        text++;
    }
    unsigned long port = strtoul(colon + 1, NULL, 10);
    if (strlen(text) >= sizeof gate->address || port > 65535) return 0;
    strcpy(gate->address, text);
    gate->port = (uint16_t)port;
    return 1;
}

int gate_read(gate *gate, const plugboard_instance_t *instance) {
    int is_well = 1;
    char listen[128];
    // What is missing or of the wrong type, the host has reported by the schema.
    int has_listen = copy(instance, "listen", listen, sizeof listen);
    int has_domain = copy(instance, "domain", gate->domain, sizeof gate->domain);
    if (has_listen < 0 || has_domain < 0) is_well = 0;
    if (has_listen > 0 && !read_listen(gate, listen)) {
        report(instance, "listen", "must be an IP address and a port, such as 127.0.0.1:7000");
        is_well = 0;
    }
    if (has_domain > 0 && !is_domain(gate->domain)) {
        report(instance, "domain", "must be a domain name in small letters, such as lines.example");
        is_well = 0;
    }
    gate->login_timeout_ms = number(instance, "login_timeout");
    gate->ack_timeout_ms = number(instance, "ack_timeout");
    gate->connections_max = (uint32_t)number(instance, "connections_max");
    return is_well;
}
