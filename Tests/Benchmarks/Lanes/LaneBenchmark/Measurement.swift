import CLanePeers
import Foundation
import Synchronization

/// One queue, one case, once: all words from the producers to the consumers.
///
/// Safe to share: threads write their own fields of `stops` and `tallies`, which are read when all have ended.
final class Measurement: @unchecked Sendable {
    private let queue: any BenchmarkedQueue
    private let test: Case
    private let wordsEach: UInt64
    private let arrived = Atomic<Int>(0)
    private let producersLeft: Atomic<Int>
    private let done = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    private let starts: UnsafeMutableBufferPointer<UInt64>
    private let stops: UnsafeMutableBufferPointer<UInt64>
    private let tallies: UnsafeMutableBufferPointer<lane_bench_tally_t>

    /// - Parameter words: how many go through the queue in all, about.
    init(_ queue: any BenchmarkedQueue, _ test: Case, words: Int) {
        self.queue = queue
        self.test = test
        self.wordsEach = UInt64(words / test.producers)
        self.producersLeft = Atomic(test.producers)
        self.done.initialize(to: 0)
        self.starts = .allocate(capacity: test.threads)
        self.stops = .allocate(capacity: test.threads)
        self.tallies = .allocate(capacity: test.consumers)
        self.starts.initialize(repeating: 0)
        self.stops.initialize(repeating: 0)
        self.tallies.initialize(repeating: lane_bench_tally_t())
    }

    deinit {
        self.done.deallocate()
        self.starts.deallocate()
        self.stops.deallocate()
        self.tallies.deallocate()
    }

    /// Nanoseconds a word, from the moment at which the first thread may begin to the moment at which the last one has ended.
    ///
    /// Traps when words were lost or doubled: then there is nothing to compare.
    func run() -> Double {
        let ended = DispatchSemaphore(value: 0)
        for thread in 0..<self.test.threads {
            Thread {
                self.runThread(thread)
                ended.signal()
            }
            .start()
        }
        for _ in 0..<self.test.threads { ended.wait() }
        let words = self.wordsEach * UInt64(self.test.producers)
        // The words are 1...words.
        let sum = words / 2 * (words + 1) + (words % 2) * (words + 1) / 2
        precondition(self.tallies.reduce(0) { $0 + $1.count } == words, "words were lost or doubled")
        precondition(self.tallies.reduce(0) { $0 &+ $1.sum } == sum, "words were damaged")
        let (start, stop) = (self.starts.min() ?? 0, self.stops.max() ?? 0)
        return Double(stop - start) / Double(words)
    }

    private func runThread(_ thread: Int) {
        self.arrived.add(1, ordering: .acquiringAndReleasing)
        while self.arrived.load(ordering: .acquiring) < self.test.threads { sched_yield() }
        self.starts[thread] = DispatchTime.now().uptimeNanoseconds
        if thread < self.test.producers {
            self.queue.produce(
                producer: thread,
                first: UInt64(thread) * self.wordsEach + 1,
                count: self.wordsEach,
                batch: self.test.batch
            )
            let left = self.producersLeft.subtract(1, ordering: .acquiringAndReleasing).newValue
            if left == 0 { lane_bench_set_done(self.done) }
        } else {
            let consumer = thread - self.test.producers
            self.tallies[consumer] = self.queue.consume(consumer: consumer, batch: self.test.batch, done: self.done)
        }
        self.stops[thread] = DispatchTime.now().uptimeNanoseconds
    }
}
