internal import IMModel
internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// All links, streams and listeners of an instance.
final class Federation {
    let host: Host
    let settings: XMPPSettings
    let partners: PartnerTable
    let key: DialbackKey
    private let reader = StanzaReader()
    private var listeners: [Listener] = []
    private var links: [DomainPair: PartnerLink] = [:]
    private var sessions: [ObjectIdentifier: InboundSession] = [:]
    private var verifications: [ObjectIdentifier: KeyVerification] = [:]
    /// Sessions that hold back what the router had no room for, the longest waiting first.
    private var waiting: [InboundSession] = []
    private var isDraining = false

    /// Bytes of a stream id: enough that nobody guesses one (RFC 6120 §4.7.3).
    static let streamIDBytes = 16

    /// A federation at rest.
    ///
    /// - Throws: ``HostError/unsupported`` if the host has no digests.
    init(host: Host, settings: XMPPSettings) throws(HostError) {
        self.host = host
        self.settings = settings
        self.partners = PartnerTable(settings.partners)
        let secret = settings.dialbackSecret.map { Array($0.utf8) } ?? host.randomBytes(32)
        let digest = try host.digest(.sha256, secret)
        self.key = DialbackKey(secretDigest: digest) { key, data in
            // The host had digests a moment ago; an empty one would never match a key.
            (try? host.digest(.sha256, data, key: key)) ?? []
        }
    }

    /// Unpredictable, new at each call; hexadecimal.
    func randomID() -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = self.host.randomBytes(Self.streamIDBytes)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

// MARK: - Life

extension Federation {
    /// Claims the partners' domains and listens.
    func start() throws(ProviderError) {
        for domain in self.settings.partners.flatMap(\.domains) {
            // The router may meet either form of an international domain.
            for form in Set([domain, self.settings.spelling(domain)]).sorted() {
                do throws(HostError) {
                    try self.host.claim(domain: form)
                } catch {
                    throw ProviderError("\(form) cannot be claimed: \(error)", setting: "partners")
                }
            }
        }
        for address in self.settings.listen { try self.listen(address, setting: "listen", isDirectTLS: false) }
        for address in self.settings.listenTLS { try self.listen(address, setting: "listen_tls", isDirectTLS: true) }
    }

    private func listen(_ address: HostAndPort, setting: String, isDirectTLS: Bool) throws(ProviderError) {
        let standard = isDirectTLS ? XMPPSettings.directTLSPort : XMPPSettings.port
        let port = address.port ?? standard
        do throws(HostError) {
            let listener = try self.host.listen(
                address: address.host,
                port: port,
                tls: isDirectTLS ? TLSNegotiation.options(identity: "", isDirect: true) : nil
            ) { [weak self] incoming in self?.accept(incoming) }
            self.listeners.append(listener)
        } catch {
            throw ProviderError("\(address.host):\(port) cannot be listened on: \(error)", setting: setting)
        }
    }

    private func accept(_ incoming: Stream.Incoming) -> (any StreamSession)? {
        guard self.sessions.count < self.settings.server.connectionLimit else {
            self.host.log(
                .warning,
                "a connection from \(incoming.peerAddress) was refused: \(self.sessions.count) are open already"
            )
            return nil
        }
        let session = InboundSession(self, peerAddress: incoming.peerAddress)
        self.sessions[ObjectIdentifier(session)] = session
        return session
    }

    /// Ends all streams, the outbound ones when their queues are empty.
    func drain() {
        self.isDraining = true
        for listener in self.listeners { listener.close() }
        for verification in self.verifications.values { verification.cancel() }
        self.verifications = [:]
        for session in self.sessions.values { session.close() }
        for link in self.links.values { link.drain() }
    }

    /// Forgets everything; the host has closed all streams.
    func stop() {
        self.listeners = []
        self.links = [:]
        self.sessions = [:]
        self.verifications = [:]
        self.waiting = []
    }

    /// What the operator sees: the way out to each partner, and each stream in.
    var reports: [LinkReport] {
        let outward = self.links.values.map(\.report)
        let known = Set(outward.map(\.name))
        let idle = self.settings.partners.flatMap(\.domains).filter { !known.contains($0) }
            .map { LinkReport(name: $0, state: .down, detail: "") }
        let inward = self.sessions.values.flatMap { session in
            session.pairs.map { pair, authentication in
                LinkReport(
                    name: pair.sender,
                    state: .up,
                    detail: session.detail(authentication),
                    received: session.received,
                    since: session.since
                )
            }
        }
        return (outward + idle + inward).sorted { ($0.name, $0.detail) < ($1.name, $1.detail) }
    }
}

// MARK: - To partners

extension Federation {
    /// Sends an envelope to its partner; completes it in any case.
    func send(_ delivery: Delivery) {
        let envelope = delivery.envelope
        do throws(BridgeError) {
            let id = envelope.id.isEmpty ? self.randomID() : envelope.id
            let stanza = try StanzaWriter.stanza(for: envelope, id: id)
            guard let link = self.link(for: stanza) else {
                let text = "there is no federation between \(envelope.from.domain) and \(envelope.to.domain)"
                delivery.complete(.failed(Outcome.Reason(.policy, text, code: "not-allowed")))
                return
            }
            link.send(delivery, stanza)
        } catch {
            delivery.complete(.failed(Outcome.Reason(.content, error.description)))
        }
    }

