import CPlugboard
import HostServices
import PluginHost
import Testing

@Suite("A plugin that misuses its host gets a status", .timeLimit(.minutes(1)))
struct InstanceMisuseTests {
    /// Runs `body` on the loop with a running instance.
    private func with(
        _ limits: ServiceLimits = ServiceLimits(),
        _ body: @escaping @Sendable (RawProvider) throws -> Void
    ) async throws {
        try await Bench.with { bench in
            try await bench.withStage(limits) { stage in try await stage.on { try body($0.provider) } }
        }
    }

    @Test("handles that were never given out are unknown", arguments: [0, 1, 1 << 32, 1 << 32 | 7, .max] as [UInt64])
    func inventedHandles(handle: UInt64) async throws {
        try await with { provider in
            #expect(Self.statuses(provider, stream: handle).allSatisfy { $0 == PLUGBOARD_E_HANDLE })
            #expect(provider.call { $0.close_listener($1, handle) } == PLUGBOARD_E_HANDLE)
            #expect(provider.call { $0.cancel_timer($1, handle) } == PLUGBOARD_E_HANDLE)
        }
    }

    @Test("another instance's handles are unknown")
    func foreignHandles() async throws {
        try await Bench.with { bench in
            try await bench.withStage { owner in
                let (port, listener, timer) = try await owner.on { stage in
                    // A first one of each, so that the other's first are not the same.
                    _ = (stage.provider.listen(), stage.provider.startTimer(60_000))
                    let result = stage.provider.listen()
                    return (result.port, result.listener, stage.provider.startTimer(60_000).timer)
                }
                let streams = try await owner.on { stage in
                    [stage.provider.connect(port).stream, stage.provider.connect(port).stream]
                }
                try await bench.withStage { other in
                    try await other.on { stage in
                        _ = stage.provider.connect(port)
                        let statuses = Self.statuses(stage.provider, stream: streams[1])
                        #expect(statuses.allSatisfy { $0 == PLUGBOARD_E_HANDLE })
                        #expect(stage.provider.call { $0.close_listener($1, listener) } == PLUGBOARD_E_HANDLE)
                        #expect(stage.provider.call { $0.cancel_timer($1, timer) } == PLUGBOARD_E_HANDLE)
                    }
                }
            }
        }
    }

