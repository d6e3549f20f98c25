internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// What hears of an outbound stream.
protocol OutboundSessionOwner: CarrierOwner {
    /// Stanzas may be written from now on.
    func established(_ session: OutboundSession, _ authentication: Authentication)
    /// The stream was opened to verify a key, and this came of it.
    func verified(_ session: OutboundSession, _ verdict: DialbackVerdict)
}

/// A stream that we opened to a partner's server: performs what the machine decides.
final class OutboundSession: StreamSession, StanzaCarrier, HoldingSession {
    weak var owner: (any OutboundSessionOwner)?
    /// Hears of each step of the connection.
    var trace: ((Trial.Stage, Bool, String) -> Void)?
    /// The server that was connected to.
    let server: ServerTarget
    private unowned let federation: Federation
    private let policy: PartnerPolicy
    private let channel: StreamChannel
    private let intake: StanzaIntake
    private let deadline: Alarm
    private let keepAlive: Alarm
    private let ending: Alarm
    private var machine: OutboundStreamMachine
    private var failure: LinkFailure?
    private var isClosing = false
    private var hasEnded = false
    /// The host's monotonic clock at the last stanza, in ns.
    private var usedAt: UInt64
    /// Whether the peer counts and acknowledges stanzas.
    private(set) var isManaged = false
    /// The counts of the earlier stream that is to be gone on with.
    private var earlier: HandledStanzas?
    /// What became of the earlier stream; nil where there was none.
    private(set) var resumption: ResumptionOutcome?

    /// Whether the peer goes on with an earlier stream.
    enum ResumptionOutcome {
        /// It does, and handled so many of its stanzas.
        case resumed(UInt32)
        /// It does not; it may have said how many it handled.
        case refused(UInt32?)
    }

    /// Longest time for one connection attempt, in ms, so that the next server has a chance.
    static let connectTimeoutMaxMs: UInt64 = 15_000

    /// A session that is not connected yet; ``connect()`` does it.
    init(
        _ federation: Federation,
        purpose: OutboundStreamMachine.Purpose,
        policy: PartnerPolicy,
        target: ServerTarget,
        earlier: HandledStanzas? = nil
    ) {
        let server = federation.settings.server
        self.federation = federation
        self.policy = policy
        self.server = target
        self.earlier = earlier
        self.channel = StreamChannel(host: federation.host, limits: server.limitsBeforeAuthentication)
        self.intake = StanzaIntake(federation, self.channel)
        self.deadline = Alarm(host: federation.host)
        self.keepAlive = Alarm(host: federation.host)
        self.ending = Alarm(host: federation.host)
        self.machine = OutboundStreamMachine(
            purpose: purpose,
            server: server,
            partner: policy,
            key: federation.key,
            resumption: earlier?.resumption
        )
        self.usedAt = federation.host.monotonicClock
    }

    var target: ServerTarget? { self.server }
    var isOurs: Bool { true }
    var isBidirectional: Bool { self.machine.isBidirectional }
    var canTake: Bool { true }
    var receivedBack: UInt64 { self.intake.received }
    var resumable: HandledStanzas? { self.intake.handled.flatMap { $0.id == nil ? nil : $0 } }

    /// `out, TLSv1.3, EXTERNAL, acknowledged, both ways`.
    func outDetail(_ authentication: Authentication) -> String {
        "out, \(self.channel.security), \(authentication.name)" + (self.isManaged ? ", acknowledged" : "")
            + (self.isBidirectional ? ", both ways" : "")
    }

    /// Opens the connection.
    ///
    /// What comes of it, the owner hears later, except for an error that is thrown.
    func connect() throws(HostError) {
        let timeout = self.federation.settings.server.establishmentTimeout.milliseconds
        let stream = try self.federation.connect(
            to: self.server,
            tls: self.server.isDirectTLS ? self.tlsOptions(isDirect: true) : nil,
            timeout: UInt32(min(timeout, Self.connectTimeoutMaxMs)),
            session: self
        )
        self.channel.attach(stream)
        self.deadline.set(timeout) { [weak self] in
            guard let self else { return }
            _ = self.perform(self.machine.establishmentTimedOut())
        }
    }

    /// Writes a stanza on the established stream.
    func write(_ element: Element) -> StreamChannel.Written {
        self.usedAt = self.federation.host.monotonicClock
        return self.channel.writeStanza(element)
    }

