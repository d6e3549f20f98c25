// Concurrency Kit's ring, which is C and has single calls only.
#include <ck_ring.h>
#include <stdlib.h>

#include "lane_peers.h"

typedef struct {
    ck_ring_t ring;
    // Of which it uses all but one.
    ck_ring_buffer_t buffer[LANE_BENCH_CAPACITY];
} queue_t;

typedef bool push_function(ck_ring_t *, ck_ring_buffer_t *, const void *);
typedef bool pop_function(ck_ring_t *, const ck_ring_buffer_t *, void *);

static void *create(uint32_t producers, uint32_t consumers) {
    (void)producers;
    (void)consumers;
    queue_t *queue = aligned_alloc(128, (sizeof *queue + 127) / 128 * 128);
    if (queue == NULL) abort();
    ck_ring_init(&queue->ring, LANE_BENCH_CAPACITY);
    return queue;
}

static inline __attribute__((always_inline)) void produce(queue_t *queue, push_function *push, uint64_t first, uint64_t count) {
    for (uint64_t sent = 0; sent < count; sent++) {
        uint32_t failures = 0;
        while (!push(&queue->ring, queue->buffer, (void *)(uintptr_t)(first + sent))) lane_bench_wait(&failures);
    }
}

static inline __attribute__((always_inline)) lane_bench_tally_t consume(
    queue_t *queue, pop_function *pop, const uint32_t *done) {
    lane_bench_tally_t tally = {0, 0};
    uint32_t failures = 0;
    bool was_done = false;
    while (true) {
        void *word;
        if (!pop(&queue->ring, queue->buffer, &word)) {
            if (was_done) return tally;
            was_done = lane_bench_is_done(done);
            lane_bench_wait(&failures);
            continue;
        }
        failures = 0;
        tally.count += 1;
        tally.sum += (uintptr_t)word;
    }
}

static void produce_spsc(void *queue, uint32_t producer, uint64_t first, uint64_t count, uint32_t batch) {
    (void)producer;
    (void)batch;
    produce(queue, ck_ring_enqueue_spsc, first, count);
}

static lane_bench_tally_t consume_spsc(void *queue, uint32_t consumer, uint32_t batch, const uint32_t *done) {
    (void)consumer;
    (void)batch;
    return consume(queue, ck_ring_dequeue_spsc, done);
}

static void produce_mpmc(void *queue, uint32_t producer, uint64_t first, uint64_t count, uint32_t batch) {
    (void)producer;
    (void)batch;
    produce(queue, ck_ring_enqueue_mpmc, first, count);
}

static lane_bench_tally_t consume_mpmc(void *queue, uint32_t consumer, uint32_t batch, const uint32_t *done) {
    (void)consumer;
    (void)batch;
    return consume(queue, ck_ring_dequeue_mpmc, done);
}

const lane_peer_t lane_peer_ck_spsc = {"ck_ring spsc", 1, 1, 0, create, free, produce_spsc, consume_spsc};
const lane_peer_t lane_peer_ck_mpmc = {"ck_ring mpmc", 0, 0, 1, create, free, produce_mpmc, consume_mpmc};
