#ifndef LANE_PEERS_H
#define LANE_PEERS_H

/// The queues that lanes are measured beside, each behind one table of functions.
///
/// A peer runs whole threads, not single calls: its loops are compiled with it, so that its calls are inlined as ours are.

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The most words in one batch.
#define LANE_BENCH_BATCH_MAX 64

/// Words that a bounded queue has room for.
#define LANE_BENCH_CAPACITY 4096

/// What one consumer got.
typedef struct {
    uint64_t count;
    /// Modulo 2^64.
    uint64_t sum;
} lane_bench_tally_t;

/// One queue under measurement.
///
/// A producer pushes the words `first`, `first` + 1, …; none is 0. A consumer pops until it finds nothing although `*done` was not 0
/// before it looked. Both call ``lane_bench_wait`` when they cannot go on.
typedef struct {
    const char *name;
    /// The most threads on each side that it is made for; 0 for any number.
    uint32_t producers_max;
    uint32_t consumers_max;
    /// Whether a thread that is preempted keeps all others from going on: of use only while each thread has a core.
    uint32_t needs_cores;
    void *(*create)(uint32_t producers, uint32_t consumers);
    void (*destroy)(void *queue);
    void (*produce)(void *queue, uint32_t producer, uint64_t first, uint64_t count, uint32_t batch);
    lane_bench_tally_t (*consume)(void *queue, uint32_t consumer, uint32_t batch, const uint32_t *done);
} lane_peer_t;

/// All peers; the same array each time.
const lane_peer_t *const *lane_peers(size_t *count);

/// Pauses of the processor before a queue that was full or empty is looked at again: together about as long as the router takes
/// for one message, which is the least that a worker does between two looks at an empty lane.
#define LANE_BENCH_PAUSES_MIN 8

/// Doublings of it before a thread gives up its core.
#define LANE_BENCH_DOUBLINGS_MAX 3

/// Waits a moment because a queue was full or empty, the same moment for all candidates: the processor pauses 8, 16, 32, 64 times,
/// and from then on whatever other thread wants the core gets it.
static inline void lane_bench_wait(uint32_t *failures) {
    if (*failures > LANE_BENCH_DOUBLINGS_MAX) {
        sched_yield();
        return;
    }
    for (uint32_t pauses = LANE_BENCH_PAUSES_MIN << *failures; pauses > 0; pauses--) {
#if defined(__x86_64__)
        __asm__ volatile("pause" ::: "memory");
#elif defined(__aarch64__)
        __asm__ volatile("isb" ::: "memory");
#endif
    }
    *failures += 1;
}

/// What the last producer says to the consumers when it has ended.
static inline void lane_bench_set_done(uint32_t *done) {
    __atomic_store_n(done, 1, __ATOMIC_RELEASE);
}

static inline bool lane_bench_is_done(const uint32_t *done) {
    return __atomic_load_n(done, __ATOMIC_ACQUIRE) != 0;
}

#ifdef __cplusplus
}
#endif

#endif
