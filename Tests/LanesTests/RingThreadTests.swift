import Foundation
import Testing

@testable import Lanes

/// A ring on the heap, so that threads can share it.
private final class Shared<Ring: ~Copyable & Sendable>: Sendable {
    let ring: Ring

    init(_ ring: consuming Ring) {
        self.ring = ring
    }
}

extension Shared where Ring == SPSCRing {
    var count: Int { self.ring.count }
}

extension Shared where Ring == MPMCRing {
    var count: Int { self.ring.count }
}

@Suite struct RingThreadTests {
    @Test("Words from one thread reach the other whole and in order", .timeLimit(.minutes(1)), arguments: [2, 8, 256])
    func singleProducer(capacity: Int) async {
        let wordCount: UInt = 60_000
        let shared = Shared(SPSCRing(capacity: capacity))
        let faults = Faults()
        let producer: @Sendable () -> Void = {
            var next: UInt = 0
            while next < wordCount {
                let batch = (next..<min(next + 1 + next % 7, wordCount)).map { $0 }
                let taken = batch.withUnsafeBufferPointer { shared.ring.push($0) }
                next += UInt(taken)
                if taken == 0 { sched_yield() }
            }
        }
        let consumer: @Sendable () -> Void = {
            var next: UInt = 0
            var buffer = [UInt](repeating: 0, count: 11)
            while next < wordCount {
                let count = buffer.withUnsafeMutableBufferPointer { shared.ring.pop(into: $0) }
                if count == 0 { sched_yield() }
                for word in buffer.prefix(count) {
                    guard word == next else { return faults.add("got \(word), not \(next)") }
                    next += 1
                }
            }
        }
        await onThreads([producer, consumer])
        #expect(faults.all == [])
        #expect(shared.count == 0)
    }

    @Test("Many threads on both ends lose and double nothing", .timeLimit(.minutes(1)), arguments: [2, 8, 256])
    func manyProducers(capacity: Int) async {
        let (senders, receivers, wordsEach) = (3, 2, 8_000)
        let shared = Shared(MPMCRing(capacity: capacity))
        let faults = Faults()
        let (received, sum) = (Tally(), Tally())
        let producers = (0..<senders).map { sender -> @Sendable () -> Void in
            {
                for number in 0..<wordsEach {
                    while !shared.ring.push(Tagged(sender: sender, number: number).word) { sched_yield() }
                }
            }
        }
        let consumers = (0..<receivers).map { _ -> @Sendable () -> Void in
            {
                var last = [Int](repeating: -1, count: senders)
                while received.value < senders * wordsEach {
                    guard let word = shared.ring.pop() else {
                        sched_yield()
                        continue
                    }
                    let tagged = Tagged(word: word)
                    if tagged.number <= last[tagged.sender] {
                        faults.add("\(tagged) came after \(last[tagged.sender])")
                    }
                    last[tagged.sender] = tagged.number
                    sum.add(tagged.number)
                    received.add()
                }
            }
        }
        await onThreads(producers + consumers)
        #expect(faults.all == [])
        #expect(received.value == senders * wordsEach)
        #expect(sum.value == senders * wordsEach * (wordsEach - 1) / 2)
        #expect(shared.count == 0)
    }
}
