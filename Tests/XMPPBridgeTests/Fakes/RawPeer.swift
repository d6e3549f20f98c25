import CPlugboard

/// Somebody who connects to a server and writes what they like.
struct RawPeer {
    let host: FakeHost
    let end: FakeEndpoint

    /// Connects to port 5269 of a server that is at `address`.
    init(_ world: FakeWorld, _ address: String, name: String = "a.test") {
        let host = FakeHost(world, name: name, address: "192.0.2.9")
        self.host = host
        var options = plugboard_connect_options_t()
        var handle: UInt64 = 0
        _ = lend(address) { address in
            options.host = address
            options.port = 5269
            return host.connect(options, nil, &handle)
        }
        guard let end = host.endpoints[handle] else { preconditionFailure("a connection without an end") }
        self.end = end
        world.run(forMs: 5)
    }

    /// What came since the last time that it was asked.
    func heard() -> String {
        self.host.world.run(forMs: 20)
        defer { self.end.heard = "" }
        return self.end.heard
    }

    /// Writes, and returns what came back.
    @discardableResult
    func say(_ text: String) -> String {
        _ = self.end.write(Array(text.utf8))
        return self.heard()
    }

    /// A stream header.
    func header(from: String? = nil, to: String = "b.test") -> String {
        "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
            + "xmlns:db='jabber:server:dialback' from='\(from ?? self.host.name)' to='\(to)' version='1.0'>"
    }

    static let startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    static let external = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"

    /// Opens a stream and encrypts it, presenting a certificate for its own name.
    func encrypt() {
        self.say(self.header())
        self.say(Self.startTLS)
        var options = plugboard_tls_options_t()
        lend(self.host.name) { name in
            options.identity = name
            self.end.startTLS(FakeTLS(options))
        }
        _ = self.heard()
    }

    /// Opens, encrypts and authenticates a stream.
    func authenticate() {
        self.encrypt()
        self.say(self.header())
        self.say(Self.external)
        self.say(self.header())
    }

    /// A message from mallory here to bob there.
    func message(_ text: String, id: String = "m1") -> String {
        "<message from='mallory@\(self.host.name)' to='bob@b.test' id='\(id)'><body>\(text)</body></message>"
    }
}
