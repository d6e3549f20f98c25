import HostServices
import Testing
import X509

@Suite("TLS", .timeLimit(.minutes(1)))
struct TLSTests {
    private static let serverPlain = TLSOptions(side: .server, verification: .none)

    private static func client(
        _ verification: TLSOptions.Verification,
        identity: String? = nil,
        alpn: [String] = []
    ) -> TLSOptions {
        TLSOptions(side: .client, identity: identity, serverName: "a.test", alpn: alpn, verification: verification)
    }

    @Test("a trusted server with the right name is connected to, and data goes both ways")
    func trusted() async throws {
        let leaf = try Certificates.leaf(by: try Certificates.trusted.get())
        try await Rig.with(serverTLS: try Certificates.identities(leaf), clientTLS: try Certificates.identities()) {
            rig in
            let server = TLSOptions(side: .server, alpn: ["b", "a"], verification: .none)
            let port = try await rig.server.listen(tls: server)
            let stream = try await rig.client.connect(port, tls: Self.client(.required(name: nil), alpn: ["a", "b"]))
            let info = try #require(try await rig.client.opened(stream))
            #expect(info.version == "TLSv1.3")
            #expect(info.alpn == "b")
            #expect(info.peerCertificatePresent && info.chainTrusted && info.proves(domain: "A.test"))
            #expect(info.peer?.dnsNames == ["a.test"])
            #expect(info.peer?.subjectCommonName == "a leaf")
            #expect(info.peer?.sha256.count == 32)
            let accepted = try await rig.server.accepted()
            let seen = try #require(try await rig.server.opened(accepted))
            #expect(!seen.peerCertificatePresent && !seen.chainTrusted && seen.alpn == "b")
            #expect(try await rig.client.on { try $0.service.tlsInfo(stream) } == info)

            try await rig.client.write(stream, String(repeating: "x", count: 100_000))
            _ = try await rig.server.consumed(accepted, 100_000)
            try await rig.server.on { side in
                try side.put(accepted, "bye")
                try side.service.finish(accepted)
            }
            _ = try await rig.client.consumed(stream, 3)
            #expect(try await rig.client.closed(stream) == [.remoteClosed])
            #expect(try await rig.server.closed(accepted) == [.finished])
        }
    }

    /// A server's certificate, and what a client must think of it.
    enum Flaw: String, CaseIterable {
        case none, criticalPurpose, selfSigned, otherAuthority, expired, otherName, otherPurpose

        func issue() throws -> Certificates.Issued {
            let trusted = try Certificates.trusted.get()
            switch self {
            case .none: return try Certificates.leaf(by: trusted)
            case .criticalPurpose: return try Certificates.leaf(.init(isPurposeCritical: true), by: trusted)
            case .selfSigned: return try Certificates.leaf(by: nil)
            case .otherAuthority: return try Certificates.leaf(by: try Certificates.other.get())
            case .expired: return try Certificates.leaf(.init(isExpired: true), by: trusted)
            case .otherName:
                return try Certificates.leaf(.init(dnsNames: ["b.test"], commonName: "a.test"), by: trusted)
            case .otherPurpose: return try Certificates.leaf(.init(purposes: [.codeSigning]), by: trusted)
            }
        }

        var isChainTrusted: Bool { self == .none || self == .criticalPurpose || self == .otherName }
        var isGood: Bool { self == .none || self == .criticalPurpose }
    }

    @Test("a client that requires a valid certificate opens the stream only for one", arguments: Flaw.allCases)
    func required(flaw: Flaw) async throws {
        let server = try Certificates.identities(try flaw.issue())
        try await Rig.with(serverTLS: server, clientTLS: try Certificates.identities()) { rig in
            let port = try await rig.server.listen(tls: Self.serverPlain)
            let stream = try await rig.client.connect(port, tls: Self.client(.required(name: nil)))
            if flaw.isGood {
                #expect(try await rig.client.opened(stream)?.chainTrusted == true)
            } else {
                let reasons = try await rig.client.closed(stream)
                guard case .tlsFailed(let text)? = reasons.first, reasons.count == 1 else {
                    Issue.record("\(reasons)")
                    return
                }
                #expect(text.hasPrefix("the peer's certificate is not"))
                #expect(try await rig.client.on { $0.ear.openings(stream) } == [])
            }
        }
    }

    @Test("a client that records opens the stream, and has the verdict", arguments: Flaw.allCases)
    func recorded(flaw: Flaw) async throws {
        let server = try Certificates.identities(try flaw.issue())
        try await Rig.with(serverTLS: server, clientTLS: try Certificates.identities()) { rig in
            let port = try await rig.server.listen(tls: Self.serverPlain)
            let stream = try await rig.client.connect(port, tls: Self.client(.record))
            let info = try #require(try await rig.client.opened(stream))
            #expect(info.peerCertificatePresent)
            #expect(info.chainTrusted == flaw.isChainTrusted, "\(info.peer?.distrust ?? "trusted")")
            #expect(info.proves(domain: "a.test") == flaw.isGood)
        }
    }

