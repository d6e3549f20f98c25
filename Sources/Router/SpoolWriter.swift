internal import Dispatch
internal import Foundation
internal import HostServices
internal import Lanes
internal import Logging
internal import Routing
internal import Spool
internal import Synchronization

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// The one thread that writes to the spool.
///
/// What gathers while it writes shares the next commit.
///
/// It takes steps from the workers' lane, makes them durable, sends answers back, and passes stored
/// envelopes to the lanes of their targets.
///
/// Safe to share: the lane, the semaphore and the atomics are made for it; all else is the thread's own.
final class SpoolWriter: @unchecked Sendable {
    /// Steps from the workers.
    let lane: Lane
    unowned let core: RouterCore
    let store: any SpoolStore
    private let awake = DispatchSemaphore(value: 0)
    private let isRoomGranted = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)
    /// No answer is held back any more.
    let isReleasing = Atomic<Bool>(false)
    private let whenEnded = NIOLockedValueBox<CheckedContinuation<Void, Never>?>(nil)

    var destinations: [SpoolDestination] = []
    /// Answers that a worker's lane had no room for, by worker: pairs of words.
    var unsentResults: [[UInt]]
    private var words: [UInt]
    /// Steps of a commit that failed, to be tried again before all others.
    private var unsettled: [RoutedEnvelope] = []
    /// When to try these again, in ns of the monotonic clock.
    private var settleAgainAtNs: UInt64 = 0
    /// Settled deliveries that could not be recorded.
    private var lostCount = 0
    private var lastError: SpoolError?
    /// When to look for expired rows of instances that do not run, in ns of the monotonic clock.
    var nextSweepNs: UInt64 = 0

    /// Steps of one commit, apart from those that are tried again.
    private static let batchMax = 1024
    /// How long after a commit that failed the next is tried, in ns.
    private static let retryPauseNs: UInt64 = 500_000_000

    init(core: RouterCore, store: any SpoolStore) {
        self.core = core
        self.store = store
        self.lane = Lane(producers: core.contexts.count, capacity: core.options.limits.spoolLaneCapacity)
        self.words = Array(repeating: 0, count: Self.batchMax)
        self.unsentResults = Array(repeating: [], count: core.contexts.count)
        adoptRuntimes()
    }

    func start() {
        let thread = Thread { self.run() }
        thread.name = "spool"
        thread.start()
    }

    /// Writes what it has been given, and ends.
    ///
    /// No worker may send steps any more.
    func stop() async {
        await withCheckedContinuation { continuation in
            whenEnded.withLockedValue { $0 = continuation }
            isStopping.store(true, ordering: .releasing)
            awake.signal()
        }
    }

    /// Answers from now on as soon as an envelope is stored, however many wait already.
    ///
    /// Any thread.
    func stopWithholding() {
        isReleasing.store(true, ordering: .releasing)
        awake.signal()
    }

    /// Wakes the thread if it announced to sleep.
    ///
    /// Any thread, after a push.
    func wakeIfAsleep() {
        if lane.shouldWakeConsumer() { awake.signal() }
    }

    /// Tells that a lane which had been full has room again, or that an instance is open now.
    ///
    /// Any thread.
    func grantRoom() {
        isRoomGranted.store(true, ordering: .releasing)
        awake.signal()
    }

    // MARK: The thread

    private func run() {
        while true {
            // Before the steps are taken: what was sent before the end was asked for is then among them.
            let isLast = isStopping.load(ordering: .acquiring)
            let closing = closingDestinations()
            let steps = takeSteps()
            adoptRuntimes()
            if !steps.isEmpty || (!unsettled.isEmpty && (isLast || HostClock.monotonicNs() >= settleAgainAtNs)) {
                perform(steps)
            }
            if steps.count < Self.batchMax, unsettled.isEmpty || core.isSpoolLost { close(closing) }
            let isFilled = !isLast && fillDestinations()
            releaseWithheld()
            sendAnswers()
            guard steps.isEmpty, !isFilled else { continue }
            if isLast { break }
            sleep()
        }
        end()
    }

    private func takeSteps() -> [RoutedEnvelope] {
        let count = words.withUnsafeMutableBufferPointer { lane.pop(into: $0) }
        guard count > 0 else { return [] }
        core.grantRoom(lane.takeRoomWaiters())
        return words[..<count].map { RoutedEnvelope(word: $0) }
    }

    private func fillDestinations() -> Bool {
        if isRoomGranted.exchange(false, ordering: .acquiring) {
            for destination in destinations { destination.roomGranted() }
        }
        // While the spool cannot be written, more deliveries would only make more that cannot be settled.
        guard unsettled.isEmpty, !core.isSpoolLost else { return false }
        let now = HostClock.monotonicNs()
        var didWork = sweepExpired(nowNs: now)
        for destination in destinations where destination.needsFilling(nowNs: now) {
            didWork = destination.fill() || didWork
        }
        return didWork
    }

    private func sleep() {
        guard lane.prepareToSleep() else { return }
        if let until = nextLookNs {
            let now = HostClock.monotonicNs()
            _ = awake.wait(timeout: .now() + .nanoseconds(Int(clamping: until > now ? until - now : 0)))
        } else {
            awake.wait()
        }
        // It may have been something else that woke us.
        lane.cancelSleep()
    }

    /// When there is something to do even if nobody wakes the thread, in ns of the monotonic clock.
    private var nextLookNs: UInt64? {
        guard !core.isSpoolLost else { return nil }
        guard unsettled.isEmpty else { return settleAgainAtNs }
        // A moment that has come since the destinations were looked at counts, too: then there is no sleep.
        return destinations.compactMap(\.nextFillNs).reduce(nextSweepNs) { min($0, $1) }
    }

    private func end() {
        if !unsettled.isEmpty { lose(unsettled) }
        unsettled = []
        if lostCount > 0 {
            store.leaveUnsettled()
            core.logger.error(
                "deliveries that were settled could not be recorded: they will be made again after the next start",
                metadata: ["count": "\(lostCount)"]
            )
        }
        for destination in destinations { destination.end() }
        whenEnded.withLockedValue { $0.take() }?.resume()
    }

    // MARK: Commits

    /// Makes steps durable, and sends all on their way.
    func perform(_ steps: [RoutedEnvelope]) {
        let steps = unsettled + steps
        unsettled = []
        guard !core.isSpoolLost else { return fail(steps) }
        do throws(SpoolError) {
            let results = try store.commit(steps.flatMap { operations(for: $0) })
            if lastError != nil { core.logger.notice("the spool can be written again") }
            lastError = nil
            finish(steps, results)
        } catch {
            failed(error)
            fail(steps)
        }
        for destination in destinations { destination.wakeConsumer() }
    }

    private func operations(for step: RoutedEnvelope) -> [SpoolOperation] {
        let header = step.header.pointee
        var operations: [SpoolOperation] = []
        switch header.step {
        case .append:
            operations = [.append(SpoolRecord(step, core: core))]
        case .forget:
            operations = [.delivered(sequence: header.sequence)]
        case .defer:
            operations = [
                .deferred(
                    sequence: header.sequence,
                    attempts: header.attempts,
                    nextAttemptAt: header.retryAt,
                    reason: step.note
                )
            ]
        case .bury:
            operations = [.failed(sequence: header.sequence, reason: step.note, at: HostClock.wallMs())]
        case .expire:
            operations = [.expired(sequence: header.sequence, at: HostClock.wallMs())]
        case .deliver, .reload, .unpark, .more, .unread:
            break
        }
        if let notice = step.notice { operations.append(.append(SpoolRecord(notice, core: core))) }
        return operations
    }

    /// After a commit: answers the sources, passes the stored envelopes on.
    private func finish(_ steps: [RoutedEnvelope], _ results: [AppendResult]) {
        var results = results[...]
        for step in steps {
            switch step.header.pointee.step {
            case .append:
                finishAppend(step, results.popFirst())
            case .reload:
                destinations[step.header.pointee.target].add(reload: step)
            default:
                if let notice = step.takeNotice() { finishAppend(notice, results.popFirst()) }
                release(step)
            }
        }
    }

    private func finishAppend(_ step: RoutedEnvelope, _ result: AppendResult?) {
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
        case .tooLarge:
            refuse(step, .tooLarge)
        case nil:
            refuse(step, .spoolFailed("it did not say what became of it"))
        }
    }

    /// Notes why a commit failed.
    private func failed(_ error: SpoolError) {
        if error != lastError { core.logger.error("the spool could not be written", metadata: ["reason": "\(error)"]) }
        lastError = error
        settleAgainAtNs = HostClock.monotonicNs() + Self.retryPauseNs
        guard error.isFinal, !core.isSpoolLost else { return }
        core.loseSpool()
        core.logger.critical(
            "the spool is lost: nothing can be stored until the router is restarted",
            metadata: ["reason": "\(error)"]
        )
    }

    /// After a commit that failed: nothing of it happened.
    ///
    /// Sources are told; what was settled is tried again.
    private func fail(_ steps: [RoutedEnvelope]) {
        var rest: [RoutedEnvelope] = []
        for step in steps {
            if step.header.pointee.step == .append {
                refuse(step, .spoolFailed(lastError?.description ?? "it has failed before"))
            } else {
                rest.append(step)
            }
        }
        if core.isSpoolLost { lose(rest) } else { unsettled = rest }
    }

    /// Lets go of settled deliveries that cannot be recorded: they stay on disk as they are.
    private func lose(_ steps: [RoutedEnvelope]) {
        for step in steps {
            if step.header.pointee.step != .reload { lostCount += 1 }
            release(step)
        }
    }

    private func refuse(_ step: RoutedEnvelope, _ refusal: Refusal) {
        observe(.refused(refusal.description), step)
        let answer = Answer(step.header.pointee)
        if answer == nil {
            core.logger.warning("the author of a failed envelope is not told", metadata: ["reason": "\(refusal)"])
        }
        send(answer, refusal)
        release(step)
    }

    private func observe(_ event: Hop.Event, _ step: RoutedEnvelope) {
        guard let observer = core.observer else { return }
        observer.observe(core.runtimes[step.header.pointee.target].hop(event, step))
    }

    func release(_ step: RoutedEnvelope) {
        step.release(to: core.pools, worker: core.foreignPool)
    }
}

extension SpoolError {
    /// Whether the spool cannot be written before a restart: what is on disk is not certain any more.
    var isFinal: Bool {
        switch self {
        case .ioFailure, .corrupt, .notASpool, .newerSchema, .closed: true
        case .cannotOpen, .inUse, .diskFull, .readOnly, .busy, .unexpected: false
        }
    }
}
