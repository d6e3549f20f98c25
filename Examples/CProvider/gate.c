// One instance: its life, the envelopes, the plugin's entry.
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

plugboard_bytes_t bytes_of(const char *text) {
    return (plugboard_bytes_t){(const uint8_t *)text, strlen(text)};
}

void gate_log(gate *gate, uint32_t level, const char *text) {
    gate->host->log(gate->host->context, level, bytes_of(text));
}

void gate_complete(gate *gate, uint64_t token, uint16_t result, uint16_t failure_class, const char *reason) {
    plugboard_outcome_t outcome = {
        .struct_size = sizeof outcome, .result = result, .failure_class = failure_class, .reason = bytes_of(reason)};
    gate->host->complete(gate->host->context, token, &outcome);
}

connection *gate_find(gate *gate, const char *name, size_t length) {
    for (connection *each = gate->connections; each; each = each->next) {
        if (!each->is_closing && length > 0 && strlen(each->name) == length && memcmp(each->name, name, length) == 0) {
            return each;
        }
    }
    return NULL;
}

// --- Life ---

static plugboard_status_t start(void *self) {
    gate *gate = self;
    const plugboard_host_t *host = gate->host;
    plugboard_status_t status = host->claim(host->context, PLUGBOARD_CLAIM_DOMAIN, bytes_of(gate->domain));
    if (status < 0) {
        gate_log(gate, PLUGBOARD_LOG_ERROR, "the domain cannot be claimed: another provider may have it");
        return status;
    }
    plugboard_listen_options_t options = {
        .struct_size = sizeof options,
        .input_max = 2 * LINE_BYTES_MAX,
        .address = bytes_of(gate->address),
        .port = gate->port,
        .streams_max = gate->connections_max,
    };
    status = host->listen(host->context, &options, gate, &gate->listener, &gate->port);
    if (status < 0) return status;
    char line[128];
    snprintf(line, sizeof line, "people can connect to %s, port %u", gate->address, gate->port);
    gate_log(gate, PLUGBOARD_LOG_INFO, line);
    gate->started_ms = host->wall_ms(host->context);
    return PLUGBOARD_OK;
}

static void drain(void *self) {
    gate *gate = self;
    gate->is_draining = 1;
    gate->host->close_listener(gate->host->context, gate->listener);
    for (connection *each = gate->connections; each; each = each->next) connection_drain(each);
}

// closed() has been called for every stream by now, and no timer runs.
static void stop(void *self) { (void)self; }

static void destroy(void *self) { free(self); }

// --- Envelopes ---

static size_t deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
    gate *gate = self;
    for (size_t index = 0; index < count; index++) {
        const plugboard_envelope_t *envelope = envelopes[index];
        switch (envelope->kind) {
        case PLUGBOARD_MESSAGE: break;
        case PLUGBOARD_RECEIPT:
        case PLUGBOARD_TYPING:
        case PLUGBOARD_PRESENCE:
        case PLUGBOARD_FAILURE:
            // There is no line for them in the protocol, and their senders wait for nothing.
            gate_complete(gate, envelope->token, PLUGBOARD_DELIVERED, PLUGBOARD_CLASS_NONE, "");
            continue;
        default:
            // Requests, whose senders wait for an answer, and kinds of later versions.
            gate_complete(gate, envelope->token, PLUGBOARD_FAILED, PLUGBOARD_CLASS_CONTENT, "this gate carries messages only");
            continue;
        }
        const char *to = (const char *)envelope->to.start;
        const char *at = memchr(to, '@', envelope->to.count);
        connection *person = at ? gate_find(gate, to, (size_t)(at - to)) : NULL;
        if (person) {
            connection_deliver(person, envelope);
        } else {
            gate_complete(gate, envelope->token, PLUGBOARD_DEFERRED, PLUGBOARD_CLASS_UNAVAILABLE, "not logged in");
        }
    }
    return count;
}