    /// Writes what nobody waits for, and what does not count as use of the stream.
    func writeBeside(_ element: Element) { self.channel.write(element) }

    /// Asks the peer how many stanzas it has handled.
    func askForAcknowledgement() {
        self.channel.write(StreamManagementElement.request.element)
    }

    /// Ends the stream, whose peer acknowledged what it was never sent.
    func refuse(_ error: StreamManagementError) {
        _ = self.perform(self.machine.managementBroken(error))
    }

    /// Ends the stream in an orderly way.
    func close() {
        self.isClosing = true
        _ = self.perform(self.machine.close())
        self.end(nil)
    }

    func leave() { self.owner = nil }

    /// Ends the stream at once, because of what is wrong with it.
    func abort(_ reason: EndReason) {
        self.channel.abort()
        self.end(reason)
    }

    // MARK: StreamSession

    func opened(_ stream: Stream, tls: TLSInfo?) {
        if tls == nil || self.server.isDirectTLS { self.trace?(.tcp, true, "\(self.server) takes the connection") }
        guard let tls else {
            _ = self.perform(self.machine.connected())
            return
        }
        self.channel.secured(tls)
        let identity = TLSNegotiation.identity(tls, of: stream, spelling: self.federation.settings.spelling)
        self.trace?(.tls, true, "the connection is encrypted with \(tls.version)")
        self.traceCertificate(identity)
        _ = self.perform(self.machine.tlsEstablished(identity))
    }

    private func traceCertificate(_ identity: PeerIdentity) {
        let domain = self.machine.remoteDomain
        let objection = identity.objection(to: domain)
        let finding =
            objection.map { LinkFailure.certificateRejected($0, domain: domain).description }
            ?? "the certificate is trusted and names \(domain)"
        // It may be of no matter, where dialback is allowed: then it is a finding, and no failure.
        self.trace?(.certificate, objection == nil, finding)
    }

    func received(_ input: inout ByteReader, on stream: Stream) {
        // What comes although reading is stopped stays with the host.
        guard !self.intake.isHolding else { return }
        switch self.channel.read(&input, { self.handle($0) }) {
        case .done: break
        case .held(let events): self.intake.hold(events, for: self)
        case .startTLS: self.federation.startTLS(stream, self.tlsOptions(isDirect: false))
        }
    }

    func writable(_ stream: Stream) { self.owner?.writable(self) }

    func closed(_ stream: Stream, reason: CloseReason) {
        let known = self.failure
        // What is not counted yet comes again where the stream is resumed.
        if self.machine.isEstablished && self.resumable != nil { self.intake.dropEvents() }
        self.channel.detach()
        // What is held was sent before the end: the machine must still let it through.
        if !self.intake.isHolding { _ = self.perform(self.machine.connectionClosed()) }
        for alarm in [self.deadline, self.keepAlive, self.ending] { alarm.cancel() }
        // The host knows better than the machine why a connection failed or broke.
        self.end(self.isClosing ? nil : known.map(EndReason.init) ?? EndReason(reason))
    }

    /// The router has room again.
    func resume() -> Bool { self.intake.resume { self.handle($0) } }

    // MARK: Events

    private func handle(_ event: StreamEvent.Kind) -> StreamChannel.Next {
        switch event {
        case .opened(let header): self.perform(self.machine.streamOpened(header))
        case .element(let element): self.perform(self.machine.elementReceived(element))
        case .closed: self.perform(self.machine.streamClosed())
        case .failed(let error): self.perform(self.machine.parserFailed(error))
        }
    }

    private func tlsOptions(isDirect: Bool) -> TLSOptions {
        TLSNegotiation.options(
            identity: self.federation.settings.spelling(self.machine.localDomain),
            peerName: self.federation.settings.spelling(self.machine.remoteDomain),
            isDirect: isDirect
        )
    }

    private func watchInactivity(after milliseconds: UInt64) {
        self.deadline.set(milliseconds) { [weak self] in
            guard let self else { return }
            let limit = self.federation.settings.server.inactivityTimeout.milliseconds
            let silence = self.channel.millisecondsSince(self.usedAt)
            if silence >= limit { self.close() } else { self.watchInactivity(after: limit - silence) }
        }
    }

