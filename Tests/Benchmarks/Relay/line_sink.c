// Plugin B: connects to SINKS ports and claims sink0@home.test, sink1@home.test, …; what is delivered to one is
// written to its stream, a line each.
#include "line_plugin.h"
#include <stdio.h>

enum {
    // What one deliver() gathers for a sink before it is written.
    GATHERED_MAX = 64 << 10,
};

static const char PREFIX[] = "sink";
static const char SUFFIX[] = "@home.test";

typedef struct sink {
    char name[40];
    plugboard_stream_t stream;
    int is_open;
    // Above its high-water mark: nothing more until writable().
    int is_full;
    uint32_t gathered_count;
    uint8_t gathered[GATHERED_MAX];
} sink;

typedef struct instance {
    const plugboard_host_t *host;
    void *context;
    char *host_name;
    uint16_t port;
    size_t sink_count;
    sink *sinks;
} instance;

static plugboard_status_t start(void *self) {
    instance *it = self;
    for (size_t index = 0; index < it->sink_count; index++) {
        sink *each = &it->sinks[index];
        plugboard_status_t status = it->host->claim(it->context, PLUGBOARD_CLAIM_ADDRESS, span(each->name));
        if (status < 0) return status;
        plugboard_connect_options_t options = {
            .struct_size = sizeof options, .host = span(it->host_name), .port = (uint16_t)(it->port + index),
        };
        status = it->host->connect(it->context, &options, each, &each->stream);
        if (status < 0) return status;
    }
    return PLUGBOARD_OK;
}

// The sink of an address such as sink3@home.test; NULL if it is none.
static sink *find(instance *it, plugboard_bytes_t address) {
    size_t prefix = sizeof PREFIX - 1;
    if (address.count <= prefix) return NULL;
    size_t index = (size_t)(address.start[prefix] - '0');
    if (index >= it->sink_count) return NULL;
    sink *found = &it->sinks[index];
    if (address.count != strlen(found->name) || memcmp(address.start, found->name, address.count) != 0) return NULL;
    return found;
}

static void flush(instance *it, sink *each) {
    if (each->gathered_count == 0) return;
    plugboard_bytes_t bytes = {each->gathered, each->gathered_count};
    if (it->host->write(it->context, each->stream, bytes) == PLUGBOARD_HIGH) each->is_full = 1;
    each->gathered_count = 0;
}

// Whether the sink has taken the text.
static int append(instance *it, sink *each, plugboard_bytes_t text) {
    if (!each->is_open || each->is_full) return 0;
    if (text.count + 1 > GATHERED_MAX - each->gathered_count) {
        flush(it, each);
        if (each->is_full) return 0;
    }
    memcpy(each->gathered + each->gathered_count, text.start, text.count);
    each->gathered[each->gathered_count + text.count] = '\n';
    each->gathered_count += (uint32_t)text.count + 1;
    return 1;
}

static size_t deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
    instance *it = self;
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
    for (size_t index = 0; index < it->sink_count; index++) flush(it, &it->sinks[index]);
    return taken;
}

static void opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
    (void)stream, (void)tls;
    instance *it = self;
    ((sink *)user)->is_open = 1;
    it->host->ready(it->context);
}

static void writable(void *self, plugboard_stream_t stream, void *user) {
    (void)stream;
    instance *it = self;
    ((sink *)user)->is_full = 0;
    it->host->ready(it->context);
}

static void closed(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason) {
    (void)stream;
    instance *it = self;
    ((sink *)user)->is_open = 0;
    it->host->log(it->context, PLUGBOARD_LOG_NOTICE, reason->detail);
}

static void destroy(void *self) {
    instance *it = self;
    free(it->host_name);
    free(it->sinks);
    free(it);
}

static const plugboard_provider_t provider = {
    .struct_size = sizeof provider, .start = start, .drain = no_event, .stop = no_event, .destroy = destroy,
    .deliver = deliver, .submitted = no_submitted, .room = no_event, .accepted = no_accepted, .opened = opened,
    .received = skip_received, .writable = writable, .closed = closed, .resolved = no_resolved, .fired = no_fired,
    .extension = no_extension,
};

static const plugboard_provider_t *create(void *context, const plugboard_host_t *host,
                                          const plugboard_instance_t *settings, void **self) {
    (void)context;
    instance *it = calloc(1, sizeof *it);
    if (!it) return NULL;
    it->host = host;
    it->context = host->context;
    it->host_name = setting(settings, "connect");
    it->port = it->host_name ? split_address(it->host_name) : 0;
    char *count = setting(settings, "sinks");
    it->sink_count = count ? strtoul(count, NULL, 10) : 0;
    free(count);
    it->sinks = calloc(it->sink_count ? it->sink_count : 1, sizeof *it->sinks);
    if (!it->sinks) {
        destroy(it);
        return NULL;
    }
    for (size_t index = 0; index < it->sink_count; index++) {
        snprintf(it->sinks[index].name, sizeof it->sinks[index].name, "%s%zu%s", PREFIX, index, SUFFIX);
    }
    *self = it;
    return &provider;
}

static const plugboard_setting_schema_t settings[] = {
    {
        .struct_size = sizeof settings[0], .type = PLUGBOARD_SETTING_ADDRESS, .flags = PLUGBOARD_SETTING_REQUIRED,
        .path = "connect", .help = "Where sink0 is; the next sinks are at the next ports.",
    },
    {
        .struct_size = sizeof settings[0], .type = PLUGBOARD_SETTING_INTEGER, .path = "sinks", .standard = "4",
        .help = "How many there are.", .minimum = 1, .maximum = 10,
    },
};

static const plugboard_descriptor_t descriptor = {
    .struct_size = sizeof descriptor, .id = "org.example.line-sink", .name = "LineSink", .version = "1.0.0",
    .vendor = "Plugboard", .settings = settings, .setting_count = 2,
};

static const plugboard_plugin_t plugin = {
    .struct_size = sizeof plugin, .abi_version = PLUGBOARD_ABI_VERSION, .descriptor = &descriptor, .check = no_check,
    .create = create,
};

const plugboard_plugin_t *plugboard_plugin_entry(uint32_t host_abi) {
    (void)host_abi;
    return &plugin;
}
