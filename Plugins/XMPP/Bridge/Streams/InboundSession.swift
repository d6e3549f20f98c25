internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// A stream that a partner's server opened to us: performs what the machine decides.
final class InboundSession: StreamSession, HoldingSession {
    unowned let federation: Federation
    private let peerAddress: String
    let channel: StreamChannel
    let intake: StanzaIntake
    private let deadline: Alarm
    private let keepAlive: Alarm
    private let ending: Alarm
    private(set) var machine: InboundStreamMachine
    /// Between which domains, ours first, stanzas may go back on the stream (XEP-0288).
    var ways: [DomainPair: Authentication] = [:]
    /// Such domains, as long as it is not known whether what goes back will be acknowledged.
    var waysToCome: [DomainPair: Authentication] = [:]
    let managementWait: Alarm
    /// Whether nothing should be written before the buffer has drained.
    var isHigh = false
    private var isClosing = false
    /// The domain that the peer asks for; also the certificate that it is shown.
    private var requestedDomain: String

    /// The domain pairs that were let in.
    private(set) var pairs: [DomainPair: Authentication] = [:]
    /// When the first domain pair was let in, in ms since 1970.
    private(set) var since: Int64 = 0
    /// Why it ended, or will.
    private var failure: LinkFailure?

    /// A session for a connection that was just accepted.
    init(_ federation: Federation, peerAddress: String) {
        let server = federation.settings.server
        self.federation = federation
        self.peerAddress = peerAddress
        self.channel = StreamChannel(host: federation.host, limits: server.limitsBeforeAuthentication)
        self.intake = StanzaIntake(federation, self.channel)
        self.deadline = Alarm(host: federation.host)
        self.keepAlive = Alarm(host: federation.host)
        self.ending = Alarm(host: federation.host)
        self.managementWait = Alarm(host: federation.host)
        self.machine = InboundStreamMachine(server: server, partners: federation.partners, key: federation.key)
        self.requestedDomain = server.mainDomain
        self.deadline.set(server.establishmentTimeout.milliseconds) { [weak self] in self?.establishmentTimedOut() }
    }

    /// `in, TLSv1.3, EXTERNAL, acknowledged, both ways`.
    func detail(_ authentication: Authentication) -> String {
        "in, \(self.channel.security), \(authentication.name)" + (self.isManaged ? ", acknowledged" : "")
            + (self.ways.isEmpty ? "" : ", both ways")
    }

    // MARK: StreamSession

    func accepted(_ stream: Stream) { self.channel.attach(stream) }

    func opened(_ stream: Stream, tls: TLSInfo?) {
        guard let tls else { return }
        self.channel.secured(tls)
        let identity = TLSNegotiation.identity(tls, of: stream, spelling: self.federation.settings.spelling)
        _ = self.perform(self.machine.tlsEstablished(identity))
    }

    func received(_ input: inout ByteReader, on stream: Stream) {
        // What comes although reading is stopped stays with the host.
        guard !self.intake.isHolding else { return }
        switch self.channel.read(&input, { self.handle($0) }) {
        case .done: break
        case .startTLS: self.startTLS(stream)
        case .held(let events): self.intake.hold(events, for: self)
        }
    }

    func writable(_ stream: Stream) {
        self.isHigh = false
        for link in self.carried { link.writable(self) }
    }

    func closed(_ stream: Stream, reason: CloseReason) {
        self.channel.detach()
        // While the counts are there, for a link that may go on.
        self.endWays(EndReason(reason))
        for alarm in [self.deadline, self.keepAlive, self.ending, self.managementWait] { alarm.cancel() }
        if let handled = self.intake.handled {
            self.intake.handled = nil
            if self.machine.isOpen && handled.id != nil {
                // What is not counted yet comes again.
                self.intake.dropEvents()
                self.federation.broke(handled)
            } else {
                self.federation.resumable.remove(handled)
            }
        }
        // What is held was sent before the end: the machine must still let it through.
        if !self.intake.isHolding { _ = self.perform(self.machine.connectionClosed()) }
        self.federation.ended(self)
        self.logEnd(reason)
    }