    private func watchSilence(after milliseconds: UInt64, _ interval: UInt64) {
        self.keepAlive.set(milliseconds) { [weak self] in
            guard let self else { return }
            let silence = self.channel.millisecondsSince(self.channel.sentAt)
            guard silence >= interval else { return self.watchSilence(after: interval - silence, interval) }
            _ = self.perform(self.machine.keepAliveDue())
            self.watchSilence(after: interval, interval)
        }
    }

    // MARK: Actions

    private func perform(_ actions: [StreamAction]) -> StreamChannel.Next {
        var next = StreamChannel.Next.proceed
        var startsTLS = false
        for action in actions {
            switch action {
            case .sendHeader(let header): self.channel.write(header)
            case .send(let element): self.channel.write(element)
            case .sendStreamEnd:
                self.tellLastCount()
                self.channel.writeEnd()
                self.watchEnd()
            case .sendWhitespace: self.channel.writeSpace()
            case .startTLS: startsTLS = true
            case .restartParser(let limits): next = startsTLS ? .startTLS(limits) : .restart(limits)
            case .setParserLimits(let limits): self.channel.setLimits(limits)
            case .finish:
                self.channel.finish()
                self.watchEnd()
                next = .stop
            case .established(let authentication): self.established(authentication)
            case .failed(let failure): self.failed(failure)
            case .verified(_, let verdict): self.verified(verdict, actions)
            case .management(let event): self.manage(event)
            case .deliver(let element):
                if !self.deliver(element) { next = .hold }
            case .authenticated, .reversible, .verifyDialback: break  // Inbound streams only.
            }
        }
        return next
    }

    private func manage(_ event: ManagementEvent) {
        switch event {
        case .enabled(let id):
            self.isManaged = true
            let pair = DomainPair(sender: self.machine.remoteDomain, target: self.machine.localDomain)
            self.intake.handled = HandledStanzas(id: id, pair: pair, session: nil)
        case .resumed(let handled):
            (self.isManaged, self.resumption, self.intake.handled) = (true, .resumed(handled), self.earlier)
        case .notResumed(let handled): (self.earlier, self.resumption) = (nil, .refused(handled))
        case .acknowledged(let count): self.owner?.acknowledged(self, count)
        case .acknowledgementAsked:
            self.intake.handled?.whenSettled { [weak self] count in
                self?.channel.write(StreamManagementElement.answer(handled: count).element)
            }
        case .resumptionAsked: break  // Inbound streams only.
        }
    }

    private func deliver(_ element: Element) -> Bool {
        let before = self.intake.received
        defer { if self.intake.received > before { self.usedAt = self.federation.host.monotonicClock } }
        return self.intake.deliver(element)
    }

    /// Behind the end of the stream nothing can be acknowledged any more (XEP-0198 §7).
    private func tellLastCount() {
        guard self.isBidirectional, let handled = self.intake.handled else { return }
        handled.detach()
        self.channel.write(StreamManagementElement.answer(handled: handled.count).element)
    }

    private func verified(_ verdict: DialbackVerdict, _ actions: [StreamAction]) {
        self.owner?.verified(self, verdict)
        let isExplained = actions.contains { if case .failed = $0 { true } else { false } }
        // The server answered that it cannot tell; its stream ends in an orderly way, and is of no use meanwhile.
        if case .failed(let failure) = verdict, !isExplained { self.end(EndReason(failure)) }
    }

    private func established(_ authentication: Authentication) {
        self.usedAt = self.federation.host.monotonicClock
        self.watchInactivity(after: self.federation.settings.server.inactivityTimeout.milliseconds)
        if let interval = self.policy.keepAlive?.milliseconds { self.watchSilence(after: interval, interval) }
        self.owner?.established(self, authentication)
    }

    private func failed(_ failure: LinkFailure) {
        self.failure = failure
        // A connection that broke is explained by the host, in closed().
        if self.channel.stream != nil { self.end(EndReason(failure)) }
    }

    private func end(_ reason: EndReason?) {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        self.deadline.cancel()
        self.keepAlive.cancel()
        self.owner?.ended(self, reason)
    }

    /// A peer that does not close its half in time, or does not read what we still have to say, is cut off.
    private func watchEnd() {
        self.ending.set(self.federation.settings.server.closeTimeout.milliseconds) { [weak self] in
            guard let self else { return }
            _ = self.perform(self.machine.closeTimedOut())
            self.channel.abort()
        }
    }
}
