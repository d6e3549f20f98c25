internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

extension Federation {
    /// What became of a submission.
    enum Submitted {
        case taken
        /// It was answered with an error, where somebody waits for one.
        case refused
        case busy
    }

    /// Finds out what a stanza means, answers it where the router is not needed, and returns what is for the router.
    func take(_ element: Element) -> [Submission] {
        let stanza: Stanza
        do throws(ElementError) {
            stanza = try Stanza(element)
        } catch {
            if let rejection = StanzaRejection.answer(to: element, error) { self.answer(rejection) }
            self.host.log(.debug, "a stanza was refused", [.reason: "\(error)"])
            return []
        }
        switch self.reader.meaning(of: stanza, nowMs: self.host.wallClock) {
        case .envelopes(let envelopes): return envelopes.map { Submission(self.spelled($0), of: stanza) }
        case .answer(let answer):
            self.answer(answer)
            return []
        case .bounce(let bounce):
            return self.failure(bounce).map { [Submission(unanswered: $0)] } ?? []
        case .answered(let id, let from, let to):
            self.links[DomainPair(sender: to.domain, target: from.domain)]?.answered(id)
            return []
        case .nothing(let why):
            self.host.log(.debug, "a stanza was dropped", [.partner: stanza.from?.domain ?? "", .reason: "\(why)"])
            return []
        }
    }

    /// The same with domains as the operator writes them, and so the router knows them.
    private func spelled(_ envelope: Envelope) -> Envelope {
        func spelled(_ address: Address) -> Address {
            Address(user: address.user, domain: self.settings.spelling(address.domain)) ?? address
        }
        var envelope = envelope
        envelope.from = spelled(envelope.from)
        envelope.to = spelled(envelope.to)
        return envelope
    }

    private func failure(_ bounce: StanzaMeaning.Bounce) -> Envelope? {
        let pair = DomainPair(sender: bounce.to.domain, target: bounce.from.domain)
        guard let entry = self.links[pair]?.take(bounce) else {
            let reason = "it is an error about nothing that was sent lately"
            self.host.log(.debug, "a stanza was dropped", [.partner: pair.target, .reason: reason])
            return nil
        }
        return bounce.envelope(about: entry)
    }

    /// Hands one envelope to the router.
    func submit(_ submission: Submission) -> Submitted {
        do throws(HostError) {
            let result = try self.host.submit(
                submission.envelope,
                then: submission.stanza == nil && submission.ticket == nil ? nil : self.answer(to: submission)
            )
            guard result == .taken else { return .busy }
            self.seen[submission.envelope.from.domain, default: SeenPresence()].note(submission.envelope)
            if case .message = submission.envelope.content, let sender = submission.stanza?.from?.domain {
                self.records[sender, default: PartnerRecord()].messagesIn += 1
            }
            return .taken
        } catch {
            // A stanza that is counted comes again after the restart; others must not be lost in silence.
            if error == .shuttingDown, submission.ticket != nil { return .refused }
            self.refused(submission, because: "\(error)", with: submission.refusal(error))
            submission.ticket?.settle()
            return .refused
        }
    }

    /// The link to a partner is lost: its users' presence is not known any more.
    func lost(_ domain: String) {
        let spelled = self.settings.spelling(domain)
        guard var seen = self.seen.removeValue(forKey: spelled), !seen.isEmpty else { return }
        let all = seen.takeBack()
        self.host.log(.info, "the presence of \(all.count) users of \(domain) is not known any more")
        // What the router has no room for now is as untrue as it was; the next presence mends it.
        for envelope in all { _ = self.submit(Submission(unanswered: envelope)) }
        self.askAgain(all)
    }

    private func answer(to submission: Submission) -> (Outcome) -> Void {
        { [weak self] outcome in
            if case .failed(let reason) = outcome {
                self?.refused(submission, because: reason.text, with: submission.refusal(reason))
            }
            submission.ticket?.settle()
        }
    }

    private func refused(_ submission: Submission, because reason: String, with answer: Stanza?) {
        let envelope = submission.envelope
        self.host.log(
            .info,
            "a stanza was refused by the router",
            [
                .partner: envelope.from.domain, .kind: envelope.kindName, .from: "\(envelope.from)",
                .to: "\(envelope.to)", .messageID: envelope.id, .reason: reason,
            ]
        )
        if let answer { self.answer(answer) }
    }
}

extension Federation {
    /// Whether a partner may have one more stream open.
    func admits(_ session: InboundSession, _ policy: PartnerPolicy) -> Bool {
        let domains = Set(policy.domains)
        let others = self.sessions.values.count { other in
            other !== session && other.pairs.keys.contains { domains.contains($0.sender) }
        }
        return others < policy.connectionLimit
    }

    /// Has a session resumed when the router has room again.
    func wait(_ session: any HoldingSession) { self.waiting.append(session) }

    /// The router has room again.
    func room() {
        let sessions = self.waiting
        self.waiting = []
        for (index, session) in sessions.enumerated() where !session.resume() {
            self.waiting += sessions[index...]
            return
        }
    }

    /// Forgets a session whose stream is gone.
    ///
    /// What it holds for the router is still handed over: it was sent before the stream ended.
    func ended(_ session: InboundSession) { self.sessions[ObjectIdentifier(session)] = nil }

    /// Has a key verified by the server of the domain that it is for.
    func verify(_ request: DialbackRequest, for session: InboundSession) {
        let ofPartner = self.verifications.values.count { $0.request.pair.sender == request.pair.sender }
        guard let policy = self.partners.policy(for: request.pair.sender), !self.isDraining,
            ofPartner < KeyVerification.perPartnerMax
        else {
            // Not at once, for the session is in the midst of its actions.
            self.later { [weak session] in session?.verified(request, .failed(.serverUnreachable)) }
            return
        }
        let verification = KeyVerification(self, request, policy) { [weak self, weak session] verification, verdict in
            self?.verifications[ObjectIdentifier(verification)] = nil
            self?.host.log(
                .info,
                "a dialback key was judged",
                [.partner: request.pair.sender, .reason: verdict.name]
            )
            session?.verified(request, verdict)
        }
        self.verifications[ObjectIdentifier(verification)] = verification
        verification.start()
    }

    private func later(_ body: @escaping () -> Void) {
        do throws(HostError) {
            _ = try self.host.startTimer(after: 0, body)
        } catch {
            self.host.log(.warning, "a timer could not be started", [.reason: "\(error)"])
        }
    }
}

extension DialbackVerdict {
    /// For the log.
    fileprivate var name: String {
        switch self {
        case .valid: "valid"
        case .invalid: "invalid"
        case .failed(.serverNotFound): "not verified: the domain has no server"
        case .failed(.serverUnreachable): "not verified: its server could not be asked"
        }
    }
}
