internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import NIOCore
internal import PluginHost
internal import Routing
internal import Spool
internal import Synchronization

/// The router's side of one plugin instance: its lane, what it holds, what it waits for.
///
/// Used on its worker's loop only, but for the constants, the producers' side of the lane, and ``isOpen``.
final class InstanceRuntime {
    let index: Int
    let name: String
    unowned let context: WorkerContext
    let lane: Lane
    /// The instance runs, so that its lane is looked at.
    ///
    /// Any thread.
    let isOpen = Atomic<Bool>(false)
    /// How far the lane of a provider that was removed, or has failed, is emptied; a ``Closing``.
    ///
    /// Any thread.
    let closing = Atomic<UInt8>(Closing.none.rawValue)
    /// The present instance; nil if none runs.
    var seat: Seat?
    /// An instance that is being started, or that finishes its work after it was replaced.
    var others: [Seat] = []
    var lastGeneration: UInt16 = 0
    /// Why the instance does not run, if it could not be made or started, or was stopped.
    var failure: String?
    /// The configuration does not name it any more.
    var isRemoved = false
    var counters = InstanceCounters()

    /// Envelopes that may still go on their way to the disk.
    var credits: Int
    /// Answers to submits that the instance has not been told.
    var untold: [Answer] = []

    /// Out of the lane and not with the provider: deliver() took less than it was offered.
    private(set) var offered: [RoutedEnvelope] = []
    /// The provider wants nothing before it says ready().
    private var isBlocked = false
    /// The provider said ready() while it was being offered something.
    private var wasReadied = false
    var inFlight = InFlightTable()
    /// Counts what was offered: the order of what has none on disk.
    private var lastOffer: UInt64 = 0
    var parked = ParkedConversations()
    private var stall: StallDetector
    private let words: UnsafeMutableBufferPointer<UInt>

    /// Words that are taken from the lane at once, and envelopes offered at once.
    static let batchMax = 64
    /// Batches of one round; then the worker's other instances and sockets have their turn.
    static let batchesPerRoundMax = 16

    /// An answer to a submit: taken, or refused with a reason.
    struct Answer {
        var cookie: UInt64
        var refusal: Refusal?
        /// Of the instance that waits for it.
        var generation: UInt16
    }

    var core: RouterCore { context.core }
    private var limits: RouterLimits { core.options.limits }

    init(index: Int, name: String, context: WorkerContext) {
        self.index = index
        self.name = name
        self.context = context
        self.credits = context.core.options.limits.creditsMax
        // One ring for each worker, and one for the spool's writer.
        self.lane = Lane(producers: context.core.pools.workers + 1, capacity: context.core.options.limits.laneCapacity)
        self.stall = StallDetector(threshold: context.core.options.limits.stallThreshold)
        self.words = .allocate(capacity: Self.batchMax)
    }

    deinit {
        words.deallocate()
    }

    /// Whether the instance can be given envelopes.
    var isRunning: Bool { instance.map { $0.state == .running || $0.state == .draining } ?? false }

    /// Whether the provider can be offered something now.
    private var canTake: Bool { !isBlocked && inFlight.count < limits.inFlightMax && mayDeliver }

    /// Whether nothing is under way, so that the instance may be stopped.
    ///
    /// What is stored may wait in the lane: the next start finds it on disk.
    var isIdle: Bool {
        guard let instance, isRunning else { return true }
        return instance.isIdle && hasLeft && inFlight.count == 0
            && (core.isDurable || (offered.isEmpty && lane.isEmpty))
    }

    // MARK: Deliveries

    /// Offers the instance what is in its lane; false if nothing moved.
    func deliverWaiting() -> Bool {
        guard let seat, isRunning else { return false }
        var didWork = false
        for _ in 0..<Self.batchesPerRoundMax where canTake {
            if offered.isEmpty {
                guard takeFromLane() else { break }
                didWork = true
            }
            leaveParkedOnDisk()
            guard !offered.isEmpty else { continue }
            let (taken, isAll) = offer(to: seat)
            didWork = didWork || taken > 0
            guard isAll else { break }
        }
        return didWork
    }

