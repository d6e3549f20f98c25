// The yardstick: a relay with nothing in it but the sockets and one hash lookup a line.
//
//   epoll_relay LISTEN-HOST LISTEN-PORT SINKS-HOST FIRST-SINK-PORT SINKS
//
// Takes lines "sinkN@home.test BODY\n" and writes "BODY\n" to sink N. One thread; a pass over the events of epoll reads
// each readable source once, and ends with one write for each sink that has something to send.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 64,
    READ_MAX = 64 << 10,
    // The longest line; what is left of one is kept between two reads.
    LINE_MAX_BYTES = 8 << 10,
    // Above it no source is read until a sink has taken it all.
    HIGH_WATER = 1 << 20,
    SINKS_MAX = 10,
    TABLE_SIZE = 64,
};

typedef struct source {
    int descriptor;
    uint32_t left_count;
    uint8_t *left;
} source;

typedef struct sink {
    int descriptor;
    int is_waiting;
    char name[40];
    size_t name_count;
    size_t start, end, capacity;
    uint8_t *output;
} sink;

static int poller, listener;
static sink sinks[SINKS_MAX];
static size_t sink_count;
static sink *table[TABLE_SIZE];
static uint8_t scratch[LINE_MAX_BYTES + READ_MAX];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in name_of(const char *host, int port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &name.sin_addr) != 1) fail("address");
    return name;
}

static void watch(int descriptor, uint32_t events, void *owner, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(poller, operation, descriptor, &event) < 0) fail("epoll_ctl");
}

// FNV-1a.
static size_t slot_of(const uint8_t *bytes, size_t count) {
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t index = 0; index < count; index++) hash = (hash ^ bytes[index]) * 0x100000001b3;
    return (hash ^ hash >> 32) % TABLE_SIZE;
}

static sink *find(const uint8_t *bytes, size_t count) {
    for (size_t slot = slot_of(bytes, count); table[slot]; slot = (slot + 1) % TABLE_SIZE) {
        sink *found = table[slot];
        if (found->name_count == count && memcmp(found->name, bytes, count) == 0) return found;
    }
    return NULL;
}

static void connect_sinks(const char *host, int port) {
    for (size_t index = 0; index < sink_count; index++) {
        sink *each = &sinks[index];
        each->descriptor = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in name = name_of(host, port + (int)index);
        if (connect(each->descriptor, (struct sockaddr *)&name, sizeof name) < 0) fail("connect");
        fcntl(each->descriptor, F_SETFL, O_NONBLOCK);
        int on = 1;
        setsockopt(each->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        each->name_count = (size_t)snprintf(each->name, sizeof each->name, "sink%zu@home.test", index);
        size_t slot = slot_of((const uint8_t *)each->name, each->name_count);
        while (table[slot]) slot = (slot + 1) % TABLE_SIZE;
        table[slot] = each;
        watch(each->descriptor, 0, each, EPOLL_CTL_ADD);
    }
}

static void append(sink *to, const uint8_t *bytes, size_t count) {
    if (to->end + count > to->capacity) {
        to->capacity = (to->end + count) * 2;
        to->output = realloc(to->output, to->capacity);
        if (!to->output) fail("realloc");
    }
    memcpy(to->output + to->end, bytes, count);
    to->end += count;
}

static void send_output(sink *to) {
    if (to->start == to->end) return;
    ssize_t sent = write(to->descriptor, to->output + to->start, to->end - to->start);
    if (sent < 0 && errno != EAGAIN) fail("write");
    if (sent > 0) to->start += (size_t)sent;
    if (to->start == to->end) to->start = to->end = 0;
    int waits = to->start != to->end;
    if (waits != to->is_waiting) watch(to->descriptor, waits ? EPOLLOUT : 0, to, EPOLL_CTL_MOD);
    to->is_waiting = waits;
}

static int is_any_sink_high(void) {
    for (size_t index = 0; index < sink_count; index++) {
        if (sinks[index].end - sinks[index].start > HIGH_WATER) return 1;
    }
    return 0;
}

static void accept_source(void) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (descriptor < 0) return;
    source *new = calloc(1, sizeof *new);
    if (!new) fail("calloc");
    new->descriptor = descriptor;
    watch(descriptor, EPOLLIN, new, EPOLL_CTL_ADD);
}

static void close_source(source *from) {
    close(from->descriptor);
    free(from->left);
    free(from);
}

static void read_source(source *from) {
    uint32_t left = from->left_count;
    if (left) memcpy(scratch, from->left, left);
    ssize_t count = read(from->descriptor, scratch + left, READ_MAX);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return close_source(from);
    const uint8_t *line = scratch, *end = scratch + left + count, *stop;
    while ((stop = memchr(line, '\n', (size_t)(end - line)))) {
        const uint8_t *space = memchr(line, ' ', (size_t)(stop - line));
        sink *to = space ? find(line, (size_t)(space - line)) : NULL;
        if (!to) return close_source(from);
        append(to, space + 1, (size_t)(stop - space));
        line = stop + 1;
    }
    from->left_count = (uint32_t)(end - line);
    if (from->left_count > LINE_MAX_BYTES) return close_source(from);
    if (from->left_count && !from->left && !(from->left = malloc(LINE_MAX_BYTES))) fail("malloc");
    if (from->left_count) memcpy(from->left, line, from->left_count);
}

static int is_sink(const void *owner) {
    return (const sink *)owner >= sinks && (const sink *)owner < sinks + SINKS_MAX;
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    sink_count = strtoul(argv[5], NULL, 10);
    if (sink_count > SINKS_MAX) return 2;
    poller = epoll_create1(0);
    connect_sinks(argv[3], atoi(argv[4]));
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in name = name_of(argv[1], atoi(argv[2]));
    if (bind(listener, (struct sockaddr *)&name, sizeof name) < 0 || listen(listener, 511) < 0) fail("listen");
    watch(listener, EPOLLIN, &listener, EPOLL_CTL_ADD);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(poller, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < count; index++) {
            void *owner = events[index].data.ptr;
            if (owner == &listener) accept_source();
            else if (is_sink(owner) && events[index].events & (EPOLLERR | EPOLLHUP)) return 0;
            else if (!is_sink(owner)) read_source(owner);
        }
        for (size_t index = 0; index < sink_count; index++) send_output(&sinks[index]);
        // Back-pressure: nothing is read until the slowest sink has room.
        while (is_any_sink_high()) {
            for (size_t index = 0; index < sink_count; index++) {
                if (sinks[index].start == sinks[index].end) continue;
                fcntl(sinks[index].descriptor, F_SETFL, 0);
                send_output(&sinks[index]);
                fcntl(sinks[index].descriptor, F_SETFL, O_NONBLOCK);
            }
        }
    }
}
