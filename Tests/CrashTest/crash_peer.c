/* A provider plugin whose network is the crash test: what the test writes is submitted, what is delivered the test reads.
 *
 * It connects to the test (setting `test`, host:port) and claims addresses or domains (setting `claims`, with commas
 * between them). Then both sides speak in lines, fields with blanks between them, the last one to the end of the line:
 *
 *     test -> plugin   S NUMBER FROM TO TEXT   submit a message; its id is the number
 *                      K TOKEN                 the delivery is recorded: complete it
 *                      L TOKEN                 complete it as deferred, to be tried again
 *                      X TOKEN                 complete it as failed for good
 *     plugin -> test   H CLAIMS                who this is, once, at the start
 *                      A NUMBER                the router has accepted the message
 *                      R NUMBER CODE           it has refused it
 *                      D TOKEN FLAGS ID FROM TO TEXT   a delivery, with the envelope's flags
 *                      C TOKEN                 the router was told that a delivery is made
 *                      F ID                    a message came back: it was not delivered
 *
 * A delivery is completed only when the test says so: it has it then, whatever becomes of this process.
 */
#include <plugboard/plugboard.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES_MAX = 8192, /* the longest line either side writes */
    CLAIM_BYTES_MAX = 1024,
};

typedef struct peer {
    const plugboard_host_t *host;
    void *context;
    plugboard_stream_t stream; /* 0: the test is not connected */
    char claims[CLAIM_BYTES_MAX];
    char test_host[256];
    uint16_t test_port;
} peer;

static plugboard_bytes_t text_of(const char *text) {
    return (plugboard_bytes_t){(const uint8_t *)text, strlen(text)};
}

static void complain(peer *it, const char *sentence) {
    it->host->log(it->context, PLUGBOARD_LOG_ERROR, text_of(sentence));
}

/* --- Lines to the test --- */

static void write_line(peer *it, const char *line, size_t count) {
    if (it->stream == 0) return;
    plugboard_bytes_t bytes = {(const uint8_t *)line, count};
    if (it->host->write(it->context, it->stream, bytes) < 0) complain(it, "a line to the test was not taken");
}

/* Appends a field to a line, behind a blank; what finds no room is left out, and the test notices. */
static size_t add_field(char *line, size_t used, plugboard_bytes_t field) {
    if (used + field.count + 2 > LINE_BYTES_MAX) return used;
    line[used++] = ' ';
    memcpy(line + used, field.start, field.count);
    return used + field.count;
}

static void write_delivery(peer *it, const plugboard_envelope_t *envelope) {
    const plugboard_message_t *message = envelope->content;
    char line[LINE_BYTES_MAX];
    size_t used = (size_t)snprintf(line, sizeof line, "D %llu %u", (unsigned long long)envelope->token,
                                   (unsigned)envelope->flags);
    used = add_field(line, used, envelope->id);
    used = add_field(line, used, envelope->from);
    used = add_field(line, used, envelope->to);
    used = add_field(line, used, message->text);
    line[used++] = '\n';
    write_line(it, line, used);
}

/* --- Lines from the test --- */

/* Cuts the next field off a line. */
static plugboard_bytes_t next_field(plugboard_bytes_t *line) {
    plugboard_bytes_t field = {line->start, 0};
    while (field.count < line->count && line->start[field.count] != ' ') field.count++;
    size_t skipped = field.count < line->count ? field.count + 1 : field.count;
    line->start += skipped;
    line->count -= skipped;
    return field;
}

static uint64_t number_of(plugboard_bytes_t field) {
    uint64_t number = 0;
    for (size_t index = 0; index < field.count; index++) number = number * 10 + (field.start[index] - '0');
    return number;
}

static plugboard_status_t submit(peer *it, plugboard_bytes_t line) {
    plugboard_message_t message = {.struct_size = sizeof message};
    plugboard_envelope_t envelope = {.struct_size = sizeof envelope, .kind = PLUGBOARD_MESSAGE, .content = &message};
    envelope.id = next_field(&line);
    envelope.from = next_field(&line);
    envelope.to = next_field(&line);
    message.text = line;
    return it->host->submit(it->context, &envelope, number_of(envelope.id));
}

static void complete(peer *it, uint64_t token, uint16_t result, uint16_t failure_class, const char *reason) {
    plugboard_outcome_t outcome = {
        .struct_size = sizeof outcome,
        .result = result,
        .failure_class = failure_class,
        .reason = text_of(reason),
    };
    if (it->host->complete(it->context, token, &outcome) < 0) complain(it, "a delivery could not be completed");
}