    private func logEnd(_ reason: CloseReason) {
        let why = self.failure.map { "\($0)" } ?? reason.detail
        if let name = self.pairs.keys.map(\.sender).min() {
            self.federation.host.log(
                .info,
                "a stream in has ended",
                [.partner: name, .peer: self.peerAddress, .reason: why]
            )
        } else if self.failure == nil || self.failure == .closedByPeer {
            // Port scans, and partners that asked about a dialback key and were answered.
            self.federation.host.log(.debug, "a stream in came to nothing", [.peer: self.peerAddress, .reason: why])
        } else {
            self.federation.host.log(.notice, "a stream in was refused", [.peer: self.peerAddress, .reason: why])
        }
    }

    // MARK: Calls of the federation

    /// The router has room again.
    func resume() -> Bool { self.intake.resume { self.handle($0) } }

    /// The verdict about a dialback key that the peer showed.
    func verified(_ request: DialbackRequest, _ verdict: DialbackVerdict) {
        _ = self.perform(self.machine.dialbackVerified(request, verdict))
    }

    /// The peer goes on with the stream over another connection.
    func superseded() {
        self.endWays(.superseded)
        self.intake.handled = nil
        self.intake.dropEvents()
        self.channel.abort()
    }

    /// Ends the stream in an orderly way.
    func close() {
        self.isClosing = true
        _ = self.perform(self.machine.close())
    }

    /// Ends the stream, whose peer acknowledged what it was never sent.
    func refuse(_ error: StreamManagementError) { _ = self.perform(self.machine.managementBroken(error)) }

    // MARK: Events

    private func handle(_ event: StreamEvent.Kind) -> StreamChannel.Next {
        switch event {
        case .opened(let header):
            if let domain = header.to.flatMap({ try? JID($0) })?.domain, self.federation.settings.server.serves(domain)
            {
                self.requestedDomain = domain
            }
            return self.perform(self.machine.streamOpened(header, streamID: self.federation.randomID()))
        case .element(let element): return self.perform(self.machine.elementReceived(element))
        case .closed: return self.perform(self.machine.streamClosed())
        case .failed(let error):
            return self.perform(self.machine.parserFailed(error, streamID: self.federation.randomID()))
        }
    }

    private func establishmentTimedOut() {
        _ = self.perform(self.machine.establishmentTimedOut())
    }

    private func watchInactivity(after milliseconds: UInt64) {
        self.deadline.set(milliseconds) { [weak self] in
            guard let self else { return }
            let limit = self.federation.settings.server.inactivityTimeout.milliseconds
            let silence = !self.intake.isHolding ? self.channel.millisecondsSince(self.channel.receivedAt) : 0
            guard silence >= limit else { return self.watchInactivity(after: limit - silence) }
            self.isClosing = true
            _ = self.perform(self.machine.inactivityTimedOut())
        }
    }

    private func watchSilence(_ interval: UInt64) {
        self.keepAlive.set(interval) { [weak self] in
            guard let self else { return }
            _ = self.perform(self.machine.keepAliveDue())
            self.watchSilence(interval)
        }
    }

