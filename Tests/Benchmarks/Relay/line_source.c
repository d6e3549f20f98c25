// Plugin A: takes lines "ADDRESS BODY\n" from the streams that it accepts, and submits each as a message.
#include "line_plugin.h"

static const char SENDER[] = "line@net.test";

typedef struct instance {
    const plugboard_host_t *host;
    void *context;
    char *host_name;
    uint16_t port;
} instance;

static plugboard_status_t start(void *self) {
    instance *it = self;
    plugboard_status_t status = it->host->claim(it->context, PLUGBOARD_CLAIM_DOMAIN, span("net.test"));
    if (status < 0) return status;
    return listen_for_lines(it->host, it->host_name, it->port);
}

// Submits all whole lines, until there is no room.
static size_t received(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes, size_t count) {
    (void)user;
    instance *it = self;
    plugboard_message_t message = {.struct_size = sizeof message};
    plugboard_envelope_t envelope = {
        .struct_size = sizeof envelope, .kind = PLUGBOARD_MESSAGE, .from = span(SENDER), .content = &message,
    };
    size_t used = 0;
    while (used < count) {
        const uint8_t *line = bytes + used;
        const uint8_t *end = memchr(line, '\n', count - used);
        if (!end) break;
        const uint8_t *space = memchr(line, ' ', (size_t)(end - line));
        if (!space) {
            it->host->abort(it->context, stream);
            return count;
        }
        envelope.to = (plugboard_bytes_t){line, (size_t)(space - line)};
        message.text = (plugboard_bytes_t){space + 1, (size_t)(end - space - 1)};
        plugboard_status_t status = it->host->submit(it->context, &envelope, 0);
        if (status == PLUGBOARD_BUSY) break;
        if (status < 0) it->host->log(it->context, PLUGBOARD_LOG_ERROR, span("a line was not taken"));
        used += (size_t)(end - line) + 1;
    }
    return used;
}

static void destroy(void *self) {
    instance *it = self;
    free(it->host_name);
    free(it);
}

LINE_PROVIDER(no_deliver, accept_source, no_opened, received, no_writable, no_closed);

static const plugboard_provider_t *create(void *context, const plugboard_host_t *host,
                                          const plugboard_instance_t *settings, void **self) {
    (void)context;
    instance *it = calloc(1, sizeof *it);
    if (!it) return NULL;
    it->host = host;
    it->context = host->context;
    it->host_name = setting(settings, "listen");
    it->port = it->host_name ? split_address(it->host_name) : 0;
    *self = it;
    return &provider;
}

static const plugboard_setting_schema_t settings[] = {LISTEN_SETTING};

LINE_PLUGIN("org.example.line-source", "LineSource")
