internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Routing

extension InstanceRuntime: EnvelopeRouter {
    func submit(
        _ envelope: UnsafePointer<plugboard_envelope_t>,
        cookie: UInt64,
        from instance: Instance
    ) -> plugboard_status_t {
        let imageBytes: Int
        do throws(FlatEnvelope.Flaw) {
            imageBytes = try FlatEnvelope.measure(envelope)
        } catch {
            return error == .tooLarge ? PLUGBOARD_E_LIMIT : PLUGBOARD_E_INVALID
        }
        guard let seat = seat(of: instance) else { return PLUGBOARD_E_SHUTDOWN }
        // A claim counts from the call on.
        core.publishIfOld()
        let now = HostClock.wallMs()
        let question = RouteTable.Question(
            from: envelope.pointee.from.bytes,
            to: envelope.pointee.to.bytes,
            source: index,
            hops: envelope.pointee.hops,
            expires: envelope.pointee.expires_ms,
            now: now
        )
        switch context.table.decide(question) {
        case .refuse(let refusal):
            refuse(envelope, cookie: cookie, refusal, for: seat)
            return PLUGBOARD_OK
        case .deliver(let target):
            guard core.isDurable, envelope.pointee.kind.isDurableKind else {
                return pass(copy(envelope, imageBytes, to: target, cookie: cookie, now: now, for: seat), for: seat)
            }
            guard !core.isSpoolLost else {
                refuse(envelope, cookie: cookie, .spoolFailed("see the router's log"), for: seat)
                return PLUGBOARD_OK
            }
            guard credits > 0, context.hasRoomForSteps else { return busy(seat) }
            store(copy(envelope, imageBytes, to: target, cookie: cookie, now: now, for: seat))
            return PLUGBOARD_OK
        }
    }

    /// Copies a borrowed envelope into the pool, with what the router adds to it.
    private func copy(
        _ source: UnsafePointer<plugboard_envelope_t>,
        _ imageBytes: Int,
        to target: Int,
        cookie: UInt64,
        now: Int64,
        for seat: Seat
    ) -> RoutedEnvelope {
        let nameBytes = name.utf8.count
        let routed = allocate(imageBytes: imageBytes + nameBytes)
        var named = source.pointee
        let envelope = withNameBytes { name in
            named.origin = name
            return FlatEnvelope.copy(&named, to: routed.image)
        }
        // What the source itself wrote there was measured but not copied.
        routed.header.pointee.imageBytes = imageBytes - source.pointee.origin.count + nameBytes
        envelope.pointee.token = 0
        // That an envelope was tried before is the router's to say.
        envelope.pointee.flags &= PLUGBOARD_ENVELOPE_DELAYED
        envelope.pointee.hops += 1
        if envelope.pointee.timestamp_ms == 0 { envelope.pointee.timestamp_ms = now }
        if envelope.pointee.expires_ms == 0 { envelope.pointee.expires_ms = now + core.expireMs }
        withUnsafeMutableBytes(of: &envelope.pointee.idempotency_key) { HostRandom.fill($0) }
        routed.header.pointee.source = index
        routed.header.pointee.generation = seat.generation
        routed.header.pointee.target = target
        routed.header.pointee.cookie = cookie
        routed.header.pointee.createdAt = now
        routed.header.pointee.conversation = RoutedEnvelope.conversation(envelope.pointee)
        return routed
    }

    /// Lends the bytes of the instance's name.
    private func withNameBytes<R>(_ body: (plugboard_bytes_t) -> R) -> R {
        var name = name
        return name.withUTF8 { body(plugboard_bytes_t(start: $0.baseAddress, count: $0.count)) }
    }

    // MARK: The two ways on

    /// To the disk first; the answer comes with the spool's.
    private func store(_ routed: RoutedEnvelope) {
        counters.submitted += 1
        credits -= 1
        routed.header.pointee.isDurable = true
        routed.header.pointee.step = .append
        core.observer?.observe(hop(.submitted, routed))
        context.sendStep(routed)
    }

