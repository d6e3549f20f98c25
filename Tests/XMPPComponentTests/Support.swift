import Crypto
import IMModel
import ProviderKit
import ProviderTestKit
import XMPPBridge
import XMPPWire

/// A JID that is one.
func jid(_ text: String) -> JID {
    guard let jid = try? JID(text) else { preconditionFailure("\(text) is no JID") }
    return jid
}

/// An address that is one.
func address(_ text: String) -> Address {
    guard let address = Address(text) else { preconditionFailure("\(text) is no address") }
    return address
}

/// The digest of a text, as a component's proof has it.
func sha1(_ text: String) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let bytes = Insecure.SHA1.hash(data: Array(text.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: bytes, as: UTF8.self)
}

/// The one element in a text, as it comes in a component's stream.
func element(_ xml: String) -> Element {
    let header = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>"
    for event in StreamParser().parse(Array((header + xml).utf8)) {
        if case .element(let element) = event.kind { return element }
    }
    preconditionFailure("\(xml) is no element")
}

/// The stanza in a text, with the content namespace that the gateways work with.
func stanza(_ xml: String) -> Stanza {
    do {
        return try Stanza(element(xml)).moved(to: Namespace.server)
    } catch {
        preconditionFailure("\(xml) is no stanza: \(error)")
    }
}

extension Stanza {
    /// As XML, in the namespace that it has.
    var xml: String { self.element.xml(inheriting: self.namespace) }
}

/// The organisation's XMPP server, as far as a component meets it.
final class ComponentServer {
    /// What the server does with a component that knocks.
    enum Mood {
        case kind
        /// It ends the stream with this error instead of a header.
        case refusingHeader(String)
        /// It ends the stream with this error instead of letting the component in.
        case refusingProof(String)
        /// It says nothing at all.
        case mute
    }

    static let secret = "s3cret & <more>"

    let simulation: Simulation
    var mood = Mood.kind
    private(set) var connections: [PeerConnection] = []
    /// All that came, by connection.
    private(set) var heard: [String] = []
    /// Connections that were let in.
    private(set) var admitted = 0

    init(_ simulation: Simulation, host: String = "xmpp.internal") {
        self.simulation = simulation
        simulation.network.listen(host, port: 5347) { [weak self] in self?.accept($0) }
    }

    /// The connection that came last.
    var connection: PeerConnection? { self.connections.last }
    /// What came over it.
    var last: String { self.heard.last ?? "" }

    /// Sends a stanza, and lets some time pass.
    func say(_ xml: String) {
        self.connection?.write(xml)
        self.simulation.run(for: .seconds(1))
    }

    /// Forgets what came so far over the last connection.
    func forget() {
        if !self.heard.isEmpty { self.heard[self.heard.count - 1] = "" }
    }

    private func accept(_ connection: PeerConnection) {
        let index = self.connections.count
        self.connections.append(connection)
        self.heard.append("")
        connection.onReceived = { [weak self] bytes, connection in
            guard let self else { return }
            let before = self.heard[index]
            self.heard[index] += String(decoding: bytes, as: UTF8.self)
            self.answer(self.heard[index], before, connection, id: "id\(index)&lt;")
        }
    }

    private func answer(_ all: String, _ before: String, _ connection: PeerConnection, id: String) {
        func came(_ text: String) -> Bool { all.contains(text) && !before.contains(text) }
        let end = "</stream:stream>"
        let header =
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
            + "xmlns:stream='http://etherx.jabber.org/streams' from='aim.example.org' id='\(id)'>"
        func error(_ condition: String) -> String {
            "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>" + end
        }
        if came("<stream:stream") {
            switch self.mood {
            case .mute: return
            case .refusingHeader(let condition): connection.write(header + error(condition))
            case .kind, .refusingProof: connection.write(header)
            }
        }
        if came("</handshake>") {
            let proof = sha1(id.replacingOccurrences("&lt;", "<") + Self.secret)
            if case .refusingHeader = self.mood { return }
            if case .refusingProof(let condition) = self.mood {
                connection.write(error(condition))
            } else if all.contains("<handshake>\(proof)</handshake>") {
                self.admitted += 1
                connection.write("<handshake/>")
            } else {
                connection.write(error("not-authorized"))
            }
        }
        if came(end) {
            connection.write(end)
            connection.close()
        }
    }
}

extension String {
    fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String {
        self.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}

/// A router with the gateway `aim.example.org` for aol.com, and the server of `example.org`.
struct GatewayWorld {
    let simulation: Simulation
    let server: ComponentServer
    let router: SimulatedInstance

    static let settings = [
        "component.server": "xmpp.internal", "component.gateways[0].domain": "aim.example.org",
        "component.gateways[0].secret": ComponentServer.secret, "component.gateways[0].network": "aol.com",
        "component.gateways[0].type": "aim", "component.gateways[0].name": "AIM",
    ]

    init(
        seed: UInt64 = 1,
        more: [String: String] = [:],
        mood: ComponentServer.Mood = .kind,
        run: Duration = .seconds(3)
    ) throws {
        self.simulation = Simulation(seed: seed)
        self.server = ComponentServer(self.simulation)
        self.server.mood = mood
        self.router = try self.simulation.make(
            TestedPlugin(XMPPProvider.self),
            settings: Self.settings.merging(more) { $1 },
            homeDomains: ["example.org", "own.example"]
        )
        self.router.servedDomains = ["example.org"]
        try self.router.start()
        self.simulation.run(for: run)
    }

    /// Offers an envelope from the network to alice, and lets some time pass.
    @discardableResult
    func deliver(
        _ content: Envelope.Content,
        from: String = "bob@aol.com",
        to: String = "alice@example.org",
        id: String = "m1",
        device: String = ""
    ) -> SimulatedDelivery {
        var envelope = Envelope(from: address(from), to: address(to), id: id, content: content)
        envelope.fromDevice = device
        let delivery = self.router.deliver(envelope)
        self.simulation.run(for: .seconds(1))
        return delivery
    }
}

extension SimulatedDelivery {
    /// Why it was put off or has failed last; nil if it was not.
    var reason: Outcome.Reason? {
        switch self.outcomes.last {
        case .deferred(let reason), .failed(let reason): reason
        case .accepted, .delivered, nil: nil
        }
    }
}
