import XMPPSession
import XMPPWire

/// Whatever a peer sends to an inbound stream: no stanza gets through between domains that were not authenticated since
/// the stream last began, and nothing happens after the end.
///
/// The first byte of the input chooses the certificate of the peer, the verdict on its keys, and whether the connection
/// begins with TLS. The second one chooses the size of the pieces.
@c(LLVMFuzzerTestOneInput)
public func fuzzXMPPSession(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 1 else { return 0 }
    let peer = Peer(choice: start[0])
    let bytes = Array(UnsafeBufferPointer(start: start + 2, count: count - 2))
    let pieceBytes = Int(start[1]) + 1
    for offset in stride(from: 0, to: bytes.count, by: pieceBytes) {
        peer.send(bytes[offset..<min(offset + pieceBytes, bytes.count)])
    }
    peer.check(peer.machine.connectionClosed())
    precondition(peer.failures <= 1)
    return 0
}

/// A stream, and what has come of it.
private final class Peer {
    let choice: UInt8
    var machine: InboundStreamMachine
    var failures = 0
    private var parser: StreamParser
    private var pairs: Set<DomainPair> = []
    private var streamCount = 0
    private var isFinished = false

    init(choice: UInt8) {
        self.choice = choice
        var server = ServerPolicy(mainDomain: "b.test", otherDomains: ["c.test"])
        server.domainPairsMax = 3
        server.pendingVerificationsMax = 2
        self.parser = StreamParser(limits: server.limitsBeforeAuthentication)
        let partners = [
            PartnerPolicy(domain: "a.test", additionalDomains: ["d.test"], tls: .optional, sasl: .optional),
            PartnerPolicy(domain: "e.test"),
        ]
        // Not a digest, but a function of its inputs, which is all that is looked at.
        let key = DialbackKey(secretDigest: [1, 2, 3], hmacSHA256: { _, data in Array(data.prefix(32)) })
        self.machine = InboundStreamMachine(server: server, partners: PartnerTable(partners), key: key)
        if choice & 0x80 != 0 { self.handshake() }
    }

    private func handshake() {
        let certificates = [PeerIdentity.Certificate.missing, .untrusted, .trusted, .trusted]
        let index = Int(self.choice & 3)
        let identity = PeerIdentity(certificate: certificates[index], matches: { index == 3 && $0 == "a.test" })
        self.check(self.machine.tlsEstablished(identity))
    }

    private func verdict() -> DialbackVerdict {
        let verdicts = [DialbackVerdict.valid, .invalid, .failed(.serverNotFound), .failed(.serverUnreachable)]
        return verdicts[Int(self.choice >> 2 & 3)]
    }

    func send(_ bytes: ArraySlice<UInt8>) {
        var rest = Array(bytes)
        while !rest.isEmpty && !self.isFinished {
            let parser = self.parser
            var next: [UInt8] = []
            for event in parser.parse(rest) {
                self.handle(event.kind)
                if self.parser !== parser {
                    next = Array(rest[event.endOffset...])
                    break
                }
            }
            rest = next
        }
    }

    private func handle(_ event: StreamEvent.Kind) {
        switch event {
        case .opened(let header):
            self.streamCount += 1
            self.check(self.machine.streamOpened(header, streamID: String(self.streamCount)))
        case .element(let element): self.check(self.machine.elementReceived(element))
        case .closed: self.check(self.machine.streamClosed())
        case .failed(let error): self.check(self.machine.parserFailed(error, streamID: "x"))
        }
    }

    func check(_ actions: [StreamAction]) {
        precondition(!self.isFinished || actions.isEmpty)
        for action in actions {
            switch action {
            case .restartParser(let limits):
                self.parser = StreamParser(limits: limits)
                self.pairs = []
            case .setParserLimits(let limits): self.parser.limits = limits
            case .finish: self.isFinished = true
            case .failed: self.failures += 1
            case .authenticated(let pair, _):
                self.pairs.insert(pair)
                precondition(self.pairs.count <= 3)
            case .reversible(let pair, _):
                // What we say goes to whom the peer has proved to be.
                precondition(self.pairs.contains(DomainPair(sender: pair.target, target: pair.sender)))
            case .deliver(let stanza): self.checkAddresses(of: stanza)
            case .sendHeader, .send, .sendStreamEnd, .sendWhitespace, .startTLS, .verifyDialback, .management: break
            case .established, .verified: preconditionFailure("an inbound stream does not do that")
            }
        }
        if actions.contains(.startTLS) { self.handshake() }
        for case .verifyDialback(let request) in actions {
            self.check(self.machine.dialbackVerified(request, self.verdict()))
        }
    }

    private func checkAddresses(of stanza: Element) {
        guard let from = try? stanza.requiredJID("from"), let to = try? stanza.requiredJID("to") else {
            preconditionFailure("a stanza without addresses was delivered")
        }
        precondition(self.pairs.contains(DomainPair(sender: from.domain, target: to.domain)))
    }
}
