internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Spool
internal import Synchronization
internal import Telemetry

/// The spool's way into the lane of one instance.
///
/// Used on the writer's thread only.
///
/// Stored envelopes go straight into the lane while it has room. When it is full, they stay on disk:
/// from then on everything behind `cursor` is read from there, in order, as the lane drains. Start-up
/// is the same, with the cursor at the very beginning.
///
/// Each row comes into the lane once, except when its conversation is read again; the instance asks for that
/// when it has let go of all of the conversation.
final class SpoolDestination {
    private unowned let core: RouterCore
    private let store: any SpoolStore
    let runtime: InstanceRuntime
    /// Rows up to this sequence have been in the lane, or are in `queue`.
    private var cursor: Int64 = 0
    /// Rows behind the cursor may be on disk and not in memory.
    private var isSpilled = true
    /// How many, as far as was counted.
    private var spilledCount = 0
    /// Off the disk and not yet in the lane, in order; at most two pages.
    private var queue: [RoutedEnvelope] = []
    /// Conversations that are to be read again, in the order in which they were asked for.
    private var reloads: ArraySlice<RoutedEnvelope> = []
    /// The lane was full; its room wakes us.
    private var isWaitingForRoom = false
    /// The provider was stopped; what comes stays on disk.
    private var isClosed = false
    /// After a read that failed: not to be tried before, in ns of the monotonic clock.
    private var readAgainAtNs: UInt64 = 0
    /// Sources that are answered when the backlog is smaller.
    var withheld: [SpoolWriter.Answer] = []

    /// Rows that are read at once; more than an instance is offered at once, see ``reload(_:)``.
    static let rowsMax = 256
    /// How long after a read that failed the next is tried, in ns.
    private static let readPauseNs: UInt64 = 1_000_000_000

    init(core: RouterCore, store: any SpoolStore, runtime: InstanceRuntime) {
        self.core = core
        self.store = store
        self.runtime = runtime
    }

    /// Whether so much waits that the sources are to be held back.
    var isFull: Bool {
        let limits = core.options.limits
        return (isSpilled && spilledCount > limits.backlogMax)
            || runtime.parkedCount.load(ordering: .relaxed) > limits.parkedMax
    }

    /// When there is something to be moved that only the time keeps from the lane, in ns of the monotonic clock.
    ///
    /// It may have passed; nil if nothing waits, or if it waits for somebody who will wake the thread.
    var nextFillNs: UInt64? {
        guard isSpilled || !queue.isEmpty || !reloads.isEmpty else { return nil }
        guard !isWaitingForRoom, runtime.isOpen.load(ordering: .acquiring) else { return nil }
        return readAgainAtNs
    }

    /// Whether there is something to be moved, and nothing keeps it from the lane.
    func needsFilling(nowNs: UInt64) -> Bool {
        nextFillNs.map { nowNs >= $0 } ?? false
    }

    /// Passes a stored envelope on, or leaves it on disk.
    func pass(_ envelope: RoutedEnvelope) {
        // Once it is in the lane it is the other thread's.
        let sequence = envelope.header.pointee.sequence
        // It may not overtake what is on disk or in the queue.
        if !isSpilled, queue.isEmpty, push(envelope) {
            cursor = sequence
            return
        }
        isSpilled = true
        spilledCount += 1
        release(envelope)
    }

    /// Notes rows that are on disk and have never been in memory.
    func addStored(_ count: Int) {
        isSpilled = true
        spilledCount += count
    }

    /// Asks for the waiting rows of a conversation to be read again.
    ///
    /// - Parameter request: of step `reload`, with the conversation's key.
    func add(reload request: RoutedEnvelope) {
        guard !isClosed else { return release(request) }
        reloads.append(request)
    }

    /// Lets the consumer know of what was pushed.
    func wakeConsumer() {
        runtime.wakeConsumer()
    }

    /// The lane has room, or somebody thinks so.
    func roomGranted() {
        isWaitingForRoom = false
    }

    /// Moves one page from the disk into the lane, as far as there is room; false if nothing moved.
    func fill() -> Bool {
        defer { wakeConsumer() }
        isClosed = false
        if queue.isEmpty {
            if let request = reloads.popFirst() {
                reload(request)
            } else if !loadPage() {
                return false
            }
            drainQueue()
            return true
        }
        return drainQueue() > 0
    }

    /// Whether the provider was stopped, and this has not been closed since.
    var isClosing: Bool { runtime.closing.load(ordering: .acquiring) == Closing.asked.rawValue }

    /// Puts nothing into the lane until the provider is open again; then it begins at the oldest row.
    func close() {
        end()
        isClosed = true
        runtime.closing.store(Closing.closed.rawValue, ordering: .releasing)
        cursor = 0
        isSpilled = true
        spilledCount = 0
        isWaitingForRoom = false
    }

    /// Lets go of everything.
    func end() {
        for envelope in queue + reloads { release(envelope) }
        queue = []
        reloads = []
    }

    // MARK: Reading

    /// Reads the next rows of all conversations; false if there are none.
    private func loadPage() -> Bool {
        let records: [SpoolRecord]
        do throws(SpoolError) {
            records = try store.loadPending(destination: runtime.name, after: cursor, limit: Self.rowsMax)
        } catch {
            readFailed(error)
            return false
        }
        guard let last = records.last else {
            // All that was stored up to now has been passed, for both happens on this thread.
            isSpilled = false
            spilledCount = 0
            return false
        }
        cursor = last.sequence
        spilledCount = max(0, spilledCount - records.count)
        queue = records.compactMap { restore($0) }
        return true
    }

