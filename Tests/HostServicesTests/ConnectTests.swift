import HostServices
import Testing

@Suite("Connecting and listening", .timeLimit(.minutes(1)))
struct ConnectTests {
    @Test("a port where nobody listens closes the stream with the system's reason, without opening it")
    func refused() async throws {
        try await Rig.with { rig in
            let port = try await rig.server.on { side in
                let listener = try side.service.listen(ListenOptions(address: "127.0.0.1", port: 0))
                let port = try side.service.port(of: listener)
                try side.service.stopListening(listener)
                return port
            }
            let stream = try await rig.client.connect(port)
            #expect(try await rig.client.closed(stream) == [.connectFailed("Connection refused")])
            #expect(try await rig.client.on { $0.ear.openings(stream) }.isEmpty)
        }
    }

    @Test("every address of a host is tried in turn")
    func addresses() async throws {
        let options = ResolverOptions(hosts: ["both.test": ["127.0.0.9", "127.0.0.1"]], hostsFile: nil)
        try await Rig.with(resolver: options) { rig in
            let port = try await rig.server.listen()
            let stream = try await rig.client.on { try $0.service.connect(.init(host: "Both.test.", port: port)) }
            _ = try await rig.client.opened(stream)
            #expect(try await rig.client.on { try $0.service.peerAddress(stream) } == "127.0.0.1:\(port)")
        }
    }

    @Test("a listener whose queue is full lets a connect run into its time limit")
    func timeout() async throws {
        try await Rig.with { rig in
            let full = try SilentListener(isFull: true)
            let port = full.port
            let stream = try await rig.client.on { side in
                try side.service.connect(ConnectOptions(host: "127.0.0.1", port: port, timeoutMs: 50))
            }
            #expect(try await rig.client.closed(stream) == [.connectTimedOut(50)])
            withExtendedLifetime(full) {}
        }
    }

    @Test("a connect can be aborted before it is done")
    func aborted() async throws {
        try await Rig.with { rig in
            let port = try await rig.server.listen()
            let stream = try await rig.client.on { side in
                let stream = try side.service.connect(ConnectOptions(host: "127.0.0.1", port: port))
                #expect(throws: ServiceError.badState("the stream is not open yet")) { try side.put(stream, "x") }
                try side.service.abort(stream)
                return stream
            }
            #expect(try await rig.client.closed(stream) == [.aborted])
            #expect(try await rig.client.on { $0.ear.events } == [.closed(stream, .aborted)])
        }
    }

    @Test("a host without address says so")
    func unresolved() async throws {
        try await Rig.with { rig in
            let stream = try await rig.client.on { try $0.service.connect(.init(host: "nowhere.test", port: 1)) }
            let reasons = try await rig.client.closed(stream)
            guard case .unresolved("nowhere.test", .temporary)? = reasons.first else {
                Issue.record("\(reasons)")
                return
            }
        }
    }

    @Test("options without sense are refused at once")
    func nonsense() async throws {
        try await Rig.with { rig in
            try await rig.client.on { side in
                let service = side.service
                for options in [
                    ConnectOptions(host: "127.0.0.1", port: 0),
                    ConnectOptions(host: "", port: 1),
                    ConnectOptions(host: "a b", port: 1),
                    ConnectOptions(host: "münchen.example", port: 1),
                    ConnectOptions(host: String(repeating: "a.", count: 128), port: 1),
                    ConnectOptions(host: "::1", port: 1, timeoutMs: 0),
                    ConnectOptions(host: "::1", port: 1, timeoutMs: .max),
                    ConnectOptions(host: "::1", port: 1, frameMax: -1),
                    ConnectOptions(host: "::1", port: 1, tls: .init(side: .client, verification: .required(name: nil))),
                ] {
                    let error = #expect(throws: ServiceError.self) { try service.connect(options) }
                    guard case .invalidArgument? = error else {
                        Issue.record("\(options): \(String(describing: error))")
                        continue
                    }
                }
                let unknown = TLSOptions(side: .client, identity: "x", serverName: "a", verification: .none)
                #expect(throws: ServiceError.unknownIdentity("x")) {
                    try service.connect(.init(host: "::1", port: 1, tls: unknown))
                }
                #expect(throws: ServiceError.self) { try service.listen(.init(address: "localhost", port: 0)) }
                #expect(throws: ServiceError.self) { try service.listen(.init(address: "::1", port: 0, backlog: 0)) }
                #expect(throws: ServiceError.self) {
                    try service.listen(
                        .init(address: "::1", port: 0, tls: .init(side: .server, verification: .none))
                    )
                }
                #expect(service.streamCount == 0)
            }
        }
    }

    @Test("a port that is taken is reported by the call")
    func taken() async throws {
        try await Rig.with { rig in
            let port = try await rig.server.listen()
            try await rig.client.on { side in
                let reason = "Address already in use"
                #expect(throws: ServiceError.cannotListen(address: "127.0.0.1", port: port, reason: reason)) {
                    try side.service.listen(ListenOptions(address: "127.0.0.1", port: port))
                }
            }
        }
    }

    @Test("a listener on IPv6 takes connections")
    func ipv6() async throws {
        try await Rig.with { rig in
            let port = try await rig.server.on { side in
                try side.service.port(of: try side.service.listen(ListenOptions(address: "::1", port: 0)))
            }
            let stream = try await rig.client.on { try $0.service.connect(.init(host: "::1", port: port)) }
            _ = try await rig.client.opened(stream)
            #expect(try await rig.client.on { try $0.service.peerAddress(stream) } == "[::1]:\(port)")
        }
    }

    @Test("accepted streams outlive their listener")
    func stopListening() async throws {
        try await Rig.with { rig in
            let (listener, port) = try await rig.server.on { side in
                let listener = try side.service.listen(ListenOptions(address: "127.0.0.1", port: 0))
                return (listener, try side.service.port(of: listener))
            }
            let stream = try await rig.client.connect(port)
            let accepted = try await rig.server.accepted()
            try await rig.server.on { side in
                try side.service.stopListening(listener)
                #expect(throws: ServiceError.unknownHandle(listener.rawValue)) {
                    try side.service.stopListening(listener)
                }
            }
            try await rig.client.write(stream, "still here")
            _ = try await rig.server.consumed(accepted, 10)
            let second = try await rig.client.connect(port)
            #expect(try await rig.client.closed(second) == [.connectFailed("Connection refused")])
        }
    }
}
