public import Synchronization

/// A bounded first-in first-out ring of words between one producing and one consuming thread.
///
/// Lock-free and wait-free, without a read-modify-write: each side stores only its own index.
///
///     base ──▶ tail │ cachedHead      the producer's line
///     +128 ──▶ head │ cachedTail      the consumer's line
///     +256 ──▶ slot 0, slot 1, …
///
/// Invariants:
///
/// 1. `head` and `tail` only grow (modulo 2⁶⁴) and count the words ever popped and pushed;
///    `0 ≤ tail − head ≤ capacity`.
/// 2. Only the producer stores `tail` and touches `cachedHead`; only the consumer stores `head` and touches `cachedTail`.
/// 3. A slot is written before the `tail` that covers it is stored (releasing), and read before the `head` that gives it
///    back is stored (releasing); each side loads the other's index acquiring before it touches a slot on its account.
/// 4. A cached index is one that the other side once stored, so it is never ahead of the true one: it can hide room or
///    words, and never invent them.
///
/// A word is opaque: a ring that goes away frees its slots and not what the words stand for.
///
/// Safe to share: the only mutable state is in the allocation, and obeys invariants 2 and 3.
@usableFromInline package struct SPSCRing: ~Copyable, @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let mask: UInt

    /// Makes an empty ring.
    ///
    /// - Parameter capacity: words, 1...``RingLayout/capacityMax``; rounded up to a power of two, at least 2.
    package init(capacity: Int) {
        let slotCount = RingLayout.slotCount(for: capacity)
        self.base = .allocate(
            byteCount: 2 * RingLayout.lineBytes + slotCount * MemoryLayout<UInt>.stride,
            alignment: RingLayout.lineBytes
        )
        self.mask = UInt(slotCount - 1)
        self.tail.initialize(to: Atomic(0))
        self.head.initialize(to: Atomic(0))
        self.cachedHead.initialize(to: 0)
        self.cachedTail.initialize(to: 0)
        self.slots.initialize(repeating: 0, count: slotCount)
    }

    deinit {
        self.base.deallocate()
    }

    /// Words the ring can hold, a power of two.
    @inlinable package var capacity: Int { Int(self.mask) + 1 }

    @inlinable var tail: UnsafeMutablePointer<Atomic<UInt>> {
        self.base.assumingMemoryBound(to: Atomic<UInt>.self)
    }

    @inlinable var cachedHead: UnsafeMutablePointer<UInt> {
        (self.base + MemoryLayout<UInt>.stride).assumingMemoryBound(to: UInt.self)
    }

    @inlinable var head: UnsafeMutablePointer<Atomic<UInt>> {
        (self.base + RingLayout.lineBytes).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    @inlinable var cachedTail: UnsafeMutablePointer<UInt> {
        (self.base + RingLayout.lineBytes + MemoryLayout<UInt>.stride).assumingMemoryBound(to: UInt.self)
    }

    /// Copies word by word: the library's bulk copy would hide the accesses from ThreadSanitizer, and is hardly faster.
    @inlinable static func copy(_ source: UnsafePointer<UInt>, to target: UnsafeMutablePointer<UInt>, count: Int) {
        for index in 0..<count {
            target[index] = source[index]
        }
    }

    @inlinable var slots: UnsafeMutablePointer<UInt> {
        (self.base + 2 * RingLayout.lineBytes).assumingMemoryBound(to: UInt.self)
    }
}

// The producer's side.
extension SPSCRing {
    /// Appends as many of `words` as fit, in order.
    ///
    /// - Returns: how many were appended, from the start of `words`.
    /// - Complexity: O(words); no allocation. Producer thread only.
    @inlinable package func push(_ words: UnsafeBufferPointer<UInt>) -> Int {
        let tail = self.tail.pointee.load(ordering: .relaxed)
        let count = min(self.room(tail: tail, wanted: words.count), words.count)
        guard count > 0, let source = words.baseAddress else { return 0 }
        let start = Int(bitPattern: tail & self.mask)
        let beforeWrap = min(count, self.capacity - start)
        Self.copy(source, to: self.slots + start, count: beforeWrap)
        if beforeWrap < count {
            Self.copy(source + beforeWrap, to: self.slots, count: count - beforeWrap)
        }
        self.tail.pointee.store(tail &+ UInt(bitPattern: count), ordering: .releasing)
        return count
    }

    /// Appends one word.
    ///
    /// - Returns: false when the ring was full and nothing was appended. Producer thread only.
    @inlinable @inline(__always) package func push(_ word: UInt) -> Bool {
        let tail = self.tail.pointee.load(ordering: .relaxed)
        if tail &- self.cachedHead.pointee > self.mask {
            guard self.hasRoom else { return false }
        }
        self.slots[Int(bitPattern: tail & self.mask)] = word
        self.tail.pointee.store(tail &+ 1, ordering: .releasing)
        return true
    }

