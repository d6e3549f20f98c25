import XMPPComponent
import XMPPWire

/// Whatever the organisation's XMPP server sends: the stream is established by a handshake alone, ends once, and every question
/// that may be answered is answered to whoever asked.
///
/// The first byte of the input chooses the size of the pieces, and whether a valid header and handshake come before the rest.
@c(LLVMFuzzerTestOneInput)
public func fuzzXMPPComponent(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let choice = start[0]
    var bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    if choice & 0x80 != 0 {
        let opening =
            "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>"
            + "<handshake/>"
        bytes = Array(opening.utf8) + bytes
    }
    var run = Run()
    let parser = StreamParser()
    let pieceBytes = Int(choice & 0x7F) + 1
    for index in stride(from: 0, to: bytes.count, by: pieceBytes) {
        for event in parser.parse(Array(bytes[index..<min(index + pieceBytes, bytes.count)])) { run.handle(event.kind) }
    }
    return 0
}

/// A machine and what it has done so far.
private struct Run {
    private var machine = ComponentStreamMachine(domain: "aim.example.org", secret: "s", limits: StreamParserLimits())
    private var hasProved = false
    private var hasFailed = false
    private var isOver = false
    private var shown = ShownPresence()
    private let names = GatewayNames(domain: "aim.example.org", network: nil)

    init() { _ = self.machine.connected() }

    mutating func handle(_ event: StreamEvent.Kind) {
        let actions =
            switch event {
            case .opened(let header): self.machine.streamOpened(header) { "digest of \($0)" }
            case .element(let element): self.machine.elementReceived(element)
            case .closed: self.machine.streamClosed()
            case .failed(let error): self.machine.parserFailed(error)
            }
        for action in actions {
            precondition(!self.isOver || action == .sendStreamEnd)
            switch action {
            case .send(let element) where element.name == "handshake": self.hasProved = true
            case .established: precondition(self.hasProved)
            case .deliver(let element):
                precondition(self.machine.isEstablished)
                self.deliver(element)
            case .failed:
                precondition(!self.hasFailed)
                self.hasFailed = true
                self.isOver = true
            case .sendHeader, .send, .sendStreamEnd, .finish, .setParserLimits: break
            }
        }
    }

    private mutating func deliver(_ element: Element) {
        guard let stanza = try? Stanza(element).moved(to: Namespace.server) else { return }
        let responder = GatewayResponder(names: self.names, type: "aim", name: "AIM")
        if let answer = responder.answer(to: stanza) {
            precondition(answer.to == stanza.from && answer.id == stanza.id)
        }
        for answer in GatewayPresence.answers(to: stanza, isUp: true) {
            precondition(answer.to?.bare == stanza.from?.bare)
        }
        self.shown.note(stanza)
        precondition(self.shown.presencesCount <= ShownPresence.presencesMax)
        for payload in stanza.payload {
            if let prompt = GatewayPrompt(payload) { precondition(GatewayPrompt(prompt.element) == prompt) }
            if let privilege = Privilege(payload) { precondition(Privilege(privilege.element) == privilege) }
            if let change = RosterChange(payload) { precondition(RosterChange(change.element) == change) }
            if let items = DiscoItems(payload) { precondition(DiscoItems(items.element) == items) }
        }
        for jid in [stanza.from, stanza.to].compactMap({ $0 }) {
            guard let address = self.names.address(of: jid), let back = self.names.jid(of: address) else { continue }
            precondition(self.names.address(of: back) == address)
        }
    }
}
