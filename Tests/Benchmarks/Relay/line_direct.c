// Both plugins in one, without envelopes: lines "ADDRESS BODY\n" are written to their sinks at once. It shows what the
// sockets alone cost in the router.
#include "line_sinks.h"

enum { SOURCES_MAX = 64 };

typedef struct instance {
    sinks sinks;
    char *listen_host;
    uint16_t listen_port;
    // Sources that are not read, because a sink is full.
    size_t held_count;
    plugboard_stream_t held[SOURCES_MAX];
} instance;

static plugboard_status_t start(void *self) {
    instance *it = self;
    plugboard_status_t status = connect_sinks(&it->sinks, 0);
    if (status < 0) return status;
    return listen_for_lines(it->sinks.host, it->listen_host, it->listen_port);
}

static void hold(instance *it, plugboard_stream_t stream) {
    if (it->held_count == SOURCES_MAX) return;
    it->held[it->held_count++] = stream;
    it->sinks.host->set_reading(it->sinks.context, stream, 0);
}

static size_t received(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes, size_t count) {
    (void)user;
    instance *it = self;
    size_t used = 0;
    while (used < count) {
        const uint8_t *line = bytes + used;
        const uint8_t *end = memchr(line, '\n', count - used);
        const uint8_t *space = end ? memchr(line, ' ', (size_t)(end - line)) : NULL;
        if (!space) break;
        sink *target = find(&it->sinks, (plugboard_bytes_t){line, (size_t)(space - line)});
        plugboard_bytes_t text = {space + 1, (size_t)(end - space - 1)};
        if (target && !append(&it->sinks, target, text)) {
            hold(it, stream);
            break;
        }
        used += (size_t)(end - line) + 1;
    }
    flush_all(&it->sinks);
    return used;
}

static void opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
    (void)self, (void)stream, (void)tls;
    if (user) ((sink *)user)->is_open = 1;
}

static void writable(void *self, plugboard_stream_t stream, void *user) {
    (void)stream;
    instance *it = self;
    ((sink *)user)->is_full = 0;
    while (it->held_count > 0) it->sinks.host->set_reading(it->sinks.context, it->held[--it->held_count], 1);
}

static void destroy(void *self) {
    instance *it = self;
    free_sinks(&it->sinks);
    free(it->listen_host);
    free(it);
}

LINE_PROVIDER(no_deliver, accept_source, opened, received, writable, no_closed);

static const plugboard_provider_t *create(void *context, const plugboard_host_t *host,
                                          const plugboard_instance_t *settings, void **self) {
    (void)context;
    instance *it = calloc(1, sizeof *it);
    if (!it) return NULL;
    *self = it;
    it->listen_host = setting(settings, "listen");
    it->listen_port = it->listen_host ? split_address(it->listen_host) : 0;
    if (make_sinks(&it->sinks, host, settings)) return &provider;
    destroy(it);
    return NULL;
}

static const plugboard_setting_schema_t settings[] = {LISTEN_SETTING, SINK_SETTINGS};

LINE_PLUGIN("org.example.line-direct", "LineDirect")
