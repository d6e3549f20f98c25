import Testing

@testable import Lanes

/// What both rings promise, so that one test asks both.
private protocol Ring: ~Copyable {
    init(capacity: Int)
    var capacity: Int { get }
    var count: Int { get }
    var isEmpty: Bool { get }
    var hasRoom: Bool { get }
    var pushedTotal: UInt { get }
    var poppedTotal: UInt { get }
    func push(_ word: UInt) -> Bool
    func push(_ words: UnsafeBufferPointer<UInt>) -> Int
    func pop() -> UInt?
    func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int
}

extension SPSCRing: Ring {}

extension MPMCRing: Ring {
    func push(_ words: UnsafeBufferPointer<UInt>) -> Int {
        words.prefix { self.push($0) }.count
    }
}

/// A ring and the array that says what it must hold.
private struct Checked<Tested: Ring & ~Copyable>: ~Copyable {
    let ring: Tested
    var model: [UInt] = []
    var next: UInt = 1
    var popped: UInt = 0

    init(capacity: Int, offset: Int) {
        self.ring = Tested(capacity: capacity)
        for _ in 0..<offset {
            self.push(1, batch: false)
            self.pop(1, batch: false)
        }
    }

    mutating func push(_ size: Int, batch: Bool) {
        let words = (0..<size).map { self.next + UInt($0) }
        let taken =
            batch
            ? words.withUnsafeBufferPointer { self.ring.push($0) }
            : words.prefix { self.ring.push($0) }.count
        let expected = min(size, self.ring.capacity - self.model.count)
        if taken != expected { Issue.record("push of \(size) took \(taken), not \(expected)") }
        self.model += words.prefix(expected)
        self.next += UInt(expected)
        self.check()
    }

    mutating func pop(_ size: Int, batch: Bool) {
        var words: [UInt] = []
        if batch {
            var buffer = [UInt](repeating: 0, count: size)
            let count = buffer.withUnsafeMutableBufferPointer { self.ring.pop(into: $0) }
            words = Array(buffer.prefix(count))
            if buffer.dropFirst(count).contains(where: { $0 != 0 }) { Issue.record("pop wrote past its words") }
        } else {
            while words.count < size, let word = self.ring.pop() { words.append(word) }
        }
        let expected = Array(self.model.prefix(size))
        if words != expected { Issue.record("pop of \(size) gave \(words), not \(expected)") }
        self.model.removeFirst(expected.count)
        self.popped += UInt(expected.count)
        self.check()
    }

    func check() {
        let isRight =
            self.ring.count == self.model.count && self.ring.isEmpty == self.model.isEmpty
            && self.ring.hasRoom == (self.model.count < self.ring.capacity)
            && self.ring.pushedTotal == self.next - 1 && self.ring.poppedTotal == self.popped
        if !isRight { Issue.record("count, isEmpty, hasRoom or totals are wrong with \(self.model) in the ring") }
    }
}

@Suite struct RingModelTests {
    struct Space: Sendable, CustomTestStringConvertible {
        let capacity: Int
        /// Pushes and pops in a sequence.
        let length: Int
        var testDescription: String { "capacity \(self.capacity), \(self.length) calls" }
    }

    static let spaces = [Space(capacity: 2, length: 5), Space(capacity: 4, length: 4), Space(capacity: 8, length: 3)]

    @Test(
        "Every sequence of pushes and pops, from every offset, does what a queue does: one producer",
        arguments: spaces
    )
    func singleProducer(space: Space) {
        Self.explore(SPSCRing.self, space)
    }

    @Test(
        "Every sequence of pushes and pops, from every offset, does what a queue does: many producers",
        arguments: spaces
    )
    func manyProducers(space: Space) {
        Self.explore(MPMCRing.self, space)
    }

    /// Runs every sequence of `length` calls, each a push or a pop of 1...capacity + 1 words, as a batch or one by one.
    private static func explore<Tested: Ring & ~Copyable>(_: Tested.Type, _ space: Space) {
        let sizes = space.capacity + 1
        let choices = 2 * sizes
        let sequences = (0..<space.length).reduce(1) { product, _ in product * choices }
        for offset in 0..<space.capacity {
            for sequence in 0..<sequences {
                var checked = Checked<Tested>(capacity: space.capacity, offset: offset)
                var digits = sequence
                for _ in 0..<space.length {
                    let (size, isPush) = (digits % choices % sizes + 1, digits % choices < sizes)
                    digits /= choices
                    // Both ways of calling are mixed, differently from one sequence to the next.
                    let batch = (sequence / 7 + digits) % 2 == 0
                    if isPush { checked.push(size, batch: batch) } else { checked.pop(size, batch: batch) }
                }
            }
        }
    }

    @Test("A batch of no words changes nothing")
    func emptyBatch() {
        let ring = SPSCRing(capacity: 2)
        let pushed = ring.push(UnsafeBufferPointer(start: nil, count: 0))
        let pushedOne = ring.push(7)
        let popped = ring.pop(into: UnsafeMutableBufferPointer(start: nil, count: 0))
        let left = ring.pop()
        #expect((pushed, pushedOne, popped, left) == (0, true, 0, 7))
    }

    @Test(
        "A capacity is rounded up to a power of two, at least 2",
        arguments: zip([1, 2, 3, 4, 5, 1023, 1025, 1 << 20], [2, 2, 4, 4, 8, 1024, 2048, 1 << 20])
    )
    func rounding(asked: Int, got: Int) {
        #expect(RingLayout.slotCount(for: asked) == got)
    }

    @Test("A ring of the largest capacity takes that many words and not one more")
    func largest() {
        let ring = SPSCRing(capacity: RingLayout.capacityMax)
        let words = [UInt](repeating: 5, count: RingLayout.capacityMax + 1)
        let pushed = words.withUnsafeBufferPointer { ring.push($0) }
        let pushedOneMore = ring.push(6)
        #expect(pushed == RingLayout.capacityMax)
        #expect(!pushedOneMore)
    }

    @Test("A capacity past the largest traps")
    func pastLargest() async {
        await #expect(processExitsWith: .failure) { _ = SPSCRing(capacity: RingLayout.capacityMax + 1) }
    }

    @Test("A capacity of none traps")
    func none() async {
        await #expect(processExitsWith: .failure) { _ = MPMCRing(capacity: 0) }
    }
}
