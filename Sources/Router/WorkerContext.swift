internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import NIOCore
internal import PluginHost
internal import Routing
internal import Spool
internal import Synchronization
internal import Telemetry

/// One worker's share of the router: its instances, its view of the routes, its way to the spool.
///
/// Safe to share: everything is used on the worker's loop, except what says otherwise.
final class WorkerContext: @unchecked Sendable {
    // Safe: the core holds its contexts until all workers have ended.
    unowned(unsafe) let core: RouterCore
    let worker: Worker
    let index: Int
    /// What became of appended envelopes: pairs of words, see ``SpoolWriter/Result``.
    let results: Lane
    /// Which call into a plugin the worker is in.
    ///
    /// Any thread.
    let watch = CallWatch()
    /// Who waits for the loop.
    ///
    /// Any thread.
    let waits = PendingWaits()
    /// A plugin does not return to the worker.
    ///
    /// Any thread.
    let isLost = Atomic<Bool>(false)
    private let abandoned = Atomic<Bool>(false)
    /// The routes, replaced on the loop alone.
    private(set) var table: RouteTable {
        didSet { unmanagedTable = Unmanaged.passUnretained(table) }
    }
    /// The same, without a count of references: all workers would share it for each message.
    @exclusivity(unchecked) private var unmanagedTable: Unmanaged<RouteTable>
    /// Domains of the last envelope, see ``RouteTable/locate(_:last:)``.
    @exclusivity(unchecked) private var lastRecipient: Int32 = -1
    @exclusivity(unchecked) private var lastSender: Int32 = -1
    let flags: CoreFlags
    private let laneEnds: UnsafeMutablePointer<RuntimeList.LaneEnd>
    @exclusivity(unchecked) private var keys = KeyMaker()
    /// The call into a plugin for which the clock was read, and what it said.
    @exclusivity(unchecked) private var timedCall: UInt64 = 0
    @exclusivity(unchecked) private var callTime: Int64 = 0
    /// Instances of other workers whose lanes were pushed to, and who were not woken since; see ``wakeTargets()``.
    @exclusivity(unchecked) private var unwoken: [Int] = []
    private(set) var runtimes: [InstanceRuntime] = []
    private var hook: TickHook?
    /// Where it is written why envelopes did not get on.
    var envelopeLog: EnvelopeLog
    /// Where deliveries are noted before the spool records them; nil if nowhere.
    @exclusivity(unchecked) private var marks: CompletedMarks.Writer?
    /// Steps for the spool that its lane had no room for, in order.
    private var unsentSteps: [UInt] = []
    /// The spool's lane was full; its room wakes us.
    private var isStepLaneFull = false
    /// The router's own envelopes for lanes that had no room, with the index of the instance, in order.
    private var unpassed: [(target: Int, envelope: RoutedEnvelope)] = []
    /// Presence and typing for lanes that had no room.
    private var latest = LatestStates(countMax: latestMax)
    /// No step is taken any more.
    private var isClosed = false
    private let isRoomGranted = Atomic<Bool>(false)
    private let resultWords: UnsafeMutableBufferPointer<UInt>

    /// Result words that are taken from the lane at once; even, for they come in pairs.
    private static let resultWordsMax = 512
    /// The router's own envelopes that wait for room in a lane; later ones are lost.
    private static let unpassedMax = 10_000
    /// The most states of presence and typing that wait for room; who has more is held back.
    static let latestMax = 10_000

    init(core: RouterCore, worker: Worker) {
        self.core = core
        self.worker = worker
        self.index = worker.index
        self.results = Lane(producers: 1, capacity: max(2, core.options.limits.spoolLaneCapacity))
        let table = RouteTable(claims: [], homeDomains: [], names: [], version: -1)
        self.table = table
        self.unmanagedTable = Unmanaged.passUnretained(table)
        self.flags = core.flags
        self.envelopeLog = EnvelopeLog(core.logger)
        self.laneEnds = core.runtimes.laneEnds
        self.resultWords = .allocate(capacity: Self.resultWordsMax)
    }

