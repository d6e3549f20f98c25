internal import CPlugboard
public import ProviderKit

extension SimulatedInstance {
    // MARK: To the plugin

    /// Sends an envelope to the plugin, as the router would that has taken it from another provider.
    ///
    /// It is offered when time passes, and again if it is deferred.
    @discardableResult
    public func deliver(_ envelope: Envelope) -> SimulatedDelivery {
        lane.lastSerial += 1
        let delivery = SimulatedDelivery(
            envelope,
            serial: lane.lastSerial,
            key: (simulation.random.next(), simulation.random.next()),
            marker: Marker.number(in: envelope)
        )
        if let marker = delivery.marker { simulation.ledger.sent(marker, delivery, to: self) }
        if let older = lane.append(delivery, laneMax: simulation.router.laneMax) {
            older.isReplaced = true
            simulation.note(.replaced, self)
        }
        pumpLane()
        return delivery
    }

    /// Offers an envelope once more that the plugin has settled, as the router does after a crash.
    public func deliverAgain(_ delivery: SimulatedDelivery) {
        delivery.isRedelivered = true
        lane.putBack(delivery)
        pumpLane()
    }

    /// Has the waiting envelopes offered, after a moment.
    func pumpLane(after nanoseconds: UInt64 = 0) {
        guard !lane.isPumpPosted else { return }
        lane.isPumpPosted = true
        simulation.post(after: nanoseconds) { [weak self] in
            self?.lane.isPumpPosted = false
            self?.offer()
        }
    }

    private func offer() {
        guard isActive, lane.blockedSince == nil, lane.inFlight.count < simulation.router.inFlightMax else { return }
        let batchMax = simulation.random.pick(1...max(simulation.router.batchMax, 1))
        let batch = lane.takeBatch(batchMax)
        lane.letIn(laneMax: simulation.router.laneMax)
        guard !batch.isEmpty else { return }
        let tokens = batch.map { delivery in
            lane.lastToken += 1
            lane.inFlight[lane.lastToken] = SimulatedLane.Held(delivery: delivery, since: simulation.nowNs)
            return lane.lastToken
        }
        lane.wasReadied = false
        simulation.note(.deliver, self, UInt64(batch.count), tokens[0])
        var taken = lend(batch, tokens) { pointers in
            call { $0.deliver($1, pointers.baseAddress, pointers.count) }
        }
        simulation.note(.taken, self, UInt64(taken))
        if taken < 0 || taken > batch.count {
            simulation.violate(.tookTooMuch, "deliver() of \(batch.count) envelopes returned \(taken)", by: self)
            taken = batch.count
        }
        for (delivery, token) in zip(batch, tokens).prefix(taken) {
            delivery.attempts += 1
            if lane.inFlight[token] != nil { takeBackLater(token) }
        }
        guard taken < batch.count else {
            if !lane.waiting.isEmpty { pumpLane() }
            return
        }
        lane.blockedSince = lane.wasReadied ? nil : simulation.nowNs
        for (delivery, token) in zip(batch, tokens).dropFirst(taken) {
            guard lane.inFlight.removeValue(forKey: token) != nil else {
                simulation.violate(
                    .settledWithoutTaking,
                    "token \(token) was settled, but deliver() took only \(taken) of \(batch.count)",
                    by: self
                )
                continue
            }
            lane.putBack(delivery)
        }
        if lane.wasReadied { pumpLane() }
    }

    func ready() {
        simulation.note(.ready, self)
        lane.wasReadied = true
        guard lane.blockedSince != nil else { return }
        lane.blockedSince = nil
        pumpLane()
    }

    func complete(_ token: UInt64, _ outcome: UnsafePointer<plugboard_outcome_t>) -> plugboard_status_t {
        simulation.note(.complete, self, token, UInt64(outcome.pointee.result))
        guard (PLUGBOARD_DELIVERED...PLUGBOARD_FAILED).contains(outcome.pointee.result),
            outcome.pointee.reason.isWellFormed, outcome.pointee.code.isWellFormed
        else { return PLUGBOARD_E_INVALID }
        // It was taken back meanwhile, which the plugin could not know.
        guard lane.overdue.removeValue(forKey: token) == nil else { return PLUGBOARD_E_HANDLE }
        guard let held = lane.inFlight.removeValue(forKey: token) else {
            let wasIssued = token > 0x7_0000_0000 && token <= lane.lastToken
            simulation.violate(
                wasIssued ? .settledTwice : .unknownToken,
                wasIssued ? "token \(token) was settled before" : "there is no token \(token)",
                by: self
            )
            return PLUGBOARD_E_HANDLE
        }
        settled(held.delivery, Outcome.read(outcome))
        return PLUGBOARD_OK
    }

