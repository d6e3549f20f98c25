// What the line plugins have in common: spans, settings, the listener, and the functions of a provider that do nothing.
#ifndef LINE_PLUGIN_H
#define LINE_PLUGIN_H

#include <plugboard/plugboard.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

static inline plugboard_bytes_t span(const char *text) {
    return (plugboard_bytes_t){(const uint8_t *)text, strlen(text)};
}

// The value of a setting as a C string, to be freed; NULL if it is not set.
UNUSED static char *setting(const plugboard_instance_t *instance, const char *path) {
    for (size_t index = 0; index < instance->setting_count; index++) {
        const plugboard_setting_t *each = &instance->settings[index];
        if (each->path.count == strlen(path) && memcmp(each->path.start, path, each->path.count) == 0) {
            return strndup((const char *)each->value.start, each->value.count);
        }
    }
    return NULL;
}

// Splits "host:port" at its last colon; the port, or 0 if there is none.
UNUSED static uint16_t split_address(char *address) {
    char *colon = strrchr(address, ':');
    if (!colon) return 0;
    *colon = '\0';
    return (uint16_t)strtoul(colon + 1, NULL, 10);
}

UNUSED static void no_event(void *self) { (void)self; }

UNUSED static size_t no_deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
    (void)self, (void)envelopes, (void)count;
    return 0;
}

UNUSED static void no_submitted(void *self, const plugboard_submitted_t *results, size_t count) {
    (void)self, (void)results, (void)count;
}

UNUSED static uint32_t no_accepted(void *self, plugboard_stream_t stream, void *listener_user, void **user) {
    (void)self, (void)stream, (void)listener_user, (void)user;
    return 0;
}

UNUSED static void no_opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
    (void)self, (void)stream, (void)user, (void)tls;
}

UNUSED static size_t skip_received(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes,
                                   size_t count) {
    (void)self, (void)stream, (void)user, (void)bytes;
    return count;
}

UNUSED static void no_writable(void *self, plugboard_stream_t stream, void *user) {
    (void)self, (void)stream, (void)user;
}

UNUSED static void no_closed(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason) {
    (void)self, (void)stream, (void)user, (void)reason;
}

UNUSED static void no_resolved(void *self, plugboard_query_t query, void *user, plugboard_status_t status,
                               const plugboard_record_t *records, size_t count) {
    (void)self, (void)query, (void)user, (void)status, (void)records, (void)count;
}

UNUSED static void no_fired(void *self, plugboard_timer_t timer, void *user) { (void)self, (void)timer, (void)user; }

UNUSED static const void *no_extension(void *self, const char *id) {
    (void)self, (void)id;
    return NULL;
}

// Accepts every connection.
UNUSED static uint32_t accept_source(void *self, plugboard_stream_t stream, void *listener_user, void **user) {
    (void)self, (void)stream, (void)listener_user;
    *user = NULL;
    return 1;
}

// Listens at the address of the setting `listen`.
UNUSED static plugboard_status_t listen_for_lines(const plugboard_host_t *host, const char *address, uint16_t port) {
    plugboard_listen_options_t options = {.struct_size = sizeof options, .address = span(address), .port = port};
    plugboard_listener_t listener;
    return host->listen(host->context, &options, NULL, &listener, NULL);
}

// The schema of that setting.
#define LISTEN_SETTING \
    { \
        .struct_size = sizeof(plugboard_setting_schema_t), .type = PLUGBOARD_SETTING_ADDRESS, \
        .flags = PLUGBOARD_SETTING_REQUIRED, .path = "listen", .help = "Where lines are taken.", \
    }

// A provider's table, of a plugin with functions `start` and `destroy`.
#define LINE_PROVIDER(DELIVER, ACCEPTED, OPENED, RECEIVED, WRITABLE, CLOSED) \
    static const plugboard_provider_t provider = { \
        .struct_size = sizeof provider, .start = start, .drain = no_event, .stop = no_event, .destroy = destroy, \
        .deliver = DELIVER, .submitted = no_submitted, .room = no_event, .accepted = ACCEPTED, .opened = OPENED, \
        .received = RECEIVED, .writable = WRITABLE, .closed = CLOSED, .resolved = no_resolved, .fired = no_fired, \
        .extension = no_extension, \
    }

// The entry of a plugin with a `create` function and `settings`.
#define LINE_PLUGIN(ID, NAME) \
    static const plugboard_descriptor_t descriptor = { \
        .struct_size = sizeof descriptor, .id = ID, .name = NAME, .version = "1.0.0", .vendor = "Plugboard", \
        .settings = settings, .setting_count = sizeof settings / sizeof settings[0], \
    }; \
    static const plugboard_plugin_t plugin = { \
        .struct_size = sizeof plugin, .abi_version = PLUGBOARD_ABI_VERSION, .descriptor = &descriptor, \
        .check = no_check, .create = create, \
    }; \
    const plugboard_plugin_t *plugboard_plugin_entry(uint32_t host_abi) { \
        (void)host_abi; \
        return &plugin; \
    }

UNUSED static void no_check(void *context, const plugboard_instance_t *instance) { (void)context, (void)instance; }

#endif
