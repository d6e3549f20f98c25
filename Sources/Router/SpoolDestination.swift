internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Spool

/// The spool's way into the lane of one instance. Used on the writer's thread only.
///
/// Stored envelopes go straight into the lane while it has room. When it is full, they stay on disk:
/// from then on everything behind `cursor` is read from there, in order, as the lane drains. Start-up
/// is the same, with the cursor at the very beginning.
final class SpoolDestination {
    private let core: RouterCore
    private let store: any SpoolStore
    private let runtime: InstanceRuntime
    /// Rows up to this sequence have been in the lane.
    private var cursor: Int64 = 0
    /// Rows behind the cursor are on disk and not in memory.
    private var isSpilled = true
    /// How many, as far as was counted.
    private var spilledCount = 0
    /// Off the disk and not yet in the lane, in order.
    private var queue: [RoutedEnvelope] = []
    private var isWaitingForRoom = false
    /// Sources that are answered when the backlog is smaller.
    var withheld: [SpoolWriter.Answer] = []

    /// Rows that are read at once.
    private static let rowsMax = 256

    init(core: RouterCore, store: any SpoolStore, runtime: InstanceRuntime) {
        self.core = core
        self.store = store
        self.runtime = runtime
    }

    /// Whether so much waits that the sources are to be held back.
    var isFull: Bool { isSpilled && spilledCount > core.options.limits.backlogMax }

    /// Whether there are rows to be read and nothing keeps them from the lane.
    var needsFilling: Bool { (isSpilled || !queue.isEmpty) && !isWaitingForRoom }

    /// Passes a stored envelope on, or leaves it on disk.
    func pass(_ envelope: RoutedEnvelope) {
        if !isSpilled, queue.isEmpty, push(envelope) {
            cursor = envelope.header.pointee.sequence
            return
        }
        // `push` has seen to it that the lane's room wakes us.
        isSpilled = true
        spilledCount += 1
        release(envelope)
    }

    /// Lets the consumer know of what was pushed.
    func wakeConsumer() {
        if runtime.lane.shouldWakeConsumer() { runtime.context.worker.wake() }
    }

    /// Moves what the lane has room for from the disk into it; false if nothing moved.
    func fill() -> Bool {
        isWaitingForRoom = false
        var didWork = drainQueue()
        while isSpilled, queue.isEmpty {
            let records: [SpoolRecord]
            do throws(SpoolError) {
                records = try store.loadPending(destination: runtime.name, after: cursor, limit: Self.rowsMax)
            } catch {
                core.logger.error("the spool could not be read", metadata: ["reason": "\(error)"])
                break
            }
            if records.isEmpty {
                isSpilled = false
                spilledCount = 0
                break
            }
            didWork = true
            if let last = records.last { cursor = last.sequence }
            spilledCount = max(0, spilledCount - records.count)
            queue = records.compactMap { restore($0) }
            _ = drainQueue()
        }
        wakeConsumer()
        return didWork
    }

    /// Puts the waiting rows of a parked conversation into the lane, between two marks.
    ///
    /// - Parameter request: the instance's request; becomes the first mark.
    func reload(_ request: RoutedEnvelope) {
        let key = request.takeNote()
        request.header.pointee.step = .unpark
        queue.append(request)
        do throws(SpoolError) {
            let records = try store.load(
                conversation: key,
                destination: runtime.name,
                after: 0,
                limit: Self.rowsMax
            )
            // What lies behind the cursor of a spilled destination comes by that way.
            let due = isSpilled ? records.filter { $0.sequence <= cursor } : records
            queue += due.compactMap { restore($0) }
            if records.count == Self.rowsMax { queue.append(mark(like: request, key: key)) }
        } catch {
            core.logger.error("the spool could not be read", metadata: ["reason": "\(error)"])
        }
        _ = drainQueue()
    }

    private func mark(like request: RoutedEnvelope, key: String) -> RoutedEnvelope {
        let mark = allocate(imageBytes: 0)
        mark.header.pointee = request.header.pointee
        mark.header.pointee.note = nil
        mark.header.pointee.step = .reloadMore
        mark.setNote(key)
        return mark
    }