    private func startTLS(_ stream: Stream) {
        let identity = self.federation.settings.spelling(self.requestedDomain)
        self.federation.startTLS(stream, TLSNegotiation.options(identity: identity, isDirect: false))
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
            case .authenticated(let pair, let authentication):
                guard self.admit(pair, authentication) else { return .stop }
            case .failed(let failure): self.failure = failure
            case .deliver(let element):
                if !self.intake.deliver(element) { next = .hold }
            case .reversible(let pair, let authentication): self.openWay(pair, authentication)
            case .verifyDialback(let request): self.federation.verify(request, for: self)
            case .management(let event): self.manage(event)
            case .established, .verified: break  // Outbound streams only.
            }
        }
        if !self.machine.isOpen {
            let reason = self.isClosing && self.failure == nil ? nil : EndReason(self.failure ?? .closedByPeer)
            self.endWays(reason)
        }
        return next
    }

    private func manage(_ event: ManagementEvent) {
        switch event {
        case .enabled(let id):
            guard let pair = self.pairs.keys.first else { return }
            let handled = HandledStanzas(id: id, pair: pair, session: self)
            self.intake.handled = handled
            self.federation.resumable.add(handled)
            for link in self.carried { link.managementBegan(self) }
            self.openWays()
        case .resumptionAsked(let id, let count): self.goOn(with: id, handled: count)
        case .acknowledgementAsked:
            self.intake.handled?.whenSettled { [weak self] count in
                self?.channel.write(StreamManagementElement.answer(handled: count).element)
            }
        case .acknowledged(let count): self.acknowledged(count)
        case .resumed, .notResumed: break  // Outbound streams only.
        }
    }

    /// Behind the end of the stream nothing can be acknowledged any more (XEP-0198 §7).
    private func tellLastCount() {
        guard let handled = self.intake.handled else { return }
        handled.detach()
        self.channel.write(StreamManagementElement.answer(handled: handled.count).element)
    }

    /// Goes on with an earlier stream, as soon as it is certain how much of it was handled.
    ///
    /// - Parameter count: how many of our stanzas the peer has handled.
    private func goOn(with id: String, handled count: UInt32) {
        guard self.pairs.count == 1, let pair = self.pairs.keys.first,
            let handled = self.federation.takeOver(id, pair, for: self)
        else {
            _ = self.perform(self.machine.resumptionAnswered(nil))
            return
        }
        // Also where it is refused: the count ends with this stream then.
        self.intake.handled = handled
        guard handled.back.contains(count) else {
            return self.refuse(.handledTooMany(count, written: handled.back.written))
        }
        handled.whenSettled { [weak self] settled in
            guard let self else { return }
            _ = self.perform(self.machine.resumptionAnswered(settled))
            self.openWays()
            self.wentOn(handled, count)
        }
    }

    /// A peer that does not close its half in time, or does not read what we still have to say, is cut off.
    private func watchEnd() {
        self.ending.set(self.federation.settings.server.closeTimeout.milliseconds) { [weak self] in
            guard let self else { return }
            _ = self.perform(self.machine.closeTimedOut())
            self.channel.abort()
        }
    }

    private func admit(_ pair: DomainPair, _ authentication: Authentication) -> Bool {
        guard let policy = self.federation.partners.policy(for: pair.sender) else { return false }
        guard self.federation.admits(self, policy) else {
            self.federation.host.log(
                .warning,
                "a stream in was refused",
                [
                    .partner: pair.sender, .peer: self.peerAddress,
                    .reason: "the partner has so many streams open already, which is its connection_limit",
                    .count: "\(policy.connectionLimit)",
                ]
            )
            self.channel.write(StreamError(.resourceConstraint, text: "Too many streams of this partner.").element)
            _ = self.perform(self.machine.close())
            self.channel.finish()
            return false
        }
        if self.pairs.isEmpty {
            self.since = self.federation.host.wallClock
            self.watchInactivity(after: self.federation.settings.server.inactivityTimeout.milliseconds)
            if let interval = policy.keepAlive { self.watchSilence(interval.milliseconds) }
        }
        self.pairs[pair] = authentication
        self.federation.host.log(
            .info,
            "a stream in is established",
            [
                .partner: pair.sender, .from: pair.sender, .to: pair.target, .peer: self.peerAddress,
                "security": self.detail(authentication),
            ]
        )
        return true
    }
}

extension Authentication {
    /// As operators know it.
    var name: String {
        switch self {
        case .external: "EXTERNAL"
        case .dialback: "dialback"
        }
    }
}