    deinit {
        resultWords.deallocate()
    }

    /// Puts the instances into the worker's tick.
    func begin(_ runtimes: [InstanceRuntime], marks: CompletedMarks.Writer?) {
        self.runtimes = runtimes
        self.marks = marks
        hook = worker.onTickEnd { self.round() }
    }

    /// Takes a provider in that was added while the router runs.
    ///
    /// On the loop.
    func add(_ runtime: InstanceRuntime) {
        runtimes.append(runtime)
    }

    // MARK: Workers that do not go on. Any thread.

    /// Whether the worker is given up: a plugin does not return, and nothing is asked of its loop any more.
    var isAbandoned: Bool { abandoned.load(ordering: .acquiring) }

    /// Notes that a plugin holds the worker up, or does no more.
    func setStuck(_ isStuck: Bool) { waits.setStuck(isStuck) }

    /// Gives the worker up.
    func abandon() {
        abandoned.store(true, ordering: .releasing)
        waits.setLost()
    }

    /// Takes no steps any more: what comes now stays on disk as it is.
    func close() {
        isClosed = true
    }

    /// Leaves the worker's tick, and lets go of what did not get on.
    ///
    /// Nothing of the router works any more.
    func end() {
        if let hook { worker.removeHook(hook) }
        hook = nil
        for waiting in unpassed { waiting.envelope.release(to: core.pools, worker: index) }
        unpassed = []
        for envelope in latest.removeAll() { envelope.release(to: core.pools, worker: index) }
        for word in unsentSteps { RoutedEnvelope(word: word).release(to: core.pools, worker: index) }
        unsentSteps = []
        for runtime in runtimes { runtime.releaseAll() }
        runtimes = []
    }

    /// Changes the routes, unless they are newer already.
    ///
    /// Any thread.
    func setTable(_ table: RouteTable) {
        guard worker.eventLoop.inEventLoop else {
            worker.run { self.setTable(table) }
            return
        }
        if table.version >= self.table.version { self.table = table }
    }

    /// Tells that a lane which had been full has room again.
    ///
    /// Any thread.
    func grantRoom() {
        isRoomGranted.store(true, ordering: .releasing)
        worker.wake()
    }

    // MARK: Routing

    /// Begins to look for a recipient whose address has not been checked; nothing is done about a bad one.
    @inline(__always)
    func locate(_ address: plugboard_bytes_t) -> RouteTable.Located {
        // A count above Int.max shows as a negative one.
        let isPlausible = address.start != nil && UInt(bitPattern: address.count) <= UInt(PLUGBOARD_ADDRESS_BYTES_MAX)
        let bytes = UnsafeRawBufferPointer(
            start: isPlausible ? address.start : nil,
            count: isPlausible ? address.count : 0
        )
        let located = unmanagedTable._withUnsafeGuaranteedRef { $0.locate(bytes, last: lastRecipient) }
        lastRecipient = located.place
        return located
    }

    /// Where an envelope goes that is neither late nor went round in a circle, by the claims that the worker knows.
    ///
    /// - Parameter recipient: what ``locate(_:)`` found.
    /// - Returns: an instance's index; -1 if ``decide(_:to:)`` has to be asked.
    @inline(__always)
    func target(from sender: UnsafeRawBufferPointer, source: Int, to recipient: RouteTable.Located) -> Int {
        guard !flags.isTableOld else { return -1 }
        return unmanagedTable._withUnsafeGuaranteedRef {
            $0.target(from: sender, source: source, to: recipient, last: &lastSender)
        }
    }

    /// The time, some milliseconds behind, in ms since 1970: read once in each call into a plugin.
    @inline(__always)
    func coarseNow() -> Int64 {
        // What is handed in otherwise is rare.
        guard let call = watch.presentNumber else { return HostClock.coarseWallMs() }
        if call != timedCall { (timedCall, callTime) = (call, HostClock.coarseWallMs()) }
        return callTime
    }

