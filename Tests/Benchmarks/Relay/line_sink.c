// Plugin B: connects to the sinks and claims their addresses; what is delivered to one is written to its stream, a line
// each.
#include "line_sinks.h"

static plugboard_status_t start(void *self) { return connect_sinks(self, 1); }

static size_t deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
    sinks *it = self;
    size_t taken = 0;
    for (; taken < count; taken++) {
        const plugboard_envelope_t *envelope = envelopes[taken];
        plugboard_outcome_t outcome = {.struct_size = sizeof outcome, .result = PLUGBOARD_DELIVERED};
        sink *target = find(it, envelope->to);
        const plugboard_message_t *message = envelope->content;
        if (!target || envelope->kind != PLUGBOARD_MESSAGE || message->text.count >= GATHERED_MAX) {
            outcome.result = PLUGBOARD_FAILED;
            outcome.failure_class = PLUGBOARD_CLASS_RECIPIENT;
        } else if (!append(it, target, message->text)) {
            break;
        }
        it->host->complete(it->context, envelope->token, &outcome);
    }
    flush_all(it);
    return taken;
}

static void opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
    (void)stream, (void)tls;
    sinks *it = self;
    ((sink *)user)->is_open = 1;
    it->host->ready(it->context);
}

static void writable(void *self, plugboard_stream_t stream, void *user) {
    (void)stream;
    sinks *it = self;
    ((sink *)user)->is_full = 0;
    it->host->ready(it->context);
}

static void closed(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason) {
    (void)stream;
    sinks *it = self;
    ((sink *)user)->is_open = 0;
    it->host->log(it->context, PLUGBOARD_LOG_NOTICE, reason->detail);
}

static void destroy(void *self) {
    free_sinks(self);
    free(self);
}

LINE_PROVIDER(deliver, no_accepted, opened, skip_received, writable, closed);

static const plugboard_provider_t *create(void *context, const plugboard_host_t *host,
                                          const plugboard_instance_t *settings, void **self) {
    (void)context;
    sinks *it = calloc(1, sizeof *it);
    if (!it) return NULL;
    *self = it;
    if (make_sinks(it, host, settings)) return &provider;
    destroy(it);
    return NULL;
}

static const plugboard_setting_schema_t settings[] = {SINK_SETTINGS};

LINE_PLUGIN("org.example.line-sink", "LineSink")
