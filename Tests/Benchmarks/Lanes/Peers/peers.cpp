// Boost, moodycamel, and a mutex; ck.c and the Rust crate beside this folder have the others.
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <concurrentqueue/concurrentqueue.h>
#include <deque>
#include <mutex>

#include "peer.hpp"

namespace {

// Both ends of a queue that has bulk calls of its own.
template <class Queue> struct BulkEnd {
    Queue &queue;
    BulkEnd(Queue &queue, uint32_t) : queue(queue) {}
    size_t push(const uintptr_t *words, size_t count) { return queue.push(words, count); }
    size_t pop(uintptr_t *words, size_t count) { return queue.pop(words, count); }
};

struct BoostSPSC {
    using Producer = BulkEnd<BoostSPSC>;
    using Consumer = BulkEnd<BoostSPSC>;
    boost::lockfree::spsc_queue<uintptr_t, boost::lockfree::capacity<LANE_BENCH_CAPACITY>> queue;
    BoostSPSC(uint32_t, uint32_t) {}
    // For a single word its single calls are the quicker ones.
    size_t push(const uintptr_t *words, size_t count) { return count == 1 ? queue.push(*words) : queue.push(words, count); }
    size_t pop(uintptr_t *words, size_t count) { return count == 1 ? queue.pop(*words) : queue.pop(words, count); }
};

// Has single calls only.
struct BoostQueue {
    using Producer = BulkEnd<BoostQueue>;
    using Consumer = BulkEnd<BoostQueue>;
    boost::lockfree::queue<uintptr_t, boost::lockfree::capacity<LANE_BENCH_CAPACITY>> queue;
    BoostQueue(uint32_t, uint32_t) {}
    size_t push(const uintptr_t *words, size_t count) {
        size_t done = 0;
        while (done < count && queue.bounded_push(words[done])) done++;
        return done;
    }
    size_t pop(uintptr_t *words, size_t count) {
        size_t done = 0;
        while (done < count && queue.pop(words[done])) done++;
        return done;
    }
};

// Unbounded. With tokens, and its own bulk calls; its try_enqueue with a token, which would bound it, may livelock with two producers.
struct Moodycamel {
    moodycamel::ConcurrentQueue<uintptr_t> queue;
    Moodycamel(uint32_t producers, uint32_t) : queue(LANE_BENCH_CAPACITY, producers, 0) {}

    struct Producer {
        Moodycamel &owner;
        moodycamel::ProducerToken token;
        Producer(Moodycamel &owner, uint32_t) : owner(owner), token(owner.queue) {}
        size_t push(const uintptr_t *words, size_t count) {
            const bool taken = count == 1 ? owner.queue.enqueue(token, *words) : owner.queue.enqueue_bulk(token, words, count);
            return taken ? count : 0;
        }
    };

    struct Consumer {
        Moodycamel &owner;
        moodycamel::ConsumerToken token;
        Consumer(Moodycamel &owner, uint32_t) : owner(owner), token(owner.queue) {}
        size_t pop(uintptr_t *words, size_t count) {
            if (count == 1) return owner.queue.try_dequeue(token, *words) ? 1 : 0;
            return owner.queue.try_dequeue_bulk(token, words, count);
        }
    };
};

// One lock a batch.
struct MutexDeque {
    using Producer = BulkEnd<MutexDeque>;
    using Consumer = BulkEnd<MutexDeque>;
    std::mutex mutex;
    std::deque<uintptr_t> deque;
    MutexDeque(uint32_t, uint32_t) {}
    size_t push(const uintptr_t *words, size_t count) {
        const std::lock_guard<std::mutex> lock(mutex);
        const size_t taken = std::min(count, LANE_BENCH_CAPACITY - deque.size());
        deque.insert(deque.end(), words, words + taken);
        return taken;
    }
    size_t pop(uintptr_t *words, size_t count) {
        const std::lock_guard<std::mutex> lock(mutex);
        const size_t taken = std::min(count, deque.size());
        std::copy_n(deque.begin(), taken, words);
        deque.erase(deque.begin(), deque.begin() + taken);
        return taken;
    }
};

const lane_peer_t boost_spsc = Peer<BoostSPSC>::table("boost spsc_queue", 1, 1);
const lane_peer_t boost_queue = Peer<BoostQueue>::table("boost queue");
const lane_peer_t moodycamel_queue = Peer<Moodycamel>::table("moodycamel");
const lane_peer_t mutex_deque = Peer<MutexDeque>::table("mutex + deque");

} // namespace

extern "C" {
extern const lane_peer_t lane_peer_ck_spsc;
extern const lane_peer_t lane_peer_ck_mpmc;
extern const lane_peer_t lane_peer_crossbeam;

const lane_peer_t *const *lane_peers(size_t *count) {
    static const lane_peer_t *const peers[] = {
        &boost_spsc, &lane_peer_ck_spsc, &lane_peer_ck_mpmc, &boost_queue, &moodycamel_queue, &lane_peer_crossbeam, &mutex_deque,
    };
    *count = sizeof peers / sizeof *peers;
    return peers;
}
}
