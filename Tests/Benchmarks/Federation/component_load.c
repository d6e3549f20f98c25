/* Two XMPP components (XEP-0114) in one process: the first sends messages to the second, who counts them.
 *
 *     component_load SENDER-SOCKET RECEIVER-SOCKET FROM TO TEXT-BYTES
 *
 * The sockets are numbers of inherited descriptors: streams on which the handshake is done. Orders come on the standard
 * input, a line each, and are answered on the standard output:
 *
 *     throughput COUNT WINDOW    done COUNT SECONDS P50 P90 P99
 *     rate COUNT PER-SECOND      the same; latencies are in microseconds
 *
 * In a throughput run at most WINDOW messages are on their way: sent, and not yet received. What goes wrong is answered
 * with "failed" and the reason, and ends the program with status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TEXT_BYTES_MIN = 32, /* when it was sent, 16 hexadecimal digits; its run, 8; its number, 8 */
    TEXT_BYTES_MAX = 4096,
    STANZA_BYTES_MAX = TEXT_BYTES_MAX + 4096,
    INPUT_BYTES = 1 << 18,
    OUTPUT_BYTES = 1 << 16,
    COUNT_MAX = 10 * 1000 * 1000,
    STALL_MS = 20 * 1000, /* a run in which nothing happens for so long has failed */
};

struct load {
    int sender, receiver;
    const char *from, *to;
    size_t text_bytes;
    uint32_t run;
    char output[OUTPUT_BYTES], input[INPUT_BYTES + 1];
    size_t output_start, output_end, input_end;
};

struct run {
    long count, window;
    double rate; /* messages a second; 0: as the window allows */
    uint64_t started_at;
    long sent, received;
    uint32_t *latencies;
};

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("failed ", stdout);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Sending */

/* How many messages may have been sent by now. */
static long allowed(const struct run *run) {
    long limit = run->received + run->window;
    if (run->rate > 0) limit = (long)((double)(now() - run->started_at) * 1e-9 * run->rate) + 1;
    return limit < run->count ? limit : run->count;
}

static void compose(struct load *load, long number) {
    char text[TEXT_BYTES_MAX + 1];
    snprintf(text, sizeof text, "%016" PRIx64 "%08" PRIx32 "%08lx", now(), load->run, number);
    for (size_t i = TEXT_BYTES_MIN; i < load->text_bytes; i++) text[i] = (char)('a' + i % 26);
    text[load->text_bytes] = 0;
    int length = snprintf(
        load->output + load->output_end, sizeof load->output - load->output_end,
        "<message from='%s' to='%s' type='chat' id='%" PRIx32 "-%ld'><body>%s</body></message>", load->from, load->to,
        load->run, number, text);
    load->output_end += (size_t)length;
}

static void flush(struct load *load) {
    ssize_t count = write(load->sender, load->output + load->output_start, load->output_end - load->output_start);
    if (count < 0 && errno != EAGAIN) fail("the sender's stream broke: %s", strerror(errno));
    if (count > 0) load->output_start += (size_t)count;
    if (load->output_start == load->output_end) load->output_start = load->output_end = 0;
}

/* Sends what the plan allows and the socket takes. */
static void send_some(struct load *load, struct run *run) {
    for (long limit = allowed(run); run->sent < limit; run->sent++) {
        if (sizeof load->output - load->output_end < STANZA_BYTES_MAX) break;
        compose(load, run->sent);
    }
    if (load->output_end > load->output_start) flush(load);
}

/* Receiving */

static uint64_t digits(const char *start, size_t count) {
    char copy[17] = {0};
    memcpy(copy, start, count);
    return strtoull(copy, NULL, 16);
}

static void take(struct load *load, struct run *run, const char *text) {
    uint64_t at = now(), sent_at = digits(text, 16), run_id = digits(text + 16, 8), number = digits(text + 24, 8);
    if (run_id != load->run || number != (uint64_t)run->received)
        fail("message %ld of run %" PRIx32 " was due, and message %" PRIu64 " of run %" PRIx64 " came", run->received,
             load->run, number, run_id);
    run->latencies[run->received++] = (uint32_t)((at - sent_at) / 1000);
}

