import ProviderTestKit

/// Another organisation's XMPP server, `b.test`, as far as a conversation with `a.test` needs one: dialback without TLS
/// (XEP-0220), both as receiving and as authoritative server, and as initiating server for what its users say.
final class XMPPPeer: ScriptedNetwork {
    /// Bytes that it reads in a second; nil: all.
    var bytesPerSecond: Int?
    private weak var network: SimulatedNetwork?
    private weak var instance: SimulatedInstance?
    /// The connection on which our users speak, once it may be used.
    private var voice: PeerConnection?
    private var lastStream = 0

    init(bytesPerSecond: Int? = nil) {
        self.bytesPerSecond = bytesPerSecond
    }

    func setUp(_ network: SimulatedNetwork) {
        self.network = network
        network.listen("b.test", port: 5269) { [weak self] in self?.receive($0) }
    }

    func started(_ instance: SimulatedInstance) {
        self.instance = instance
        initiate()
    }

    func say(_ message: Marker) {
        let stanza =
            "<message from='bob@b.test/desk' to='alice@a.test' type='chat' id='\(message)'><body>\(message)</body></message>"
        voice?.say(message) { $0.write(stanza) }
    }

    private static let header =
        "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' "
        + "xmlns:stream='http://etherx.jabber.org/streams' from='b.test' to='a.test' version='1.0'"

    // MARK: Streams of a.test to us

    private func receive(_ connection: PeerConnection) {
        connection.bytesPerSecond = bytesPerSecond
        var reader = TagReader()
        connection.onReceived = { [weak self] bytes, connection in
            for tag in reader.read(bytes) { self?.answer(tag, on: connection) }
        }
    }

    private func answer(_ tag: TagReader.Tag, on connection: PeerConnection) {
        switch tag.name {
        case "stream:stream":
            lastStream += 1
            connection.write(Self.header + " id='stream-\(lastStream)'>")
            connection.write(
                "<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>"
            )
        case "db:result":
            connection.write("<db:result from='b.test' to='a.test' type='valid'/>")
        case "db:verify":
            connection.write("<db:verify from='b.test' to='a.test' id='\(tag["id"])' type='valid'/>")
        case "/stream:stream":
            connection.write("</stream:stream>")
            connection.close()
        default: break
        }
    }

    // MARK: Our stream to a.test

    private func initiate() {
        guard let network, let instance, instance.state == .running else { return }
        network.connect(to: instance, port: 5269) { connection in
            var reader = TagReader()
            connection.onOpened = { $0.write(Self.header + ">") }
            connection.onReceived = { [weak self] bytes, connection in
                for tag in reader.read(bytes) { self?.proceed(tag, on: connection) }
            }
            connection.onClosed = { [weak self, weak network] closed in
                guard let self else { return }
                if voice === closed { voice = nil }
                network?.after(.seconds(10)) { [weak self] in self?.initiate() }
            }
        }
    }

    private func proceed(_ tag: TagReader.Tag, on connection: PeerConnection) {
        switch tag.name {
        case "/stream:features": connection.write("<db:result from='b.test' to='a.test'>0123456789abcdef</db:result>")
        case "db:result" where tag["type"] == "valid": voice = connection
        case "/stream:stream":
            connection.write("</stream:stream>")
            connection.close()
        default: break
        }
    }
}

/// Finds the tags in XML that comes in pieces; what is between them it drops.
private struct TagReader {
    struct Tag {
        var name: String
        var text: String

        /// The value of an attribute; empty where there is none.
        subscript(attribute: String) -> String {
            for quote in ["'", "\""] {
                let parts = text.split(separator: " \(attribute)=\(quote)", maxSplits: 1)
                if parts.count == 2,
                    let value = parts[1].split(separator: quote, omittingEmptySubsequences: false).first
                {
                    return String(value)
                }
            }
            return ""
        }
    }

    private var rest = ""

    mutating func read(_ bytes: [UInt8]) -> [Tag] {
        rest += String(decoding: bytes, as: UTF8.self)
        var tags: [Tag] = []
        while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
            let text = String(rest[rest.index(after: start)..<end])
            tags.append(Tag(name: String(text.prefix { $0 != " " && $0 != "\n" }), text: text))
            rest.removeSubrange(...end)
        }
        return tags
    }
}
