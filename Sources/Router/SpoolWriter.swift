internal import Dispatch
internal import Foundation
internal import HostServices
internal import Lanes
internal import Logging
internal import Routing
internal import Spool
internal import Synchronization
internal import Telemetry

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
    /// Rows of delivered envelopes that are still on disk: they go with the next commit.
    ///
    /// A crash before that means that they are delivered again, marked as redelivered, unless ``CompletedMarks`` tell.
    private var delivered: [Int64] = []
    /// When they get a commit of their own, in ns of the monotonic clock.
    private var forgetAtNs: UInt64 = 0
    /// Settled deliveries that could not be recorded.
    private var lostCount = 0
    private var lastError: SpoolError?
    /// Where it is written why envelopes did not get on.
    var envelopeLog: EnvelopeLog
    /// What the operator wants with dead letters.
    let requests = NIOLockedValueBox(DeadLetterRequests())
    /// When to look for expired rows of instances that do not run, in ns of the monotonic clock.
    var nextSweepNs: UInt64 = 0

    /// Steps of one commit, apart from those that are tried again.
    private static let batchMax = 1024
    /// Delivered rows that wait for a commit at most.
    private static let deliveredMax = 1024
    /// How long they wait for one at most, in ns.
    private static let forgetPauseNs: UInt64 = 50_000_000
    /// How long after a commit that failed the next is tried, in ns.
    private static let retryPauseNs: UInt64 = 500_000_000

    init(core: RouterCore, store: any SpoolStore) {
        self.core = core
        self.store = store
        self.envelopeLog = EnvelopeLog(core.logger)
        self.lane = Lane(producers: core.contexts.count, capacity: core.options.limits.spoolLaneCapacity)
        self.words = Array(repeating: 0, count: Self.batchMax)
        self.unsentResults = Array(repeating: [], count: core.contexts.count)
        adoptRuntimes()
    }

    func start() {
        let thread = Thread {
            SystemThread.setName("spool")
            self.run()
        }
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

    /// Wakes the thread, whatever it sleeps for.
    ///
    /// Any thread.
    func wake() {
        awake.signal()
    }

    // MARK: The thread

    private func run() {
        while true {
            // Before the steps are taken: what was sent before the end was asked for is then among them.
            let isLast = isStopping.load(ordering: .acquiring)
            let closing = closingDestinations()
            let (steps, taken) = takeSteps()
            adoptRuntimes()
            if !steps.isEmpty || isCommitDue(atOnce: isLast || !closing.isEmpty) { perform(steps) }
            if taken < Self.batchMax, !hasUnrecorded || core.isSpoolLost { close(closing) }
            let hasAnswered = performRequests()
            let isFilled = !isLast && fillDestinations()
            releaseWithheld()
            sendAnswers()
            guard taken == 0, !isFilled, !hasAnswered else { continue }
            if isLast { break }
            sleep()
        }
        end()
    }

    /// Takes what the workers have sent: the steps to be made at once, and how many there were in all.
    private func takeSteps() -> (steps: [RoutedEnvelope], taken: Int) {
        let count = words.withUnsafeMutableBufferPointer { lane.pop(into: $0) }
        guard count > 0 else { return ([], 0) }
        core.grantRoom(lane.takeRoomWaiters())
        var steps: [RoutedEnvelope] = []
        for word in words[..<count] {
            let step = RoutedEnvelope(word: word)
            if step.header.pointee.step == .forget { forget(step) } else { steps.append(step) }
        }
        return (steps, count)
    }

    /// Notes a delivered envelope, to be forgotten with the next commit.
    private func forget(_ step: RoutedEnvelope) {
        if delivered.isEmpty { forgetAtNs = HostClock.monotonicNs() + Self.forgetPauseNs }
        delivered.append(step.header.pointee.sequence)
        release(step)
    }

    /// Whether what waits for a commit has waited for long enough.
    private func isCommitDue(atOnce: Bool) -> Bool {
        guard hasUnrecorded else { return false }
        if atOnce { return true }
        let now = HostClock.monotonicNs()
        guard lastError == nil else { return now >= settleAgainAtNs }
        return !unsettled.isEmpty || delivered.count >= Self.deliveredMax || now >= forgetAtNs
    }

    /// Makes deletions that wait for a commit, so that what is read now is not delivered already.
    func forgetDelivered() {
        if !delivered.isEmpty { perform([]) }
    }

    /// Whether something is settled that is not recorded yet.
    private var hasUnrecorded: Bool { !unsettled.isEmpty || !delivered.isEmpty }

    /// Whether something is settled that could not be recorded.
    private var isBehind: Bool { !unsettled.isEmpty || (lastError != nil && !delivered.isEmpty) }

    private func fillDestinations() -> Bool {
        if isRoomGranted.exchange(false, ordering: .acquiring) {
            for destination in destinations { destination.roomGranted() }
        }
        // While the spool cannot be written, more deliveries would only make more that cannot be settled.
        guard !isBehind, !core.isSpoolLost else { return false }
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
        guard !isBehind else { return settleAgainAtNs }
        let nextOwnNs = delivered.isEmpty ? nextSweepNs : min(nextSweepNs, forgetAtNs)
        // A moment that has come since the destinations were looked at counts, too: then there is no sleep.
        return destinations.compactMap(\.nextFillNs).reduce(nextOwnNs) { min($0, $1) }
    }

    private func end() {
        lose(unsettled)
        unsettled = []
        if lostCount > 0 {
            store.leaveUnsettled()
            core.logger.log(
                .error,
                "deliveries that were settled could not be recorded: some may be made again after the next start",
                [.count: "\(lostCount)"]
            )
        }
        for destination in destinations { destination.end() }
        refuseRequests()
        whenEnded.withLockedValue { $0.take() }?.resume()
    }

    // MARK: Commits

    /// Makes steps durable, and sends all on their way.
    func perform(_ steps: [RoutedEnvelope]) {
        let steps = unsettled + steps
        unsettled = []
        guard !core.isSpoolLost else { return fail(steps) }
        do throws(SpoolError) {
            let forgets = delivered.map { SpoolOperation.delivered(sequence: $0) }
            let results = try store.commit(forgets + steps.flatMap { operations(for: $0) })
            delivered.removeAll(keepingCapacity: true)
            if lastError != nil { core.logger.log(.notice, "the spool can be written again", [:]) }
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
            operations = [failure(of: step, .refused)]
        case .exhaust:
            operations = [failure(of: step, .exhausted)]
        case .outlive:
            operations = [failure(of: step, .expired)]
        case .expire:
            operations = [.expired(sequence: header.sequence, at: HostClock.wallMs())]
        case .forget, .deliver, .reload, .unpark, .more, .unread:
            break
        }
        if let notice = step.notice { operations.append(.append(SpoolRecord(notice, core: core))) }
        return operations
    }

    private func failure(of step: RoutedEnvelope, _ cause: DeadLetter.Cause) -> SpoolOperation {
        .failed(
            sequence: step.header.pointee.sequence,
            cause: cause,
            failureClass: step.header.pointee.failureClass,
            reason: step.note,
            at: HostClock.wallMs()
        )
    }

    /// After a commit: answers the sources, passes the stored envelopes on.
    private func finish(_ steps: [RoutedEnvelope], _ results: [AppendResult]) {
        var results = results[...]
        for step in steps {
            switch step.header.pointee.step {
            case .append:
                finishAppend(step, results.popFirst())
            case .reload:
                destination(at: step.header.pointee.target).add(reload: step)
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
            let destination = destination(at: header.pointee.target)
            let answer = Answer(step)
            destination.pass(step)
            if let answer, destination.isFull { destination.withheld.append(answer) } else { send(answer, nil) }
        case .duplicate:
            observe(.duplicate, step)
            send(Answer(step), nil)
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
        if error != lastError { core.logger.log(.error, "the spool could not be written", [.reason: "\(error)"]) }
        lastError = error
        settleAgainAtNs = HostClock.monotonicNs() + Self.retryPauseNs
        guard error.isFinal, !core.isSpoolLost else { return }
        core.loseSpool()
        core.logger.log(
            .critical,
            "the spool is lost: nothing can be stored until the router is restarted",
            [.reason: "\(error)"]
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
        lostCount += delivered.count
        delivered = []
        for step in steps {
            if step.header.pointee.step != .reload { lostCount += 1 }
            release(step)
        }
    }

    private func refuse(_ step: RoutedEnvelope, _ refusal: Refusal) {
        observe(.refused(refusal.description), step)
        let answer = Answer(step)
        let provider = core.runtimes[answer?.source ?? step.header.pointee.target].name
        envelopeLog.write(
            answer == nil ? .warning : .notice,
            answer == nil ? "the author of a failed envelope is not told" : "an envelope was refused",
            step.envelope.pointee,
            provider: provider,
            isHomeward: answer.map { $0.source != 0 } ?? (step.header.pointee.target == 0),
            cause: refusal.code,
            [.reason: refusal.description, .code: refusal.code]
        )
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
        case .ioFailure, .corrupt, .recoveryInterrupted, .notASpool, .newerSchema, .closed: true
        case .cannotOpen, .inUse, .diskFull, .readOnly, .busy, .unexpected: false
        }
    }
}
