internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import NIOCore
internal import PluginHost
internal import Policy
internal import Routing
internal import Spool
internal import Synchronization
internal import Telemetry

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// The router's side of one plugin instance: its lane, what it holds, what it waits for.
///
/// Used on its worker's loop only, but for the constants, the producers' side of the lane, and ``isOpen``.
final class InstanceRuntime {
    let index: Int
    let name: String
    /// It holds its runtimes until its end, and is held: counting references would be done for each message.
    let context: WorkerContext
    // Safe: the core holds its runtimes, from before the first worker works until after the last has ended.
    unowned(unsafe) let core: RouterCore
    // What every message needs of the core, so that two workers do not share its count of references.
    let flags: CoreFlags
    let pools: SlabPools
    let worker: Worker
    let limits: RouterLimits
    let isDurable: Bool
    let isObserved: Bool
    /// The name, as it is lent to plugins.
    let nameBytes: plugboard_bytes_t
    let lane: Lane
    /// The instance runs, so that its lane is looked at.
    ///
    /// Any thread.
    let isOpen = Atomic<Bool>(false)
    /// How far the lane of a provider that was removed, or has failed, is emptied; a ``Closing``.
    ///
    /// Any thread.
    let closing = Atomic<UInt8>(Closing.none.rawValue)
    /// Calls that took longer than they should.
    ///
    /// Any thread.
    let slowCalls = Atomic<UInt64>(0)
    private let slowNs = Atomic<UInt64>(100_000_000)
    private let stuckNs = Atomic<UInt64>(10_000_000_000)
    /// Why its worker was given up, if it was.
    ///
    /// Any thread.
    let lostReason = NIOLockedValueBox<String?>(nil)
    /// It was withdrawn, and its lane is not empty yet.
    var isWithdrawing = false
    /// The present instance; nil if none runs.
    @exclusivity(unchecked) var seat: Seat? {
        didSet { presentSeat = seat.map { Unmanaged.passUnretained($0) } }
    }
    /// The same, without a count of references.
    @exclusivity(unchecked) private(set) var presentSeat: Unmanaged<Seat>?
    /// An instance that is being started, or that finishes its work after it was replaced.
    @exclusivity(unchecked) var others: [Seat] = []
    var lastGeneration: UInt16 = 0
    /// Why the instance does not run, if it could not be made or started, or was stopped.
    var failure: String?
    /// It was stopped for a fault, and is not to be tried again unasked.
    var wasStopped = false
    /// What it may hand in; nil: as much as it likes.
    @exclusivity(unchecked) var budget: SubmitBudget?
    /// It has used its budget up, and is told when there is some again.
    var isThrottled = false
    var budgetLog = LogLimit<Int>(pauseNs: 10_000_000_000)
    var malformedLog = LogLimit<String>(pauseNs: 10_000_000_000)
    /// How long it may hold an envelope; nil: ``RouterLimits/settleTime``.
    var settleTime: Duration?
    /// What organisations that nobody has listed have sent, and by which limits that was counted.
    var partnerLimits: DiscoveredLimits?
    var partnerLimiter = PartnerLimiter(DiscoveredLimits())
    /// The configuration does not name it any more.
    var isRemoved = false
    @exclusivity(unchecked) var counters = InstanceCounters()

    /// Envelopes that may still go on their way to the disk.
    var credits: Int
    /// Answers to submits that the instance has not been told.
    let untold = Answers()

    /// Out of the lane and not with the provider: deliver() took less than it was offered.
    @exclusivity(unchecked) private var offered = OfferQueue(offerMax: batchMax)
    /// The provider wants nothing before it says ready().
    private var isBlocked = false
    /// The provider said ready() while it was being offered something.
    private var wasReadied = false
    @exclusivity(unchecked) var inFlight = InFlightTable()
    /// When to look for envelopes that were held for too long, in ns of the monotonic clock.
    var nextSweepNs: UInt64 = 0
    /// Messages that were let go of because nothing is stored.
    private var lostCount = 0
    /// Counts what was offered: the order of what has none on disk.
    private var lastOffer: UInt64 = 0
    var parked = ParkedConversations() {
        didSet { noteParked() }
    }
    /// How many conversations are parked, for the spool's writer, which holds back the sources of too many.
    let parkedCount = Atomic<Int>(0)
    private var stall: StallDetector
    private let words: UnsafeMutableBufferPointer<UInt>