/* Completes a delivery that the test has recorded, and tells it so. */
static void complete_recorded(peer *it, uint64_t token) {
    complete(it, token, PLUGBOARD_DELIVERED, PLUGBOARD_CLASS_NONE, "");
    char line[32];
    write_line(it, line, (size_t)snprintf(line, sizeof line, "C %llu\n", (unsigned long long)token));
}

/* Carries one line out; false if the router has no room for it now. */
static bool obey(peer *it, plugboard_bytes_t line) {
    plugboard_bytes_t word = next_field(&line);
    switch (word.count == 1 ? word.start[0] : 0) {
    case 'S': return submit(it, line) != PLUGBOARD_BUSY;
    case 'K': complete_recorded(it, number_of(line)); return true;
    case 'L': complete(it, number_of(line), PLUGBOARD_DEFERRED, PLUGBOARD_CLASS_TRANSIENT, "not now"); return true;
    case 'X': complete(it, number_of(line), PLUGBOARD_FAILED, PLUGBOARD_CLASS_RECIPIENT, "never"); return true;
    default: complain(it, "the test wrote a line that is no order"); return true;
    }
}

static size_t received(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes, size_t count) {
    (void)stream, (void)user;
    size_t consumed = 0;
    for (;;) {
        const uint8_t *end = memchr(bytes + consumed, '\n', count - consumed);
        if (end == NULL) return consumed;
        plugboard_bytes_t line = {bytes + consumed, (size_t)(end - bytes) - consumed};
        if (!obey(self, line)) return consumed;
        consumed += line.count + 1;
    }
}

/* --- The provider's table --- */

static plugboard_status_t start(void *self) {
    peer *it = self;
    char claims[CLAIM_BYTES_MAX];
    memcpy(claims, it->claims, sizeof claims);
    char *rest = NULL;
    for (char *claim = strtok_r(claims, ",", &rest); claim != NULL; claim = strtok_r(NULL, ",", &rest)) {
        uint32_t scope = strchr(claim, '@') ? PLUGBOARD_CLAIM_ADDRESS : PLUGBOARD_CLAIM_DOMAIN;
        plugboard_status_t status = it->host->claim(it->context, scope, text_of(claim));
        if (status != PLUGBOARD_OK) return status;
    }
    plugboard_connect_options_t options = {
        .struct_size = sizeof options,
        .host = text_of(it->test_host),
        .port = it->test_port,
        .input_max = 1 << 20,
    };
    plugboard_stream_t stream = 0;
    return it->host->connect(it->context, &options, NULL, &stream);
}

static void opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
    (void)user, (void)tls;
    peer *it = self;
    it->stream = stream;
    char line[CLAIM_BYTES_MAX + 4];
    int used = snprintf(line, sizeof line, "H %s\n", it->claims);
    write_line(it, line, (size_t)used);
    /* What was offered before was left in the lane. */
    it->host->ready(it->context);
}

static void closed(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason) {
    (void)stream, (void)user, (void)reason;
    ((peer *)self)->stream = 0;
}

static void submitted(void *self, const plugboard_submitted_t *results, size_t count) {
    peer *it = self;
    for (size_t index = 0; index < count; index++) {
        const plugboard_outcome_t *outcome = results[index].outcome;
        bool is_accepted = outcome->result == PLUGBOARD_ACCEPTED;
        char line[LINE_BYTES_MAX];
        int used = snprintf(line, sizeof line, "%c %llu", is_accepted ? 'A' : 'R',
                            (unsigned long long)results[index].cookie);
        size_t end = is_accepted ? (size_t)used : add_field(line, (size_t)used, outcome->code);
        line[end++] = '\n';
        write_line(it, line, end);
    }
}

static size_t deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
    peer *it = self;
    /* Without the test nobody would take them; opened() asks for them. */
    if (it->stream == 0) return 0;
    for (size_t index = 0; index < count; index++) {
        const plugboard_envelope_t *envelope = envelopes[index];
        if (envelope->kind == PLUGBOARD_MESSAGE) {
            write_delivery(it, envelope);
            continue;
        }
        if (envelope->kind == PLUGBOARD_FAILURE) {
            const plugboard_failure_t *failure = envelope->content;
            char line[LINE_BYTES_MAX] = "F";
            size_t used = add_field(line, 1, failure->message_id);
            line[used++] = '\n';
            write_line(it, line, used);
        }
        complete(it, envelope->token, PLUGBOARD_DELIVERED, PLUGBOARD_CLASS_NONE, "");
    }
    return count;
}

