internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import NIOCore
internal import PluginHost
internal import Routing
internal import Spool
internal import Telemetry

extension InstanceRuntime {
    func complete(
        _ token: UInt64,
        _ outcome: UnsafePointer<plugboard_outcome_t>,
        from instance: Instance
    ) -> plugboard_status_t {
        // Field by field: what the plugin has written just now, in other widths, is slow to read as a whole.
        let result = outcome.pointee.result
        guard (PLUGBOARD_DELIVERED...PLUGBOARD_FAILED).contains(result) else { return PLUGBOARD_E_INVALID }
        // Few say more than the result.
        if outcome.pointee.reason.count | outcome.pointee.code.count != 0 {
            guard outcome.pointee.reason.isWellFormed, outcome.pointee.code.isWellFormed else {
                return PLUGBOARD_E_INVALID
            }
        }
        let wasFull = inFlight.count >= limits.inFlightMax
        guard let seat = unmanagedSeat(of: instance) else { return PLUGBOARD_E_HANDLE }
        return seat._withUnsafeGuaranteedRef { seat in
            guard let envelope = inFlight.remove(token, heldBy: seat.generation) else { return PLUGBOARD_E_HANDLE }
            seat.heldCount -= 1
            let conversation = envelope.header.pointee.conversation
            switch result {
            case PLUGBOARD_DELIVERED:
                delivered(envelope)
            case PLUGBOARD_DEFERRED:
                deferred(envelope, FailureReason(readABI(outcome)), isLeaving: seat.isLeaving)
            default:
                giveUp(envelope, step: .bury, FailureReason(readABI(outcome)))
            }
            // After the step: what the spool reads again must not bring back what was settled just now.
            if parked.count > 0 { settledParked(conversation) }
            // A full table of envelopes in flight stops the lane, and so may an instance that leaves; this has made room.
            if wasFull || seat.isLeaving { worker.wake() }
            return PLUGBOARD_OK
        }
    }

    @inline(__always)
    private func delivered(_ envelope: RoutedEnvelope) {
        counters.deliveredKinds.add(envelope.envelope.pointee.kind)
        if isObserved { core.observer?.observe(hop(.delivered, envelope)) }
        if envelope.header.pointee.isDurable { context.noteDelivered(envelope) }
        settle(envelope, step: .forget)
    }

    /// Puts an envelope off, and its conversation with it.
    ///
    /// What is not stored cannot be put off: it has failed.
    ///
    /// - Parameter isLeaving: the instance gives way to another.
    func deferred(_ envelope: RoutedEnvelope, _ reason: FailureReason, isLeaving: Bool) {
        let header = envelope.header
        guard header.pointee.isDurable else {
            giveUp(envelope, step: .bury, reason)
            return
        }
        header.pointee.attempts += 1
        let now = HostClock.wallMs()
        let verdict = core.retry.verdict(
            afterAttempts: header.pointee.attempts,
            now: now,
            expiresAt: envelope.envelope.pointee.expires_ms,
            retryAfterMs: reason.retryAfterMs == 0 ? nil : Int64(reason.retryAfterMs),
            random: Double.random(in: 0..<1)
        )
        switch verdict {
        // An instance that leaves says so of all it has no time for: its successor can try at once.
        case .retry(let at): postpone(envelope, until: isLeaving ? now : at, now: now, reason)
        case .exhausted: giveUp(envelope, step: .exhaust, reason)
        case .tooLate: giveUp(envelope, step: .outlive, reason)
        }
    }

    private func postpone(_ envelope: RoutedEnvelope, until at: Int64, now: Int64, _ reason: FailureReason) {
        let header = envelope.header
        counters.deferredKinds.add(envelope.envelope.pointee.kind)
        counters.addFailure(envelope.envelope.pointee.kind, reason.failureClass)
        var fields = reason.fields
        fields[.attempts] = "\(header.pointee.attempts)"
        fields[.retryInMs] = "\(max(0, at - now))"
        log(.info, "a delivery is put off", envelope, reason, fields)
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
            counters.droppedKinds.add(kind)
            log(.debug, "an envelope of the moment was dropped", envelope, reason, reason.fields)
            release(envelope)
            return
        }
        counters.failedKinds.add(kind)
        counters.addFailure(kind, reason.failureClass)
        var fields = reason.fields
        fields[.attempts] = "\(envelope.header.pointee.attempts)"
        log(.notice, "a delivery failed", envelope, reason, fields)
        core.observer?.observe(hop(.failed(reason.text), envelope))
        if let notice = notice(about: envelope, reason) {
            if envelope.header.pointee.isDurable {
                // Both in one commit: a crash can lose neither alone.
                envelope.setNotice(notice)
            } else {
                context.pass(notice, to: notice.header.pointee.target)
            }
        }
        envelope.setNote(reason.text)
        envelope.header.pointee.failureClass = reason.failureClass
        settle(envelope, step: step)
    }

    private func log(
        _ level: Logger.Level,
        _ message: String,
        _ envelope: RoutedEnvelope,
        _ reason: FailureReason,
        _ fields: @autoclosure () -> [LogField: String]
    ) {
        guard level >= core.logger.logLevel else { return }
        context.envelopeLog.write(
            level,
            message,
            envelope.envelope.pointee,
            provider: name,
            isHomeward: index == 0,
            cause: "\(name)\u{0}\(reason.failureClass)",
            fields()
        )
    }

    /// What tells the author that an envelope failed; nil if there is nobody to be told.
    private func notice(about failed: RoutedEnvelope, _ reason: FailureReason) -> RoutedEnvelope? {
        let source = failed.envelope.pointee
        guard source.kind.isAnsweredByFailure else { return nil }
        // Where the author's provider does not run now, the failure waits for it.
        let target = context.table.owner(of: source.from.bytes) ?? core.index(named: source.origin.string)
        guard let target else { return nil }
        return FailureNotice(core: core, worker: context.index).make(about: failed, from: name, to: target, reason)
    }

    /// Hands the envelope to the spool for a last step, or lets go of one that was never there.
    @inline(__always)
    private func settle(_ envelope: RoutedEnvelope, step: RoutedEnvelope.Step) {
        guard envelope.header.pointee.isDurable else {
            release(envelope)
            return
        }
        envelope.header.pointee.step = step
        context.sendStep(envelope)
    }

    // MARK: Parking

    /// Keeps a conversation on disk until a time, in ms since 1970.
    func park(_ conversation: UInt64, key: String, until: Int64) {
        guard parked.park(conversation, key: key) else { return }
        let now = HostClock.wallMs()
        // The time may come from the disk, so it is not trusted to be near.
        let delay = min(max(until, now), now + RetrySchedule.delayLimitMs) - now
        _ = context.worker.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(delay)) { [weak self] in
            guard let self else { return }
            let inFlight = inFlight.count(of: conversation)
            if let key = parked.due(conversation, inFlight: inFlight) { reload(conversation, key: key) }
        }
    }

    /// Notes that one of a conversation's envelopes is no longer in flight.
    func settledParked(_ conversation: UInt64) {
        let inFlight = inFlight.count(of: conversation)
        if let key = parked.settled(conversation, inFlight: inFlight) { reload(conversation, key: key) }
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
