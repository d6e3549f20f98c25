public import Synchronization

/// A bounded first-in first-out ring of words between any number of threads.
///
/// Dmitry Vyukov's bounded queue: each cell carries a sequence number that says whose turn it is, so that producers meet only
/// at the tail and consumers only at the head. No lock; a producer that is preempted between winning a cell and filling it
/// hides the words behind that cell until it runs again.
///
///     base ──▶ tail                          the producers' line
///     +128 ──▶ head                          the consumers' line
///     +256 ──▶ (sequence, word) of cell 0, (sequence, word) of cell 1, …
///
/// Invariants, for the cell at `position & mask`:
///
/// 1. `sequence == position`: free, for the producer that moves `tail` from `position`.
/// 2. `sequence == position + 1`: filled, for the consumer that moves `head` from `position`.
/// 3. The consumer gives it back with `sequence = position + capacity`, which is invariant 1 one round later.
/// 4. A word is written before the sequence of invariant 2 and read before that of invariant 3 is stored (both releasing), and
///    touched only after the sequence was loaded acquiring.
/// 5. Capacity is at least 2: with one cell, "filled at p" and "free at p + 1" would be the same number.
///
/// Words are linearizable as one queue's: pushed when `tail` moves, popped when `head` does. "Full" and "empty" are not always: they are
/// also said while the call that won the next cell is still at work in it.
///
/// Safe to share: the only mutable state is in the allocation, and obeys invariants 1 to 4.
@usableFromInline package struct MPMCRing: ~Copyable, @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let mask: UInt

    /// Makes an empty ring.
    ///
    /// - Parameter capacity: words, 1...``RingLayout/capacityMax``; rounded up to a power of two, at least 2.
    package init(capacity: Int) {
        let slotCount = RingLayout.slotCount(for: capacity)
        self.base = .allocate(
            byteCount: 2 * RingLayout.lineBytes + slotCount * Self.cellBytes,
            alignment: RingLayout.lineBytes
        )
        self.mask = UInt(slotCount - 1)
        self.tail.initialize(to: Atomic(0))
        self.head.initialize(to: Atomic(0))
        for position in 0..<UInt(slotCount) {
            self.sequence(at: position).initialize(to: Atomic(position))
            self.word(at: position).initialize(to: 0)
        }
    }

    deinit {
        self.base.deallocate()
    }

    /// Words the ring can hold, a power of two.
    @inlinable package var capacity: Int { Int(self.mask) + 1 }

    @inlinable static var cellBytes: Int { 2 * MemoryLayout<UInt>.stride }

    @inlinable var tail: UnsafeMutablePointer<Atomic<UInt>> {
        self.base.assumingMemoryBound(to: Atomic<UInt>.self)
    }

    @inlinable var head: UnsafeMutablePointer<Atomic<UInt>> {
        (self.base + RingLayout.lineBytes).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    @inlinable func cell(at position: UInt) -> UnsafeMutableRawPointer {
        self.base + 2 * RingLayout.lineBytes + Int(bitPattern: position & self.mask) &* Self.cellBytes
    }

    @inlinable func sequence(at position: UInt) -> UnsafeMutablePointer<Atomic<UInt>> {
        self.cell(at: position).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    @inlinable func word(at position: UInt) -> UnsafeMutablePointer<UInt> {
        (self.cell(at: position) + MemoryLayout<UInt>.stride).assumingMemoryBound(to: UInt.self)
    }
}

extension MPMCRing {
    /// Appends one word.
    ///
    /// - Returns: false when the ring was full and nothing was appended. Any thread.
    @inlinable package func push(_ word: UInt) -> Bool {
        var position = self.tail.pointee.load(ordering: .relaxed)
        while true {
            let turn = self.sequence(at: position).pointee.load(ordering: .acquiring)
            let ahead = Int(bitPattern: turn &- position)
            if ahead < 0 { return false }
            if ahead > 0 {
                position = self.tail.pointee.load(ordering: .relaxed)
                continue
            }
            let (won, current) = self.tail.pointee.weakCompareExchange(
                expected: position,
                desired: position &+ 1,
                ordering: .relaxed
            )
            guard won else {
                position = current
                continue
            }
            self.word(at: position).pointee = word
            self.sequence(at: position).pointee.store(position &+ 1, ordering: .releasing)
            return true
        }
    }

    /// Takes the oldest word, or returns nil when there is none.
    ///
    /// Any thread.
    @inlinable package func pop() -> UInt? {
        var position = self.head.pointee.load(ordering: .relaxed)
        while true {
            let turn = self.sequence(at: position).pointee.load(ordering: .acquiring)
            let ahead = Int(bitPattern: turn &- (position &+ 1))
            if ahead < 0 { return nil }
            if ahead > 0 {
                position = self.head.pointee.load(ordering: .relaxed)
                continue
            }
            let (won, current) = self.head.pointee.weakCompareExchange(
                expected: position,
                desired: position &+ 1,
                ordering: .relaxed
            )
            guard won else {
                position = current
                continue
            }
            let word = self.word(at: position).pointee
            self.sequence(at: position).pointee.store(position &+ self.mask &+ 1, ordering: .releasing)
            return word
        }
    }

    /// Takes the oldest words, as many as there are and `words` holds.
    ///
    /// Other consumers may take words from between them.
    ///
    /// - Returns: how many were taken, from the start of `words`. Any thread.
    @inlinable package func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int {
        var count = 0
        while count < words.count, let word = self.pop() {
            words[count] = word
            count += 1
        }
        return count
    }
}

// What any thread may ask; another thread may have changed it by the time the answer arrives.
extension MPMCRing {
    /// Whether the next cell to push into is free.
    @inlinable package var hasRoom: Bool {
        let position = self.tail.pointee.load(ordering: .relaxed)
        let turn = self.sequence(at: position).pointee.load(ordering: .acquiring)
        return Int(bitPattern: turn &- position) >= 0
    }

    /// Whether there is nothing that a pop would return now.
    ///
    /// A cell that a producer has won and not yet filled counts as empty, whatever is behind it.
    @inlinable package var isEmpty: Bool {
        let position = self.head.pointee.load(ordering: .relaxed)
        let turn = self.sequence(at: position).pointee.load(ordering: .acquiring)
        return Int(bitPattern: turn &- (position &+ 1)) < 0
    }

    /// Words pushed and not yet popped, 0...``capacity``, with those that are still being written.
    @inlinable package var count: Int {
        let head = self.poppedTotal
        // A thread that took part in no push may still see a tail behind this head.
        return min(max(Int(bitPattern: self.pushedTotal &- head), 0), self.capacity)
    }

    /// Words ever popped, modulo 2⁶⁴.
    @inlinable package var poppedTotal: UInt { self.head.pointee.load(ordering: .acquiring) }

    /// Words ever pushed, modulo 2⁶⁴, with those that are still being written.
    @inlinable package var pushedTotal: UInt { self.tail.pointee.load(ordering: .acquiring) }
}
