// The load: one thread sends lines over 16 connections, one receives them at 4 listening ports.
//
//   relay_load SINKS-HOST FIRST-SINK-PORT
//
// Takes orders on standard input and answers each with a line:
//
//   connect HOST PORT            opens the source connections; answers "connected" once all sinks are connected too
//   send PID LINES PER-WRITE PER-SECOND
//                                sends LINES lines, PER-WRITE of them in each write, PER-SECOND of them a second (0: as
//                                fast as they are taken); answers "sent LINES SECONDS CPU-SECONDS P50 P99", the
//                                processor time that of the process PID, latencies in ns
//   idle COUNT                   opens that many more connections that never send; answers "idle COUNT"
//   close                        closes those again; answers "closed"
//
// A line is "sinkN@home.test BODY\n", and "BODY\n" is what must come out: 300 bytes that begin with the time of its
// write, its source, and its number among the lines from that source to that sink.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    SOURCES = 16,
    SINKS = 4,
    IDLE_MAX = 16 << 10,
    BODY = 300,
    ADDRESS = 16,  // "sinkN@home.test "
    LINE = ADDRESS + BODY + 1,
    PER_WRITE_MAX = 256,
    READ_MAX = 256 << 10,
    // Latencies are counted in 32 steps for each doubling.
    STEP_BITS = 5,
    BUCKETS = 64 << STEP_BITS,
    // No sleep is shorter: what is due within one is sent together, in as many writes.
    SLEEP_NS = 100000,
    TIME_DIGITS = 10,
    NUMBER_DIGITS = 6,
};

static int sources[SOURCES], listeners[SINKS], receivers[SINKS], idle[IDLE_MAX];
static uint64_t idle_count;
static uint64_t send_numbers[SOURCES][SINKS], receive_numbers[SOURCES][SINKS];
static uint64_t buckets[BUCKETS];
static _Atomic uint64_t expected;
static _Atomic uint64_t received;
static _Atomic uint64_t finished_at;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_received = PTHREAD_COND_INITIALIZER;

static void fail(const char *what) {
    fprintf(stderr, "relay_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) fail("clock_gettime");
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Writes a number in base 64, in digits that are ordinary characters.
static void put(uint8_t *to, uint64_t value, int digits) {
    for (int index = digits - 1; index >= 0; index--, value >>= 6) to[index] = (uint8_t)('0' + (value & 63));
}

static uint64_t get(const uint8_t *from, int digits) {
    uint64_t value = 0;
    for (int index = 0; index < digits; index++) value = value << 6 | (uint64_t)((from[index] - '0') & 63);
    return value;
}

// MARK: Receiving

static void count_latency(uint64_t ns) {
    uint64_t value = ns < (1 << STEP_BITS) ? (1 << STEP_BITS) : ns;
    int shift = 63 - __builtin_clzll(value) - STEP_BITS;
    size_t bucket = ((size_t)shift << STEP_BITS) + (size_t)(value >> shift);
    buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static uint64_t percentile(uint64_t total, double share) {
    uint64_t below = 0, wanted = (uint64_t)((double)total * share);
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        below += buckets[bucket];
        if (below <= wanted) continue;
        int shift = (int)(bucket >> STEP_BITS) - 1;
        return ((uint64_t)(bucket & ((1 << STEP_BITS) - 1)) + (1 << STEP_BITS)) << (shift < 0 ? 0 : shift);
    }
    return 0;
}

static void take(const uint8_t *body, int sink, uint64_t now) {
    int source = body[TIME_DIGITS] - '0';
    if (source < 0 || source >= SOURCES || body[BODY] != '\n') {
        errno = EPROTO;
        fail("what came out is no line that went in");
    }
    uint64_t number = get(body + TIME_DIGITS + 1, NUMBER_DIGITS);
    if (number != (receive_numbers[source][sink]++ & (((uint64_t)1 << 6 * NUMBER_DIGITS) - 1))) {
        errno = EPROTO;
        fail("a line was lost, doubled or overtaken");
    }
    count_latency(now - get(body, TIME_DIGITS));
}

static void *receive(void *unused) {
    (void)unused;
    static uint8_t buffer[SINKS][READ_MAX];
    size_t kept[SINKS] = {0};
    struct pollfd polled[SINKS];
    for (int sink = 0; sink < SINKS; sink++) polled[sink] = (struct pollfd){.fd = receivers[sink], .events = POLLIN};
    for (;;) {
        if (poll(polled, SINKS, -1) < 0) fail("poll");
        for (int sink = 0; sink < SINKS; sink++) {
            if (!polled[sink].revents) continue;
            ssize_t count = read(receivers[sink], buffer[sink] + kept[sink], READ_MAX - kept[sink]);
            if (count <= 0) return NULL;
            uint64_t now = clock_ns(CLOCK_MONOTONIC), lines = 0;
            const uint8_t *body = buffer[sink], *end = body + kept[sink] + count;
            for (; end - body >= BODY + 1; body += BODY + 1, lines++) take(body, sink, now);
            kept[sink] = (size_t)(end - body);
            memmove(buffer[sink], body, kept[sink]);
            if (atomic_fetch_add(&received, lines) + lines < expected || lines == 0) continue;
            atomic_store(&finished_at, now);
            pthread_mutex_lock(&mutex);
            pthread_cond_signal(&all_received);
            pthread_mutex_unlock(&mutex);
        }
    }
}

// MARK: Sending

static int connected(const char *host, int port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &name.sin_addr) != 1) fail(host);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&name, sizeof name) < 0) fail("connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

static void write_all(int descriptor, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(descriptor, bytes, count);
        if (written < 0) fail("write");
        bytes += written;
        count -= (size_t)written;
    }
}