    /// Takes an envelope back if it is not settled in time.
    private func takeBackLater(_ token: UInt64) {
        let settleTime = simulation.router.settleTime
        let time = simulation.random.pick(settleTime...settleTime + settleTime / 4)
        // Like a timer: a world in which only this is to come is quiet.
        simulation.post(after: time, isTimer: true) { [weak self] in
            guard let self, isActive, let held = lane.inFlight.removeValue(forKey: token) else { return }
            lane.overdue[token] = held.since
            simulation.note(.takenBack, self, token)
            settled(
                held.delivery,
                .deferred(Outcome.Reason(.transient, "the provider did not say in time", code: "overdue"))
            )
        }
    }

    private func settled(_ delivery: SimulatedDelivery, _ outcome: Outcome) {
        delivery.outcomes.append(outcome)
        if let marker = delivery.marker { simulation.ledger.settled(marker, outcome) }
        if case .deferred(let reason) = outcome {
            guard delivery.envelope.isDurable else {
                // What is not stored cannot be put off: it has failed.
                delivery.outcomes[delivery.outcomes.count - 1] = .failed(reason)
                return
            }
            delivery.isRedelivered = true
            lane.putBack(delivery)
            let wait = simulation.random.pick(simulation.router.retryAfter)
            park(delivery.conversation, until: simulation.nowNs + max(wait, UInt64(reason.retryAfter) * 1_000_000))
        }
        unpark(delivery.conversation)
        if !lane.waiting.isEmpty { pumpLane() }
    }

    /// Keeps a conversation back until a time.
    private func park(_ conversation: String, until time: UInt64) {
        guard lane.parked[conversation] == nil else { return }
        lane.parked[conversation] = time
        simulation.post(after: time - simulation.nowNs) { [weak self] in self?.unpark(conversation) }
    }

    /// Lets a conversation go on whose time has come, once the plugin holds nothing of it.
    private func unpark(_ conversation: String) {
        guard let time = lane.parked[conversation], time <= simulation.nowNs, lane.heldCount(conversation) == 0 else {
            return
        }
        lane.parked[conversation] = nil
        pumpLane()
    }

    /// Lends a batch in the ABI's form.
    private func lend(
        _ batch: [SimulatedDelivery],
        _ tokens: [UInt64],
        _ body: (UnsafeBufferPointer<UnsafePointer<plugboard_envelope_t>?>) -> Int
    ) -> Int {
        var pointers: [UnsafePointer<plugboard_envelope_t>?] = []
        pointers.reserveCapacity(batch.count)
        func lendNext(_ index: Int) -> Int {
            guard index < batch.count else { return pointers.withUnsafeBufferPointer(body) }
            return batch[index].envelope.lend { pointer in
                var envelope = pointer.pointee
                complete(&envelope, batch[index], tokens[index])
                return withUnsafePointer(to: envelope) {
                    pointers.append($0)
                    return lendNext(index + 1)
                }
            }
        }
        return lendNext(0)
    }

    /// Adds what is the host's to say.
    private func complete(_ envelope: inout plugboard_envelope_t, _ delivery: SimulatedDelivery, _ token: UInt64) {
        envelope.token = token
        if let kind = delivery.kindOverride { envelope.kind = kind }
        if delivery.isRedelivered { envelope.flags |= PLUGBOARD_ENVELOPE_REDELIVERED }
        if envelope.timestamp_ms == 0 { envelope.timestamp_ms = Simulation.epochMs }
        if envelope.hops == 0 { envelope.hops = 1 }
        withUnsafeMutableBytes(of: &envelope.idempotency_key) { bytes in
            bytes.storeBytes(of: delivery.key.0, as: UInt64.self)
            bytes.storeBytes(of: delivery.key.1, toByteOffset: 8, as: UInt64.self)
        }
    }

    // MARK: From the plugin

    func submit(_ pointer: UnsafePointer<plugboard_envelope_t>, _ cookie: UInt64) -> plugboard_status_t {
        simulation.note(.submit, self, cookie)
        let status = judge(pointer, cookie)
        simulation.note(.submitAnswer, self, UInt64(bitPattern: Int64(status)))
        return status
    }

