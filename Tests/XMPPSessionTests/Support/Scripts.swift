import XMPPWire

@testable import XMPPSession

/// What peers say, as they say it: XML declarations and attributes in single quotes.
enum Script {
    /// The header of a server at a.test that opens a stream to us.
    static func header(
        from: String? = "a.test",
        to: String? = "b.test",
        version: String? = "1.0",
        namespace: String = "jabber:server"
    ) -> String {
        let attributes = [("from", from), ("to", to), ("version", version)]
            .compactMap { name, value in value.map { " \(name)='\($0)'" } }
            .joined()
        return "<?xml version='1.0'?><stream:stream xmlns='\(namespace)' xmlns:db='jabber:server:dialback' "
            + "xmlns:stream='http://etherx.jabber.org/streams'\(attributes)>"
    }

    /// The header of a server at b.test that answers ours.
    static func answer(id: String? = "12345678901234567890", version: String? = "1.0", dialback: Bool = true) -> String
    {
        let attributes = [("id", id), ("version", version)]
            .compactMap { name, value in value.map { " \(name)='\($0)'" } }
            .joined()
        let prefix = dialback ? " xmlns:db='jabber:server:dialback'" : ""
        return "<?xml version='1.0'?><stream:stream xmlns='jabber:server'\(prefix) "
            + "xmlns:stream='http://etherx.jabber.org/streams' from='b.test' to='a.test'\(attributes)>"
    }

    static func features(_ content: String = "") -> String { "<stream:features>\(content)</stream:features>" }

    static let startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    static let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    static let dialbackFeature = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
    static let external =
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
    static let success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
    static let saslFailure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>"
    static let message = "<message from='x@a.test/1' to='y@b.test'><body>hi</body></message>"
    static let end = "</stream:stream>"

    static func auth(_ data: String, mechanism: String = "EXTERNAL") -> String {
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='\(mechanism)'>\(data)</auth>"
    }

    static func key(_ key: String = "abc", from: String = "a.test", to: String = "b.test") -> String {
        "<db:result from='\(from)' to='\(to)'>\(key)</db:result>"
    }

    static func streamError(_ condition: String) -> String {
        "<stream:error><\(condition) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    }
}

extension Endpoint {
    /// An inbound end that a peer at a.test has authenticated itself to by dialback.
    static func established(
        partners: [PartnerPolicy] = [.open("a.test")],
        server: ServerPolicy = ServerPolicy(mainDomain: "b.test", otherDomains: ["rooms.b.test"])
    ) -> Endpoint {
        let endpoint = Endpoint.inbound(partners: partners, server: server)
        endpoint.receive(Script.header())
        endpoint.authenticate()
        _ = endpoint.sent()
        return endpoint
    }

    /// Has the peer show a key, which is found valid.
    @discardableResult
    func authenticate(from: String = "a.test", to: String = "b.test") -> [StreamAction] {
        guard let request = self.receive(Script.key(from: from, to: to)).request else { return [] }
        return self.perform(inbound: { $0.dialbackVerified(request, .valid) })
    }

    /// An inbound end whose peer speaks over TLS, with its header out and answered.
    static func secured(
        by certificate: TestCertificate = .valid,
        partners: [PartnerPolicy] = [.open("a.test")],
        header: String = Script.header()
    ) -> Endpoint {
        let endpoint = Endpoint.inbound(partners: partners)
        endpoint.establishTLS(with: certificate.identity(of: "a.test"))
        endpoint.receive(header)
        return endpoint
    }

    /// An outbound end that stanzas may be sent on.
    static func dialed() -> Endpoint {
        let endpoint = Endpoint.connected()
        endpoint.receive(Script.answer() + Script.features(Script.dialbackFeature))
        endpoint.receive("<db:result from='b.test' to='a.test' type='valid'/>")
        _ = endpoint.sent()
        return endpoint
    }
}
