internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// A stream that a partner's server opened to us: performs what the machine decides.
final class InboundSession: StreamSession {
    /// What waits for room in the router: the rest of one read at most, for no more is read meanwhile.
    private struct Held {
        var submissions: ArraySlice<Submission>
        var events: ArraySlice<StreamEvent> = []
    }

    private unowned let federation: Federation
    private let peerAddress: String
    private let channel: StreamChannel
    private let deadline: Alarm
    private let keepAlive: Alarm
    private let ending: Alarm
    private var machine: InboundStreamMachine
    private var held: Held?
    /// Where the stream is managed: what is handled of its stanzas.
    private var handled: HandledStanzas?
    /// The domain that the peer asks for; also the certificate that it is shown.
    private var requestedDomain: String

    /// The domain pairs that were let in.
    private(set) var pairs: [DomainPair: Authentication] = [:]
    /// Envelopes that the router took.
    private(set) var received: UInt64 = 0
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
        self.deadline = Alarm(host: federation.host)
        self.keepAlive = Alarm(host: federation.host)
        self.ending = Alarm(host: federation.host)
        self.machine = InboundStreamMachine(server: server, partners: federation.partners, key: federation.key)
        self.requestedDomain = server.mainDomain
        self.deadline.set(server.establishmentTimeout.milliseconds) { [weak self] in self?.establishmentTimedOut() }
    }

    /// `in, TLSv1.3, EXTERNAL, acknowledged`.
    func detail(_ authentication: Authentication) -> String {
        "in, \(self.channel.security), \(authentication.name)" + (self.handled == nil ? "" : ", acknowledged")
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
        guard self.held == nil else { return }
        switch self.channel.read(&input, { self.handle($0) }) {
        case .done: break
        case .startTLS: self.startTLS(stream)
        case .held(let events):
            self.held?.events = events
            stream.setReading(false)
            self.federation.wait(self)
        }
    }

    func closed(_ stream: Stream, reason: CloseReason) {
        self.channel.detach()
        for alarm in [self.deadline, self.keepAlive, self.ending] { alarm.cancel() }
        if let handled = self.handled {
            self.handled = nil
            if self.machine.isOpen && handled.id != nil {
                // What is not counted yet comes again.
                self.held?.events = []
                self.federation.broke(handled)
            } else {
                self.federation.resumable.remove(handled)
            }
        }
        // What is held was sent before the end: the machine must still let it through.
        if self.held == nil { _ = self.perform(self.machine.connectionClosed()) }
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

    /// The router has room again: hands over what waits.
    ///
    /// - Returns: false if there was not enough.
    func resume() -> Bool {
        guard let waiting = self.held else { return true }
        self.held = nil
        guard self.submit(waiting.submissions) else {
            self.held?.events = waiting.events
            return false
        }
        if let rest = self.channel.readHeld(waiting.events, { self.handle($0) }) {
            self.held?.events = rest
            return false
        }
        self.channel.stream?.setReading(true)
        return true
    }

    /// The verdict about a dialback key that the peer showed.
    func verified(_ request: DialbackRequest, _ verdict: DialbackVerdict) {
        _ = self.perform(self.machine.dialbackVerified(request, verdict))
    }

    /// The peer goes on with the stream over another connection.
    func superseded() {
        self.handled = nil
        self.held?.events = []
        self.channel.abort()
    }

    /// Ends the stream in an orderly way.
    func close() { _ = self.perform(self.machine.close()) }

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
            let silence = self.held == nil ? self.channel.millisecondsSince(self.channel.receivedAt) : 0
            guard silence >= limit else { return self.watchInactivity(after: limit - silence) }
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
                if !self.deliver(element) { next = .hold }
            case .verifyDialback(let request): self.federation.verify(request, for: self)
            case .management(let event): self.manage(event)
            case .established, .verified: break  // Outbound streams only.
            }
        }
        return next
    }

    private func manage(_ event: ManagementEvent) {
        switch event {
        case .enabled(let id):
            guard let pair = self.pairs.keys.first else { return }
            let handled = HandledStanzas(id: id, pair: pair, session: self)
            self.handled = handled
            self.federation.resumable.add(handled)
        case .resumptionAsked(let id, _): self.goOn(with: id)
        case .acknowledgementAsked:
            self.handled?.whenSettled { [weak self] count in
                self?.channel.write(StreamManagementElement.answer(handled: count).element)
            }
        case .acknowledged(let count):
            // Nothing was sent on this stream.
            guard count > 0 else { return }
            _ = self.perform(self.machine.managementBroken(.handledTooMany(count, written: 0)))
        case .resumed, .notResumed: break  // Outbound streams only.
        }
    }

    /// Behind the end of the stream nothing can be acknowledged any more (XEP-0198 §7).
    private func tellLastCount() {
        guard let handled = self.handled else { return }
        handled.detach()
        self.channel.write(StreamManagementElement.answer(handled: handled.count).element)
    }

    /// Goes on with an earlier stream, as soon as it is certain how much of it was handled.
    private func goOn(with id: String) {
        guard self.pairs.count == 1, let pair = self.pairs.keys.first,
            let handled = self.federation.takeOver(id, pair, for: self)
        else {
            _ = self.perform(self.machine.resumptionAnswered(nil))
            return
        }
        self.handled = handled
        handled.whenSettled { [weak self] count in
            guard let self else { return }
            _ = self.perform(self.machine.resumptionAnswered(count))
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

    private func deliver(_ element: Element) -> Bool {
        let ticket = self.handled?.receive()
        var submissions = self.federation.take(element)
        if let ticket {
            ticket.open(submissions.count)
            for index in submissions.indices { submissions[index].ticket = ticket }
            ticket.settle()
        }
        return self.submit(submissions[...])
    }

    /// Hands envelopes to the router; false if it had no room, and the rest is held.
    private func submit(_ submissions: ArraySlice<Submission>) -> Bool {
        for (index, submission) in zip(submissions.indices, submissions) {
            switch self.federation.submit(submission) {
            case .taken: self.received += 1
            case .refused: break
            case .busy:
                self.held = Held(submissions: submissions[index...])
                return false
            }
        }
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
