import CLanePeers
import Lanes

/// Lanes as the router has them: each consumer has a lane, each lane a ring for each producer.
final class LaneQueue: BenchmarkedQueue {
    private let lanes: [Lane]
    /// The same once more: to take a lane out of the array would count a reference, on a line that all threads read.
    private let unretained: UnsafeMutableBufferPointer<Unmanaged<Lane>>
    private let wakes: Bool

    /// - Parameter wakes: asks after each batch whether somebody sleeps or waits for room, as the router does, though nobody does.
    init(_ test: Case, wakes: Bool) {
        self.lanes = (0..<test.consumers).map { _ in
            Lane(producers: test.producers, capacity: Int(LANE_BENCH_CAPACITY))
        }
        self.unretained = .allocate(capacity: test.consumers)
        _ = self.unretained.initialize(from: self.lanes.map { Unmanaged.passUnretained($0) })
        self.wakes = wakes
    }

    deinit {
        self.unretained.deallocate()
    }

    func produce(producer: Int, first: UInt64, count: UInt64, batch: Int) {
        switch (batch, self.wakes) {
        case (1, false): self.produceSingly(producer, UInt(first)..<UInt(first + count), wakes: false)
        case (1, true): self.produceSingly(producer, UInt(first)..<UInt(first + count), wakes: true)
        default: self.produceBatches(producer, UInt(first)..<UInt(first + count), batch)
        }
    }

    // Where the router goes by an envelope's target, these go round, past lanes that are full, and wait when all are.

    @inline(__always)
    private func produceSingly(_ producer: Int, _ all: Range<UInt>, wakes: Bool) {
        let (lanes, laneCount) = (self.unretained, self.unretained.count)
        var target = producer % laneCount
        var (failures, fullLanes) = (UInt32(0), 0)
        var word = all.lowerBound
        while word < all.upperBound {
            let isTaken = lanes[target]._withUnsafeGuaranteedRef { lane in
                let isTaken = lane.push(word, producer: producer)
                if wakes, isTaken, lane.shouldWakeConsumer() { preconditionFailure("nobody sleeps") }
                return isTaken
            }
            target &+= 1
            if target == laneCount { target = 0 }
            if isTaken {
                word &+= 1
                (failures, fullLanes) = (0, 0)
                continue
            }
            fullLanes &+= 1
            guard fullLanes == laneCount else { continue }
            fullLanes = 0
            lane_bench_wait(&failures)
        }
    }

    private func produceBatches(_ producer: Int, _ all: Range<UInt>, _ batch: Int) {
        withWords { words in
            var target = producer % self.unretained.count
            var next = all.lowerBound
            while next < all.upperBound {
                let size = min(batch, Int(all.upperBound - next))
                for index in 0..<size { words[index] = next + UInt(index) }
                var (pushed, failures, fullLanes) = (0, UInt32(0), 0)
                while pushed < size {
                    let rest = UnsafeBufferPointer(rebasing: words[pushed..<size])
                    let taken = self.unretained[target]._withUnsafeGuaranteedRef { lane in
                        let taken = lane.push(rest, producer: producer)
                        if self.wakes, taken > 0, lane.shouldWakeConsumer() { preconditionFailure("nobody sleeps") }
                        return taken
                    }
                    pushed += taken
                    target = target + 1 == self.unretained.count ? 0 : target + 1
                    guard taken == 0 else { continue }
                    fullLanes += 1
                    guard fullLanes == self.unretained.count else { continue }
                    fullLanes = 0
                    lane_bench_wait(&failures)
                }
                next += UInt(size)
            }
        }
    }

    func consume(consumer: Int, batch: Int, done: UnsafePointer<UInt32>) -> lane_bench_tally_t {
        let lane = self.lanes[consumer]
        switch (batch, self.wakes) {
        case (1, false): return consumeSingly(done) { lane.pop() }
        case (1, true):
            return consumeSingly(done) {
                let word = lane.pop()
                if word != nil, lane.takeRoomWaiters() != 0 { preconditionFailure("nobody waits") }
                return word
            }
        default:
            let wakes = self.wakes
            return withWords { words in
                consumeBatches(UnsafeMutableBufferPointer(rebasing: words[..<batch]), done) { words in
                    let taken = lane.pop(into: words)
                    if wakes, taken > 0, lane.takeRoomWaiters() != 0 { preconditionFailure("nobody waits") }
                    return taken
                }
            }
        }
    }
}

/// The ring that foreign threads share.
final class MPMCRingQueue: BenchmarkedQueue {
    private let ring = MPMCRing(capacity: Int(LANE_BENCH_CAPACITY))

    func produce(producer: Int, first: UInt64, count: UInt64, batch: Int) {
        for word in first..<first + count {
            var failures: UInt32 = 0
            while !self.ring.push(UInt(word)) { lane_bench_wait(&failures) }
        }
    }

    func consume(consumer: Int, batch: Int, done: UnsafePointer<UInt32>) -> lane_bench_tally_t {
        consumeSingly(done) { self.ring.pop() }
    }
}

/// Memory for one batch, on the stack.
@inline(__always)
private func withWords<Result>(_ body: (UnsafeMutableBufferPointer<UInt>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: UInt.self, capacity: Int(LANE_BENCH_BATCH_MAX)) { words in
        words.initialize(repeating: 0)
        return body(words)
    }
}

/// What the loop in `ck.c` does.
@inline(__always)
private func consumeSingly(_ done: UnsafePointer<UInt32>, pop: () -> UInt?) -> lane_bench_tally_t {
    var (count, sum) = (UInt64(0), UInt64(0))
    var failures: UInt32 = 0
    var wasDone = false
    while true {
        let countBefore = count
        while let word = pop() {
            count &+= 1
            sum &+= UInt64(word)
        }
        if count != countBefore { failures = 0 }
        if wasDone, count == countBefore { return lane_bench_tally_t(count: count, sum: sum) }
        wasDone = lane_bench_is_done(done)
        lane_bench_wait(&failures)
    }
}

/// The same loop as in `peer.hpp`.
@inline(__always)
private func consumeBatches(
    _ words: UnsafeMutableBufferPointer<UInt>,
    _ done: UnsafePointer<UInt32>,
    pop: (UnsafeMutableBufferPointer<UInt>) -> Int
) -> lane_bench_tally_t {
    var tally = lane_bench_tally_t()
    var failures: UInt32 = 0
    var wasDone = false
    while true {
        let taken = pop(words)
        if taken == 0 {
            if wasDone { return tally }
            wasDone = lane_bench_is_done(done)
            lane_bench_wait(&failures)
            continue
        }
        failures = 0
        tally.count += UInt64(taken)
        for word in words[..<taken] { tally.sum &+= UInt64(word) }
    }
}