    /// Words that are taken from the lane at once, and envelopes offered at once.
    static let batchMax = 64
    /// Batches of one round; then the worker's other instances and sockets have their turn.
    static let batchesPerRoundMax = 16

    /// How long a call into the instance may take.
    ///
    /// Any thread.
    var callLimits: CallJudge.Limits {
        get { CallJudge.Limits(slow: slowNs.load(ordering: .relaxed), stuck: stuckNs.load(ordering: .relaxed)) }
        set {
            slowNs.store(newValue.slow, ordering: .relaxed)
            stuckNs.store(newValue.stuck, ordering: .relaxed)
        }
    }

    init(index: Int, name: String, context: WorkerContext) {
        self.index = index
        self.name = name
        self.context = context
        let core = context.core
        self.core = core
        self.flags = core.flags
        self.pools = core.pools
        self.worker = context.worker
        self.limits = core.options.limits
        self.isDurable = core.isDurable
        self.isObserved = core.observer != nil
        let bytes = Array(name.utf8)
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        copy.initialize(from: bytes, count: bytes.count)
        self.nameBytes = plugboard_bytes_t(start: UnsafePointer(copy), count: bytes.count)
        self.credits = limits.creditsMax
        // One ring for each worker, and one for the spool's writer.
        self.lane = Lane(producers: core.pools.workers + 1, capacity: limits.laneCapacity)
        self.stall = StallDetector(threshold: limits.stallThreshold)
        self.words = .allocate(capacity: Self.batchMax)
    }

    deinit {
        words.deallocate()
        nameBytes.start.deallocate()
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
            && (isDurable || (offered.isEmpty && lane.isEmpty))
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
            if parked.count > 0 { leaveParkedOnDisk() }
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
        let waiters = lane.takeRoomWaiters()
        if waiters != 0 { core.grantRoom(waiters) }
        let now = HostClock.wallMs()
        for word in words[..<count] {
            let envelope = RoutedEnvelope(word: word)
            if isWanted(envelope, now: now) { offered.append(envelope) }
        }
        return true
    }

    /// Whether one word from the lane is to be offered; if not, it is dealt with.
    @inline(__always)
    private func isWanted(_ envelope: RoutedEnvelope, now: Int64) -> Bool {
        let header = envelope.header
        if header.pointee.step == .deliver, !header.pointee.isDurable {
            let expires = envelope.envelope.pointee.expires_ms
            if expires == 0 || expires > now { return true }
        }
        return sort(envelope, now: now)
    }

