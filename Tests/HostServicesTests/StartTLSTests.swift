import HostServices
import Testing

@Suite("STARTTLS", .timeLimit(.minutes(1)))
struct StartTLSTests {
    private static let serverTLS = TLSOptions(side: .server, verification: .none)
    private static let clientTLS = TLSOptions(side: .client, serverName: "a.test", verification: .required(name: nil))

    private func withRig(_ body: (Rig) async throws -> Void) async throws {
        let leaf = try Certificates.leaf(by: try Certificates.trusted.get())
        try await Rig.with(
            serverTLS: try Certificates.identities(leaf),
            clientTLS: try Certificates.identities(),
            body
        )
    }

    /// A server that answers "start" with "proceed" and starts TLS.
    private func serve(_ rig: Rig) async throws {
        try await rig.server.on { side in
            side.ear.onReceived = { stream, bytes in
                guard bytes.starts(with: "start".utf8) else { return .consumed(bytes.count) }
                #expect(throws: Never.self) {
                    try side.put(stream, "proceed")
                    try side.service.startTLS(stream, Self.serverTLS)
                }
                #expect(throws: ServiceError.self) { try side.put(stream, "too early") }
                #expect(throws: ServiceError.self) { try side.service.startTLS(stream, Self.serverTLS) }
                return .consumed(5)
            }
        }
    }

    @Test("what was written before goes out plain, and both sides go on in TLS")
    func upgrade() async throws {
        try await withRig { rig in
            try await serve(rig)
            try await rig.client.on { side in
                side.ear.onReceived = { stream, bytes in
                    if bytes.elementsEqual("proceed".utf8) {
                        #expect(throws: Never.self) { try side.service.startTLS(stream, Self.clientTLS) }
                    }
                    return .consumed(bytes.count)
                }
            }
            let (stream, accepted) = try await rig.pair()
            try await rig.client.write(stream, "start")
            #expect(try await rig.client.opened(stream, times: 2)?.proves(domain: "a.test") == true)
            #expect(try await rig.server.opened(accepted, times: 2)?.version == "TLSv1.3")
            try await rig.client.write(stream, "secret")
            _ = try await rig.server.consumed(accepted, 11)
            try await rig.server.write(accepted, "answer")
            _ = try await rig.client.consumed(stream, 13)
            #expect(try await rig.client.on { $0.ear.text(stream) } == "proceedanswer")
            #expect(try await rig.server.on { $0.ear.text(accepted) } == "startsecret")
            try await rig.server.on { side in
                #expect(throws: ServiceError.badState("the stream has TLS already")) {
                    try side.service.startTLS(accepted, Self.serverTLS)
                }
            }
        }
    }

    @Test("plain text behind the command, in the same read, closes the server's stream")
    func injectedIntoServer() async throws {
        try await withRig { rig in
            try await serve(rig)
            let (stream, accepted) = try await rig.pair()
            try await rig.client.write(stream, "start<iq/>")
            let violation = CloseReason.protocolViolation("plaintext after STARTTLS")
            #expect(try await rig.server.closed(accepted) == [violation])
            #expect(try await rig.server.on { $0.ear.text(accepted) } == "start")
            #expect(try await rig.client.closed(stream).count == 1)
        }
    }

    @Test("plain text that comes after TLS was started closes the stream")
    func injectedLater() async throws {
        try await withRig { rig in
            try await serve(rig)
            let (stream, accepted) = try await rig.pair()
            try await rig.client.on { side in
                side.ear.onReceived = { stream, bytes in
                    #expect(throws: Never.self) { try side.put(stream, "<iq/><iq/><iq/><iq/>") }
                    return .consumed(bytes.count)
                }
            }
            try await rig.client.write(stream, "start")
            let reasons = try await rig.server.closed(accepted)
            guard case .tlsFailed? = reasons.first, reasons.count == 1 else {
                Issue.record("\(reasons)")
                return
            }
            #expect(try await rig.server.on { $0.ear.text(accepted) } == "start")
        }
    }

    @Test("plain text behind the server's consent closes the client's stream")
    func injectedIntoClient() async throws {
        try await withRig { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.client.on { side in
                side.ear.onReceived = { stream, bytes in
                    #expect(throws: Never.self) { try side.service.startTLS(stream, Self.clientTLS) }
                    return .consumed(7)
                }
            }
            try await rig.server.write(accepted, "proceed<features/>")
            #expect(try await rig.client.closed(stream) == [.protocolViolation("plaintext after STARTTLS")])
            #expect(try await rig.client.on { $0.ear.text(stream) } == "proceed")
        }
    }

    @Test("plain text that waits unconsumed when TLS is started from elsewhere closes the stream")
    func keptBefore() async throws {
        try await withRig { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.server.on { side in side.ear.onReceived = { _, _ in .consumed(0) } }
            try await rig.client.write(stream, "half a un")
            _ = try await rig.server.when {
                $0.events.contains(.received(accepted, 9))
            } _: { _ in
            }
            try await rig.server.on { try $0.service.startTLS(accepted, Self.serverTLS) }
            #expect(try await rig.server.closed(accepted) == [.protocolViolation("plaintext after STARTTLS")])
        }
    }

    @Test("a stream that does not read can start TLS")
    func notReading() async throws {
        try await withRig { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.server.on { side in
                try side.service.setReading(accepted, false)
                try side.service.startTLS(accepted, Self.serverTLS)
            }
            try await rig.client.on { try $0.service.startTLS(stream, Self.clientTLS) }
            _ = try await rig.client.opened(stream, times: 2)
            _ = try await rig.server.opened(accepted, times: 2)
            try await rig.client.write(stream, "waits")
            try await rig.server.on { try $0.service.setReading(accepted, true) }
            _ = try await rig.server.consumed(accepted, 5)
        }
    }

    @Test("TLS cannot be started on a stream that is not open")
    func notOpen() async throws {
        try await withRig { rig in
            let port = try await rig.server.listen()
            try await rig.client.on { side in
                let stream = try side.service.connect(ConnectOptions(host: "127.0.0.1", port: port))
                #expect(throws: ServiceError.badState("TLS can be started on an open stream only")) {
                    try side.service.startTLS(stream, Self.clientTLS)
                }
                try side.service.abort(stream)
                #expect(throws: ServiceError.closing(stream)) { try side.service.startTLS(stream, Self.clientTLS) }
            }
        }
    }
}
