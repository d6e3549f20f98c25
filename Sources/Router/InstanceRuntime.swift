internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import NIOCore
internal import PluginHost
internal import Routing
internal import Spool

/// The router's side of one plugin instance: its lane, what it holds, what it waits for.
///
/// Used on its worker's loop only; the lane's producers are the exception.
final class InstanceRuntime {
    let index: Int
    let name: String
    unowned let context: WorkerContext
    let lane: Lane
    var instance: Instance?
    var counters = InstanceCounters()

    /// Envelopes that may still go on their way to the disk.
    var credits: Int
    /// A submit was answered BUSY, and nothing was said since.
    var isWaitingForRoom = false
    /// Answers to submits that the instance has not been told.
    var untold: [Answer] = []

    /// Taken from the lane and not from us: deliver() took less than it was offered.
    var offered: [RoutedEnvelope] = []
    /// The provider wants nothing before it says ready().
    var isBlocked = false
    var inFlight = InFlightTable()
    var parked = ParkedConversations()
    private var stall: StallDetector
    private let words: UnsafeMutableBufferPointer<UInt>

    /// Words that are taken from the lane at once, and envelopes offered at once.
    static let batchMax = 64

    /// An answer to a submit: taken, or refused with a reason.
    struct Answer {
        var cookie: UInt64
        var refusal: Refusal?
    }

    var core: RouterCore { context.core }

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

    // MARK: Deliveries

    /// Offers the instance what is in its lane; false if nothing moved.
    func deliverWaiting() -> Bool {
        guard let instance, instance.state == .running || instance.state == .draining else { return false }
        var didWork = false
        while !isBlocked, inFlight.count < core.options.limits.inFlightMax {
            if offered.isEmpty {
                guard takeFromLane() else { return didWork }
                didWork = true
            }
            if !offered.isEmpty { didWork = offer(to: instance) || didWork }
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
        switch header.pointee.step {
        case .unpark:
            parked.unpark(header.pointee.conversation)
            release(envelope)
        case .reloadMore:
            let conversation = header.pointee.conversation
            park(conversation, key: envelope.takeNote(), until: now)
            release(envelope)
        default:
            if header.pointee.isDurable, parked.contains(header.pointee.conversation) {
                // It is on disk, and will be read when the conversation's turn comes.
                release(envelope)
                return
            }
            let expires = envelope.envelope.pointee.expires_ms
            if expires != 0, expires <= now {
                giveUp(envelope, step: .expire, FailureReason(.expired))
            } else {
                offered.append(envelope)
            }
        }
    }

    private func offer(to instance: Instance) -> Bool {
        leaveParkedOnDisk()
        let batch = offered.prefix(Self.batchMax)
        let tokens = batch.map { envelope in
            let token = inFlight.insert(envelope)
            envelope.envelope.pointee.token = token
            core.observer?.observe(hop(.offered, envelope))
            return token
        }
        let taken = withUnsafeTemporaryAllocation(
            of: UnsafePointer<plugboard_envelope_t>?.self,
            capacity: batch.count
        ) { pointers in
            for (index, envelope) in batch.enumerated() {
                pointers.initializeElement(at: index, to: UnsafePointer(envelope.envelope))
            }
            return instance.deliver(UnsafeBufferPointer(pointers))
        }
        offered.removeFirst(batch.count)
        guard taken < batch.count else { return true }
        isBlocked = true
        var returned: [RoutedEnvelope] = []
        for token in tokens[taken...] {
            guard let envelope = inFlight.remove(token) else {
                core.logger.error("a plugin settled an envelope it did not take", metadata: ["instance": "\(name)"])
                continue
            }
            returned.append(envelope)
            settledParked(envelope.header.pointee.conversation)
        }
        offered.insert(contentsOf: returned, at: 0)
        return taken > 0
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

    /// Announces to the producers that the lane is not looked at; true if it is not empty.
    func foundWorkBeforeSleep() -> Bool {
        guard !isBlocked, inFlight.count < core.options.limits.inFlightMax, instance != nil else { return false }
        return !lane.prepareToSleep()
    }

    // MARK: Room

    /// Tells an instance that was refused room to try again; false if it was not waiting.
    func giveRoom() -> Bool {
        guard isWaitingForRoom, let instance else { return false }
        isWaitingForRoom = false
        instance.room()
        return true
    }

    /// Watches for a lane that stands still; called every second.
    func watchForStall(nowNs: UInt64) {
        switch stall.observe(popped: lane.poppedTotal, pushed: lane.pushedTotal, nowNs: nowNs) {
        case .stalled(let duration):
            counters.stalls += 1
            core.logger.warning(
                "a provider takes nothing from its lane",
                metadata: ["instance": "\(name)", "waiting": "\(lane.count)", "for": "\(duration)"]
            )
        case .recovered:
            core.logger.notice("a provider takes envelopes again", metadata: ["instance": "\(name)"])
        default:
            break
        }
    }

    // MARK: Memory

    func allocate(imageBytes: Int) -> RoutedEnvelope {
        let bytes = RoutedEnvelope.imageOffset + imageBytes
        let block = core.pools.allocate(byteCount: bytes, worker: context.index)
        return RoutedEnvelope(uninitialized: block, imageBytes: imageBytes)
    }

    func release(_ envelope: RoutedEnvelope) {
        _ = envelope.takeNote()
        core.pools.release(envelope.block, worker: context.index)
    }

    /// Lets go of everything the instance had: it is on disk, or of the moment. After its end.
    func releaseAll() {
        for envelope in inFlight.removeAll() + offered { release(envelope) }
        offered = []
        while true {
            let count = lane.pop(into: words)
            guard count > 0 else { return }
            for word in words[..<count] { release(RoutedEnvelope(word: word)) }
        }
    }

    func hop(_ event: Hop.Event, _ envelope: RoutedEnvelope) -> Hop {
        let source = envelope.envelope.pointee
        return Hop(
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