    @Test(
        "a server that records sees the client's certificate, or that there is none",
        arguments: [nil] + Flaw.allCases
    )
    func clientCertificate(flaw: Flaw?) async throws {
        let server = try Certificates.identities(try Flaw.none.issue())
        let client = try Certificates.identities(try flaw?.issue())
        try await Rig.with(serverTLS: server, clientTLS: client) { rig in
            let port = try await rig.server.listen(tls: TLSOptions(side: .server, verification: .record))
            let tls = Self.client(.required(name: nil), identity: flaw == nil ? nil : "default")
            _ = try await rig.client.connect(port, tls: tls)
            let info = try #require(try await rig.server.opened(try await rig.server.accepted()))
            #expect(info.peerCertificatePresent == (flaw != nil))
            #expect(info.chainTrusted == (flaw?.isChainTrusted ?? false))
            #expect(info.proves(domain: "a.test") == (flaw?.isGood ?? false))
        }
    }

    @Test("a server that requires a certificate opens the stream only for a good one", arguments: [nil] + Flaw.allCases)
    func mutual(flaw: Flaw?) async throws {
        let server = try Certificates.identities(try Flaw.none.issue())
        let client = try Certificates.identities(try flaw?.issue())
        try await Rig.with(serverTLS: server, clientTLS: client) { rig in
            let tls = TLSOptions(side: .server, verification: .required(name: "a.test"))
            let port = try await rig.server.listen(tls: tls)
            let identity = flaw == nil ? nil : "default"
            _ = try await rig.client.connect(port, tls: Self.client(.required(name: nil), identity: identity))
            let accepted = try await rig.server.when {
                !$0.acceptedStreams.isEmpty
            } _: {
                $0.ear.acceptedStreams[0]
            }
            if flaw?.isGood == true {
                #expect(try await rig.server.opened(accepted)?.proves(domain: "a.test") == true)
            } else {
                let reasons = try await rig.server.closed(accepted)
                guard case .tlsFailed? = reasons.first, reasons.count == 1 else {
                    Issue.record("\(reasons)")
                    return
                }
                #expect(try await rig.server.on { $0.ear.openings(accepted) } == [])
            }
        }
    }

    @Test("a name other than the one asked for in SNI can be required")
    func otherRequiredName() async throws {
        let leaf = try Certificates.leaf(.init(dnsNames: ["b.test"]), by: try Certificates.trusted.get())
        try await Rig.with(serverTLS: try Certificates.identities(leaf), clientTLS: try Certificates.identities()) {
            rig in
            let port = try await rig.server.listen(tls: Self.serverPlain)
            let stream = try await rig.client.connect(port, tls: Self.client(.required(name: "b.test")))
            #expect(try await rig.client.opened(stream)?.proves(domain: "b.test") == true)
        }
    }

    @Test(
        "a server shows the identity that fits the name the client asks for",
        arguments: [
            ("a.test", "one"), ("b.test", "two"), ("x.wild.test", "three"), ("two", "two"), ("c.test", "one"),
        ]
    )
    func serverName(asked: String, expected: String) async throws {
        let authority = try Certificates.trusted.get()
        func leaf(_ name: String, _ common: String) throws -> Certificates.Issued {
            try Certificates.leaf(.init(dnsNames: [name], commonName: common), by: authority)
        }
        let identities = try TLSIdentities(identities: [
            try leaf("a.test", "one").source("one"),
            try leaf("b.test", "two").source("two"),
            try leaf("*.wild.test", "three").source("three"),
        ])
        try await Rig.with(serverTLS: identities, clientTLS: try Certificates.identities()) { rig in
            let port = try await rig.server.listen(tls: Self.serverPlain)
            let tls = TLSOptions(side: .client, serverName: asked, verification: .record)
            let stream = try await rig.client.connect(port, tls: tls)
            #expect(try await rig.client.opened(stream)?.peer?.subjectCommonName == expected)
        }
    }

    @Test("a peer that talks plain text fails the handshake")
    func plainPeer() async throws {
        let leaf = try Certificates.leaf(by: try Certificates.trusted.get())
        try await Rig.with(serverTLS: try Certificates.identities(leaf)) { rig in
            let port = try await rig.server.listen(tls: Self.serverPlain)
            let stream = try await rig.client.connect(port)
            _ = try await rig.client.opened(stream)
            try await rig.client.write(stream, "<?xml version='1.0'?>")
            let accepted = try await rig.server.when {
                !$0.acceptedStreams.isEmpty
            } _: {
                $0.ear.acceptedStreams[0]
            }
            let reasons = try await rig.server.closed(accepted)
            guard case .tlsFailed? = reasons.first, reasons.count == 1 else {
                Issue.record("\(reasons)")
                return
            }
        }
    }

    @Test("input and end that come with the last bytes of the handshake are told in order")
    func handshakeDataEnd() async throws {
        let leaf = try Certificates.leaf(by: try Certificates.trusted.get())
        try await Rig.with(serverTLS: try Certificates.identities(leaf), clientTLS: try Certificates.identities()) {
            rig in
            try await rig.client.on { side in
                side.ear.onOpened = { stream in
                    #expect(throws: Never.self) {
                        try side.put(stream, "at once")
                        try side.service.finish(stream)
                    }
                }
            }
            let port = try await rig.server.listen(tls: Self.serverPlain)
            _ = try await rig.client.connect(port, tls: Self.client(.required(name: nil)))
            let accepted = try await rig.server.accepted()
            #expect(try await rig.server.closed(accepted) == [.remoteClosed])
            #expect(try await rig.server.on { $0.ear.text(accepted) } == "at once")
            let opened = try await rig.server.on { $0.ear.openings(accepted).count }
            #expect(opened == 1)
        }
    }
}
