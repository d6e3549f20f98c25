internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Routing
internal import Telemetry

extension InstanceRuntime: EnvelopeRouter {
    func submit(
        _ envelope: UnsafePointer<plugboard_envelope_t>,
        cookie: UInt64,
        from instance: Instance
    ) -> plugboard_status_t {
        guard envelope.pointee.struct_size >= ABISize.envelope else { return PLUGBOARD_E_INVALID }
        // First of all, so that memory answers while the rest is done: the look-up of one of a million recipients waits for
        // it longer than all else takes. That is also why the envelope is copied before it is known to be routed.
        let recipient = context.locate(envelope.pointee.to)
        let imageBytes: Int
        do throws(FlatEnvelope.Flaw) {
            imageBytes = try FlatEnvelope.measure(envelope)
        } catch {
            return refuse(unchecked: envelope, error)
        }
        guard let seat = unmanagedSeat(of: instance) else { return PLUGBOARD_E_SHUTDOWN }
        return seat._withUnsafeGuaranteedRef { seat in
            if budget != nil, isOverBudget() { return busy(seat) }
            return submit(envelope, imageBytes, cookie: cookie, to: recipient, for: seat)
        }
    }

    /// Copies an envelope that was checked, and sends it on its way.
    @inline(__always)
    private func submit(
        _ envelope: UnsafePointer<plugboard_envelope_t>,
        _ imageBytes: Int,
        cookie: UInt64,
        to recipient: RouteTable.Located,
        for seat: Seat
    ) -> plugboard_status_t {
        let now = context.coarseNow()
        let isStored = isDurable && envelope.pointee.kind.isDurableKind
        let routed = copy(envelope, imageBytes, cookie: cookie, now: now)
        routed.header.pointee.generation = seat.generation
        let (hops, expires) = (envelope.pointee.hops, envelope.pointee.expires_ms)
        let from = UnsafeRawBufferPointer(start: envelope.pointee.from.start, count: envelope.pointee.from.count)
        var target = -1
        if hops < RouteTable.hopsMax, expires == 0 || expires > now {
            target = context.target(from: from, source: index, to: recipient)
        }
        if target < 0 {
            let question = RouteTable.Question(envelope, from: index, now: now)
            switch context.decide(question, to: recipient) {
            case .refuse(let refusal):
                release(routed)
                refuse(envelope, cookie: cookie, refusal, for: seat)
                return PLUGBOARD_OK
            case .deliver(let found):
                target = found
            case .deliverLimited(let found):
                target = found
                if let refusal = limitPartner(question) {
                    release(routed)
                    refuse(envelope, cookie: cookie, refusal, for: seat)
                    return PLUGBOARD_OK
                }
                routed.header.pointee.target = found
                let status = handOn(routed, envelope, cookie: cookie, isStored: isStored, for: seat)
                // What is busy comes again, and is counted then.
                if status == PLUGBOARD_BUSY { giveBack(question) }
                return status
            }
        }
        routed.header.pointee.target = target
        return handOn(routed, envelope, cookie: cookie, isStored: isStored, for: seat)
    }

    /// Sends a routed envelope on one of its two ways.
    @inline(__always)
    private func handOn(
        _ routed: RoutedEnvelope,
        _ envelope: UnsafePointer<plugboard_envelope_t>,
        cookie: UInt64,
        isStored: Bool,
        for seat: Seat
    ) -> plugboard_status_t {
        guard isStored else { return pass(routed, for: seat) }
        guard !flags.isSpoolLost else {
            release(routed)
            refuse(envelope, cookie: cookie, .spoolFailed("see the router's log"), for: seat)
            return PLUGBOARD_OK
        }
        guard credits > 0, context.hasRoomForSteps else {
            release(routed)
            return busy(seat)
        }
        store(routed)
        return PLUGBOARD_OK
    }

