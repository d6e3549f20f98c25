internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import NIOCore
internal import PluginHost
internal import Routing
internal import Spool

/// Why a delivery did not succeed, copied out of what the plugin lent.
struct FailureReason {
    var failureClass: UInt16
    var text: String
    var code: String
    var isUncertain = false
    var retryAfterMs: UInt32 = 0

    /// The most characters of a reason that are kept.
    static let textMax = 1024

    init(_ outcome: plugboard_outcome_t) {
        failureClass = outcome.failure_class
        text = String(outcome.reason.string.prefix(Self.textMax))
        code = String(outcome.code.string.prefix(Self.textMax))
        isUncertain = outcome.flags & PLUGBOARD_OUTCOME_UNCERTAIN != 0
        retryAfterMs = outcome.retry_after_ms
    }

    init(_ refusal: Refusal) {
        failureClass = refusal.failureClass
        text = refusal.description
        code = refusal.code
    }
}

extension InstanceRuntime {
    func complete(
        _ token: UInt64,
        _ outcome: UnsafePointer<plugboard_outcome_t>,
        from instance: Instance
    ) -> plugboard_status_t {
        let source = outcome.pointee
        guard (PLUGBOARD_DELIVERED...PLUGBOARD_FAILED).contains(source.result), source.reason.isWellFormed,
            source.code.isWellFormed
        else { return PLUGBOARD_E_INVALID }
        guard let envelope = inFlight.remove(token) else { return PLUGBOARD_E_HANDLE }
        let conversation = envelope.header.pointee.conversation
        switch source.result {
        case PLUGBOARD_DELIVERED:
            delivered(envelope)
        case PLUGBOARD_DEFERRED:
            deferred(envelope, FailureReason(source))
        default:
            giveUp(envelope, step: .bury, FailureReason(source))
        }
        settledParked(conversation)
        // A full table of envelopes in flight stops the lane; this may have made room.
        if inFlight.count == core.options.limits.inFlightMax - 1 { context.worker.wake() }
        return PLUGBOARD_OK
    }

    private func delivered(_ envelope: RoutedEnvelope) {
        counters.delivered += 1
        core.observer?.observe(hop(.delivered, envelope))
        settle(envelope, step: .forget)
    }

    /// Puts an envelope off, and its conversation with it.
    private func deferred(_ envelope: RoutedEnvelope, _ reason: FailureReason) {
        let header = envelope.header
        guard header.pointee.isDurable else {
            giveUp(envelope, step: .bury, reason)
            return
        }
        header.pointee.attempts += 1
        let now = HostClock.wallMs()
        let verdict = core.options.retry.verdict(
            afterAttempts: header.pointee.attempts,
            now: now,
            expiresAt: envelope.envelope.pointee.expires_ms,
            retryAfterMs: reason.retryAfterMs == 0 ? nil : Int64(reason.retryAfterMs),
            random: Double.random(in: 0..<1)
        )
        guard case .retry(let at) = verdict else {
            giveUp(envelope, step: .bury, reason)
            return
        }
        counters.deferred += 1
        core.logger.info(
            "a delivery is put off",
            metadata: [
                "instance": "\(name)", "reason": "\(reason.text)", "attempts": "\(header.pointee.attempts)",
                "again-in-ms": "\(at - now)", "to": "\(envelope.envelope.pointee.to.string)",
            ]
        )
        core.observer?.observe(hop(.deferred(reason.text, until: at), envelope))
        park(header.pointee.conversation, key: envelope.conversationKey, until: at)
        header.pointee.retryAt = at
        envelope.setNote(reason.text)
        settle(envelope, step: .defer)
    }

    /// Ends an envelope's journey without success: its author is told, the dead letters keep it.
    func giveUp(_ envelope: RoutedEnvelope, step: RoutedEnvelope.Step, _ reason: FailureReason) {
        let kind = envelope.envelope.pointee.kind
        guard kind.isDurableKind else {
            counters.dropped += 1
            release(envelope)
            return
        }
        counters.failed += 1
        core.logger.notice(
            "a delivery failed",
            metadata: [
                "instance": "\(name)", "reason": "\(reason.text)", "kind": "\(kind.kindName)",
                "from": "\(envelope.envelope.pointee.from.string)", "to": "\(envelope.envelope.pointee.to.string)",
            ]
        )
        core.observer?.observe(hop(.failed(reason.text), envelope))
        // A failure's failure is nobody's news.
        if kind != PLUGBOARD_FAILURE { tellAuthor(of: envelope, reason) }
        envelope.setNote(reason.text)
        settle(envelope, step: step)
    }

