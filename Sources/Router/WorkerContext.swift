internal import HostServices
internal import Lanes
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
    private var runtimes: [InstanceRuntime] = []
    /// Steps for the spool that its lane had no room for, in order.
    private var unsentSteps: [UInt] = []
    private let isRoomGranted = Atomic<Bool>(false)
    private let resultWords: UnsafeMutableBufferPointer<UInt>

    /// Result words that are taken from the lane at once; even, for they come in pairs.
    private static let resultWordsMax = 512
    /// Room for the result of every envelope that all instances of a worker can have outstanding.
    private static let resultLaneCapacity = 1 << 19

    init(core: RouterCore, worker: Worker) {
        self.core = core
        self.worker = worker
        self.index = worker.index
        self.results = Lane(producers: 1, capacity: Self.resultLaneCapacity)
        self.table = RouteTable(claims: [], homeDomains: [], names: [])
        self.resultWords = .allocate(capacity: Self.resultWordsMax)
    }

    deinit {
        resultWords.deallocate()
    }

    /// Puts the instances into the worker's tick.
    func begin(_ runtimes: [InstanceRuntime]) {
        self.runtimes = runtimes
        _ = worker.onTickEnd { self.round() }
    }

    /// Changes the routes. Any thread.
    func setTable(_ table: RouteTable) {
        if worker.eventLoop.inEventLoop {
            self.table = table
        } else {
            worker.run { self.table = table }
        }
    }

    /// Tells that a lane which had been full has room again. Any thread.
    func grantRoom() {
        isRoomGranted.store(true, ordering: .releasing)
        worker.wake()
    }

    // MARK: The tick

    /// One round of work; false if there was none.
    private func round() -> Bool {
        var didWork = takeResults()
        didWork = sendSteps() || didWork
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
        for index in stride(from: 0, to: count, by: 2) {
            let result = SpoolWriter.Result(cookie: resultWords[index], packed: resultWords[index + 1])
            core.runtimes[result.source].appended(result)
        }
        // Whoever waits for credits has some now.
        isRoomGranted.store(true, ordering: .relaxed)
        return true
    }

    // MARK: Steps for the spool

    /// Whether the spool takes steps at once.
    var canSendSteps: Bool { unsentSteps.isEmpty }

    /// Passes an envelope to the spool with its step set. Never fails: what finds no room is kept, in order.
    func sendStep(_ envelope: RoutedEnvelope) {
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
        guard sent > 0 else { return false }
        unsentSteps.removeFirst(sent)
        if unsentSteps.isEmpty { isRoomGranted.store(true, ordering: .relaxed) }
        return true
    }

    /// Steps that the spool has not been given yet, and lets go of them.
    func takeUnsentSteps() -> [UInt] {
        defer { unsentSteps = [] }
        return unsentSteps
    }
}
