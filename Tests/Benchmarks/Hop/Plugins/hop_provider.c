// The source and the sink as C plugins: what a connector in C costs.
#include "hop.h"

#include <stdlib.h>
#include <string.h>

typedef struct provider {
    const plugboard_host_t *host;
    void *context;  // the host's
    hop_run *run;
} provider;

static plugboard_bytes_t bytes(const void *start, size_t count) {
    return (plugboard_bytes_t){.start = start, .count = count};
}

// --- The source ---

static const char source_address[] = "alice@partner.example";
static const char source_domain[] = "partner.example";

static plugboard_status_t source_start(void *self) {
    provider *it = self;
    return it->host->claim(it->context, PLUGBOARD_CLAIM_DOMAIN, bytes(source_domain, sizeof source_domain - 1));
}

static plugboard_status_t submit(provider *it, uint64_t number) {
    uint8_t to[HOP_ADDRESS_BYTES_MAX], text[HOP_TEXT_BYTES];
    size_t to_count = hop_recipient(it->run, number, to);
    hop_text(number, text);
    plugboard_message_t message = {.struct_size = sizeof message, .text = bytes(text, sizeof text)};
    plugboard_envelope_t envelope = {
        .struct_size = sizeof envelope,
        .kind = PLUGBOARD_MESSAGE,
        .from = bytes(source_address, sizeof source_address - 1),
        .to = bytes(to, to_count),
        .id = bytes(text, 15),
        .content = &message,
    };
    return it->host->submit(it->context, &envelope, number);
}

static void fill(provider *it) {
    uint64_t number;
    while (hop_next(it->run, &number)) {
        plugboard_status_t status = submit(it, number);
        if (status == PLUGBOARD_OK) continue;
        hop_not_taken(it->run);
        if (status != PLUGBOARD_BUSY) abort();
        return;
    }
}

// The only message to the source tells it to begin.
static size_t source_deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
    provider *it = self;
    plugboard_outcome_t outcome = {.struct_size = sizeof outcome, .result = PLUGBOARD_DELIVERED};
    for (size_t index = 0; index < count; index++) {
        it->host->complete(it->context, envelopes[index]->token, &outcome);
        if (envelopes[index]->kind != PLUGBOARD_MESSAGE) continue;
        hop_begin(it->run);
        fill(it);
    }
    return count;
}

static void source_submitted(void *self, const plugboard_submitted_t *results, size_t count) {
    provider *it = self;
    uint64_t refused = 0;
    for (size_t index = 0; index < count; index++) {
        if (results[index].outcome->result != PLUGBOARD_ACCEPTED) refused++;
    }
    hop_told(it->run, count, refused);
    fill(it);
}

static void source_room(void *self) { fill(self); }

// --- The sink ---

static plugboard_status_t sink_start(void *self) {
    provider *it = self;
    uint8_t address[HOP_ADDRESS_BYTES_MAX];
    for (uint32_t index = 0; index < hop_addresses(it->run); index++) {
        size_t count = hop_address(index, address);
        plugboard_status_t status = it->host->claim(it->context, PLUGBOARD_CLAIM_ADDRESS, bytes(address, count));
        if (status != PLUGBOARD_OK) return status;
    }
    return PLUGBOARD_OK;
}

static size_t sink_deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
    provider *it = self;
    plugboard_outcome_t outcome = {.struct_size = sizeof outcome, .result = PLUGBOARD_DELIVERED};
    for (size_t index = 0; index < count; index++) {
        const plugboard_message_t *message = envelopes[index]->content;
        hop_arrived(it->run, message->text.start, message->text.count);
        it->host->complete(it->context, envelopes[index]->token, &outcome);
    }
    return count;
}

static void sink_submitted(void *self, const plugboard_submitted_t *results, size_t count) {
    (void)self, (void)results, (void)count;
}

static void sink_room(void *self) { (void)self; }

// --- What both have ---