static void drain(void *self) {
    peer *it = self;
    if (it->stream != 0) it->host->finish(it->context, it->stream);
}

static void stop(void *self) { (void)self; }

static void destroy(void *self) { free(self); }

/* The unread rest of the stream is offered again by the host. */
static void room(void *self) { (void)self; }

static uint32_t accepted(void *self, plugboard_stream_t stream, void *listener_user, void **user) {
    (void)self, (void)stream, (void)listener_user, (void)user;
    return 0;
}

static void writable(void *self, plugboard_stream_t stream, void *user) { (void)self, (void)stream, (void)user; }

static void resolved(void *self, plugboard_query_t query, void *user, plugboard_status_t status,
                     const plugboard_record_t *records, size_t count) {
    (void)self, (void)query, (void)user, (void)status, (void)records, (void)count;
}

static void fired(void *self, plugboard_timer_t timer, void *user) { (void)self, (void)timer, (void)user; }

static const void *extension(void *self, const char *id) {
    (void)self, (void)id;
    return NULL;
}

static const plugboard_provider_t provider = {
    .struct_size = sizeof provider,
    .start = start,
    .drain = drain,
    .stop = stop,
    .destroy = destroy,
    .deliver = deliver,
    .submitted = submitted,
    .room = room,
    .accepted = accepted,
    .opened = opened,
    .received = received,
    .writable = writable,
    .closed = closed,
    .resolved = resolved,
    .fired = fired,
    .extension = extension,
};

/* --- The plugin --- */

static void check(void *context, const plugboard_instance_t *instance) { (void)context, (void)instance; }

/* Copies text with a NUL behind it; false if it is too long. */
static bool copy_text(char *target, size_t size, plugboard_bytes_t text) {
    if (text.count >= size) return false;
    memcpy(target, text.start, text.count);
    target[text.count] = 0;
    return true;
}

static bool is_named(plugboard_bytes_t path, const char *name) {
    return path.count == strlen(name) && memcmp(path.start, name, path.count) == 0;
}

static const plugboard_provider_t *create(void *context, const plugboard_host_t *host,
                                          const plugboard_instance_t *instance, void **self) {
    (void)context;
    peer *it = calloc(1, sizeof *it);
    if (it == NULL) return NULL;
    it->host = host;
    it->context = host->context;
    bool is_whole = true;
    for (size_t index = 0; index < instance->setting_count; index++) {
        plugboard_bytes_t path = instance->settings[index].path, value = instance->settings[index].value;
        if (is_named(path, "claims")) is_whole = is_whole && copy_text(it->claims, sizeof it->claims, value);
        if (is_named(path, "test")) is_whole = is_whole && copy_text(it->test_host, sizeof it->test_host, value);
    }
    char *colon = strrchr(it->test_host, ':');
    if (!is_whole || colon == NULL) {
        const plugboard_problems_t *problems = instance->problems;
        problems->report(problems->context, PLUGBOARD_PROBLEM_ERROR, text_of("test"), text_of("is no host:port"));
        free(it);
        return NULL;
    }
    *colon = 0;
    it->test_port = (uint16_t)strtoul(colon + 1, NULL, 10);
    *self = it;
    return &provider;
}

static const plugboard_setting_schema_t settings[] = {
    {
        .struct_size = sizeof settings[0],
        .type = PLUGBOARD_SETTING_ADDRESS,
        .flags = PLUGBOARD_SETTING_REQUIRED,
        .path = "test",
        .help = "Where the test listens.",
    },
    {
        .struct_size = sizeof settings[0],
        .type = PLUGBOARD_SETTING_STRING,
        .flags = PLUGBOARD_SETTING_REQUIRED,
        .path = "claims",
        .help = "Addresses and domains, with commas between them.",
    },
};

static const plugboard_descriptor_t descriptor = {
    .struct_size = sizeof descriptor,
    .id = "org.plugboard.crash-peer",
    .name = "Crash test",
    .version = "1.0.0",
    .vendor = "Plugboard",
    .settings = settings,
    .setting_count = sizeof settings / sizeof settings[0],
};

static const plugboard_plugin_t plugin = {
    .struct_size = sizeof plugin,
    .abi_version = PLUGBOARD_ABI_VERSION,
    .descriptor = &descriptor,
    .check = check,
    .create = create,
};

const plugboard_plugin_t *plugboard_plugin_entry(uint32_t host_abi) {
    (void)host_abi;
    return &plugin;
}