    private func drainQueue() -> Bool {
        var sent = 0
        while sent < queue.count, push(queue[sent]) { sent += 1 }
        queue.removeFirst(sent)
        // Rows that come off the disk later are behind those in the queue.
        if !queue.isEmpty { isSpilled = true }
        return sent > 0
    }

    /// Pushes one word; false if the lane is full, and then its room will wake the writer.
    private func push(_ envelope: RoutedEnvelope) -> Bool {
        while !runtime.lane.push(envelope.word, producer: core.writerProducer) {
            wakeConsumer()
            guard runtime.lane.waitForRoom(producer: core.writerProducer) else { continue }
            isWaitingForRoom = true
            return false
        }
        return true
    }

    // MARK: Rows and memory

    private func restore(_ record: SpoolRecord) -> RoutedEnvelope? {
        let routed = allocate(imageBytes: record.payload.count)
        let envelope = record.payload.withUnsafeBytes { FlatEnvelope.restore($0, to: routed.image) }
        guard let envelope else {
            release(routed)
            core.logger.error(
                "a stored envelope cannot be read and becomes a dead letter",
                metadata: ["sequence": "\(record.sequence)"]
            )
            let failed = SpoolOperation.failed(
                sequence: record.sequence,
                reason: "its stored form is damaged",
                at: HostClock.wallMs()
            )
            _ = try? store.commit([failed])
            return nil
        }
        if record.attempts > 0 { envelope.pointee.flags |= PLUGBOARD_ENVELOPE_REDELIVERED }
        let header = routed.header
        header.pointee.isDurable = true
        header.pointee.isReloaded = true
        header.pointee.target = runtime.index
        header.pointee.sequence = record.sequence
        header.pointee.attempts = record.attempts
        header.pointee.createdAt = record.createdAt
        header.pointee.conversation = InstanceRuntime.conversation(envelope.pointee)
        return routed
    }

    private func allocate(imageBytes: Int) -> RoutedEnvelope {
        let bytes = RoutedEnvelope.imageOffset + imageBytes
        return RoutedEnvelope(
            uninitialized: core.pools.allocate(byteCount: bytes, worker: core.writerPool),
            imageBytes: imageBytes
        )
    }

    private func release(_ envelope: RoutedEnvelope) {
        _ = envelope.takeNote()
        core.pools.release(envelope.block, worker: core.writerPool)
    }
}

extension SpoolRecord {
    /// The record of an envelope that is to be stored.
    init(_ routed: RoutedEnvelope, core: RouterCore) {
        let envelope = routed.envelope.pointee
        let header = routed.header.pointee
        self.init(
            destination: core.runtimes[header.target].name,
            conversation: routed.conversationKey,
            source: header.source < 0 ? "router" : core.runtimes[header.source].name,
            remoteID: Self.remoteID(envelope),
            idempotencyKey: withUnsafeBytes(of: envelope.idempotency_key) { key in
                IdempotencyKey(
                    high: key.loadUnaligned(as: UInt64.self).bigEndian,
                    low: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
                )
            },
            createdAt: header.createdAt,
            expiresAt: envelope.expires_ms,
            payload: FlatEnvelope.stored(routed.envelope, byteCount: header.imageBytes)
        )
    }

    /// The source network's id of it, with the author's device: many clients count from 1 in each session.
    private static func remoteID(_ envelope: plugboard_envelope_t) -> String? {
        guard envelope.id.count > 0, envelope.id.count + envelope.from_device.count < remoteIDBytesMax else {
            return nil
        }
        return "\(envelope.id.string) \(envelope.from_device.string) \(contentHash(envelope))"
    }

    private static let remoteIDBytesMax = 1000

    /// A hash of a message's text, the same in every process: an id that a client uses again for another
    /// text is another message. FNV-1a, 64 bits.
    private static func contentHash(_ envelope: plugboard_envelope_t) -> UInt64 {
        guard envelope.kind == PLUGBOARD_MESSAGE, let content = envelope.content else { return 0 }
        let text = content.load(as: plugboard_message_t.self).text.bytes
        return text.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