    @Test("a stream is closed once: the second close and whatever follows is refused")
    func closingTwice() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let port = stage.provider.listen().port
                    for user in 1...2 { _ = stage.provider.connect(port, user: user) }
                }
                await stage.heard("opened 1 ")
                await stage.heard("opened 2 ")
                let streams = try await stage.on { stage in
                    let provider = stage.provider
                    let streams = provider.opened.filter { !provider.accepted.contains($0) }
                    try #require(streams.count == 2)
                    #expect(provider.call { $0.finish($1, streams[0]) } == PLUGBOARD_OK)
                    #expect(provider.write(streams[0], "late") == PLUGBOARD_E_STATE)
                    #expect(provider.call { $0.finish($1, streams[0]) } == PLUGBOARD_E_STATE)
                    #expect(provider.call { $0.set_reading($1, streams[0], 0) } == PLUGBOARD_E_STATE)
                    #expect(provider.call { $0.abort($1, streams[1]) } == PLUGBOARD_OK)
                    #expect(provider.call { $0.abort($1, streams[1]) } == PLUGBOARD_E_STATE)
                    #expect(provider.call { $0.finish($1, streams[1]) } == PLUGBOARD_E_STATE)
                    #expect(provider.write(streams[1], "late") == PLUGBOARD_E_STATE)
                    // Finished, then aborted after all: that is allowed.
                    #expect(provider.call { $0.abort($1, streams[0]) } == PLUGBOARD_OK)
                    return streams
                }
                await stage.heard("closed 1 ")
                await stage.heard("closed 2 ")
                try await stage.on { stage in
                    for stream in streams {
                        #expect(Self.statuses(stage.provider, stream: stream).allSatisfy { $0 == PLUGBOARD_E_HANDLE })
                    }
                    #expect(stage.provider.count("closed 1 ") == 1)
                    #expect(stage.provider.count("closed 2 ") == 1)
                }
            }
        }
    }

    @Test("a stream is not written to, nor secured, before it is open")
    func tooEarly() async throws {
        try await with { provider in
            let stream = provider.connect(provider.listen().port).stream
            #expect(provider.write(stream, "early") == PLUGBOARD_E_STATE)
            #expect(Self.startTLS(provider, stream) == PLUGBOARD_E_STATE)
            #expect(Self.certificateMatches(provider, stream) == PLUGBOARD_E_STATE)
        }
    }

    @Test("connect options that make no sense are refused")
    func connectOptions() async throws {
        try await with { provider in
            let changes: [(inout plugboard_connect_options_t) -> Void] = [
                { $0.struct_size = 0 }, { $0.struct_size -= 1 }, { $0.port = 0 }, { $0.host.count = 0 },
                { $0.host = .missing }, { $0.host.count = -1 }, { $0.timeout_ms = .max }, { $0.input_max = .max },
            ]
            withBytes("127.0.0.1") { address in
                var options = plugboard_connect_options_t()
                options.struct_size = structSize(plugboard_connect_options_t.self)
                (options.host, options.port) = (address, 9)
                var stream: UInt64 = 77
                for change in changes {
                    var changed = options
                    change(&changed)
                    #expect(provider.call { $0.connect($1, &changed, nil, &stream) } == PLUGBOARD_E_INVALID)
                }
                for bad in ["a b", "ex ample.org", "a..b", String(repeating: "x", count: 300)] {
                    withBytes(bad) { name in
                        var changed = options
                        changed.host = name
                        #expect(provider.call { $0.connect($1, &changed, nil, &stream) } == PLUGBOARD_E_INVALID)
                    }
                }
                #expect(stream == 77)
                #expect(provider.call { $0.connect($1, nil, nil, &stream) } == PLUGBOARD_E_INVALID)
                #expect(provider.call { $0.connect($1, &options, nil, nil) } == PLUGBOARD_E_INVALID)
            }
        }
    }

    @Test("listen options that make no sense are refused")
    func listenOptions() async throws {
        try await with { provider in
            let changes: [(inout plugboard_listen_options_t) -> Void] = [
                { $0.struct_size = 0 }, { $0.struct_size -= 1 }, { $0.address = .missing }, { $0.address.count = -1 },
                { $0.input_max = .max },
            ]
            withBytes("127.0.0.1") { address in
                var options = plugboard_listen_options_t()
                options.struct_size = structSize(plugboard_listen_options_t.self)
                options.address = address
                var (listener, port) = (UInt64(77), UInt16(88))
                for change in changes {
                    var changed = options
                    change(&changed)
                    #expect(provider.call { $0.listen($1, &changed, nil, &listener, &port) } == PLUGBOARD_E_INVALID)
                }
                withBytes("localhost") { name in
                    var changed = options
                    changed.address = name
                    #expect(provider.call { $0.listen($1, &changed, nil, &listener, &port) } == PLUGBOARD_E_INVALID)
                }
                #expect((listener, port) == (77, 88))
                #expect(provider.call { $0.listen($1, nil, nil, &listener, &port) } == PLUGBOARD_E_INVALID)
                #expect(provider.call { $0.listen($1, &options, nil, nil, &port) } == PLUGBOARD_E_INVALID)
                // Who does not care for the port need not ask.
                #expect(provider.call { $0.listen($1, &options, nil, &listener, nil) } == PLUGBOARD_OK)
                // A port that is taken is the system's refusal.
                options.port = provider.listen().port
                #expect(provider.call { $0.listen($1, &options, nil, &listener, &port) } == PLUGBOARD_E_SYSTEM)
            }
        }
    }

    @Test("TLS options that make no sense are refused, and a certificate that nobody configured is not there")
    func tlsOptions() async throws {
        try await with { provider in
            let arena = Arena()
            let names = UnsafePointer(arena.put([plugboard_bytes_t](repeating: arena.text("x"), count: 9)))
            let missing = UnsafePointer(arena.put([plugboard_bytes_t.missing]))
            let changes: [((inout plugboard_tls_options_t) -> Void, plugboard_status_t)] = [
                ({ $0.struct_size -= 1 }, PLUGBOARD_E_INVALID), ({ $0.verification = 2 }, PLUGBOARD_E_INVALID),
                ({ $0.identity = .missing }, PLUGBOARD_E_INVALID), ({ $0.peer_name = .missing }, PLUGBOARD_E_INVALID),
                ({ $0.alpn_count = 1 }, PLUGBOARD_E_INVALID),
                ({ ($0.alpn, $0.alpn_count) = (names, 9) }, PLUGBOARD_E_INVALID),
                ({ ($0.alpn, $0.alpn_count) = (names, -1) }, PLUGBOARD_E_INVALID),
                ({ ($0.alpn, $0.alpn_count) = (missing, 1) }, PLUGBOARD_E_INVALID),
                ({ ($0.alpn, $0.alpn_count) = (names, 8) }, PLUGBOARD_OK),
                ({ $0.identity = arena.text("nobody") }, PLUGBOARD_E_UNSUPPORTED),
            ]
            for (change, expected) in changes {
                var tls = plugboard_tls_options_t()
                tls.struct_size = structSize(plugboard_tls_options_t.self)
                tls.verification = PLUGBOARD_TLS_VERIFY_RECORD
                change(&tls)
                withUnsafePointer(to: tls) { tls in
                    var options = plugboard_connect_options_t()
                    options.struct_size = structSize(plugboard_connect_options_t.self)
                    (options.host, options.port, options.tls) = (arena.text("127.0.0.1"), 9, tls)
                    var stream: UInt64 = 0
                    #expect(provider.call { $0.connect($1, &options, nil, &stream) } == expected)
                }
            }
        }
    }

    @Test("a STARTTLS without options, and bytes or names that are not there, are refused")
    func missingBytes() async throws {
        try await with { provider in
            let stream = provider.connect(provider.listen().port).stream
            let none = plugboard_bytes_t(start: nil, count: 0)
            #expect(provider.call { $0.start_tls($1, stream, nil) } == PLUGBOARD_E_INVALID)
            #expect(provider.call { $0.write($1, stream, .missing) } == PLUGBOARD_E_INVALID)
            #expect(provider.call { $0.certificate_matches($1, stream, .missing, none) } == PLUGBOARD_E_INVALID)
            #expect(provider.call { $0.certificate_matches($1, stream, none, .missing) } == PLUGBOARD_E_INVALID)
            #expect(provider.call { $0.start_timer($1, 1, nil, nil) } == PLUGBOARD_E_INVALID)
            provider.call { $0.log($1, PLUGBOARD_LOG_ERROR, .missing) }
            provider.call { $0.log($1, PLUGBOARD_LOG_ERROR, plugboard_bytes_t(start: nil, count: -1)) }
            provider.call { $0.random($1, nil, 5) }
            provider.call { $0.random($1, nil, 0) }
            var byte: UInt8 = 0xEE
            provider.call { $0.random($1, &byte, 0) }
            provider.call { $0.random($1, &byte, -1) }
            #expect(byte == 0xEE)
        }
    }

    @Test("names that are none, and records that nobody knows, are refused")
    func resolving() async throws {
        try await with { provider in
            var query: UInt64 = 77
            #expect(
                provider.call { $0.resolve($1, PLUGBOARD_RECORD_TXT, .missing, nil, &query) } == PLUGBOARD_E_INVALID
            )
            for type in [0, 4, UInt32.max] { #expect(provider.resolve(type, "example.org") == PLUGBOARD_E_INVALID) }
            let status = withBytes("example.org") { name in
                provider.call { $0.resolve($1, PLUGBOARD_RECORD_TXT, name, nil, nil) }
            }
            #expect(status == PLUGBOARD_E_INVALID)
            #expect(query == 77)
        }
    }

    @Test("an extension that the host does not have is not there")
    func extensions() async throws {
        try await with { provider in
            #expect(provider.call { $0.extension($1, PLUGBOARD_EXT_DIGEST) } != nil)
            for id in ["", "plugboard.digest", "plugboard.digest/2", "plugboard.status/1"] {
                #expect(provider.call { $0.extension($1, id) } == nil)
            }
            #expect(provider.call { $0.extension($1, nil) } == nil)
        }
    }

    @Test("a call without the host's context is no instance's")
    func withoutContext() async throws {
        try await with { provider in
            let samples = Samples()
            let host = try #require(provider.host).pointee
            let text = samples.arena.text("x")
            var outcome = plugboard_outcome_t()
            var (handle, port) = (UInt64(0), UInt16(0))
            #expect(host.submit(nil, samples.envelope(PLUGBOARD_TYPING), 1) == PLUGBOARD_E_SHUTDOWN)
            #expect(host.complete(nil, 1, &outcome) == PLUGBOARD_E_SHUTDOWN)
            #expect(host.claim(nil, 1, text) == PLUGBOARD_E_SHUTDOWN)
            #expect(host.connect(nil, nil, nil, &handle) == PLUGBOARD_E_SHUTDOWN)
            #expect(host.listen(nil, nil, nil, &handle, &port) == PLUGBOARD_E_SHUTDOWN)
            #expect(host.write(nil, 1, text) == PLUGBOARD_E_SHUTDOWN)
            #expect(host.resolve(nil, 1, text, nil, &handle) == PLUGBOARD_E_SHUTDOWN)
            #expect(host.start_timer(nil, 1, nil, &handle) == PLUGBOARD_E_SHUTDOWN)
            host.ready(nil)
            host.log(nil, PLUGBOARD_LOG_ERROR, text)
            #expect(host.monotonic_ns(nil) > 0)
        }
    }

    @Test("limits are a status, and what is under them goes on")
    func limits() async throws {
        var limits = ServiceLimits()
        (limits.timersMax, limits.listenersMax, limits.streamsMax) = (2, 2, 2)
        limits.timerDelayMsMax = 1000
        limits.resolutionsMax = 3
        try await with(limits) { provider in
            #expect(provider.startTimer(1001).status == PLUGBOARD_E_LIMIT)
            #expect(provider.startTimer(.max).status == PLUGBOARD_E_LIMIT)
            #expect((0..<3).map { _ in provider.startTimer(1000).status } == [0, 0, PLUGBOARD_E_LIMIT])
            let port = provider.listen().port
            #expect((0..<2).map { _ in provider.listen().status } == [0, PLUGBOARD_E_LIMIT])
            #expect((0..<3).map { _ in provider.connect(port).status } == [0, 0, PLUGBOARD_E_LIMIT])
            let queries = (0..<4).map { _ in provider.resolve(PLUGBOARD_RECORD_TXT, "example.org") }
            #expect(queries == [0, 0, 0, PLUGBOARD_E_LIMIT])
        }
    }

    @Test("a write buffer that is high says so, one that is full takes nothing")
    func writeBuffer() async throws {
        var limits = ServiceLimits()
        (limits.writeHighWater, limits.writeBufferMax) = (1000, 2000)
        try await Bench.with { bench in
            try await bench.withStage(limits) { stage in
                try await stage.on { stage in _ = stage.provider.connect(stage.provider.listen().port) }
                await stage.heard("opened 4096")
                try await stage.on { stage in
                    let provider = stage.provider
                    let stream = try #require(provider.opened.first { !provider.accepted.contains($0) })
                    let text = String(repeating: "x", count: 999)
                    #expect(provider.write(stream, "") == PLUGBOARD_OK)
                    #expect(provider.write(stream, text) == PLUGBOARD_OK)
                    #expect(provider.write(stream, "12") == PLUGBOARD_HIGH)
                    #expect(provider.write(stream, text) == PLUGBOARD_HIGH)
                    #expect(provider.write(stream, "1") == PLUGBOARD_E_LIMIT)
                }
                await stage.heard("writable")
            }
        }
    }

    @Test("after the stop, everything is refused")
    func afterStop() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            try await stage.on { stage in
                let provider = stage.provider
                var during: [plugboard_status_t] = []
                provider.onStop = { [unowned provider] in
                    // All services are closed by now.
                    during = [
                        provider.connect(9).status, provider.listen().status, provider.startTimer(1).status,
                        provider.resolve(PLUGBOARD_RECORD_TXT, "example.org"),
                    ]
                }
                try stage.make()
                try stage.instance?.start()
                let stream = provider.connect(9).stream
                stage.instance?.stop()
                #expect(during.allSatisfy { $0 == PLUGBOARD_E_SHUTDOWN })
                let samples = Samples()
                #expect(Self.statuses(provider, stream: stream).allSatisfy { $0 == PLUGBOARD_E_SHUTDOWN })
                #expect(provider.connect(9).status == PLUGBOARD_E_SHUTDOWN)
                #expect(provider.listen().status == PLUGBOARD_E_SHUTDOWN)
                #expect(provider.startTimer(1).status == PLUGBOARD_E_SHUTDOWN)
                #expect(provider.resolve(PLUGBOARD_RECORD_TXT, "x") == PLUGBOARD_E_SHUTDOWN)
                #expect(provider.submit(samples.envelope(PLUGBOARD_TYPING)) == PLUGBOARD_E_SHUTDOWN)
                #expect(provider.complete(1, PLUGBOARD_DELIVERED) == PLUGBOARD_E_SHUTDOWN)
                provider.call { $0.ready($1) }
                #expect(stage.router.readies == 0)
                #expect(stage.router.submitted.isEmpty)
            }
        }
    }

    @Test("a line of the log is cut at its limit, keeps its level, and is told with the instance's name")
    func logging() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    for level in [0, 1, 2, 3, 4, 5, 99] as [UInt32] {
                        withBytes("level \(level)") { text in stage.provider.call { $0.log($1, level, text) } }
                    }
                    withBytes(String(repeating: "x", count: 4096) + "y") { text in
                        stage.provider.call { $0.log($1, PLUGBOARD_LOG_NOTICE, text) }
                    }
                }
                let names = ["trace", "debug", "info", "notice", "warning", "error", "error"]
                for (name, level) in zip(names, [0, 1, 2, 3, 4, 5, 99]) {
                    #expect(bench.log.lines.contains("\(name) raw-1 level \(level)"))
                }
                #expect(bench.log.lines.contains("notice raw-1 " + String(repeating: "x", count: 4096)))
            }
        }
    }

    /// What each call about a stream answers.
    private static func statuses(_ provider: RawProvider, stream: UInt64) -> [plugboard_status_t] {
        var buffer = [UInt8](repeating: 0, count: 64)
        return [
            provider.write(stream, "x"),
            provider.call { $0.set_reading($1, stream, 1) },
            provider.call { $0.finish($1, stream) },
            provider.call { $0.abort($1, stream) },
            startTLS(provider, stream),
            certificateMatches(provider, stream),
            provider.call { $0.peer_address($1, stream, &buffer, 64) },
        ]
    }

    private static func startTLS(_ provider: RawProvider, _ stream: UInt64) -> plugboard_status_t {
        var options = plugboard_tls_options_t()
        options.struct_size = structSize(plugboard_tls_options_t.self)
        options.verification = PLUGBOARD_TLS_VERIFY_RECORD
        return provider.call { $0.start_tls($1, stream, &options) }
    }

    private static func certificateMatches(_ provider: RawProvider, _ stream: UInt64) -> plugboard_status_t {
        withBytes("example.org") { domain in
            provider.call { $0.certificate_matches($1, stream, domain, plugboard_bytes_t(start: nil, count: 0)) }
        }
    }
}
