/// The bounded queue of one plugin instance, and the only place where two workers meet.
///
/// Every producing worker has an ``SPSCRing`` of its own; threads that are not known at
/// the start ("foreign": a plugin's own threads) share one ``MPMCRing``. One consumer sweeps them all. A word is opaque, in practice the address of an
/// envelope. The lane never drops a word, blocks or signals: it says whom to wake, and the caller has the means to.
///
///     producer                                        consumer
///     loop: push a batch                              loop: pop a batch
///       if shouldWakeConsumer(): wake the consumer      wake everybody in takeRoomWaiters()
///       all taken: done                                 handle the batch
///       if waitForRoom(): leave, until woken            nothing popped and prepareToSleep(): sleep, until woken
///
/// Invariants of the words:
///
/// 1. A producer index is used by one thread at a time, and so is the consumer's side. The foreign calls are for any thread.
/// 2. The words of one producer, or of one foreign thread, are popped in the order in which they were pushed. Between producers
///    there is no order.
/// 3. A sweep starts at the ring after the one at which the last sweep stopped, so no ring is popped from twice while another
///    has words and gets no turn. Single pops stay with a ring for a turn: the words that were there when it began, ``turnMax`` at
///    most.
///
/// Invariants of sleep (`asleep`):
///
/// 4. Only the consumer sets `asleep`; whoever clears it by exchange owes the consumer one wake-up. So an announced sleep is
///    answered by at most one wake-up, however many producers push.
/// 5. The consumer sets `asleep`, fences, then looks at the rings. A producer pushes, fences, then looks at `asleep`. The two
///    fences have an order: the consumer finds the words, or the producer finds the consumer asleep. Never neither.
/// 6. A producer calls ``shouldWakeConsumer()`` after the last push of a batch and before it waits for room; a wake-up that it
///    owes, it gives before it waits.
/// 7. The consumer may be woken for nothing (it took the words, or gave up sleeping, while the wake-up was under way).
///
/// Invariants of room (`roomWaiters`, one bit a producer, bit 63 for all foreign threads):
///
/// 8. A producer sets its bit, fences, then looks at its ring's head. The consumer moves the head, fences, then looks at the bits.
///    So the producer finds room, or the consumer finds the bit. Never neither.
/// 9. A bit is set and waited on only while its ring was full after the fence. The consumer clears the bit, and owes the wake-up,
///    when the ring is at most half full. Until then the ring is more than half full, so words remain to be popped; invariant 5
///    keeps the consumer awake for them, and every pop is followed by ``takeRoomWaiters()``.
///    Half of the smallest ring, of 2, is 1: the mark is below full and above empty for every capacity.
/// 10. Foreign threads can keep their common ring above the mark although one of them waits. So their bit is also cleared when
///     half a ring was popped since the consumer first saw it.
/// 11. The foreign bit is never cleared by a producer, because another foreign thread may be waiting on it. So foreign threads, and
///     producers that race with the consumer, may be woken for nothing.
///
/// Safe to share: the mutable state is in the rings and in `control`, and obeys the invariants above.
@usableFromInline package final class Lane: @unchecked Sendable {
    /// The most producers a lane may have: a bit each in the waiters' mask, and one left for foreign threads.
    @inlinable package static var producersMax: Int { 63 }

    /// The foreign threads' bit in ``takeRoomWaiters()``.
    @inlinable package static var foreignWaiterBit: UInt64 { 1 << 63 }

    /// How many producing workers there are; their indices are 0..<`producers`.
    @usableFromInline package let producers: Int
    /// Words each ring can hold, a power of two.
    @usableFromInline package let capacity: Int

    @usableFromInline let rings: UnsafeMutablePointer<SPSCRing>
    @usableFromInline let foreign: UnsafeMutablePointer<MPMCRing>
    @usableFromInline let control: LaneControl

    /// Makes an empty lane.
    ///
    /// - Parameters:
    ///   - producers: workers that push, 1...``producersMax``.
    ///   - capacity: words for each producer, and for all foreign threads together, 1...``RingLayout/capacityMax``; rounded up
    ///     to a power of two, at least 2.
    package init(producers: Int, capacity: Int) {
        precondition(
            (1...Self.producersMax).contains(producers),
            "a lane has 1...\(Self.producersMax) producers, but \(producers) were asked for"
        )
        self.producers = producers
        self.capacity = RingLayout.slotCount(for: capacity)
        self.rings = .allocate(capacity: producers)
        for producer in 0..<producers {
            (self.rings + producer).initialize(to: SPSCRing(capacity: capacity))
        }
        self.foreign = .allocate(capacity: 1)
        self.foreign.initialize(to: MPMCRing(capacity: capacity))
        self.control = LaneControl()
    }

    /// Frees the rings; what words still in them stand for is the owner's to free first.
    deinit {
        self.rings.deinitialize(count: self.producers)
        self.rings.deallocate()
        self.foreign.deinitialize(count: 1)
        self.foreign.deallocate()
        self.control.deallocate()
    }

    @inlinable func checkProducer(_ producer: Int) {
        precondition(producer >= 0 && producer < self.producers, "the lane has no such producer")
    }
}