    private func answer(_ stanza: Stanza) {
        self.link(for: stanza)?.send(answer: stanza)
    }

    /// The link that a stanza belongs on; nil unless it is from a home domain to a partner.
    private func link(for stanza: Stanza) -> PartnerLink? {
        guard let from = stanza.from?.domain, let to = stanza.to?.domain else { return nil }
        let pair = DomainPair(sender: from, target: to)
        if let link = self.links[pair] { return link }
        guard self.settings.server.serves(from), let policy = self.partners.policy(for: to) else { return nil }
        let link = PartnerLink(self, pair, policy)
        if self.isDraining { link.drain() }
        self.links[pair] = link
        return link
    }

    /// Connects; without a certificate where none is configured for the home domain.
    func connect(
        to target: ServerTarget,
        tls: TLSOptions?,
        timeout: UInt32,
        session: any StreamSession
    ) throws(HostError) -> Stream {
        do throws(HostError) {
            return try self.host.connect(
                to: target.host,
                port: target.port,
                tls: tls,
                timeout: timeout,
                session: session
            )
        } catch {
            guard error == .unsupported, let bare = self.withoutIdentity(tls) else { throw error }
            return try self.host.connect(
                to: target.host,
                port: target.port,
                tls: bare,
                timeout: timeout,
                session: session
            )
        }
    }

    /// Begins TLS; without a certificate of the home domain where none is configured. Ends the stream if that fails.
    func startTLS(_ stream: Stream, _ options: TLSOptions) {
        do throws(HostError) {
            do throws(HostError) {
                try stream.startTLS(options)
            } catch {
                guard error == .unsupported, let bare = self.withoutIdentity(options) else { throw error }
                try stream.startTLS(bare)
            }
        } catch {
            self.host.log(.error, "TLS with \(stream.peerAddress) could not be begun: \(error)")
            stream.abort()
        }
    }

    private func withoutIdentity(_ options: TLSOptions?) -> TLSOptions? {
        guard var options, !options.identity.isEmpty else { return nil }
        self.host.log(
            .warning,
            "there is no certificate for \(options.identity): add one to tls.identities, for partners may demand it"
        )
        options.identity = ""
        return options
    }
}

// MARK: - From partners

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
            self.host.log(.debug, "a stanza was refused: \(error)")
            return []
        }
        switch self.reader.meaning(of: stanza, nowMs: self.host.wallClock) {
        case .envelopes(let envelopes): return envelopes.map { Submission(self.spelled($0), of: stanza) }
        case .answer(let answer):
            self.answer(answer)
            return []
        case .bounce(let bounce):
            return self.failure(bounce).map { [Submission(unanswered: $0)] } ?? []
        case .nothing(let why):
            self.host.log(.debug, "a stanza from \(stanza.from?.domain ?? "nobody") was dropped: \(why)")
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
            self.host.log(.debug, "an error from \(pair.target) was dropped: it is about nothing that was sent lately")
            return nil
        }
        return bounce.envelope(about: entry)
    }

    /// Hands one envelope to the router.
    func submit(_ submission: Submission) -> Submitted {
        do throws(HostError) {
            let result = try self.host.submit(submission.envelope) { [weak self] outcome in
                guard case .failed(let reason) = outcome else { return }
                self?.refused(submission, because: reason.text, with: submission.refusal(reason))
            }
            return result == .busy ? .busy : .taken
        } catch {
            self.refused(submission, because: "\(error)", with: submission.refusal(error))
            return .refused
        }
    }

    private func refused(_ submission: Submission, because reason: String, with answer: Stanza?) {
        let envelope = submission.envelope
        self.host.log(
            .info,
            "the router refused a \(envelope.kindName) from \(envelope.from.domain) to \(envelope.to.domain): \(reason)"
        )
        if let answer { self.answer(answer) }
    }
}

// MARK: - Streams from partners

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
    func wait(_ session: InboundSession) { self.waiting.append(session) }

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
            self?.host.log(.info, "the dialback key of \(request.pair.sender) is \(verdict.name)")
            session?.verified(request, verdict)
        }
        self.verifications[ObjectIdentifier(verification)] = verification
        verification.start()
    }

    private func later(_ body: @escaping () -> Void) {
        do throws(HostError) {
            _ = try self.host.startTimer(after: 0, body)
        } catch {
            self.host.log(.warning, "a timer could not be started: \(error)")
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
