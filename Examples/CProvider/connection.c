// One connection: the protocol of lines.
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- Writing ---

// Writes all or nothing. Returns 0 if it is nothing: then the connection ends, for a line that is missing would mislead.
static int write_bytes(connection *to, plugboard_bytes_t bytes) {
    const plugboard_host_t *host = to->gate->host;
    plugboard_status_t status = host->write(host->context, to->stream, bytes);
    if (status < 0) {
        to->is_closing = 1;
        host->abort(host->context, to->stream);
        return 0;
    }
    if (status == PLUGBOARD_HIGH && !to->is_full) {
        // Who sends and does not read what is answered is not read from: else the answers would pile up.
        to->is_full = 1;
        host->set_reading(host->context, to->stream, 0);
    }
    return 1;
}

// Writes "VERB rest" as a line. Line ends and backslashes in the rest are written \n, \r and \\, so that it stays one.
// Returns 0 if it was not written.
int connection_say(connection *to, const char *verb, plugboard_bytes_t rest) {
    if (to->is_closing) return 0;
    char *line = malloc(strlen(verb) + 2 * rest.count + 3);
    if (!line) return 0;
    size_t length = strlen(verb);
    memcpy(line, verb, length);
    if (rest.count > 0) line[length++] = ' ';
    for (size_t index = 0; index < rest.count; index++) {
        uint8_t byte = rest.start[index];
        if (byte == '\n' || byte == '\r' || byte == '\\') {
            line[length++] = '\\';
            byte = byte == '\n' ? 'n' : byte == '\r' ? 'r' : '\\';
        }
        line[length++] = (char)byte;
    }
    line[length++] = '\n';
    int is_written = write_bytes(to, (plugboard_bytes_t){(const uint8_t *)line, length});
    free(line);
    return is_written;
}

// Says something last, unless it is NULL, and closes when it is sent; closed() follows.
void connection_finish(connection *each, const char *last_words) {
    if (each->is_closing) return;
    if (last_words && !connection_say(each, last_words, (plugboard_bytes_t){0}) && each->is_closing) return;
    each->is_closing = 1;
    each->gate->host->finish(each->gate->host->context, each->stream);
}

// The gate closes: ends the connection once all that it has is acknowledged. What is not in time, its timer puts off.
void connection_drain(connection *each) {
    for (size_t index = 0; index < UNACKNOWLEDGED_MAX; index++) {
        if (each->waiting[index].number != 0) return;
    }
    connection_finish(each, "BYE the gate closes");
}

// --- Life ---

uint32_t connection_accepted(void *self, plugboard_stream_t stream, void *listener_user, void **user) {
    (void)listener_user;
    gate *gate = self;
    if (gate->is_draining) return 0;
    connection *made = calloc(1, sizeof *made);
    if (!made) return 0;
    made->gate = gate;
    made->stream = stream;
    // Without a timer it could stay for ever and never log in.
    if (gate->host->start_timer(gate->host->context, gate->login_timeout_ms, made, &made->login_timer) < 0) {
        free(made);
        return 0;
    }
    made->next = gate->connections;
    gate->connections = made;
    gate->connection_count++;
    *user = made;
    return 1;
}

void connection_opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
    (void)self, (void)stream, (void)tls;
    connection_say(user, "HELLO log in with LOGIN and a name", (plugboard_bytes_t){0});
}

void connection_writable(void *self, plugboard_stream_t stream, void *user) {
    gate *gate = self;
    connection *each = user;
    each->is_full = 0;
    if (!each->is_closing) gate->host->set_reading(gate->host->context, stream, 1);
}

static void settle(connection *owner, unacknowledged *message, uint16_t result, uint16_t failure_class, const char *why) {
    const plugboard_host_t *host = owner->gate->host;
    if (message->timer) host->cancel_timer(host->context, message->timer);
    gate_complete(owner->gate, message->token, result, failure_class, why);
    *message = (unacknowledged){0};
}