static void drain(void *self) { (void)self; }
static void stop(void *self) { (void)self; }
static void destroy(void *self) { free(self); }
static uint32_t accepted(void *self, plugboard_stream_t stream, void *listener_user, void **user) {
    (void)self, (void)stream, (void)listener_user, (void)user;
    return 0;
}
static void opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
    (void)self, (void)stream, (void)user, (void)tls;
}
static size_t received(void *self, plugboard_stream_t stream, void *user, const uint8_t *start, size_t count) {
    (void)self, (void)stream, (void)user, (void)start;
    return count;
}
static void writable(void *self, plugboard_stream_t stream, void *user) { (void)self, (void)stream, (void)user; }
static void closed(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason) {
    (void)self, (void)stream, (void)user, (void)reason;
}
static void resolved(void *self, plugboard_query_t query, void *user, plugboard_status_t status,
                     const plugboard_record_t *records, size_t count) {
    (void)self, (void)query, (void)user, (void)status, (void)records, (void)count;
}
static void fired(void *self, plugboard_timer_t timer, void *user) { (void)self, (void)timer, (void)user; }
static const void *extension(void *self, const char *id) {
    (void)self, (void)id;
    return NULL;
}

static const plugboard_provider_t source_table = {
    .struct_size = sizeof source_table, .start = source_start, .drain = drain, .stop = stop, .destroy = destroy,
    .deliver = source_deliver, .submitted = source_submitted, .room = source_room, .accepted = accepted,
    .opened = opened, .received = received, .writable = writable, .closed = closed, .resolved = resolved,
    .fired = fired, .extension = extension,
};

static const plugboard_provider_t sink_table = {
    .struct_size = sizeof sink_table, .start = sink_start, .drain = drain, .stop = stop, .destroy = destroy,
    .deliver = sink_deliver, .submitted = sink_submitted, .room = sink_room, .accepted = accepted,
    .opened = opened, .received = received, .writable = writable, .closed = closed, .resolved = resolved,
    .fired = fired, .extension = extension,
};

static void check(void *context, const plugboard_instance_t *settings) { (void)context, (void)settings; }

static void *make(void *context, const plugboard_host_t *host) {
    provider *it = calloc(1, sizeof *it);
    if (it == NULL) return NULL;
    it->host = host;
    it->context = host->context;
    it->run = context;
    return it;
}

static const plugboard_provider_t *create_source(void *context, const plugboard_host_t *host,
                                                 const plugboard_instance_t *settings, void **self) {
    (void)settings;
    *self = make(context, host);
    return *self == NULL ? NULL : &source_table;
}

static const plugboard_provider_t *create_sink(void *context, const plugboard_host_t *host,
                                               const plugboard_instance_t *settings, void **self) {
    (void)settings;
    *self = make(context, host);
    return *self == NULL ? NULL : &sink_table;
}

static const plugboard_descriptor_t source_descriptor = {
    .struct_size = sizeof source_descriptor, .id = "org.plugboard.benchmark.source", .name = "Source",
    .version = "1.0.0", .vendor = "Plugboard",
};

static const plugboard_descriptor_t sink_descriptor = {
    .struct_size = sizeof sink_descriptor, .id = "org.plugboard.benchmark.sink", .name = "Sink",
    .version = "1.0.0", .vendor = "Plugboard",
};

static const plugboard_plugin_t *plugin(hop_run *run, const plugboard_descriptor_t *descriptor,
                                        const plugboard_provider_t *(*create)(void *, const plugboard_host_t *,
                                                                              const plugboard_instance_t *, void **)) {
    plugboard_plugin_t *table = calloc(1, sizeof *table);
    if (table == NULL) abort();
    table->struct_size = sizeof *table;
    table->abi_version = PLUGBOARD_ABI_VERSION;
    table->context = run;
    table->descriptor = descriptor;
    table->check = check;
    table->create = create;
    return table;
}

const plugboard_plugin_t *hop_source_plugin(hop_run *run) { return plugin(run, &source_descriptor, create_source); }
const plugboard_plugin_t *hop_sink_plugin(hop_run *run) { return plugin(run, &sink_descriptor, create_sink); }