    /// Reads the waiting rows of a parked conversation: the request becomes the mark in front of them.
    ///
    /// A long conversation comes in pages. The mark behind a page parks it again, which drops what the provider was not
    /// offered yet; a page is longer than that can be, so each makes some progress.
    private func reload(_ request: RoutedEnvelope) {
        let records: [SpoolRecord]
        do throws(SpoolError) {
            records = try store.load(
                conversation: request.note,
                destination: runtime.name,
                after: 0,
                limit: Self.rowsMax
            )
        } catch {
            readFailed(error)
            request.header.pointee.step = .unread
            request.header.pointee.retryAt = HostClock.wallMs() + Int64(Self.readPauseNs / 1_000_000)
            queue.append(request)
            return
        }
        // What lies behind the cursor comes by that way.
        let due = records.filter { $0.sequence <= cursor }
        let mark = due.count == Self.rowsMax ? more(like: request) : nil
        request.header.pointee.step = .unpark
        queue.append(request)
        queue += due.compactMap { restore($0) }
        if let mark { queue.append(mark) }
    }

    private func more(like request: RoutedEnvelope) -> RoutedEnvelope {
        let mark = RoutedEnvelope(imageBytes: 0, from: core.pools, worker: core.foreignPool)
        mark.header.pointee.step = .more
        mark.header.pointee.target = request.header.pointee.target
        mark.header.pointee.conversation = request.header.pointee.conversation
        mark.setNote(request.note)
        return mark
    }

    private func readFailed(_ error: SpoolError) {
        core.logger.log(.error, "the spool could not be read", [.provider: runtime.name, .reason: "\(error)"])
        readAgainAtNs = HostClock.monotonicNs() + Self.readPauseNs
    }

    /// Makes an envelope of a row; nil, and a dead letter, if the row is damaged.
    private func restore(_ record: SpoolRecord) -> RoutedEnvelope? {
        guard record.damage != .unreadable else {
            core.logger.log(
                .error,
                "a stored envelope can be neither read nor removed: stop the router and run 'plugboard spool recover'",
                [.provider: runtime.name, .sequence: "\(record.sequence)"]
            )
            return nil
        }
        do throws(FlatEnvelope.StoredFlaw) {
            return try RoutedEnvelope(restoring: record, from: store, core: core, target: runtime.index)
        } catch {
            bury(record, error)
            return nil
        }
    }

    /// Makes a row that is no envelope a dead letter.
    private func bury(_ record: SpoolRecord, _ flaw: FlatEnvelope.StoredFlaw) {
        let (cause, reason): (DeadLetter.Cause, String) =
            switch flaw {
            case .damaged: (.damaged, "its stored form is damaged")
            case .newer: (.newer, "a newer version of the router has stored it: run that one again and retry it")
            }
        core.logger.log(
            .error,
            "a stored envelope cannot be read and becomes a dead letter",
            [
                .provider: runtime.name, .sequence: "\(record.sequence)", .messageID: record.remoteID ?? "",
                .reason: reason,
            ]
        )
        let failed = SpoolOperation.failed(
            sequence: record.sequence,
            cause: cause,
            failureClass: PLUGBOARD_CLASS_INTERNAL,
            reason: reason,
            at: HostClock.wallMs()
        )
        do throws(SpoolError) {
            _ = try store.commit([failed])
        } catch {
            core.logger.log(.error, "the spool could not be written", [.reason: "\(error)"])
        }
    }

    // MARK: Into the lane

    /// Pushes what the lane has room for; says how many.
    @discardableResult
    private func drainQueue() -> Int {
        var sent = 0
        while sent < queue.count, push(queue[sent]) { sent += 1 }
        queue.removeFirst(sent)
        return sent
    }

    /// Pushes one word; false if the lane is full, and then its room will wake the writer.
    private func push(_ envelope: RoutedEnvelope) -> Bool {
        while !runtime.lane.push(envelope.word, producer: core.writerProducer) {
            wakeConsumer()
            // False means that room came up meanwhile: push again.
            guard runtime.lane.waitForRoom(producer: core.writerProducer) else { continue }
            isWaitingForRoom = true
            return false
        }
        return true
    }

    private func release(_ envelope: RoutedEnvelope) {
        envelope.release(to: core.pools, worker: core.foreignPool)
    }
}

extension RoutedEnvelope {
    /// Makes an envelope of a stored row, in memory of the pool for threads that are no worker.
    ///
    /// - Throws: why the row is no envelope.
    init(
        restoring record: SpoolRecord,
        from store: any SpoolStore,
        core: RouterCore,
        target: Int
    ) throws(FlatEnvelope.StoredFlaw) {
        guard record.damage == nil else { throw .damaged }
        let form = try record.payload.span.bytes.withUnsafeBytes { bytes throws(FlatEnvelope.StoredFlaw) in
            try FlatEnvelope.storedForm(bytes)
        }
        guard form.byteCount <= SlabPools.slabBytesMax - Self.imageOffset else { throw .damaged }
        self.init(imageBytes: form.byteCount, from: core.pools, worker: core.foreignPool)
        guard let envelope = record.payload.withUnsafeBytes({ FlatEnvelope.restore($0, form, to: image) }) else {
            release(to: core.pools, worker: core.foreignPool)
            throw .damaged
        }
        if record.attempts > 0 || record.sequence <= store.uncertainUpTo {
            envelope.pointee.flags |= PLUGBOARD_ENVELOPE_REDELIVERED
        }
        header.pointee.isDurable = true
        header.pointee.target = target
        header.pointee.sequence = record.sequence
        header.pointee.attempts = record.attempts
        header.pointee.retryAt = record.nextAttemptAt
        header.pointee.createdAt = record.createdAt
        header.pointee.conversation = Self.conversation(envelope.pointee)
    }
}