    private func takeFromLane() -> Bool {
        let count = lane.pop(into: words)
        guard count > 0 else { return false }
        core.grantRoom(lane.takeRoomWaiters())
        let now = HostClock.wallMs()
        for word in words[..<count] { sort(RoutedEnvelope(word: word), now: now) }
        return true
    }

    /// Decides what becomes of one word from the lane.
    private func sort(_ envelope: RoutedEnvelope, now: Int64) {
        let header = envelope.header
        let conversation = header.pointee.conversation
        switch header.pointee.step {
        case .unpark:
            parked.unpark(conversation)
            release(envelope)
        case .more:
            // If a row of the page was put off, the conversation is parked and will be read again anyway. That there is
            // one request at a time is what keeps a row from being read twice.
            park(conversation, key: envelope.note, until: now)
            release(envelope)
        case .unread:
            parked.unpark(conversation)
            park(conversation, key: envelope.note, until: header.pointee.retryAt)
            release(envelope)
        default:
            // What is parked is on disk, and will be read when the conversation's turn comes.
            if header.pointee.isDurable, parked.contains(conversation) { return release(envelope) }
            let expires = envelope.envelope.pointee.expires_ms
            if expires != 0, expires <= now {
                giveUp(envelope, step: .expire, FailureReason(.expired))
            } else if header.pointee.isDurable, header.pointee.retryAt > now {
                // Off the disk after a restart, or behind one that was due earlier.
                park(conversation, key: envelope.conversationKey, until: header.pointee.retryAt)
                release(envelope)
            } else {
                offered.append(envelope)
            }
        }
    }

    /// Offers the first envelopes to the provider, as many as it may hold.
    ///
    /// - Returns: how many it took, and whether these were all that it was offered.
    private func offer(to seat: Seat) -> (taken: Int, isAll: Bool) {
        let batch = Array(offered.prefix(min(Self.batchMax, limits.inFlightMax - inFlight.count)))
        let tokens = batch.map { envelope in
            let token = inFlight.insert(envelope)
            envelope.envelope.pointee.token = token
            lastOffer += 1
            envelope.header.pointee.offer = lastOffer
            envelope.header.pointee.holder = seat.generation
            core.observer?.observe(hop(.offered, envelope))
            return token
        }
        offered.removeFirst(batch.count)
        seat.heldCount += batch.count
        wasReadied = false
        let taken = withUnsafeTemporaryAllocation(
            of: UnsafePointer<plugboard_envelope_t>?.self,
            capacity: batch.count
        ) { pointers in
            for (index, envelope) in batch.enumerated() {
                pointers.initializeElement(at: index, to: UnsafePointer(envelope.envelope))
            }
            return seat.instance.deliver(UnsafeBufferPointer(pointers))
        }
        guard taken < batch.count else { return (taken, true) }
        isBlocked = !wasReadied
        takeBack(tokens[taken...], from: seat)
        return (taken, false)
    }

    /// Puts what the provider did not take in front of what waits.
    private func takeBack(_ tokens: ArraySlice<UInt64>, from seat: Seat) {
        var returned: [RoutedEnvelope] = []
        for token in tokens {
            guard let envelope = inFlight.remove(token) else {
                core.logger.error(
                    "a plugin settled an envelope that it did not take",
                    metadata: ["instance": "\(name)"]
                )
                continue
            }
            seat.heldCount -= 1
            returned.append(envelope)
            settledParked(envelope.header.pointee.conversation)
        }
        offered.insert(contentsOf: returned, at: 0)
    }

    /// Lets go of what belongs to conversations that were parked after it had left the lane.
    private func leaveParkedOnDisk() {
        guard parked.count > 0 else { return }
        offered.removeAll { envelope in
            let isParked = envelope.header.pointee.isDurable && parked.contains(envelope.header.pointee.conversation)
            if isParked { release(envelope) }
            return isParked
        }
    }

