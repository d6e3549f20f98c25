public import Synchronization

// Producers wait for room and are woken: invariants 8 to 11 of the lane.
extension Lane {
    /// Registers the producer as one that waits for room.
    ///
    /// - Returns: true when it must stop pushing until the consumer wakes it; false when there is room already, and it is not
    ///   registered.
    /// - Complexity: O(1), one fence. The thread of `producer` only.
    package func waitForRoom(producer: Int) -> Bool {
        self.checkProducer(producer)
        let bit: UInt64 = 1 << UInt64(producer)
        self.control.roomWaiters.pointee.bitwiseOr(bit, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard self.rings[producer].hasRoom else { return true }
        self.cancelRoomWait(producer: producer)
        return false
    }

    /// Gives up waiting for room; a wake-up that is under way still comes.
    ///
    /// The thread of `producer` only.
    package func cancelRoomWait(producer: Int) {
        self.checkProducer(producer)
        let bit: UInt64 = 1 << UInt64(producer)
        self.control.roomWaiters.pointee.bitwiseAnd(~bit, ordering: .relaxed)
    }

    /// Registers the calling thread, which is no worker, as one that waits for room.
    ///
    /// The wake-up is for all foreign threads that wait: each then tries again.
    ///
    /// - Returns: true when it must stop pushing until the consumer wakes it; false when there is room already, in which case a
    ///   wake-up for nothing may follow.
    /// - Complexity: O(1), one fence. Any thread.
    package func waitForForeignRoom() -> Bool {
        self.control.roomWaiters.pointee.bitwiseOr(Self.foreignWaiterBit, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return !self.foreign.pointee.hasRoom
    }

    /// Who waited for room and must be woken now; they are no longer registered.
    ///
    /// Call it after each pop that returned words, before anything that may sleep.
    ///
    /// - Returns: bit `producer` for each producer whose ring is at most half full, and ``foreignWaiterBit`` for all foreign
    ///   threads.
    /// - Complexity: O(1) and one fence when nobody waits, else O(producers). Consumer thread only.
    @inlinable package func takeRoomWaiters() -> UInt64 {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let waiting = self.control.roomWaiters.pointee.load(ordering: .relaxed)
        guard waiting != 0 else { return 0 }
        return self.takeRoomWaiters(among: waiting)
    }

    @usableFromInline func takeRoomWaiters(among waiting: UInt64) -> UInt64 {
        var ready: UInt64 = 0
        if waiting & Self.foreignWaiterBit != 0, self.isForeignWaitOver() {
            ready = Self.foreignWaiterBit
        }
        var rest = waiting & ~Self.foreignWaiterBit
        while rest != 0 {
            let producer = rest.trailingZeroBitCount
            rest &= rest - 1
            if self.rings[producer].count <= self.capacity / 2 {
                ready |= 1 << UInt64(producer)
            }
        }
        guard ready != 0 else { return 0 }
        // A producer that found room meanwhile has cleared its bit itself, and is not woken.
        return ready & self.control.roomWaiters.pointee.bitwiseAnd(~ready, ordering: .acquiringAndReleasing).oldValue
    }

    /// Whether the foreign threads that wait are to be woken; remembers since when they wait.
    private func isForeignWaitOver() -> Bool {
        let popped = self.foreign.pointee.poppedTotal
        if !self.control.foreignWaitSeen.pointee {
            self.control.foreignWaitSeen.pointee = true
            self.control.foreignWaitStart.pointee = popped
        }
        let poppedSince = Int(bitPattern: popped &- self.control.foreignWaitStart.pointee)
        let isOver = self.foreign.pointee.count <= self.capacity / 2 || poppedSince >= self.capacity / 2
        self.control.foreignWaitSeen.pointee = !isOver
        return isOver
    }
}
