@testable import Lanes

/// An ``SPSCRing`` whose calls are recorded: thread 0 pushes, one other pops.
final class RecordedSPSCRing: RecordedQueue {
    private let ring: SPSCRing

    init(capacity: Int) {
        self.ring = SPSCRing(capacity: capacity)
    }

    func push(_ words: UnsafeBufferPointer<UInt>, source: Int) -> Int {
        words.count == 1 ? (self.ring.push(words[0]) ? 1 : 0) : self.ring.push(words)
    }

    func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int {
        guard words.count == 1 else { return self.ring.pop(into: words) }
        guard let word = self.ring.pop() else { return 0 }
        words[0] = word
        return 1
    }
}

/// An ``MPMCRing`` whose calls are recorded: any thread, one word at a time.
final class RecordedMPMCRing: RecordedQueue {
    private let ring: MPMCRing

    init(capacity: Int) {
        self.ring = MPMCRing(capacity: capacity)
    }

    func push(_ words: UnsafeBufferPointer<UInt>, source: Int) -> Int {
        self.ring.push(words[0]) ? 1 : 0
    }

    func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int {
        guard let word = self.ring.pop() else { return 0 }
        words[0] = word
        return 1
    }
}

/// A ``Lane`` whose calls are recorded: the first threads are its producers, others that push are foreign, one pops.
final class RecordedLane: RecordedQueue {
    private let lane: Lane

    init(producers: Int, capacity: Int) {
        self.lane = Lane(producers: producers, capacity: capacity)
    }

    func push(_ words: UnsafeBufferPointer<UInt>, source: Int) -> Int {
        guard source < self.lane.producers else { return self.lane.pushForeign(words[0]) ? 1 : 0 }
        return self.lane.push(words, producer: source)
    }

    func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int {
        guard words.count == 1 else { return self.lane.pop(into: words) }
        guard let word = self.lane.pop() else { return 0 }
        words[0] = word
        return 1
    }
}