    /// Decides what becomes of an envelope, by the newest claims.
    ///
    /// - Parameter recipient: what ``locate(_:)`` found.
    func decide(_ question: RouteTable.Question, to recipient: RouteTable.Located) -> RouteTable.Decision {
        // A claim counts from the call on.
        guard flags.isTableOld else {
            return unmanagedTable._withUnsafeGuaranteedRef { $0.decide(question, to: recipient) }
        }
        core.publishIfOld()
        return table.decide(question)
    }

    /// A key that no other envelope has.
    @inline(__always)
    func nextKey() -> (high: UInt64, low: UInt64) { keys.next() }

    // MARK: The tick

    /// One round of work; false if there was none.
    private func round() -> Bool {
        // A thread that comes back after all finds a router that has gone on without it.
        guard !isAbandoned else { return false }
        var didWork = takeResults()
        didWork = sendSteps() || didWork
        didWork = passUnpassed() || didWork
        didWork = passLatest() || didWork
        for runtime in runtimes { didWork = runtime.deliverWaiting() || didWork }
        for runtime in runtimes { didWork = runtime.tellResults() || didWork }
        if isRoomGranted.exchange(false, ordering: .acquiring) {
            for runtime in runtimes { didWork = runtime.giveRoom() || didWork }
        }
        wakeTargets()
        guard !didWork else { return true }
        // All announcements are made even if one finds work: each clears the way for its own wake-ups.
        var foundWork = !results.prepareToSleep()
        for runtime in runtimes { foundWork = runtime.foundWorkBeforeSleep() || foundWork }
        return foundWork
    }

    private func takeResults() -> Bool {
        let count = results.pop(into: resultWords)
        guard count > 0 else { return false }
        if results.takeRoomWaiters() != 0 { core.spoolWriter?.grantRoom() }
        for index in stride(from: 0, to: count, by: 2) {
            let result = SpoolWriter.Result(cookie: resultWords[index], packed: resultWords[index + 1])
            core.runtimes[result.source].appended(result)
        }
        // Whoever waits for credits has some now.
        isRoomGranted.store(true, ordering: .relaxed)
        return true
    }

    // MARK: Steps for the spool

    /// Whether the spool keeps up.
    ///
    /// If not, whoever was told so is woken when it does.
    var hasRoomForSteps: Bool { !isStepLaneFull }

    /// Whether the spool has been given everything.
    var hasSentSteps: Bool { unsentSteps.isEmpty }

    /// Notes that a stored envelope is delivered, so that it is not delivered again if the process dies now.
    ///
    /// On the loop.
    func noteDelivered(_ envelope: RoutedEnvelope) {
        marks?.note(sequence: envelope.header.pointee.sequence, key: IdempotencyKey(of: envelope.envelope))
    }

    /// Passes an envelope to the spool with its step set.
    ///
    /// Never fails: what finds no room is kept, in order.
    ///
    /// What is kept is bounded by the credits and by the envelopes in flight.
    func sendStep(_ envelope: RoutedEnvelope) {
        guard !isClosed else { return envelope.release(to: core.pools, worker: index) }
        unsentSteps.append(envelope.word)
        if unsentSteps.count == 1 { worker.requestRound() }
    }

    private func sendSteps() -> Bool {
        guard !unsentSteps.isEmpty, let writer = core.spoolWriter else { return false }
        var sent = 0
        repeat {
            sent += unsentSteps.withUnsafeBufferPointer { words in
                writer.lane.push(UnsafeBufferPointer(rebasing: words[sent...]), producer: index)
            }
            writer.wakeIfAsleep()
            // False means that room came up meanwhile: try again instead of waiting.
        } while sent < unsentSteps.count && !writer.lane.waitForRoom(producer: index)
        unsentSteps.removeFirst(sent)
        let wasFull = isStepLaneFull
        isStepLaneFull = !unsentSteps.isEmpty
        if wasFull, !isStepLaneFull { isRoomGranted.store(true, ordering: .relaxed) }
        return sent > 0
    }