    private func judge(_ pointer: UnsafePointer<plugboard_envelope_t>, _ cookie: UInt64) -> plugboard_status_t {
        if let flaw = EnvelopeCheck.flaw(of: pointer) { return flaw }
        guard let envelope = Envelope.read(pointer) else { return PLUGBOARD_E_INVALID }
        if isWaitingForRoom || simulation.random.oneIn(simulation.router.busyOneIn) {
            wasRefused = true
            waitForRoom()
            return PLUGBOARD_BUSY
        }
        submitted.append(envelope)
        if let marker = Marker.number(in: envelope) { simulation.ledger.submitted(marker, by: self) }
        guard cookie != 0 else { return PLUGBOARD_OK }
        untold.append((cookie, refusal(of: envelope)))
        simulation.post(after: simulation.random.pick(simulation.router.answerAfter)) { [weak self] in
            self?.tellResults()
        }
        return PLUGBOARD_OK
    }

    /// Why the router refuses an envelope, whatever a test makes of it.
    private func refusal(of envelope: Envelope) -> Outcome.Reason? {
        if envelope.hops >= UInt32(PLUGBOARD_HOPS_MAX) {
            return Outcome.Reason(
                .policy,
                "it has crossed \(envelope.hops) routers, which is the limit",
                code: "hop-limit"
            )
        }
        let now = Simulation.epochMs + Int64(simulation.nowNs / 1_000_000)
        if envelope.expires != 0, envelope.expires <= now {
            return Outcome.Reason(.transient, "it expired on the way", code: "expired")
        }
        return verdict(envelope)
    }

    private func waitForRoom() {
        guard !isWaitingForRoom else { return }
        isWaitingForRoom = true
        simulation.post(after: simulation.random.pick(simulation.router.roomAfter)) { [weak self] in self?.giveRoom() }
    }

    private func giveRoom() {
        isWaitingForRoom = false
        guard isActive else { return }
        wasRefused = false
        simulation.note(.room, self)
        call { $0.room($1) }
        guard !wasRefused else { return }
        let streams = refusedStreams
        refusedStreams = []
        for stream in streams { stream.resume() }
    }

    private func tellResults() {
        guard isActive, !untold.isEmpty else { return }
        let answers = untold
        untold = []
        simulation.note(.submitted, self, UInt64(answers.count))
        lending(answers.flatMap { [$0.refusal?.text ?? "", $0.refusal?.code ?? ""] }) { texts in
            let outcomes = answers.indices.map { index in
                let refusal = answers[index].refusal
                return plugboard_outcome_t(
                    struct_size: structSize(plugboard_outcome_t.self),
                    result: refusal == nil ? PLUGBOARD_ACCEPTED : PLUGBOARD_FAILED,
                    failure_class: refusal?.failureClass.rawValue ?? PLUGBOARD_CLASS_NONE,
                    flags: 0,
                    retry_after_ms: 0,
                    reason: texts[2 * index],
                    code: texts[2 * index + 1]
                )
            }
            outcomes.withUnsafeBufferPointer { outcomes in
                let results = answers.indices.map { index in
                    plugboard_submitted_t(
                        struct_size: structSize(plugboard_submitted_t.self),
                        reserved: 0,
                        cookie: answers[index].cookie,
                        outcome: outcomes.baseAddress.map { $0 + index }
                    )
                }
                results.withUnsafeBufferPointer { results in
                    call { $0.submitted($1, results.baseAddress, results.count) }
                }
            }
        }
    }

    func claim(_ scope: UInt32, _ subject: String) -> plugboard_status_t {
        let status: plugboard_status_t
        switch scope {
        case PLUGBOARD_CLAIM_DOMAIN where !subject.contains("@"),
            PLUGBOARD_CLAIM_ADDRESS where subject.dropFirst().dropLast().contains("@"):
            let isTaken =
                foreignClaims.contains(subject)
                || (homeDomains.contains(subject) && !servedDomains.contains(subject))
            status = isTaken ? PLUGBOARD_E_CONFLICT : PLUGBOARD_OK
        default: status = PLUGBOARD_E_INVALID
        }
        simulation.note(.claim, self, UInt64(bitPattern: Int64(status)), text: subject)
        if status == PLUGBOARD_OK, !claims.contains(subject) { claims.append(subject) }
        return status
    }
}

extension Envelope {
    /// Whether the router stores it before it accepts it.
    var isDurable: Bool {
        switch content {
        case .message, .subscription, .contact, .failure: true
        case .receipt, .typing, .presence, .call: false
        }
    }
}
