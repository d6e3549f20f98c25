// The loops of a peer's threads, for any queue that has
//
//     Queue(uint32_t producers, uint32_t consumers)
//     struct Producer { Producer(Queue &, uint32_t index); size_t push(const uintptr_t *, size_t); }   how many were taken
//     struct Consumer { Consumer(Queue &, uint32_t index); size_t pop(uintptr_t *, size_t); }
#ifndef LANE_PEER_HPP
#define LANE_PEER_HPP

#include <algorithm>

#include "lane_peers.h"

template <class Queue> struct Peer {
    static void *create(uint32_t producers, uint32_t consumers) { return new Queue(producers, consumers); }

    static void destroy(void *queue) { delete static_cast<Queue *>(queue); }

    static void produce(void *queue, uint32_t producer, uint64_t first, uint64_t count, uint32_t batch) {
        typename Queue::Producer end(*static_cast<Queue *>(queue), producer);
        uintptr_t words[LANE_BENCH_BATCH_MAX];
        for (uint64_t sent = 0; sent < count;) {
            const size_t size = std::min<uint64_t>(batch, count - sent);
            for (size_t index = 0; index < size; index++) words[index] = first + sent + index;
            uint32_t failures = 0;
            for (size_t pushed = 0; pushed < size;) {
                const size_t taken = end.push(words + pushed, size - pushed);
                pushed += taken;
                if (taken == 0) lane_bench_wait(&failures);
            }
            sent += size;
        }
    }

    static lane_bench_tally_t consume(void *queue, uint32_t consumer, uint32_t batch, const uint32_t *done) {
        typename Queue::Consumer end(*static_cast<Queue *>(queue), consumer);
        uintptr_t words[LANE_BENCH_BATCH_MAX];
        lane_bench_tally_t tally = {0, 0};
        uint32_t failures = 0;
        bool was_done = false;
        while (true) {
            const size_t taken = end.pop(words, batch);
            if (taken == 0) {
                if (was_done) return tally;
                was_done = lane_bench_is_done(done);
                lane_bench_wait(&failures);
                continue;
            }
            failures = 0;
            tally.count += taken;
            for (size_t index = 0; index < taken; index++) tally.sum += words[index];
        }
    }

    static constexpr lane_peer_t table(const char *name, uint32_t producers_max = 0, uint32_t consumers_max = 0) {
        return {name, producers_max, consumers_max, 0, create, destroy, produce, consume};
    }
};

#endif
