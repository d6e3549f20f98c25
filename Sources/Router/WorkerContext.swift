internal import HostServices
internal import Lanes
internal import Logging
internal import NIOCore
internal import PluginHost
internal import Routing
internal import Synchronization

/// One worker's share of the router: its instances, its view of the routes, its way to the spool.
///
/// Safe to share: everything is used on the worker's loop, except what says otherwise.
final class WorkerContext: @unchecked Sendable {
    unowned let core: RouterCore
    let worker: Worker
    let index: Int
    /// What became of appended envelopes: pairs of words, see ``SpoolWriter/Result``.
    let results: Lane
    private(set) var table: RouteTable
    private(set) var runtimes: [InstanceRuntime] = []
    private var hook: TickHook?
    /// Steps for the spool that its lane had no room for, in order.
    private var unsentSteps: [UInt] = []
    /// The spool's lane was full; its room wakes us.
    private var isStepLaneFull = false
    /// The router's own envelopes for lanes that had no room, with the index of the instance, in order.
    private var unpassed: [(target: Int, envelope: RoutedEnvelope)] = []
    /// No step is taken any more.
    private var isClosed = false
    private let isRoomGranted = Atomic<Bool>(false)
    private let resultWords: UnsafeMutableBufferPointer<UInt>

    /// Result words that are taken from the lane at once; even, for they come in pairs.
    private static let resultWordsMax = 512
    /// The router's own envelopes that wait for room in a lane; later ones are lost.
    private static let unpassedMax = 10_000

    init(core: RouterCore, worker: Worker) {
        self.core = core
        self.worker = worker
        self.index = worker.index
        self.results = Lane(producers: 1, capacity: max(2, core.options.limits.spoolLaneCapacity))
        self.table = RouteTable(claims: [], homeDomains: [], names: [], version: -1)
        self.resultWords = .allocate(capacity: Self.resultWordsMax)
    }

    deinit {
        resultWords.deallocate()
    }

    /// Puts the instances into the worker's tick.
    func begin(_ runtimes: [InstanceRuntime]) {
        self.runtimes = runtimes
        hook = worker.onTickEnd { self.round() }
    }

    /// Takes a provider in that was added while the router runs.
    ///
    /// On the loop.
    func add(_ runtime: InstanceRuntime) {
        runtimes.append(runtime)
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

    // MARK: The tick

    /// One round of work; false if there was none.
    private func round() -> Bool {
        var didWork = takeResults()
        didWork = sendSteps() || didWork
        didWork = passUnpassed() || didWork
        for runtime in runtimes { didWork = runtime.deliverWaiting() || didWork }
        for runtime in runtimes { didWork = runtime.tellResults() || didWork }
        if isRoomGranted.exchange(false, ordering: .acquiring) {
            for runtime in runtimes { didWork = runtime.giveRoom() || didWork }
        }
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

    /// Passes an envelope to the spool with its step set.
    ///
    /// Never fails: what finds no room is kept, in order.
    ///
    /// What is kept is bounded by the credits and by the envelopes in flight.
    func sendStep(_ envelope: RoutedEnvelope) {
        guard !isClosed else { return envelope.release(to: core.pools, worker: index) }
        unsentSteps.append(envelope.word)
        if unsentSteps.count == 1 { worker.enqueue { _ = self.sendSteps() } }
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
            core.logger.warning(
                "the author of a failed envelope could not be told: too many wait for room",
                metadata: ["instance": "\(core.runtimes[target].name)"]
            )
            return envelope.release(to: core.pools, worker: index)
        }
        unpassed.append((target, envelope))
        if unpassed.count == 1 { worker.enqueue { _ = self.passUnpassed() } }
    }

    private func passUnpassed() -> Bool {
        guard !unpassed.isEmpty else { return false }
        let waiting = unpassed
        unpassed = []
        var fullTargets: Set<Int> = []
        for (target, envelope) in waiting {
            if fullTargets.contains(target) || !push(envelope, to: core.runtimes[target]) {
                fullTargets.insert(target)
                unpassed.append((target, envelope))
            }
        }
        return unpassed.count < waiting.count
    }

    /// Pushes one word; false if the lane is full, and then its room will wake this worker.
    func push(_ envelope: RoutedEnvelope, to runtime: InstanceRuntime) -> Bool {
        while !runtime.lane.push(envelope.word, producer: index) {
            runtime.wakeConsumer()
            // False means that room came up meanwhile: push again.
            guard runtime.lane.waitForRoom(producer: index) else { continue }
            return false
        }
        runtime.wakeConsumer()
        return true
    }
}
