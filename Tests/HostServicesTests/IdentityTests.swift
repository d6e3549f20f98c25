import HostServices
import Testing

@Suite("TLS identities")
struct IdentityTests {
    @Test("files that cannot be read, or hold something else, are named")
    func badFiles() throws {
        let leaf = try Certificates.leaf(by: nil)
        let missing = PEMSource.file("/nonexistent/cert.pem")
        let nonsense = PEMSource.bytes(Array("nonsense".utf8))
        #expect(throws: TLSIdentityError.unreadable(path: "/nonexistent/cert.pem", reason: "No such file or directory"))
        {
            try TLSIdentities(identities: [.init(name: "a", certificateChain: missing, key: leaf.keyPEM)])
        }
        let badCertificate = #expect(throws: TLSIdentityError.self) {
            try TLSIdentities(identities: [.init(name: "a", certificateChain: nonsense, key: leaf.keyPEM)])
        }
        guard case .badCertificate("the given text", _)? = badCertificate else {
            Issue.record("\(String(describing: badCertificate))")
            return
        }
        #expect(throws: TLSIdentityError.badKey("the given text")) {
            try TLSIdentities(identities: [.init(name: "a", certificateChain: leaf.pem, key: nonsense)])
        }
        #expect(throws: TLSIdentityError.self) { try TLSIdentities(identities: [], trust: .pem([nonsense])) }
    }

    @Test("a key of another certificate, a name used twice and an unknown default are refused")
    func mismatch() throws {
        let (one, two) = (try Certificates.leaf(by: nil), try Certificates.leaf(by: nil))
        #expect(throws: TLSIdentityError.keyMismatch(identity: "a")) {
            try TLSIdentities(identities: [.init(name: "a", certificateChain: one.pem, key: two.keyPEM)])
        }
        #expect(throws: TLSIdentityError.duplicateName("a")) {
            try TLSIdentities(identities: [one.source("a"), two.source("a")])
        }
        #expect(throws: TLSIdentityError.unknownDefault("b")) {
            try TLSIdentities(identities: [one.source("a")], defaultName: "b")
        }
    }

    @Test("new handshakes use what was reloaded; a reload that fails changes nothing", .timeLimit(.minutes(1)))
    func reload() async throws {
        let authority = try Certificates.trusted.get()
        let identities = try Certificates.identities(try Certificates.leaf(.init(commonName: "old"), by: authority))
        try await Rig.with(serverTLS: identities, clientTLS: try Certificates.identities()) { rig in
            let port = try await rig.server.listen(tls: TLSOptions(side: .server, verification: .none))
            func shown() async throws -> String? {
                let tls = TLSOptions(side: .client, serverName: "a.test", verification: .record)
                let stream = try await rig.client.connect(port, tls: tls)
                return try await rig.client.opened(stream)?.peer?.subjectCommonName
            }
            #expect(try await shown() == "old")
            #expect(throws: TLSIdentityError.self) {
                try identities.reload(identities: [], defaultName: "missing")
            }
            #expect(try await shown() == "old")
            let new = try Certificates.leaf(.init(commonName: "new"), by: authority)
            try identities.reload(identities: [new.source("default")])
            #expect(try await shown() == "new")
        }
    }

    @Test(
        "names in a certificate cover what RFC 6125 says, and no more",
        arguments: [
            ("a.test", "a.test", true), ("A.Test", "a.tesT.", true), ("a.test", "b.a.test", false),
            ("*.a.test", "b.a.test", true), ("*.a.test", "a.test", false), ("*.a.test", "c.b.a.test", false),
            ("*.test", "a.test", false), ("b*.a.test", "bc.a.test", false), ("*", "test", false),
            ("*.*.test", "a.b.test", false), ("*.a.test", ".a.test", false), ("*.a.test", "*.a.test", true),
            ("", "", false), ("a.test", "", false),
        ]
    )
    func dnsNames(name: String, domain: String, isCovered: Bool) {
        #expect(certificate(dns: [name]).matches(domain: domain) == isCovered)
    }

    @Test("SRVNames of the service asked for count, others and the common name do not")
    func serviceNames() {
        let service = "_xmpp-server"
        #expect(certificate(srv: ["_xmpp-server.a.test"]).matches(domain: "A.test", service: "_XMPP-Server"))
        #expect(!certificate(srv: ["_xmpp-server.a.test"]).matches(domain: "a.test"))
        #expect(!certificate(srv: ["_sip.a.test"]).matches(domain: "a.test", service: service))
        #expect(!certificate(srv: ["_xmpp-server.b.test"]).matches(domain: "a.test", service: service))
        #expect(!certificate(common: "a.test").matches(domain: "a.test"))
    }

    @Test("SRVNames are read from certificates", .timeLimit(.minutes(1)))
    func serviceNamesInside() async throws {
        let leaf = Certificates.Leaf(dnsNames: [], services: ["_xmpp-server.A.test"])
        let issued = try Certificates.leaf(leaf, by: try Certificates.trusted.get())
        try await Rig.with(serverTLS: try Certificates.identities(issued), clientTLS: try Certificates.identities()) {
            rig in
            let port = try await rig.server.listen(tls: TLSOptions(side: .server, verification: .none))
            let tls = TLSOptions(side: .client, serverName: "a.test", verification: .record)
            let stream = try await rig.client.connect(port, tls: tls)
            let info = try #require(try await rig.client.opened(stream))
            #expect(info.chainTrusted)
            #expect(info.peer?.srvNames == ["_xmpp-server.a.test"])
        }
    }

    private func certificate(dns: [String] = [], srv: [String] = [], common: String? = nil) -> PeerCertificate {
        PeerCertificate(distrust: nil, dnsNames: dns, srvNames: srv, subjectCommonName: common, sha256: [])
    }
}