static void sleep_until(uint64_t ns) {
    struct timespec time = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) continue;
}

// The lines of one write: the sinks take turns.
static void compose(uint8_t *buffer, uint64_t lines, int source) {
    static uint64_t next_sink[SOURCES];
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    for (uint64_t line = 0; line < lines; line++) {
        int sink = (int)(next_sink[source]++ % SINKS);
        uint8_t *at = buffer + line * LINE;
        at[4] = (uint8_t)('0' + sink);
        put(at + ADDRESS, now, TIME_DIGITS);
        at[ADDRESS + TIME_DIGITS] = (uint8_t)('0' + source);
        put(at + ADDRESS + TIME_DIGITS + 1, send_numbers[source][sink]++, NUMBER_DIGITS);
    }
}

static void send_lines(clockid_t clock, uint64_t lines, uint64_t per_write, uint64_t per_second) {
    static uint8_t buffer[PER_WRITE_MAX * LINE];
    for (size_t line = 0; line < PER_WRITE_MAX; line++) {
        uint8_t *at = buffer + line * LINE;
        memcpy(at, "sink0@home.test ", ADDRESS);
        memset(at + ADDRESS, 'x', BODY);
        at[LINE - 1] = '\n';
    }
    memset(buckets, 0, sizeof buckets);
    atomic_store(&received, 0);
    expected = lines;
    uint64_t cpu = clock_ns(clock), start = clock_ns(CLOCK_MONOTONIC), sent = 0;
    for (int source = 0; sent < lines; source = (source + 1) % SOURCES) {
        uint64_t now = per_second ? clock_ns(CLOCK_MONOTONIC) : 0;
        if (per_second && start + sent * 1000000000 / per_second > now) sleep_until(now + SLEEP_NS);
        uint64_t count = lines - sent < per_write ? lines - sent : per_write;
        compose(buffer, count, source);
        write_all(sources[source], buffer, count * LINE);
        sent += count;
    }
    pthread_mutex_lock(&mutex);
    while (atomic_load(&received) < lines) pthread_cond_wait(&all_received, &mutex);
    pthread_mutex_unlock(&mutex);
    cpu = clock_ns(clock) - cpu;
    printf("sent %lu %.6f %.6f %lu %lu\n", lines, (double)(atomic_load(&finished_at) - start) / 1e9, (double)cpu / 1e9,
           percentile(lines, 0.5), percentile(lines, 0.99));
}

// MARK: Orders

static void listen_at(const char *host, int port) {
    for (int sink = 0; sink < SINKS; sink++) {
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(port + sink))};
        if (inet_pton(AF_INET, host, &name.sin_addr) != 1) fail(host);
        listeners[sink] = socket(AF_INET, SOCK_STREAM, 0);
        int on = 1;
        setsockopt(listeners[sink], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(listeners[sink], (struct sockaddr *)&name, sizeof name) < 0 || listen(listeners[sink], 4) < 0) {
            fail("listen");
        }
    }
}

static void connect_all(const char *host, int port) {
    for (int sink = 0; sink < SINKS; sink++) {
        receivers[sink] = accept(listeners[sink], NULL, NULL);
        if (receivers[sink] < 0) fail("accept");
    }
    for (int source = 0; source < SOURCES; source++) sources[source] = connected(host, port);
    pthread_t thread;
    if (pthread_create(&thread, NULL, receive, NULL) != 0) fail("pthread_create");
    puts("connected");
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    // Sleeps end when they should, and not up to 50 µs later.
    prctl(PR_SET_TIMERSLACK, 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    listen_at(argv[1], atoi(argv[2]));
    puts("listening");
    char order[256], host[64] = "";
    int port = 0;
    while (fgets(order, sizeof order, stdin)) {
        uint64_t lines, per_write, per_second, count;
        int process;
        clockid_t clock;
        if (sscanf(order, "connect %63s %d", host, &port) == 2) {
            connect_all(host, port);
        } else if (sscanf(order, "send %d %lu %lu %lu", &process, &lines, &per_write, &per_second) == 4
                   && per_write > 0 && per_write <= PER_WRITE_MAX) {
            if (clock_getcpuclockid(process, &clock) != 0) fail("clock_getcpuclockid");
            send_lines(clock, lines, per_write, per_second);
        } else if (sscanf(order, "idle %lu", &count) == 1 && idle_count + count <= IDLE_MAX) {
            for (uint64_t index = 0; index < count; index++) idle[idle_count++] = connected(host, port);
            printf("idle %lu\n", count);
        } else if (strcmp(order, "close\n") == 0) {
            while (idle_count > 0) close(idle[--idle_count]);
            puts("closed");
        } else {
            fprintf(stderr, "relay_load: unknown order: %s", order);
            return 2;
        }
    }
    return 0;
}
