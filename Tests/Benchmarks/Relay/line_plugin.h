// What both line plugins have in common: spans, settings, and the functions of a provider that do nothing.
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

UNUSED static void no_check(void *context, const plugboard_instance_t *instance) { (void)context, (void)instance; }

#endif