    /// Copies a borrowed envelope into the pool, with what the router adds to it.
    @inline(__always)
    private func copy(
        _ source: UnsafePointer<plugboard_envelope_t>,
        _ imageBytes: Int,
        cookie: UInt64,
        now: Int64
    ) -> RoutedEnvelope {
        // What the source itself wrote as origin was measured, and is not copied.
        let imageBytes = imageBytes - source.pointee.origin.count + nameBytes.count
        let routed = allocate(imageBytes: imageBytes)
        let envelope = FlatEnvelope.copy(source, origin: nameBytes, to: routed.image)
        envelope.pointee.token = 0
        // That an envelope was tried before is the router's to say.
        envelope.pointee.flags &= PLUGBOARD_ENVELOPE_DELAYED
        envelope.pointee.hops += 1
        if envelope.pointee.timestamp_ms == 0 { envelope.pointee.timestamp_ms = now }
        if envelope.pointee.expires_ms == 0 { envelope.pointee.expires_ms = now + flags.expireMs }
        routed.setKey(context.nextKey())
        routed.header.pointee.source = index
        routed.header.pointee.cookie = cookie
        routed.header.pointee.createdAt = now
        return routed
    }

    // MARK: The two ways on

    /// To the disk first; the answer comes with the spool's.
    private func store(_ routed: RoutedEnvelope) {
        counters.submittedKinds.add(routed.envelope.pointee.kind)
        credits -= 1
        routed.header.pointee.isDurable = true
        routed.header.pointee.conversation = RoutedEnvelope.conversation(routed.envelope.pointee)
        routed.header.pointee.step = .append
        if isObserved { core.observer?.observe(hop(.submitted, routed)) }
        context.sendStep(routed)
    }

    /// Into the lane of the target at once.
    @inline(__always)
    private func pass(_ routed: RoutedEnvelope, for seat: Seat) -> plugboard_status_t {
        let target = routed.header.pointee.target
        let cookie = routed.header.pointee.cookie
        let kind = routed.envelope.pointee.kind
        if isObserved {
            // To be told before the target's worker tells what follows, and once however often it is tried.
            let mayWait = kind.isLatestOnly
            guard mayWait || !core.runtimes[target].lane.waitForRoom(producer: worker.index) else {
                release(routed)
                return busy(seat)
            }
            core.observer?.observe(hop(.submitted, routed))
        }
        let isTaken =
            kind.isLatestOnly
            ? context.pushLatest(routed, to: target) { counters.coalesced += 1 }
            : context.push(routed, to: target)
        guard isTaken else {
            release(routed)
            return busy(seat)
        }
        counters.submittedKinds.add(kind)
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
        let source = readABI(envelope)
        counters.submittedKinds.add(source.kind)
        counters.addRefusal(source.kind, refusal.code)
        context.envelopeLog.write(
            .notice,
            "an envelope was refused",
            source,
            provider: name,
            isHomeward: index != 0,
            cause: refusal.code,
            [.reason: refusal.description, .code: refusal.code]
        )
        core.audit?.refused(refusal, source, by: name)
        core.observer?.observe(hop(.refused(refusal.description), source))
        if cookie != 0 { answer(cookie, refusal, seat.generation) }
    }

    /// Refuses what is no envelope: the plugin is told by a status, and the operator by the log, without what is in it.
    private func refuse(unchecked envelope: UnsafePointer<plugboard_envelope_t>, _ flaw: FlatEnvelope.Flaw)
        -> plugboard_status_t
    {
        let code = flaw == .tooLarge ? "over-limit" : "malformed"
        counters.submittedKinds.add(envelope.pointee.kind)
        counters.addRefusal(envelope.pointee.kind, code)
        if let held = malformedLog.admit(code, nowNs: HostClock.monotonicNs()) {
            var fields: [LogField: String] = [
                .provider: name, .kind: envelope.pointee.kind.kindName, .code: code, .reason: flaw.description,
            ]
            if held > 0 { fields[.heldBack] = "\(held)" }
            core.logger.log(.warning, "an envelope was refused", fields)
        }
        return flaw == .tooLarge ? PLUGBOARD_E_LIMIT : PLUGBOARD_E_INVALID
    }

    private func answer(_ cookie: UInt64, _ refusal: Refusal?, _ generation: UInt16) {
        untold.append(cookie, refusal, generation)
        worker.requestRound()
    }

    /// Takes the spool's answer to an append.
    func appended(_ result: SpoolWriter.Result) {
        credits += 1
        if let refusal = result.refusal { counters.addRefusal(result.kind, refusal.code) }
        if result.cookie != 0 { answer(UInt64(result.cookie), result.refusal, result.generation) }
    }

    /// Tells the instances what became of their submits; false if there is nothing to tell.
    func tellResults() -> Bool {
        guard !untold.isEmpty else { return false }
        if !untold.areAll(of: seat?.generation) { tellOthers() }
        if let seat { untold.tell(seat.generation) { seat.instance.submitted($0) } }
        return true
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
