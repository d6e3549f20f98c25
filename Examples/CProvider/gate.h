// The line gate: people connect by TCP, log in with a name, and exchange lines with the home users. README.md has the protocol.
#ifndef GATE_H
#define GATE_H

#include <plugboard/plugboard.h>

enum {
    NAME_BYTES_MAX = 32,
    LINE_BYTES_MAX = 8192,  // one line of the protocol, without its end
    UNACKNOWLEDGED_MAX = 32,  // messages that one person has and has not acknowledged
    TEXT_BYTES_MAX = 3000,  // of a message: escaped, and with what stands before it, it fits into a line
};

// A message that was written to a connection and is not acknowledged.
typedef struct unacknowledged {
    uint64_t number;  // the person's name for it; 0: a free place
    uint64_t token;   // the host's
    plugboard_timer_t timer;
} unacknowledged;

// One TCP connection. All are in a list.
typedef struct connection {
    struct gate *gate;
    struct connection *next;
    plugboard_stream_t stream;
    plugboard_timer_t login_timer;  // 0: none runs
    char name[NAME_BYTES_MAX + 1];  // empty until it has logged in
    uint64_t last_number;
    int is_full;     // its write buffer is above the mark: nothing is read until writable()
    int is_closing;  // nothing more is read or written
    unacknowledged waiting[UNACKNOWLEDGED_MAX];
} connection;

// One instance.
typedef struct gate {
    const plugboard_host_t *host;
    char address[64];
    uint16_t port;
    char domain[256];
    uint64_t login_timeout_ms;
    uint64_t ack_timeout_ms;
    uint32_t connections_max;
    plugboard_listener_t listener;
    connection *connections;
    uint32_t connection_count;
    int is_draining;  // nobody is let in, nothing new is taken
    uint64_t sent, received;
    uint64_t next_id;
    int64_t started_ms;
} gate;

// gate.c: small helpers.
plugboard_bytes_t bytes_of(const char *text);
void gate_log(gate *gate, uint32_t level, const char *text);
void gate_complete(gate *gate, uint64_t token, uint16_t result, uint16_t failure_class, const char *reason);
connection *gate_find(gate *gate, const char *name, size_t length);

// connection.c: the protocol.
uint32_t connection_accepted(void *self, plugboard_stream_t stream, void *listener_user, void **user);
void connection_opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls);
size_t connection_received(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes, size_t count);
void connection_writable(void *self, plugboard_stream_t stream, void *user);
void connection_closed(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason);
void connection_fired(void *self, plugboard_timer_t timer, void *user);
void connection_deliver(connection *to, const plugboard_envelope_t *envelope);
int connection_say(connection *to, const char *verb, plugboard_bytes_t rest);
void connection_finish(connection *connection, const char *last_words);
void connection_drain(connection *connection);

// commands.c: what operators call.
extern const plugboard_command_t gate_commands[];
extern const size_t gate_command_count;

// settings.c: the schema, and what it cannot say.
extern const plugboard_setting_schema_t gate_settings[];
extern const size_t gate_setting_count;
// Reads the settings into a gate; reports what is wrong. Returns 1 if all is well.
int gate_read(gate *gate, const plugboard_instance_t *instance);

#endif