    /// Decides what becomes of one word from the lane; whether it is to be offered.
    private func sort(_ envelope: RoutedEnvelope, now: Int64) -> Bool {
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
            let expires = envelope.envelope.pointee.expires_ms
            if header.pointee.isDurable, parked.contains(conversation) {
                // What is parked is on disk, and will be read when the conversation's turn comes.
                release(envelope)
            } else if expires != 0, expires <= now {
                giveUp(envelope, step: .expire, FailureReason(.expired))
            } else if header.pointee.isDurable, header.pointee.retryAt > now {
                // Off the disk after a restart, or behind one that was due earlier.
                park(conversation, key: envelope.conversationKey, until: header.pointee.retryAt)
                release(envelope)
            } else {
                return true
            }
        }
        return false
    }

    /// Offers the first envelopes to the provider, as many as it may hold.
    ///
    /// - Returns: how many it took, and whether these were all that it was offered.
    private func offer(to seat: Seat) -> (taken: Int, isAll: Bool) {
        let count = min(offered.count, Self.batchMax, limits.inFlightMax - inFlight.count)
        let generation = seat.generation
        let batch = offered.begin(count) { envelope in
            lastOffer += 1
            envelope.header.pointee.offer = lastOffer
            envelope.header.pointee.holder = generation
            if isObserved { core.observer?.observe(hop(.offered, envelope)) }
            return inFlight.insert(envelope)
        }
        seat.heldCount += count
        wasReadied = false
        let taken = seat.instance.deliver(batch)
        offered.finish(taken: taken, of: count) { takeBack($0, from: seat) }
        guard taken < count else { return (taken, true) }
        isBlocked = !wasReadied
        return (taken, false)
    }

    /// Takes back what the provider did not take; false if it is not there any more.
    private func takeBack(_ token: UInt64, from seat: Seat) -> Bool {
        guard let envelope = inFlight.remove(token) else {
            if let held = malformedLog.admit("settled", nowNs: HostClock.monotonicNs()) {
                var fields: [LogField: String] = [.provider: name]
                if held > 0 { fields[.heldBack] = "\(held)" }
                core.logger.log(.error, "a plugin settled an envelope that it did not take", fields)
            }
            return false
        }
        seat.heldCount -= 1
        settledParked(envelope.header.pointee.conversation)
        return true
    }

    /// Lets go of what belongs to conversations that were parked after it had left the lane.
    private func leaveParkedOnDisk() {
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
        offered.putInFront(envelopes)
    }

    /// Takes all that is out of the lane and in it, in order.
    func takeAllWaiting() -> [RoutedEnvelope] {
        var waiting: [RoutedEnvelope] = []
        offered.removeAll { envelope in
            waiting.append(envelope)
            return true
        }
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
        worker.wake()
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
        if lane.shouldWakeConsumer() { worker.wake() }
    }

    private func noteParked() {
        let (count, before) = (parked.count, parkedCount.load(ordering: .relaxed))
        // Most of the time nothing is parked.
        guard count != before else { return }
        parkedCount.store(count, ordering: .relaxed)
        // Answers that were held back can go now.
        if before > limits.parkedMax, count <= limits.parkedMax { core.spoolWriter?.wake() }
    }

    // MARK: Room

    /// Watches for envelopes that wait while the provider takes none, and for those that it holds for too long.
    ///
    /// Called now and then.
    func watchForStall(nowNs: UInt64) {
        guard isRunning else { return }
        takeBackOverdue(nowNs: nowNs)
        // What the provider refused has left the lane, and waits nevertheless.
        let taken = lane.poppedTotal &- UInt(offered.count)
        switch stall.observe(popped: taken, pushed: lane.pushedTotal, nowNs: nowNs) {
        case .stalled(let duration):
            counters.stalls += 1
            core.logger.log(
                .warning,
                "a provider takes nothing from its lane",
                [
                    .provider: name, .waiting: "\(lane.count + offered.count)", .inFlight: "\(inFlight.count)",
                    .duration: "\(duration)",
                ]
            )
        case .recovered:
            core.logger.log(.notice, "a provider takes envelopes again", [.provider: name])
        case .unchanged:
            break
        }
    }

    // MARK: Memory and the end

    func allocate(imageBytes: Int) -> RoutedEnvelope {
        RoutedEnvelope(imageBytes: imageBytes, from: pools, worker: worker.index)
    }

    func release(_ envelope: RoutedEnvelope) {
        envelope.release(to: pools, worker: worker.index)
    }

    /// Stops the instance, and marks what it took and did not settle: that may have reached its network.
    func stop() {
        for other in others { other.instance.stop() }
        others = []
        instance?.stop()
        let now = HostClock.wallMs()
        for envelope in inFlight.removeAll() {
            guard envelope.header.pointee.isDurable else {
                lostCount += isLoss(envelope) ? 1 : 0
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
    /// After its end, of which the instances are the last to go.
    func releaseAll() {
        seat = nil
        others = []
        for envelope in inFlight.removeAll() + takeAllWaiting() {
            lostCount += isLoss(envelope) ? 1 : 0
            release(envelope)
        }
        guard lostCount > 0 else { return }
        core.logger.log(
            .warning,
            "messages were not delivered before the router stopped, and are lost: nothing is stored",
            [.provider: name, .count: "\(lostCount)"]
        )
        lostCount = 0
    }

    /// Whether letting go of an envelope loses what its author counts on.
    private func isLoss(_ envelope: RoutedEnvelope) -> Bool {
        !isDurable && envelope.header.pointee.step == .deliver && envelope.envelope.pointee.kind.isDurableKind
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