void connection_closed(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason) {
    (void)stream, (void)reason;
    gate *gate = self;
    connection *gone = user;
    if (gone->login_timer) gate->host->cancel_timer(gate->host->context, gone->login_timer);
    for (size_t index = 0; index < UNACKNOWLEDGED_MAX; index++) {
        if (gone->waiting[index].number == 0) continue;
        settle(gone, &gone->waiting[index], PLUGBOARD_DEFERRED, PLUGBOARD_CLASS_UNAVAILABLE, "the connection has ended");
    }
    for (connection **place = &gate->connections; *place; place = &(*place)->next) {
        if (*place != gone) continue;
        *place = gone->next;
        break;
    }
    gate->connection_count--;
    free(gone);
}

// A connection has not logged in, or a person has not acknowledged a message.
void connection_fired(void *self, plugboard_timer_t timer, void *user) {
    (void)self;
    connection *each = user;
    if (each->login_timer == timer) {
        each->login_timer = 0;
        connection_finish(each, "BYE nobody has logged in");
        return;
    }
    for (size_t index = 0; index < UNACKNOWLEDGED_MAX; index++) {
        if (each->waiting[index].number == 0 || each->waiting[index].timer != timer) continue;
        each->waiting[index].timer = 0;
        settle(each, &each->waiting[index], PLUGBOARD_DEFERRED, PLUGBOARD_CLASS_TRANSIENT, "not acknowledged in time");
        if (each->gate->is_draining) connection_drain(each);
        return;
    }
}

// --- To the person ---

void connection_deliver(connection *to, const plugboard_envelope_t *envelope) {
    gate *gate = to->gate;
    if (gate->is_draining) {
        gate_complete(gate, envelope->token, PLUGBOARD_DEFERRED, PLUGBOARD_CLASS_UNAVAILABLE, "the gate closes");
        return;
    }
    unacknowledged *place = NULL;
    for (size_t index = 0; index < UNACKNOWLEDGED_MAX && !place; index++) {
        if (to->waiting[index].number == 0) place = &to->waiting[index];
    }
    // One slow person holds up nobody else: what there is no room for is tried again later.
    if (!place || to->is_full) {
        gate_complete(gate, envelope->token, PLUGBOARD_DEFERRED, PLUGBOARD_CLASS_THROTTLED, "too much is unacknowledged");
        return;
    }
    const plugboard_message_t *message = envelope->content;
    if (message->text.count > TEXT_BYTES_MAX) {
        gate_complete(gate, envelope->token, PLUGBOARD_FAILED, PLUGBOARD_CLASS_CONTENT, "the text is too long for a line");
        return;
    }
    char verb[64 + PLUGBOARD_ADDRESS_BYTES_MAX];
    to->last_number++;
    snprintf(verb, sizeof verb, "MESSAGE %llu %.*s", (unsigned long long)to->last_number, (int)envelope->from.count,
             (const char *)envelope->from.start);
    *place = (unacknowledged){.number = to->last_number, .token = envelope->token};
    // What cannot be timed, or is not written, is tried again later; what is written is waited for.
    if (gate->host->start_timer(gate->host->context, gate->ack_timeout_ms, to, &place->timer) < 0 ||
        !connection_say(to, verb, message->text)) {
        settle(to, place, PLUGBOARD_DEFERRED, PLUGBOARD_CLASS_TRANSIENT, "it could not be written to the connection");
    }
}

static void acknowledge(connection *from, const char *rest) {
    char *end = NULL;
    // Digits alone: strtoull would take blanks and signs, too.
    uint64_t number = *rest >= '0' && *rest <= '9' ? strtoull(rest, &end, 10) : 0;
    if (end && *end) number = 0;
    for (size_t index = 0; index < UNACKNOWLEDGED_MAX; index++) {
        if (number == 0 || from->waiting[index].number != number) continue;
        from->gate->sent++;
        settle(from, &from->waiting[index], PLUGBOARD_DELIVERED, PLUGBOARD_CLASS_NONE, "");
        if (from->gate->is_draining) connection_drain(from);
        return;
    }
    connection_say(from, "ERROR no such message waits for you", (plugboard_bytes_t){0});
}

// --- From the person ---

static void log_in(connection *each, const char *name) {
    size_t length = strlen(name);
    int is_good = length > 0 && length <= NAME_BYTES_MAX;
    for (size_t index = 0; index < length && is_good; index++) {
        char letter = name[index];
        is_good = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
    }
    const char *fault = NULL;
    if (each->name[0]) fault = "you have logged in already";
    else if (!is_good) fault = "a name is 1 to 32 small letters, digits, - and _";
    else if (gate_find(each->gate, name, length)) fault = "this name is taken";
    if (fault) {
        connection_say(each, "ERROR", bytes_of(fault));
        return;
    }
    memcpy(each->name, name, length + 1);
    each->gate->host->cancel_timer(each->gate->host->context, each->login_timer);
    each->login_timer = 0;
    connection_say(each, "OK", bytes_of(name));
}