// Nothing is submitted with a cookie, so no answer comes.
static void submitted(void *self, const plugboard_submitted_t *results, size_t count) {
    (void)self, (void)results, (void)count;
}

// The host offers what was left unread again by itself.
static void room(void *self) { (void)self; }

static void resolved(void *self, plugboard_query_t query, void *user, plugboard_status_t status,
                     const plugboard_record_t *records, size_t count) {
    (void)self, (void)query, (void)user, (void)status, (void)records, (void)count;
}

// --- What operators see ---

static void links(void *self, void *sink, void (*report)(void *sink, const plugboard_link_t *link)) {
    gate *gate = self;
    char name[128], detail[64];
    uint64_t waiting = 0;
    for (connection *each = gate->connections; each; each = each->next) {
        for (size_t index = 0; index < UNACKNOWLEDGED_MAX; index++) waiting += each->waiting[index].number != 0;
    }
    snprintf(name, sizeof name, "%s port %u", gate->address, gate->port);
    snprintf(detail, sizeof detail, "%u connections", gate->connection_count);
    plugboard_link_t link = {
        .struct_size = sizeof link,
        .state = PLUGBOARD_LINK_UP,
        .name = bytes_of(name),
        .detail = bytes_of(detail),
        .sent = gate->sent,
        .received = gate->received,
        .waiting = waiting,
        .since_ms = gate->started_ms,
    };
    report(sink, &link);
}

static const plugboard_status_extension_t status_extension = {
    .struct_size = sizeof(plugboard_status_extension_t), .links = links};

static const void *extension(void *self, const char *id) {
    (void)self;
    return strcmp(id, PLUGBOARD_EXT_STATUS) == 0 ? &status_extension : NULL;
}

// --- The plugin ---

static const plugboard_provider_t provider = {
    .struct_size = sizeof provider,
    .start = start,
    .drain = drain,
    .stop = stop,
    .destroy = destroy,
    .deliver = deliver,
    .submitted = submitted,
    .room = room,
    .accepted = connection_accepted,
    .opened = connection_opened,
    .received = connection_received,
    .writable = connection_writable,
    .closed = connection_closed,
    .resolved = resolved,
    .fired = connection_fired,
    .extension = extension,
};

static void check(void *context, const plugboard_instance_t *instance) {
    (void)context;
    gate unused = {0};
    gate_read(&unused, instance);
}

static const plugboard_provider_t *create(void *context, const plugboard_host_t *host,
                                          const plugboard_instance_t *instance, void **self) {
    (void)context;
    gate *made = calloc(1, sizeof *made);
    if (!made) return NULL;
    made->host = host;
    if (!gate_read(made, instance)) {
        free(made);
        return NULL;
    }
    *self = made;
    return &provider;
}

static const plugboard_capability_t capabilities[] = {
    {sizeof(plugboard_capability_t), PLUGBOARD_LEVEL_FULL, "messages", TEXT_BYTES_MAX},
};

// Filled in at the entry: the lists are in other files, whose sizes are no constants here.
static plugboard_descriptor_t descriptor;
static plugboard_plugin_t plugin;

PLUGBOARD_EXPORT const plugboard_plugin_t *plugboard_plugin_entry(uint32_t host_abi) {
    (void)host_abi;
    descriptor = (plugboard_descriptor_t){
        .struct_size = sizeof descriptor,
        .id = "org.plugboard.example.lines",
        .name = "Line gate",
        .version = "1.0.0",
        .vendor = "Plugboard",
        .capabilities = capabilities,
        .capability_count = sizeof capabilities / sizeof capabilities[0],
        .settings = gate_settings,
        .setting_count = gate_setting_count,
        .commands = gate_commands,
        .command_count = gate_command_count,
    };
    plugin = (plugboard_plugin_t){
        .struct_size = sizeof plugin,
        .abi_version = PLUGBOARD_ABI_VERSION,
        .descriptor = &descriptor,
        .check = check,
        .create = create,
    };
    return &plugin;
}
