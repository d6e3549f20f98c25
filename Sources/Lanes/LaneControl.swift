public import Synchronization

/// The state of a lane's two wake-up protocols, a cache line for each writer.
///
///     base ──▶ asleep                                                 written by both sides, seldom
///     +128 ──▶ roomWaiters                                            written by both sides, seldom
///     +256 ──▶ nextSource │ foreignWaitSeen │ foreignWaitStart │ turnSource │ turnEnd    the consumer's own
@usableFromInline package struct LaneControl {
    @usableFromInline let base: UnsafeMutableRawPointer

    init() {
        self.base = .allocate(byteCount: 3 * RingLayout.lineBytes, alignment: RingLayout.lineBytes)
        self.asleep.initialize(to: Atomic(false))
        self.roomWaiters.initialize(to: Atomic(0))
        self.nextSource.initialize(to: 0)
        self.turnSource.initialize(to: 0)
        self.turnEnd.initialize(to: 0)
        self.foreignWaitSeen.initialize(to: false)
        self.foreignWaitStart.initialize(to: 0)
    }

    func deallocate() {
        self.base.deallocate()
    }

    /// Whether the consumer announced its sleep and nobody has taken on to wake it.
    @inlinable package var asleep: UnsafeMutablePointer<Atomic<Bool>> {
        self.base.assumingMemoryBound(to: Atomic<Bool>.self)
    }

    /// Who waits for room: bit `producer`, and bit 63 for foreign threads.
    @inlinable package var roomWaiters: UnsafeMutablePointer<Atomic<UInt64>> {
        (self.base + RingLayout.lineBytes).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// The ring at which the next sweep starts; the number of producers stands for the foreign ring.
    @inlinable package var nextSource: UnsafeMutablePointer<Int> {
        (self.base + 2 * RingLayout.lineBytes).assumingMemoryBound(to: Int.self)
    }

    /// The ring that single pops take from, until its head is at ``turnEnd``.
    @inlinable package var turnSource: UnsafeMutablePointer<Int> {
        (self.base + 2 * RingLayout.lineBytes + 24).assumingMemoryBound(to: Int.self)
    }

    /// The head of ring ``turnSource`` at which its turn is over; never ahead of the ring's tail.
    @inlinable package var turnEnd: UnsafeMutablePointer<UInt> {
        (self.base + 2 * RingLayout.lineBytes + 32).assumingMemoryBound(to: UInt.self)
    }

    /// Whether the foreign bit was set when the consumer last looked, and is still.
    var foreignWaitSeen: UnsafeMutablePointer<Bool> {
        (self.base + 2 * RingLayout.lineBytes + 8).assumingMemoryBound(to: Bool.self)
    }

    /// Foreign words popped in total when the consumer first saw the bit.
    var foreignWaitStart: UnsafeMutablePointer<UInt> {
        (self.base + 2 * RingLayout.lineBytes + 16).assumingMemoryBound(to: UInt.self)
    }
}