    /// Forgets what an instance said that is replaced: its successor has not refused anything.
    func resetOffers() {
        isBlocked = false
        wasReadied = true
    }

    /// Puts envelopes in front of what waits, in their order.
    func putInFront(_ envelopes: [RoutedEnvelope]) {
        offered.insert(contentsOf: envelopes, at: 0)
    }

    /// Takes all that is out of the lane and in it, in order.
    func takeAllWaiting() -> [RoutedEnvelope] {
        var waiting = offered
        offered = []
        while true {
            let count = lane.pop(into: words)
            guard count > 0 else { return waiting }
            waiting += words[..<count].map { RoutedEnvelope(word: $0) }
        }
    }

    /// The provider asks for the rest of what it was offered.
    func ready(_ instance: Instance) {
        guard instance === seat?.instance else { return }
        isBlocked = false
        wasReadied = true
        context.worker.wake()
    }

    /// Announces to the producers that the lane is not looked at; true if it is not empty.
    func foundWorkBeforeSleep() -> Bool {
        // Whoever unblocks the provider wakes the worker.
        guard isRunning, canTake else { return false }
        return !lane.prepareToSleep()
    }

    /// Wakes the worker if it announced not to look at the lane.
    ///
    /// Any thread, after a push.
    func wakeConsumer() {
        if lane.shouldWakeConsumer() { context.worker.wake() }
    }

    // MARK: Room

    /// Watches for envelopes that wait while the provider takes none; called now and then.
    func watchForStall(nowNs: UInt64) {
        guard isRunning else { return }
        // What the provider refused has left the lane, and waits nevertheless.
        let taken = lane.poppedTotal &- UInt(offered.count)
        switch stall.observe(popped: taken, pushed: lane.pushedTotal, nowNs: nowNs) {
        case .stalled(let duration):
            counters.stalls += 1
            core.logger.warning(
                "a provider takes nothing from its lane",
                metadata: [
                    "instance": "\(name)", "waiting": "\(lane.count + offered.count)", "in-flight": "\(inFlight.count)",
                    "for": "\(duration)",
                ]
            )
        case .recovered:
            core.logger.notice("a provider takes envelopes again", metadata: ["instance": "\(name)"])
        case .unchanged:
            break
        }
    }

    // MARK: Memory and the end

    func allocate(imageBytes: Int) -> RoutedEnvelope {
        RoutedEnvelope(imageBytes: imageBytes, from: core.pools, worker: context.index)
    }

    func release(_ envelope: RoutedEnvelope) {
        envelope.release(to: core.pools, worker: context.index)
    }

    /// Stops the instance, and marks what it took and did not settle: that may have reached its network.
    func stop() {
        for other in others { other.instance.stop() }
        others = []
        instance?.stop()
        let now = HostClock.wallMs()
        for envelope in inFlight.removeAll() {
            guard envelope.header.pointee.isDurable else {
                release(envelope)
                continue
            }
            envelope.header.pointee.attempts += 1
            envelope.header.pointee.retryAt = now
            envelope.setNote("the router was stopped before the provider had settled it")
            envelope.header.pointee.step = .defer
            context.sendStep(envelope)
        }
    }

    /// Lets go of everything that is left in memory: it is on disk, or of the moment.
    ///
    /// After its end.
    func releaseAll() {
        for envelope in inFlight.removeAll() + takeAllWaiting() { release(envelope) }
    }

    func hop(_ event: Hop.Event, _ envelope: RoutedEnvelope) -> Hop {
        hop(event, envelope.envelope.pointee)
    }

    func hop(_ event: Hop.Event, _ source: plugboard_envelope_t) -> Hop {
        Hop(
            event: event,
            router: core.name,
            instance: name,
            kind: source.kind.kindName,
            from: source.from.string,
            to: source.to.string,
            id: source.id.string
        )
    }
}
