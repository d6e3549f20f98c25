internal import Dispatch
internal import Foundation
internal import HostServices
internal import Lanes
internal import Logging
internal import Routing
internal import Spool
internal import Synchronization

/// The one thread that writes to the spool. What gathers while it writes shares the next commit.
///
/// It takes steps from the workers' lane, makes them durable, sends answers back, and passes stored
/// envelopes to the lanes of their targets.
///
/// Safe to share: the lane, the semaphore and the flags are made for it; all else is the thread's own.
final class SpoolWriter: @unchecked Sendable {
    /// What became of one append, in two words of a lane.
    struct Result {
        var cookie: UInt
        var source: Int
        var refusal: Refusal?

        init(cookie: UInt64, source: Int, refusal: Refusal?) {
            self.cookie = UInt(cookie)
            self.source = source
            self.refusal = refusal
        }

        /// The second word: the source in the upper half, a small number for the refusal in the lower.
        var packed: UInt {
            let code: UInt =
                switch refusal {
                case nil: 0
                case .spoolFull: 1
                case .tooLarge: 2
                default: 3
                }
            return UInt(source) << 32 | code
        }

        init(cookie: UInt, packed: UInt) {
            self.cookie = cookie
            source = Int(packed >> 32)
            refusal =
                switch packed & 0xFFFF_FFFF {
                case 0: nil
                case 1: .spoolFull
                case 2: .tooLarge(bytes: 0, max: SpoolLimits().payloadBytesMax)
                default: .spoolFailed("see the router's log")
                }
        }
    }

