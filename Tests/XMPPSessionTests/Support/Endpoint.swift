import XMPPWire

@testable import XMPPSession

/// One end of a stream: a machine with a parser before it, and what a provider does around them.
final class Endpoint {
    enum Machine {
        case inbound(InboundStreamMachine)
        case outbound(OutboundStreamMachine)
    }

    var machine: Machine
    /// All actions so far.
    private(set) var actions: [StreamAction] = []
    /// Bytes that were written and not taken yet.
    private var output: [UInt8] = []
    private var prefixes = StreamHeader.serverPrefixes
    private(set) var wantsTLS = false
    private(set) var isFinished = false
    private var parser = StreamParser(limits: .unauthenticated)
    private var headersReceived = 0
    /// Whether the next thing that the peer should say is a stream header.
    private(set) var awaitsHeader = true

    init(_ machine: InboundStreamMachine) { self.machine = .inbound(machine) }
    init(_ machine: OutboundStreamMachine) { self.machine = .outbound(machine) }

    /// Takes what was written, as text.
    func sent() -> String {
        defer { self.output = [] }
        return String(decoding: self.output, as: UTF8.self)
    }

    /// Feeds text, as the network would, and returns what the machine had done about it.
    @discardableResult
    func receive(_ text: String) -> [StreamAction] {
        let before = self.actions.count
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty { rest = self.feed(rest) }
        return Array(self.actions[before...])
    }

    /// Feeds bytes to one parser.
    ///
    /// - Returns: those for the next one, where the stream restarted.
    private func feed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let parser = self.parser
        let events = Array(bytes).withUnsafeBytes { parser.parse($0) }
        for event in events {
            self.handle(event.kind)
            if self.parser !== parser { return bytes.dropFirst(event.endOffset) }
        }
        return []
    }

    private func handle(_ event: StreamEvent.Kind) {
        switch event {
        case .opened(let header):
            self.headersReceived += 1
            self.awaitsHeader = false
            let id = "id-\(self.headersReceived)"
            self.perform(inbound: { $0.streamOpened(header, streamID: id) }, outbound: { $0.streamOpened(header) })
        case .element(let element):
            self.perform(inbound: { $0.elementReceived(element) }, outbound: { $0.elementReceived(element) })
        case .closed:
            self.perform(inbound: { $0.streamClosed() }, outbound: { $0.streamClosed() })
        case .failed(let error):
            self.perform(
                inbound: { $0.parserFailed(error, streamID: "id-x") },
                outbound: { $0.parserFailed(error) }
            )
        }
    }

    /// Gives the machine an event that is the same for both kinds, or one for the kind that it is.
    @discardableResult
    func perform(
        inbound: (inout InboundStreamMachine) -> [StreamAction] = { _ in [] },
        outbound: (inout OutboundStreamMachine) -> [StreamAction] = { _ in [] }
    ) -> [StreamAction] {
        let actions: [StreamAction]
        switch self.machine {
        case .inbound(var machine):
            actions = inbound(&machine)
            self.machine = .inbound(machine)
        case .outbound(var machine):
            actions = outbound(&machine)
            self.machine = .outbound(machine)
        }
        for action in actions { self.perform(action) }
        self.actions += actions
        return actions
    }

    @discardableResult
    func establishTLS(with peer: PeerIdentity) -> [StreamAction] {
        self.wantsTLS = false
        return self.perform(inbound: { $0.tlsEstablished(peer) }, outbound: { $0.tlsEstablished(peer) })
    }

    private func perform(_ action: StreamAction) {
        switch action {
        case .sendHeader(let header):
            self.prefixes = header.prefixes
            header.write(into: &self.output)
        case .send(let element):
            element.write(into: &self.output, inheriting: Namespace.server, prefixes: self.prefixes)
        case .sendStreamEnd: StreamHeader.writeClosingTag(into: &self.output)
        case .sendWhitespace: self.output.append(UInt8(ascii: " "))
        case .startTLS: self.wantsTLS = true
        case .restartParser(let limits):
            self.parser = StreamParser(limits: limits)
            self.awaitsHeader = true
        case .setParserLimits(let limits): self.parser.limits = limits
        case .finish: self.isFinished = true
        case .authenticated, .reversible, .established, .failed, .deliver, .verifyDialback, .verified, .management:
            break
        }
    }
}

extension Endpoint {
    /// The receiving end at b.test, whose partner a.test has the open policy if no other is given.
    static func inbound(
        partners: [PartnerPolicy] = [.open("a.test")],
        server: ServerPolicy = ServerPolicy(mainDomain: "b.test", otherDomains: ["rooms.b.test"]),
        key: DialbackKey = .test()
    ) -> Endpoint {
        Endpoint(InboundStreamMachine(server: server, partners: PartnerTable(partners), key: key))
    }

    /// The initiating end at a.test, to b.test.
    static func outbound(
        _ partner: PartnerPolicy = .open("b.test"),
        purpose: OutboundStreamMachine.Purpose = .stanzas(DomainPair(sender: "a.test", target: "b.test")),
        key: DialbackKey = .test(),
        resumption: Resumption? = nil
    ) -> Endpoint {
        let server = ServerPolicy(mainDomain: "a.test")
        return Endpoint(
            OutboundStreamMachine(
                purpose: purpose,
                server: server,
                partner: partner,
                key: key,
                resumption: resumption
            )
        )
    }

    /// An outbound end whose header is out and taken.
    static func connected(
        _ partner: PartnerPolicy = .open("b.test"),
        purpose: OutboundStreamMachine.Purpose = .stanzas(DomainPair(sender: "a.test", target: "b.test"))
    ) -> Endpoint {
        let endpoint = Endpoint.outbound(partner, purpose: purpose)
        endpoint.perform(outbound: { $0.connected() })
        _ = endpoint.sent()
        return endpoint
    }
}
