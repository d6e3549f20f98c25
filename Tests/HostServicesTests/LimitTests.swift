import HostServices
import Testing

@Suite("Limits of an instance", .timeLimit(.minutes(1)))
struct LimitTests {
    @Test("unconsumed input may fill the frame limit; a byte more closes the stream")
    func frame() async throws {
        try await Rig.with { rig in
            let port = try await rig.server.listen(frameMax: 100)
            let stream = try await rig.client.connect(port)
            let accepted = try await rig.server.accepted()
            try await rig.server.on { $0.ear.onReceived = { _, _ in .consumed(0) } }
            try await rig.client.on { _ = try $0.put(stream, [UInt8](repeating: 1, count: 100)) }
            _ = try await rig.server.when {
                $0.events.contains(.received(accepted, 100))
            } _: { _ in
            }
            #expect(try await rig.server.on { $0.ear.closings(accepted) } == [])
            try await rig.client.on { _ = try $0.put(stream, [1]) }
            #expect(try await rig.server.closed(accepted) == [.frameTooLong(limit: 100)])
            #expect(try await rig.client.closed(stream).count == 1)
        }
    }

    @Test("input that waits because it was refused is no frame too long")
    func frameAfterRefusal() async throws {
        try await Rig.with { rig in
            let port = try await rig.server.listen(frameMax: 10)
            let stream = try await rig.client.connect(port)
            let accepted = try await rig.server.accepted()
            try await rig.server.on { $0.ear.onReceived = { _, _ in .refused(0) } }
            try await rig.client.on { _ = try $0.put(stream, [UInt8](repeating: 1, count: 1000)) }
            _ = try await rig.server.when {
                $0.events.contains(.received(accepted, 1000))
            } _: { _ in
            }
            try await rig.server.on { side in
                #expect(side.ear.closings(accepted) == [])
                side.ear.onReceived = { .consumed($1.count) }
                try side.service.resume(accepted)
            }
            #expect(try await rig.server.consumed(accepted, 1000).count == 1000)
        }
    }

    @Test("what the peer had sent before it closed is held up to the limit")
    func heldInput() async throws {
        var limits = ServiceLimits()
        limits.heldInputMax = 20_000
        try await Rig.with(server: limits) { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.server.on { try $0.service.setReading(accepted, false) }
            try await rig.client.on { side in
                try side.put(stream, [UInt8](repeating: 1, count: 20_001))
                try side.service.finish(stream)
            }
            #expect(try await rig.server.closed(accepted) == [.frameTooLong(limit: 20_000)])
        }
    }

    @Test("connects up to the stream limit are taken, one more is refused")
    func connects() async throws {
        var limits = ServiceLimits()
        limits.streamsMax = 2
        try await Rig.with(client: limits) { rig in
            let port = try await rig.server.listen()
            let streams = try await rig.client.on { side in
                let options = ConnectOptions(host: "127.0.0.1", port: port)
                let streams = [try side.service.connect(options), try side.service.connect(options)]
                #expect(throws: ServiceError.limitReached(.streams, limit: 2)) { try side.service.connect(options) }
                return streams
            }
            for stream in streams { _ = try await rig.client.opened(stream) }
            try await rig.client.on { try $0.service.abort(streams[0]) }
            _ = try await rig.client.closed(streams[0])
            let third = try await rig.client.connect(port)
            _ = try await rig.client.opened(third)
        }
    }

    @Test("connections past the limit of the instance or the listener are turned away", arguments: [true, false])
    func accepts(byListener: Bool) async throws {
        var limits = ServiceLimits()
        if !byListener { limits.streamsMax = 1 }
        try await Rig.with(server: limits) { rig in
            let port = try await rig.server.listen(acceptedMax: byListener ? 1 : .max)
            let first = try await rig.client.connect(port)
            let accepted = try await rig.server.accepted()
            let second = try await rig.client.connect(port)
            #expect(try await rig.client.closed(second).count == 1)
            try await rig.client.on { try $0.service.finish(first) }
            _ = try await rig.server.closed(accepted)
            let third = try await rig.client.connect(port)
            _ = try await rig.server.when {
                $0.acceptedStreams.count == 2
            } _: { _ in
            }
            _ = try await rig.client.opened(third)
        }
    }

    @Test("listeners up to the limit are opened, one more is refused")
    func listeners() async throws {
        var limits = ServiceLimits()
        limits.listenersMax = 2
        try await Rig.with(server: limits) { rig in
            try await rig.server.on { side in
                let options = ListenOptions(address: "127.0.0.1", port: 0)
                let first = try side.service.listen(options)
                _ = try side.service.listen(options)
                #expect(throws: ServiceError.limitReached(.listeners, limit: 2)) { try side.service.listen(options) }
                try side.service.stopListening(first)
                _ = try side.service.listen(options)
            }
        }
    }

    @Test("a peer that never closes cannot keep a finished stream")
    func linger() async throws {
        var limits = ServiceLimits()
        limits.lingerTimeoutMs = 50
        try await Rig.with(client: limits) { rig in
            let silent = try SilentListener()
            let stream = try await rig.client.connect(silent.port)
            _ = try await rig.client.opened(stream)
            try await rig.client.on { side in
                try side.put(stream, "bye")
                try side.service.finish(stream)
            }
            #expect(try await rig.client.closed(stream) == [.finished])
            withExtendedLifetime(silent) {}
        }
    }

    @Test("a peer that says nothing cannot keep a handshake")
    func handshake() async throws {
        var limits = ServiceLimits()
        limits.handshakeTimeoutMs = 50
        try await Rig.with(client: limits) { rig in
            let silent = try SilentListener()
            let tls = TLSOptions(side: .client, serverName: "a.test", verification: .none)
            let stream = try await rig.client.connect(silent.port, tls: tls)
            #expect(try await rig.client.closed(stream) == [.handshakeTimedOut(50)])
            withExtendedLifetime(silent) {}
        }
    }
}