    /// Whether at least one more word fits, from the true `head` and not the cached one.
    ///
    /// Producer thread only.
    @inlinable package var hasRoom: Bool {
        let tail = self.tail.pointee.load(ordering: .relaxed)
        self.cachedHead.pointee = self.head.pointee.load(ordering: .acquiring)
        return tail &- self.cachedHead.pointee <= self.mask
    }

    /// Free slots: looks at `head` only when the cached one does not promise `wanted`.
    @inlinable func room(tail: UInt, wanted: Int) -> Int {
        let known = self.capacity - Int(bitPattern: tail &- self.cachedHead.pointee)
        guard known < wanted else { return known }
        self.cachedHead.pointee = self.head.pointee.load(ordering: .acquiring)
        return self.capacity - Int(bitPattern: tail &- self.cachedHead.pointee)
    }
}

// The consumer's side.
extension SPSCRing {
    /// Takes the oldest words, as many as there are and `words` holds.
    ///
    /// - Parameter words: filled from its start; the rest is left alone.
    /// - Returns: how many were taken.
    /// - Complexity: O(words); no allocation. Consumer thread only.
    @inlinable package func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int {
        let head = self.head.pointee.load(ordering: .relaxed)
        let count = min(self.available(head: head, wanted: words.count), words.count)
        guard count > 0, let target = words.baseAddress else { return 0 }
        let start = Int(bitPattern: head & self.mask)
        let beforeWrap = min(count, self.capacity - start)
        Self.copy(self.slots + start, to: target, count: beforeWrap)
        if beforeWrap < count {
            Self.copy(self.slots, to: target + beforeWrap, count: count - beforeWrap)
        }
        self.head.pointee.store(head &+ UInt(bitPattern: count), ordering: .releasing)
        return count
    }

    /// Takes the oldest word, or returns nil when there is none.
    ///
    /// Consumer thread only.
    @inlinable @inline(__always) package func pop() -> UInt? {
        let head = self.head.pointee.load(ordering: .relaxed)
        if self.cachedTail.pointee == head {
            self.cachedTail.pointee = self.tail.pointee.load(ordering: .acquiring)
            guard self.cachedTail.pointee != head else { return nil }
        }
        let word = self.slots[Int(bitPattern: head & self.mask)]
        self.head.pointee.store(head &+ 1, ordering: .releasing)
        return word
    }

    /// Takes the oldest word if its position is before `end`, which a call of ``knownWords(upTo:)`` returned.
    ///
    /// It looks at nothing that the producer writes but the word itself. Consumer thread only.
    @inlinable @inline(__always) func pop(before end: UInt) -> UInt? {
        let head = self.head.pointee.load(ordering: .relaxed)
        guard Int(bitPattern: end &- head) > 0 else { return nil }
        let word = self.slots[Int(bitPattern: head & self.mask)]
        self.head.pointee.store(head &+ 1, ordering: .releasing)
        return word
    }

    /// The position after the oldest words that are there, at most `most` of them; nil when there is none.
    ///
    /// Consumer thread only.
    @inlinable func knownWords(upTo most: Int) -> UInt? {
        let head = self.head.pointee.load(ordering: .relaxed)
        let count = min(self.available(head: head, wanted: 1), most)
        return count > 0 ? head &+ UInt(bitPattern: count) : nil
    }

    /// Words to pop: looks at `tail` only when the cached one does not promise `wanted`.
    @inlinable func available(head: UInt, wanted: Int) -> Int {
        let known = Int(bitPattern: self.cachedTail.pointee &- head)
        guard known < wanted else { return known }
        self.cachedTail.pointee = self.tail.pointee.load(ordering: .acquiring)
        return Int(bitPattern: self.cachedTail.pointee &- head)
    }
}

// What any thread may ask; another thread may have changed it by the time the answer arrives.
extension SPSCRing {
    /// Words ever popped, modulo 2⁶⁴.
    @inlinable package var poppedTotal: UInt { self.head.pointee.load(ordering: .acquiring) }

    /// Words ever pushed, modulo 2⁶⁴.
    @inlinable package var pushedTotal: UInt { self.tail.pointee.load(ordering: .acquiring) }

    /// Whether nothing waits to be popped.
    @inlinable package var isEmpty: Bool { self.count == 0 }

    /// Words that wait to be popped, 0...``capacity``.
    @inlinable package var count: Int {
        // Head first: the tail read after it is never behind it, but may have run ahead by more than one ring.
        let head = self.poppedTotal
        return min(Int(bitPattern: self.pushedTotal &- head), self.capacity)
    }
}
