package import NIOCore
import NIOPosix
import Synchronization

/// One event loop on one thread, and the tick in which the work of its instances is gathered.
///
/// A socket event, a timer or a ``wake()`` starts a tick, which runs at the end of the loop's pass over its events: first
/// what was enqueued, then the hooks (lanes), then the flushes (one write a stream), and again until a round did nothing.
///
/// Only ``wake()``, ``run(_:)``, ``call(_:)`` and ``shutdown()`` may be used from other threads.
// Safe: the fields below `eventLoop` are touched on the loop's thread alone (checked in debug builds); the wake flag is
// atomic.
package final class Worker: @unchecked Sendable {
    /// Rounds of one tick.
    ///
    /// A tick that still has work then lets the loop look at its sockets before it goes on.
    package static let roundsMax = 32
    /// Ticks begun by ``wake()`` one right after the other, before the loop must look at its sockets.
    static let wakesInARowMax = 16
    /// How far ahead a tick is put to let the loop look at its sockets first.
    ///
    /// An immediate task would not: the loop runs those until there are none before it polls.
    static let yieldTime = TimeAmount.microseconds(50)

    /// Input after which the hooks run before more is offered or read, in bytes.
    ///
    /// What became of it is then still in the processor's cache when it is delivered.
    static let inputPerDeliveryMax = 16 << 10
    /// Input after which a tick runs before all sockets that have some were read, in bytes.
    ///
    /// More than for deliveries, for each write costs the kernel much, however short it is.
    static let inputPerTickMax = 256 << 10

    /// From 0.
    package let index: Int
    /// For logs.
    package let name: String
    /// The loop; all channels of the worker's instances are on it.
    package let eventLoop: any EventLoop

    private let group: MultiThreadedEventLoopGroup
    private let isWakePending = Atomic<Bool>(false)
    private let thread = Atomic<Int32>(0)

    private var queue: [() -> Void] = []
    private var flushes: [() -> Void] = []
    /// What a round works on; empty between two, and kept for its memory.
    private var working: [() -> Void] = []
    private var hooks: [(id: Int, run: () -> Bool)] = []
    private var nextHookID = 0
    private var isTickScheduled = false
    private var isInTick = false
    private var isRoundWanted = false
    private var inputSinceDelivery = 0
    private var inputSinceTick = 0
    private var wakesInARow = 0
    private var lastTickEnd = NIODeadline.uptimeNanoseconds(0)
    private var readBuffer = ByteBuffer()
    private var scratch = ByteBuffer()
    private var spareBuffers: [ByteBuffer] = []

    /// Starts the worker's thread.
    package init(index: Int, name: String) {
        self.index = index
        self.name = name
        self.group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.eventLoop = group.next()
        eventLoop.execute { [self] in
            thread.store(SystemThread.id, ordering: .relaxed)
            SystemThread.setName(name)
        }
    }

    /// The system's number of the worker's thread; 0 before that has begun.
    ///
    /// Any thread.
    package var threadID: Int32 { thread.load(ordering: .relaxed) }

    /// Checks that the caller is on the worker's thread, in debug builds.
    @inline(__always)
    package func preconditionOnLoop() {
        assert(eventLoop.inEventLoop, "called off the thread of worker \(name)")
    }

    /// Runs `work` at the end of this tick, on the loop.
    ///
    /// Loop only.
    package func enqueue(_ work: @escaping () -> Void) {
        preconditionOnLoop()
        queue.append(work)
        scheduleTick()
    }

    /// Makes the hooks run once more before the worker sleeps: in this tick, or in one that begins soon.
    ///
    /// Loop only; as cheap as a look at two flags.
    package func requestRound() {
        preconditionOnLoop()
        if isInTick {
            isRoundWanted = true
        } else if !isTickScheduled {
            scheduleTick()
        }
    }

    /// Runs `work` at the end of this tick, after everything enqueued and the hooks: for output gathered until then.
    ///
    /// Loop only.
    package func enqueueFlush(_ work: @escaping () -> Void) {
        preconditionOnLoop()
        flushes.append(work)
        scheduleTick()
    }

    /// Adds work for each round of each tick.
    ///
    /// Loop only.
    ///
    /// `hook` answers whether it did anything, which makes another round. When it cannot go on it answers false and waits
    /// for ``wake()``: a hook that asks for more while it is blocked keeps the worker from its sockets.
    package func onTickEnd(_ hook: @escaping () -> Bool) -> TickHook {
        preconditionOnLoop()
        nextHookID += 1
        hooks.append((nextHookID, hook))
        scheduleTick()
        return TickHook(id: nextHookID)
    }

    /// Takes a hook away.
    ///
    /// Loop only.
    package func removeHook(_ hook: TickHook) {
        preconditionOnLoop()
        hooks.removeAll { $0.id == hook.id }
    }

    /// Makes the worker run a tick soon.
    ///
    /// Any thread; calls until the tick begins count as one.
    package func wake() {
        guard !isWakePending.exchange(true, ordering: .sequentiallyConsistent) else { return }
        eventLoop.execute { self.woken() }
    }

    /// Runs `body` on the loop.
    ///
    /// Any thread.
    package func run(_ body: @escaping @Sendable () -> Void) {
        eventLoop.execute(body)
    }

    /// Runs `body` on the loop and waits for what it returns.
    ///
    /// Any thread but the loop's own.
    package func call<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await eventLoop.submit(body).get()
    }

    /// Stops the loop and its thread; what is open on it is closed.
    package func shutdown() async throws {
        try await group.shutdownGracefully()
    }

    // MARK: - Memory used again

    /// Buffers kept for output.
    private static let spareBuffersMax = 32
    /// A buffer that grew past this is not kept, in bytes.
    private static let keptCapacityMax = 256 << 10

    /// The memory of the buffer that streams read into, in bytes: a power of two, for what is kept of a partial frame is
    /// in it, too, and more would be rounded up.
    private static let readBytesMax = 256 << 10

    /// The buffer that streams read into, with `prefix` in it already.
    ///
    /// Loop only. Whoever gets the data gives it back with ``giveBackReadBuffer(_:)``.
    func takeReadBuffer(behind prefix: ByteBuffer?) -> ByteBuffer {
        var buffer = readBuffer
        readBuffer = ByteBuffer()
        // Somebody may have held on to it; then the memory is theirs.
        let isOurs = buffer.modifyIfUniquelyOwned { $0.clear() } != nil && buffer.capacity >= Self.readBytesMax
        if !isOurs {
            buffer = ByteBufferAllocator().buffer(capacity: Self.readBytesMax)
        }
        if let prefix { buffer.writeImmutableBuffer(prefix) }
        return buffer
    }

    /// Puts a read buffer back.
    ///
    /// Loop only; memory from elsewhere is left alone.
    func giveBackReadBuffer(_ buffer: ByteBuffer) {
        if buffer.capacity >= Self.readBytesMax, buffer.capacity <= Self.keptCapacityMax { readBuffer = buffer }
    }

    /// The buffer in which kept input is joined with new data.
    ///
    /// Loop only.
    func takeScratch() -> ByteBuffer {
        defer { scratch = ByteBuffer() }
        return scratch
    }

    /// Puts the scratch buffer back.
    ///
    /// Loop only.
    func giveBackScratch(_ buffer: ByteBuffer) {
        if buffer.capacity <= Self.keptCapacityMax { scratch = buffer }
    }

    /// An empty buffer for output, with memory if there is one to spare.
    ///
    /// Loop only.
    func takeBuffer() -> ByteBuffer {
        guard var buffer = spareBuffers.popLast() else { return ByteBuffer() }
        // Only now: the channel may have held on to it when it was given back, and clearing would have copied it.
        buffer.clear()
        return buffer
    }

    /// Keeps a buffer that has been sent for the next stream that writes.
    ///
    /// Loop only.
    func giveBack(_ buffer: ByteBuffer) {
        guard spareBuffers.count < Self.spareBuffersMax, buffer.capacity <= Self.keptCapacityMax else { return }
        spareBuffers.append(buffer)
    }

    // MARK: - The tick

    /// Counts input that an instance has taken.
    ///
    /// Loop only.
    func noteInput(_ bytes: Int) {
        inputSinceDelivery += bytes
        inputSinceTick += bytes
    }

    /// An instance has been offered input: if it has taken much, runs the hooks before there is more.
    ///
    /// What they write leaves at the end of the tick. Loop only; outside of any call into an instance.
    func inputOffered() {
        guard inputSinceDelivery >= Self.inputPerDeliveryMax, isTickScheduled, !isInTick else { return }
        inputSinceDelivery = 0
        isInTick = true
        for hook in hooks { _ = hook.run() }
        isInTick = false
    }

    /// A socket has been read: if much has come in, runs the work of the tick that is due now.
    ///
    /// Loop only; outside of any call into an instance.
    func inputComplete() {
        guard inputSinceTick >= Self.inputPerTickMax, isTickScheduled, !isInTick else { return }
        runRounds()
    }

    @inline(never)
    private func scheduleTick() {
        guard !isInTick, !isTickScheduled else { return }
        isTickScheduled = true
        eventLoop.execute { self.tick() }
    }

    private func scheduleTickAfterPoll() {
        guard !isTickScheduled else { return }
        isTickScheduled = true
        wakesInARow = 0
        // Not a task, which costs five allocations: a worker that has much to do comes here after each tick. It fails on a loop
        // that has ended, where there are no ticks any more.
        _ = try? eventLoop.scheduleCallback(in: Self.yieldTime, handler: self)
    }

    private func woken() {
        // Cleared before the hooks look, so that a wake which comes while they run is not lost.
        isWakePending.store(false, ordering: .sequentiallyConsistent)
        guard !isInTick else {
            isRoundWanted = true
            return
        }
        guard !isTickScheduled else { return }
        wakesInARow = NIODeadline.now() - lastTickEnd < Self.yieldTime ? wakesInARow + 1 : 0
        if wakesInARow > Self.wakesInARowMax {
            scheduleTickAfterPoll()
        } else {
            isTickScheduled = true
            tick()
        }
    }

    fileprivate func tick() {
        isTickScheduled = false
        runRounds()
    }

    private func runRounds() {
        inputSinceDelivery = 0
        inputSinceTick = 0
        isInTick = true
        var hasWork = true
        var rounds = 0
        while hasWork, rounds < Self.roundsMax {
            hasWork = runRound()
            rounds += 1
        }
        isInTick = false
        lastTickEnd = .now()
        if hasWork { scheduleTickAfterPoll() }
    }

    /// One round.
    ///
    /// - Returns: whether there may be more to do.
    private func runRound() -> Bool {
        isRoundWanted = false
        let work = take(&queue)
        for item in work { item() }
        var didWork = !work.isEmpty
        giveBack(work)
        // A copy: a hook may add or remove hooks.
        for hook in hooks where hook.run() { didWork = true }
        let output = take(&flushes)
        for item in output { item() }
        giveBack(output)
        return didWork || isRoundWanted || !queue.isEmpty || !flushes.isEmpty
    }

    /// Takes all out of a list, which then fills for the next round.
    private func take(_ list: inout [() -> Void]) -> [() -> Void] {
        guard !list.isEmpty else { return [] }
        var taken = working
        working = []
        swap(&taken, &list)
        return taken
    }

    /// Keeps the memory of a list that has been worked on.
    private func giveBack(_ list: consuming [() -> Void]) {
        guard !list.isEmpty else { return }
        list.removeAll(keepingCapacity: true)
        working = list
    }
}

extension Worker: NIOScheduledCallbackHandler {
    /// The tick that was put after a look at the sockets.
    ///
    /// Called by the loop alone.
    package func handleScheduledCallback(eventLoop: some EventLoop) { tick() }
}

/// Names a hook of ``Worker/onTickEnd(_:)``.
package struct TickHook: Hashable, Sendable {
    let id: Int
}