// Turns \n, \r and \\ back, in place. Returns the length.
static size_t unescape(char *text) {
    char *to = text;
    for (char *from = text; *from; from++) {
        if (*from == '\\' && from[1]) {
            from++;
            *to++ = *from == 'n' ? '\n' : *from == 'r' ? '\r' : *from;
        } else {
            *to++ = *from;
        }
    }
    return (size_t)(to - text);
}

// "SEND alice@home.example Hello". Returns 0 if the router has no room, so that the line is to be read again.
static int send_message(connection *from, char *rest) {
    gate *gate = from->gate;
    char *blank = strchr(rest, ' ');
    if (!from->name[0] || !blank || gate->is_draining) {
        const char *fault = gate->is_draining ? "the gate closes"
            : from->name[0]                   ? "SEND takes an address and a text"
                                              : "log in first";
        connection_say(from, "ERROR", bytes_of(fault));
        return 1;
    }
    *blank = 0;
    char sender[NAME_BYTES_MAX + sizeof gate->domain + 2], id[64];
    snprintf(sender, sizeof sender, "%s@%s", from->name, gate->domain);
    snprintf(id, sizeof id, "%lld-%llu", (long long)gate->started_ms, (unsigned long long)gate->next_id + 1);
    plugboard_message_t message = {.struct_size = sizeof message};
    message.text = (plugboard_bytes_t){(const uint8_t *)blank + 1, unescape(blank + 1)};
    plugboard_envelope_t envelope = {
        .struct_size = sizeof envelope,
        .kind = PLUGBOARD_MESSAGE,
        .from = bytes_of(sender),
        .to = bytes_of(rest),
        .id = bytes_of(id),
        .content = &message,
    };
    plugboard_status_t status = gate->host->submit(gate->host->context, &envelope, 0);
    if (status == PLUGBOARD_BUSY) return 0;
    gate->next_id++;
    if (status < 0) {
        connection_say(from, "ERROR the router does not take this message", (plugboard_bytes_t){0});
    } else {
        gate->received++;
        connection_say(from, "OK", bytes_of(id));
    }
    return 1;
}

// One line, which may be changed. Returns 0 if it must be read again later.
static int take_line(connection *from, char *line) {
    if (strncmp(line, "LOGIN ", 6) == 0) {
        log_in(from, line + 6);
    } else if (strncmp(line, "SEND ", 5) == 0) {
        return send_message(from, line + 5);
    } else if (strncmp(line, "ACK ", 4) == 0) {
        acknowledge(from, line + 4);
    } else if (strcmp(line, "QUIT") == 0) {
        connection_finish(from, "BYE");
    } else if (*line) {
        connection_say(from, "ERROR there are LOGIN, SEND, ACK and QUIT", (plugboard_bytes_t){0});
    }
    return 1;
}

// Reads whole lines; the host keeps the rest, and offers it again with what follows.
size_t connection_received(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes, size_t count) {
    (void)self, (void)stream;
    connection *from = user;
    size_t taken = 0;
    // Full: this is the last call until writable(), which lets the host offer the rest again.
    while (!from->is_closing && !from->is_full) {
        const uint8_t *end = memchr(bytes + taken, '\n', count - taken);
        size_t length = end ? (size_t)(end - (bytes + taken)) : count - taken;
        if (length > LINE_BYTES_MAX) {
            connection_finish(from, "BYE a line is too long");
            break;
        }
        if (!end) return taken;
        char line[LINE_BYTES_MAX + 1];
        memcpy(line, bytes + taken, length);
        if (length > 0 && line[length - 1] == '\r') length--;
        line[length] = 0;
        // A zero would hide what follows it.
        if (memchr(line, 0, length)) {
            connection_finish(from, "BYE a line holds a zero");
            break;
        }
        if (!take_line(from, line)) return taken;
        taken = (size_t)(end - bytes) + 1;
    }
    return from->is_closing ? count : taken;
}