    /// Steps from the workers.
    let lane: Lane
    private unowned let core: RouterCore
    private let store: any SpoolStore
    private let awake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let isRoomGranted = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)
    private var destinations: [SpoolDestination] = []
    private var words: [UInt]

    /// Steps of one commit.
    private static let batchMax = 1024

    init(core: RouterCore, store: any SpoolStore) {
        self.core = core
        self.store = store
        self.lane = Lane(producers: core.contexts.count, capacity: 8192)
        self.words = Array(repeating: 0, count: Self.batchMax)
        self.destinations = core.runtimes.map { runtime in
            SpoolDestination(core: core, store: store, runtime: runtime)
        }
    }

    func start() {
        let thread = Thread { self.run() }
        thread.name = "spool"
        thread.start()
    }

    /// Writes what it has been given, and ends. No worker may send steps any more.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        awake.signal()
        ended.wait()
    }

    /// Wakes the thread if it announced to sleep. Any thread, after a push.
    func wakeIfAsleep() {
        if lane.shouldWakeConsumer() { awake.signal() }
    }

    /// Tells that a lane which had been full has room again. Any thread.
    func grantRoom() {
        isRoomGranted.store(true, ordering: .releasing)
        awake.signal()
    }

    // MARK: The thread

    private func run() {
        while true {
            let steps = takeSteps()
            if !steps.isEmpty { perform(steps) }
            let isRoomGranted = isRoomGranted.exchange(false, ordering: .acquiring)
            var didWork = !steps.isEmpty
            for destination in destinations where destination.needsFilling || isRoomGranted {
                didWork = destination.fill() || didWork
            }
            releaseWithheld()
            guard !didWork else { continue }
            if isStopping.load(ordering: .acquiring) { break }
            if lane.prepareToSleep() { awake.wait() }
        }
        ended.signal()
    }

    private func takeSteps() -> [RoutedEnvelope] {
        let count = words.withUnsafeMutableBufferPointer { lane.pop(into: $0) }
        guard count > 0 else { return [] }
        core.grantRoom(lane.takeRoomWaiters())
        return words[..<count].map { RoutedEnvelope(word: $0) }
    }

    private func perform(_ steps: [RoutedEnvelope]) {
        let operations = steps.compactMap { operation(for: $0) }
        do throws(SpoolError) {
            let results = try operations.isEmpty ? [] : store.commit(operations)
            finish(steps, results)
        } catch {
            core.logger.error("the spool could not be written", metadata: ["reason": "\(error)"])
            fail(steps, error)
        }
        core.contexts.forEach { if $0.results.shouldWakeConsumer() { $0.worker.wake() } }
    }

    private func operation(for step: RoutedEnvelope) -> SpoolOperation? {
        let header = step.header.pointee
        switch header.step {
        case .append: return .append(SpoolRecord(step, core: core))
        case .forget: return .delivered(sequence: header.sequence)
        case .defer:
            return .deferred(
                sequence: header.sequence,
                attempts: header.attempts,
                nextAttemptAt: header.retryAt,
                reason: step.takeNote()
            )
        case .bury: return .failed(sequence: header.sequence, reason: step.takeNote(), at: HostClock.wallMs())
        case .expire: return .expired(sequence: header.sequence, at: HostClock.wallMs())
        case .deliver, .reload, .reloadMore, .unpark: return nil
        }
    }

    /// After a commit: answers the sources, passes the stored envelopes on.
    private func finish(_ steps: [RoutedEnvelope], _ results: [AppendResult]) {
        var next = 0
        for step in steps {
            switch step.header.pointee.step {
            case .append:
                finishAppend(step, results[next])
                next += 1
            case .reload:
                destinations[step.header.pointee.target].reload(step)
            default:
                release(step)
            }
        }
        for destination in destinations { destination.wakeConsumer() }
    }

    private func finishAppend(_ step: RoutedEnvelope, _ result: AppendResult) {
        let header = step.header
        switch result {
        case .stored(let sequence):
            header.pointee.sequence = sequence
            header.pointee.step = .deliver
            observe(.stored(sequence: sequence), step)
            let destination = destinations[header.pointee.target]
            let answer = Answer(header.pointee)
            destination.pass(step)
            if let answer, destination.isFull { destination.withheld.append(answer) } else { send(answer, nil) }
        case .duplicate:
            observe(.duplicate, step)
            send(Answer(header.pointee), nil)
            release(step)
        case .full:
            refuse(step, .spoolFull)
        case .tooLarge(_, let bytes, let max):
            refuse(step, .tooLarge(bytes: bytes, max: max))
        }
    }

    /// After a commit that failed: nothing of it happened. What was to be forgotten will be delivered again.
    private func fail(_ steps: [RoutedEnvelope], _ error: SpoolError) {
        for step in steps {
            switch step.header.pointee.step {
            case .append: refuse(step, .spoolFailed(error.description))
            case .reload: destinations[step.header.pointee.target].reload(step)
            default: release(step)
            }
        }
    }

    // MARK: Answers

    /// What an answer to a source needs.
    struct Answer {
        var cookie: UInt64
        var source: Int

        /// Nil for the router's own envelopes, which nobody waits for.
        init?(_ header: RoutedEnvelope.Header) {
            guard header.source >= 0 else { return nil }
            cookie = header.cookie
            source = header.source
        }
    }

    private func refuse(_ step: RoutedEnvelope, _ refusal: Refusal) {
        observe(.refused(refusal.description), step)
        send(Answer(step.header.pointee), refusal)
        release(step)
    }

    private func send(_ answer: Answer?, _ refusal: Refusal?) {
        guard let answer else { return }
        let result = Result(cookie: answer.cookie, source: answer.source, refusal: refusal)
        let results = core.runtimes[answer.source].context.results
        let pair: [UInt] = [result.cookie, result.packed]
        let sent = pair.withUnsafeBufferPointer { results.push($0, producer: 0) }
        precondition(sent == pair.count, "the lane has room for one answer a credit")
    }

    /// Answers the sources that were held back for a destination which has drained.
    private func releaseWithheld() {
        var answered = false
        for destination in destinations where !destination.withheld.isEmpty && !destination.isFull {
            for answer in destination.withheld { send(answer, nil) }
            destination.withheld = []
            answered = true
        }
        guard answered else { return }
        core.contexts.forEach { if $0.results.shouldWakeConsumer() { $0.worker.wake() } }
    }

    private func observe(_ event: Hop.Event, _ step: RoutedEnvelope) {
        guard let observer = core.observer else { return }
        observer.observe(core.runtimes[step.header.pointee.target].hop(event, step))
    }

    private func release(_ step: RoutedEnvelope) {
        _ = step.takeNote()
        core.pools.release(step.block, worker: core.writerPool)
    }
}
