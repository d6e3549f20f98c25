import Foundation
import Synchronization

/// A ring like ``SPSCRing`` with one fault built in, which the linearizability check must find.
///
/// Where a fault needs the other side to come between two steps, the ring waits a little for it. All is atomic, so that
/// ThreadSanitizer has nothing to say: these faults are of order, and it knows no order but "happened before".
///
/// Safe to share: all state is atomic but `cachedTail`, which is the consumer's; only ``Fault/popsWithoutClaim`` is used with two.
final class FaultyRing: RecordedQueue, @unchecked Sendable {
    enum Fault: CaseIterable, Sendable {
        /// None: the check must let it pass.
        case none
        /// The index says that a word is there before it is.
        case indexBeforeSlot
        /// The index gives a slot back before its word was read.
        case slotAfterIndex
        /// One word more than there is room for: the oldest is lost.
        case overwritesWhenFull
        /// A remembered index is believed although it says that nothing is there.
        case saysEmptyTooSoon
        /// Two consumers may take the same word.
        case popsWithoutClaim
    }

    private let fault: Fault
    private let head = Atomic<UInt>(0)
    private let tail = Atomic<UInt>(0)
    private let slots: [Slot]
    private var cachedTail: UInt = 0

    private final class Slot: Sendable {
        let word = Atomic<UInt>(0)
    }

    init(capacity: Int, _ fault: Fault) {
        self.fault = fault
        self.slots = (0..<capacity).map { _ in Slot() }
    }

    func push(_ words: UnsafeBufferPointer<UInt>, source: Int) -> Int {
        let tail = self.tail.load(ordering: .relaxed)
        let head = self.head.load(ordering: .acquiring)
        let most = UInt(self.slots.count) + (self.fault == .overwritesWhenFull ? 1 : 0)
        guard tail &- head < most else { return 0 }
        let slot = self.slots[Int(tail) % self.slots.count]
        if self.fault == .indexBeforeSlot {
            self.tail.store(tail &+ 1, ordering: .releasing)
            Self.linger { self.head.load(ordering: .acquiring) == head }
            slot.word.store(words[0], ordering: .releasing)
        } else {
            slot.word.store(words[0], ordering: .relaxed)
            self.tail.store(tail &+ 1, ordering: .releasing)
        }
        return 1
    }

    func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int {
        let head = self.head.load(ordering: .acquiring)
        let tail = self.tailToBelieve()
        guard tail != head else { return 0 }
        let slot = self.slots[Int(head) % self.slots.count]
        if self.fault == .slotAfterIndex {
            self.head.store(head &+ 1, ordering: .releasing)
            Self.linger { self.tail.load(ordering: .acquiring) &- head <= UInt(self.slots.count) }
            words[0] = slot.word.load(ordering: .acquiring)
        } else {
            words[0] = slot.word.load(ordering: .acquiring)
            if self.fault == .popsWithoutClaim { Self.linger { self.head.load(ordering: .acquiring) == head } }
            self.head.store(head &+ 1, ordering: .releasing)
        }
        return 1
    }

    private func tailToBelieve() -> UInt {
        let tail = self.tail.load(ordering: .acquiring)
        guard self.fault == .saysEmptyTooSoon else { return tail }
        defer { self.cachedTail = tail }
        return self.cachedTail
    }

    /// Gives the other threads time to come in between, as long as they have not.
    private static func linger(while hasNotCome: () -> Bool) {
        for _ in 0..<20 where hasNotCome() { sched_yield() }
    }
}

/// A lane of two rings that says it is empty after a look at only one of them.
///
/// Safe to share: `next` is the consumer's.
final class ShortSightedLane: RecordedQueue, @unchecked Sendable {
    private let rings: [FaultyRing]
    private var next = 0

    init(capacity: Int) {
        self.rings = (0..<2).map { _ in FaultyRing(capacity: capacity, .none) }
    }

    func push(_ words: UnsafeBufferPointer<UInt>, source: Int) -> Int {
        self.rings[source].push(words, source: source)
    }

    func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int {
        defer { self.next = 1 - self.next }
        return self.rings[self.next].pop(into: words)
    }
}