// Words in and out.
extension Lane {
    /// Appends as many of `words` as the producer's ring has room for, in order.
    ///
    /// - Returns: how many were taken, from the start of `words`. When it is fewer than all, keep the rest and call
    ///   ``waitForRoom(producer:)``.
    /// - Complexity: O(words); no allocation, no fence. The thread of `producer` only.
    @inlinable package func push(_ words: UnsafeBufferPointer<UInt>, producer: Int) -> Int {
        self.checkProducer(producer)
        return self.rings[producer].push(words)
    }

    /// Appends one word.
    ///
    /// - Returns: false when the producer's ring was full and nothing was appended. The thread of `producer` only.
    @inlinable @inline(__always) package func push(_ word: UInt, producer: Int) -> Bool {
        self.checkProducer(producer)
        return self.rings[producer].push(word)
    }

    /// Appends one word from a thread that is no worker.
    ///
    /// - Returns: false when the foreign ring was full and nothing was appended. Any thread.
    @inlinable package func pushForeign(_ word: UInt) -> Bool {
        self.foreign.pointee.push(word)
    }

    /// Takes one word, or returns nil when there is none.
    ///
    /// A ring gives up to ``turnMax`` words before it is the next one's turn. After a word, call ``takeRoomWaiters()`` next.
    ///
    /// - Complexity: O(1) in a turn, O(producers) between turns; no allocation, no fence. Consumer thread only.
    @inlinable @inline(__always) package func pop() -> UInt? {
        self.rings[self.control.turnSource.pointee].pop(before: self.control.turnEnd.pointee) ?? self.popInNextTurn()
    }

    /// The most words that a ring gives to single pops in a row while another ring has words.
    @inlinable package static var turnMax: Int { 32 }

    /// Goes round the rings once for a word, and gives the ring that has it its turn.
    @inlinable func popInNextTurn() -> UInt? {
        var source = self.control.nextSource.pointee
        for _ in 0...self.producers {
            let isForeign = source == self.producers
            let turn = isForeign ? nil : self.rings[source].knownWords(upTo: Self.turnMax)
            let word = isForeign ? self.foreign.pointee.pop() : turn.flatMap { self.rings[source].pop(before: $0) }
            if let turn {
                self.control.turnSource.pointee = source
                self.control.turnEnd.pointee = turn
            }
            source = isForeign ? 0 : source + 1
            guard let word else { continue }
            self.control.nextSource.pointee = source
            return word
        }
        return nil
    }

    /// Takes words from all the rings in turn, as many as there are and `words` holds.
    ///
    /// - Parameter words: filled from its start; the rest is left alone.
    /// - Returns: how many were taken. When it is not 0, call ``takeRoomWaiters()`` next.
    /// - Complexity: O(words + producers); no allocation, no fence. Consumer thread only.
    @inlinable package func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int {
        guard let start = words.baseAddress else { return 0 }
        var count = 0
        var source = self.control.nextSource.pointee
        for _ in 0...self.producers {
            let rest = UnsafeMutableBufferPointer(start: start + count, count: words.count - count)
            if source == self.producers {
                count += self.foreign.pointee.pop(into: rest)
                source = 0
            } else {
                count += self.rings[source].pop(into: rest)
                source += 1
            }
            if count == words.count { break }
        }
        self.control.nextSource.pointee = source
        return count
    }
}

// What any thread may ask; other threads may have changed it by the time the answer arrives.
extension Lane {
    /// Whether there is nothing to pop.
    @inlinable package var isEmpty: Bool {
        for producer in 0..<self.producers where !self.rings[producer].isEmpty {
            return false
        }
        return self.foreign.pointee.isEmpty
    }

    /// About how many words wait to be popped.
    @inlinable package var count: Int {
        (0..<self.producers).reduce(self.foreign.pointee.count) { $0 + self.rings[$1].count }
    }

    /// Words ever popped, modulo 2⁶⁴.
    ///
    /// Read it before ``pushedTotal``, and what was pushed is not behind what was popped.
    package var poppedTotal: UInt {
        (0..<self.producers).reduce(self.foreign.pointee.poppedTotal) { $0 &+ self.rings[$1].poppedTotal }
    }

    /// Words ever pushed, modulo 2⁶⁴.
    package var pushedTotal: UInt {
        (0..<self.producers).reduce(self.foreign.pointee.pushedTotal) { $0 &+ self.rings[$1].pushedTotal }
    }
}