    /// Hands the envelope to the spool for a last step, or lets go of one that was never there.
    private func settle(_ envelope: RoutedEnvelope, step: RoutedEnvelope.Step) {
        guard envelope.header.pointee.isDurable else {
            release(envelope)
            return
        }
        envelope.header.pointee.step = step
        context.sendStep(envelope)
    }

    // MARK: Failures

    /// Sends a failure back to the author, by the instance that the envelope came from.
    private func tellAuthor(of failed: RoutedEnvelope, _ reason: FailureReason) {
        let source = failed.envelope.pointee
        guard let target = context.table.owner(of: source.from.bytes) else { return }
        withTexts([reason.text, reason.code]) { texts in
            let content = plugboard_failure_t(
                struct_size: UInt32(MemoryLayout<plugboard_failure_t>.size),
                failure_class: reason.failureClass,
                failed_kind: source.kind,
                flags: reason.isUncertain ? PLUGBOARD_OUTCOME_UNCERTAIN : 0,
                reserved: 0,
                message_id: source.id,
                reason: texts[0],
                code: texts[1]
            )
            withUnsafePointer(to: content) { content in
                var notice = plugboard_envelope_t()
                notice.struct_size = UInt32(MemoryLayout<plugboard_envelope_t>.size)
                notice.kind = PLUGBOARD_FAILURE
                (notice.from, notice.from_device) = (source.to, source.to_device)
                (notice.to, notice.to_device) = (source.from, source.from_device)
                notice.conversation = source.conversation
                notice.account = source.account
                notice.timestamp_ms = HostClock.wallMs()
                notice.expires_ms = notice.timestamp_ms + core.options.expireMs
                notice.content = UnsafeRawPointer(content)
                send(notice: &notice, to: target)
            }
        }
    }

    private func send(notice: UnsafePointer<plugboard_envelope_t>, to target: Int) {
        guard let imageBytes = try? FlatEnvelope.measure(notice) else { return }
        let routed = allocate(imageBytes: imageBytes)
        let envelope = FlatEnvelope.copy(notice, to: routed.image)
        withUnsafeMutableBytes(of: &envelope.pointee.idempotency_key) { HostRandom.fill($0) }
        routed.header.pointee.target = target
        routed.header.pointee.createdAt = notice.pointee.timestamp_ms
        routed.header.pointee.conversation = Self.conversation(envelope.pointee)
        routed.header.pointee.isDurable = core.isDurable
        if core.isDurable {
            routed.header.pointee.step = .append
            context.sendStep(routed)
            return
        }
        let runtime = core.runtimes[target]
        guard runtime.lane.push(routed.word, producer: context.index) else {
            core.logger.warning("the author of a failed envelope could not be told: the lane is full")
            release(routed)
            return
        }
        if runtime.lane.shouldWakeConsumer() { runtime.context.worker.wake() }
    }

    // MARK: Parking

    /// Keeps a conversation on disk until a time, in ms since 1970.
    func park(_ conversation: UInt64, key: String, until: Int64) {
        let held = inFlight.count(of: conversation)
        guard parked.park(conversation, key: key, inFlight: held) else { return }
        let delay = max(0, until - HostClock.wallMs())
        _ = context.worker.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(delay)) { [weak self] in
            guard let self, let key = parked.due(conversation) else { return }
            reload(conversation, key: key)
        }
    }

    /// Notes that one of a conversation's envelopes is no longer in flight.
    func settledParked(_ conversation: UInt64) {
        if let key = parked.settled(conversation) { reload(conversation, key: key) }
    }

    /// Asks the spool for what waits of a conversation.
    private func reload(_ conversation: UInt64, key: String) {
        let request = allocate(imageBytes: 0)
        request.header.pointee.step = .reload
        request.header.pointee.target = index
        request.header.pointee.conversation = conversation
        request.setNote(key)
        context.sendStep(request)
    }
}