    /// Into the lane of the target at once.
    private func pass(_ routed: RoutedEnvelope, for seat: Seat) -> plugboard_status_t {
        let target = core.runtimes[routed.header.pointee.target]
        let cookie = routed.header.pointee.cookie
        if let observer = core.observer {
            // To be told before the target's worker tells what follows, and once however often it is tried.
            guard !target.lane.waitForRoom(producer: context.index) else {
                release(routed)
                return busy(seat)
            }
            observer.observe(hop(.submitted, routed))
        }
        guard context.push(routed, to: target) else {
            release(routed)
            return busy(seat)
        }
        counters.submitted += 1
        if cookie != 0 { answer(cookie, nil, seat.generation) }
        return PLUGBOARD_OK
    }

    private func busy(_ seat: Seat) -> plugboard_status_t {
        counters.busy += 1
        seat.isWaitingForRoom = true
        return PLUGBOARD_BUSY
    }

    // MARK: Answers

    private func refuse(
        _ envelope: UnsafePointer<plugboard_envelope_t>,
        cookie: UInt64,
        _ refusal: Refusal,
        for seat: Seat
    ) {
        counters.submitted += 1
        counters.refused += 1
        let source = envelope.pointee
        core.logger.notice(
            "an envelope was refused",
            metadata: [
                "instance": "\(name)", "reason": "\(refusal)", "code": "\(refusal.code)",
                "kind": "\(source.kind.kindName)", "from": "\(source.from.string)", "to": "\(source.to.string)",
            ]
        )
        core.observer?.observe(hop(.refused(refusal.description), source))
        if cookie != 0 { answer(cookie, refusal, seat.generation) }
    }

    private func answer(_ cookie: UInt64, _ refusal: Refusal?, _ generation: UInt16) {
        if untold.isEmpty { context.worker.enqueue { _ = self.tellResults() } }
        untold.append(Answer(cookie: cookie, refusal: refusal, generation: generation))
    }

    /// Takes the spool's answer to an append.
    func appended(_ result: SpoolWriter.Result) {
        credits += 1
        if result.refusal != nil { counters.refused += 1 }
        if result.cookie != 0 { answer(UInt64(result.cookie), result.refusal, result.generation) }
    }

    /// Tells the instance what became of its submits; false if there is nothing to tell.
    func tellResults() -> Bool {
        guard !untold.isEmpty else { return false }
        let generation = seat?.generation
        if untold.contains(where: { $0.generation != generation }) { tellOthers() }
        let answers = untold
        untold = []
        if let instance, !answers.isEmpty { tell(answers, to: instance) }
        return true
    }

    /// Tells one instance what became of its submits.
    func tell(_ answers: [Answer], to instance: Instance) {
        let sentences = answers.map { $0.refusal?.description ?? "" }
        let codes = answers.map { $0.refusal?.code ?? "" }
        withTexts(sentences + codes) { texts in
            let outcomes = answers.indices.map { index in
                plugboard_outcome_t(
                    struct_size: UInt32(MemoryLayout<plugboard_outcome_t>.size),
                    result: answers[index].refusal == nil ? PLUGBOARD_ACCEPTED : PLUGBOARD_FAILED,
                    failure_class: answers[index].refusal?.failureClass ?? PLUGBOARD_CLASS_NONE,
                    flags: 0,
                    retry_after_ms: 0,
                    reason: texts[index],
                    code: texts[answers.count + index]
                )
            }
            outcomes.withUnsafeBufferPointer { outcomes in
                let results = answers.indices.map { index in
                    plugboard_submitted_t(
                        struct_size: UInt32(MemoryLayout<plugboard_submitted_t>.size),
                        reserved: 0,
                        cookie: answers[index].cookie,
                        outcome: outcomes.baseAddress.map { $0 + index }
                    )
                }
                results.withUnsafeBufferPointer { instance.submitted($0) }
            }
        }
    }

    // MARK: Claims

    func claim(_ scope: UInt32, _ subject: plugboard_bytes_t, by instance: Instance) -> plugboard_status_t {
        guard let seat = seat(of: instance), !seat.isLeaving else { return PLUGBOARD_E_SHUTDOWN }
        let text = subject.string
        let status: plugboard_status_t
        switch scope {
        case PLUGBOARD_CLAIM_DOMAIN where !text.contains("@"):
            status = core.claim(RouteTable.Claim(.domain, text, owner: index))
        case PLUGBOARD_CLAIM_ADDRESS where text.dropFirst().dropLast().contains("@"):
            status = core.claim(RouteTable.Claim(.address, text, owner: index))
        default:
            return PLUGBOARD_E_INVALID
        }
        if status == PLUGBOARD_OK { seat.claims.insert(text) }
        return status
    }
}