    // MARK: Envelopes of the router's own

    /// Puts an envelope of the router's own into a lane; if there is no room, as soon as there is.
    func pass(_ envelope: RoutedEnvelope, to target: Int) {
        guard unpassed.count < Self.unpassedMax else {
            envelopeLog.write(
                .warning,
                "the author of a failed envelope is not told",
                envelope.envelope.pointee,
                provider: core.runtimes[target].name,
                isHomeward: target == 0,
                cause: "unpassed",
                [.reason: "\(Self.unpassedMax) such notices wait for room already"]
            )
            return envelope.release(to: core.pools, worker: index)
        }
        unpassed.append((target, envelope))
        if unpassed.count == 1 { worker.requestRound() }
    }

    private func passUnpassed() -> Bool {
        guard !unpassed.isEmpty else { return false }
        let waiting = unpassed
        unpassed = []
        var fullTargets: Set<Int> = []
        for (target, envelope) in waiting {
            if fullTargets.contains(target) || !push(envelope, to: target) {
                fullTargets.insert(target)
                unpassed.append((target, envelope))
            }
        }
        return unpassed.count < waiting.count
    }

    // MARK: Presence and typing

    /// Pushes presence or typing, or lets it wait for room in the place of an older one; false if too many wait.
    ///
    /// - Parameter replaced: is told if an older one will not arrive for it.
    func pushLatest(_ envelope: RoutedEnvelope, to target: Int, replaced: () -> Void) -> Bool {
        var older = latest.replace(with: envelope)
        if older == nil {
            guard !push(envelope, to: target) else { return true }
            switch latest.put(envelope) {
            case .waits: break
            case .replaced(let found): older = found
            case .full: return false
            }
        }
        if let older {
            older.release(to: core.pools, worker: index)
            replaced()
        }
        return true
    }

    /// Pushes the states that wait, where there is room.
    private func passLatest() -> Bool {
        guard !latest.isEmpty else { return false }
        var fullTargets: Set<Int> = []
        let passed = latest.pass { envelope, target in
            guard !fullTargets.contains(target) else { return false }
            let isPushed = push(envelope, to: target)
            if !isPushed { fullTargets.insert(target) }
            return isPushed
        }
        return passed > 0
    }

    // MARK: Lanes

    /// Pushes one word to the instance with an index; false if its lane is full, and then its room will wake this worker.
    ///
    /// Its worker is woken at the end of the round.
    @inline(__always)
    func push(_ envelope: RoutedEnvelope, to target: Int) -> Bool {
        let (lane, consumer) = laneEnds[target]
        let isTaken = lane._withUnsafeGuaranteedRef { $0.push(envelope.word, producer: index) }
        guard isTaken || pushWhenFull(envelope, to: target) else { return false }
        notePush(to: target, of: consumer)
        return true
    }

    /// The same for a lane that had no room.
    @inline(never)
    private func pushWhenFull(_ envelope: RoutedEnvelope, to target: Int) -> Bool {
        let lane = core.runtimes[target].lane
        repeat {
            // Whoever waits for room must have woken the consumer before.
            core.runtimes[target].wakeConsumer()
            // False means that room came up meanwhile: push again.
            guard !lane.waitForRoom(producer: index) else { return false }
        } while !lane.push(envelope.word, producer: index)
        return true
    }

    /// Sees to it that the target's worker looks at its lane.
    @inline(__always)
    private func notePush(to target: Int, of consumer: Int) {
        // One's own lanes are looked at in the round, others are told of it at the end.
        if consumer != index, unwoken.last != target, !unwoken.contains(target) { unwoken.append(target) }
        worker.requestRound()
    }

    /// Wakes those whose lanes were pushed to: once a round and not for each push, for it takes a fence.
    private func wakeTargets() {
        for target in unwoken { core.runtimes[target].wakeConsumer() }
        unwoken.removeAll(keepingCapacity: true)
    }
}