/* Takes the texts out of what arrived; half a message is left for the next call. */
static void receive(struct load *load, struct run *run) {
    static const char start_tag[] = "<body>";
    const size_t tag_bytes = sizeof start_tag - 1;
    ssize_t count = read(load->receiver, load->input + load->input_end, INPUT_BYTES - load->input_end);
    if (count == 0) fail("the receiver's stream was closed");
    if (count < 0) {
        if (errno != EAGAIN) fail("the receiver's stream broke: %s", strerror(errno));
        return;
    }
    load->input_end += (size_t)count;
    const char *position = load->input, *end = load->input + load->input_end;
    while (position < end) {
        const char *tag = memmem(position, (size_t)(end - position), start_tag, tag_bytes);
        if (tag == NULL) {
            /* The tag may have been cut in two. */
            if ((size_t)(end - position) >= tag_bytes) position = end - tag_bytes + 1;
            break;
        }
        position = tag;
        if ((size_t)(end - tag) < tag_bytes + TEXT_BYTES_MIN) break;
        take(load, run, tag + tag_bytes);
        position = tag + tag_bytes + TEXT_BYTES_MIN;
    }
    load->input_end = (size_t)(end - position);
    memmove(load->input, position, load->input_end);
}

/* Nothing is sent to the sender but errors: of a message, or of the stream. */
static void listen_to_errors(struct load *load) {
    char text[1024];
    ssize_t count = read(load->sender, text, sizeof text - 1);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) fail("the sender's stream was closed");
    text[count] = 0;
    if (strspn(text, " \r\n") < (size_t)count) fail("the sender was sent: %s", text);
}

/* Runs */

/* Waits for something to do: for input, for room in the sender's socket, or until the next message is due. */
static void wait(const struct load *load, const struct run *run) {
    struct pollfd sockets[] = {{load->sender, POLLIN, 0}, {load->receiver, POLLIN, 0}};
    uint64_t wait_ns = STALL_MS * 1000000ull;
    bool is_timed = false;
    if (load->output_end > load->output_start) {
        sockets[0].events |= POLLOUT;
    } else if (run->rate > 0 && run->sent < run->count) {
        uint64_t due = run->started_at + (uint64_t)((double)run->sent / run->rate * 1e9), time = now();
        wait_ns = due > time ? due - time : 0;
        is_timed = true;
    } else if (run->sent < allowed(run)) {
        wait_ns = 0;
        is_timed = true;
    }
    struct timespec timeout = {(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};
    if (ppoll(sockets, 2, &timeout, NULL) == 0 && !is_timed)
        fail("nothing happened for %d s: %ld sent, %ld received", STALL_MS / 1000, run->sent, run->received);
}

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static uint32_t percentile(const struct run *run, long percent) {
    return run->latencies[(run->count - 1) * percent / 100];
}

static void perform(struct load *load, struct run *run) {
    run->latencies = calloc((size_t)run->count, sizeof *run->latencies);
    if (run->latencies == NULL) fail("there is no memory for %ld latencies", run->count);
    load->run++;
    run->started_at = now();
    while (run->received < run->count) {
        send_some(load, run);
        wait(load, run);
        listen_to_errors(load);
        receive(load, run);
    }
    double seconds = (double)(now() - run->started_at) * 1e-9;
    qsort(run->latencies, (size_t)run->count, sizeof *run->latencies, compare);
    printf("done %ld %f %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", run->count, seconds, percentile(run, 50),
           percentile(run, 90), percentile(run, 99));
    free(run->latencies);
}

static bool is_number(long value) { return value >= 1 && value <= COUNT_MAX; }

int main(int argument_count, char **arguments) {
    static struct load load;
    if (argument_count != 6) fail("usage: component_load SENDER-SOCKET RECEIVER-SOCKET FROM TO TEXT-BYTES");
    load.sender = atoi(arguments[1]);
    load.receiver = atoi(arguments[2]);
    load.from = arguments[3];
    load.to = arguments[4];
    long text_bytes = atol(arguments[5]);
    if (text_bytes < TEXT_BYTES_MIN || text_bytes > TEXT_BYTES_MAX || strlen(load.from) + strlen(load.to) > 2048)
        fail("a text has %d to %d bytes, and both addresses 2048", TEXT_BYTES_MIN, TEXT_BYTES_MAX);
    load.text_bytes = (size_t)text_bytes;
    load.run = (uint32_t)now();
    if (fcntl(load.sender, F_SETFL, O_NONBLOCK) != 0 || fcntl(load.receiver, F_SETFL, O_NONBLOCK) != 0)
        fail("the sockets cannot be used: %s", strerror(errno));
    setvbuf(stdout, NULL, _IOLBF, 0);
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        long count, limit;
        struct run run = {0};
        if (sscanf(line, "throughput %ld %ld", &count, &limit) == 2 && is_number(count) && is_number(limit)) {
            run.window = limit;
        } else if (sscanf(line, "rate %ld %ld", &count, &limit) == 2 && is_number(count) && is_number(limit)) {
            run.rate = (double)limit;
        } else {
            fail("this is no order: %s", line);
        }
        run.count = count;
        perform(&load, &run);
    }
    return 0;
}
