import CPlugboard
import HostServices
import PluginHost
import Testing

@Suite("Streams, timers and names of an instance", .timeLimit(.minutes(1)))
struct InstanceStreamTests {
    @Test("a connection is accepted, what it sends is received, and the reply goes back")
    func reply() async throws {
        try await Bench.with { bench in
            try await bench.withStage { server in
                try await bench.withStage { client in
                    let port = try await server.on { stage in
                        stage.provider.onReceived = { [unowned stage] stream, bytes in
                            #expect(stage.provider.write(stream, "re: ") >= 0)
                            #expect(stage.provider.write(stream, String(decoding: bytes, as: UTF8.self)) >= 0)
                            return bytes.count
                        }
                        let (status, listener, port) = stage.provider.listen()
                        #expect(status == PLUGBOARD_OK)
                        #expect(listener != 0)
                        return port
                    }
                    try await client.on { stage in
                        stage.provider.onOpened = { [unowned stage] stream in
                            #expect(stage.provider.write(stream, "hello") == PLUGBOARD_OK)
                        }
                        #expect(stage.provider.connect(port).status == PLUGBOARD_OK)
                    }
                    await client.heard("received 4096 re: hello")
                    try await client.on { stage in
                        let stream = try #require(stage.provider.opened.first)
                        #expect(stage.provider.call { $0.finish($1, stream) } == PLUGBOARD_OK)
                    }
                    await client.heard("closed 4096 \(PLUGBOARD_CLOSED_BY_US)")
                    await server.heard("closed 8192 \(PLUGBOARD_CLOSED_BY_PEER)")
                    let events = try await server.events
                    #expect(Array(events[2..<3]) == ["accepted 12288"])
                    #expect(events.contains("received 8192 hello"))
                    #expect(try await client.events.prefix(3) == ["create", "start", "opened 4096 plain"])
                }
            }
        }
    }

    @Test("bytes that are not consumed are offered again with what follows")
    func partialConsumption() async throws {
        try await Bench.with { bench in
            try await bench.withStage { server in
                try await bench.withStage { client in
                    let port = try await server.on { stage in
                        stage.provider.onReceived = { $1.count < 6 ? 0 : 6 }
                        return stage.provider.listen().port
                    }
                    try await client.on { _ = $0.provider.connect(port) }
                    await client.heard("opened")
                    try await client.on { stage in
                        #expect(stage.provider.write(stage.provider.opened[0], "abc") == PLUGBOARD_OK)
                    }
                    await server.heard("received 8192 abc")
                    try await client.on { stage in
                        #expect(stage.provider.write(stage.provider.opened[0], "def") == PLUGBOARD_OK)
                    }
                    await server.heard("received 8192 abcdef")
                }
            }
        }
    }

    @Test(
        "a plugin that consumes more than there was is believed to have consumed all",
        arguments: [6, Int.max, -1, Int.min]
    )
    func consumingTooMuch(consumed: Int) async throws {
        try await Bench.with { bench in
            try await bench.withStage { server in
                try await bench.withStage { client in
                    let port = try await server.on { stage in
                        stage.provider.onReceived = { _, _ in consumed }
                        return stage.provider.listen().port
                    }
                    try await client.on { _ = $0.provider.connect(port) }
                    await client.heard("opened")
                    try await client.on { _ = $0.provider.write($0.provider.opened[0], "first") }
                    await server.heard("received 8192 first")
                    try await client.on { _ = $0.provider.write($0.provider.opened[0], "next!") }
                    await server.heard("received 8192 next!")
                    #expect(bench.log.lines.contains { $0.hasPrefix("error raw-1 the plugin says it consumed more") })
                }
            }
        }
    }

    @Test("a connection that the plugin turns away is closed, and not spoken of again")
    func turningAway() async throws {
        try await Bench.with { bench in
            try await bench.withStage { server in
                try await bench.withStage { client in
                    let port = try await server.on { stage in
                        stage.provider.onAccepted = { _ in 0 }
                        return stage.provider.listen().port
                    }
                    try await client.on { _ = $0.provider.connect(port) }
                    await client.heard("closed 4096")
                    #expect(try await server.events == ["create", "start", "accepted 12288"])
                    #expect(try await server.on { $0.instance?.isIdle == true })
                }
            }
        }
    }

    @Test("a listener that is closed accepts nothing; its streams live on")
    func closingAListener() async throws {
        try await Bench.with { bench in
            try await bench.withStage { server in
                try await bench.withStage { client in
                    let (listener, port) = try await server.on { stage in
                        let result = stage.provider.listen()
                        return (result.listener, result.port)
                    }
                    try await client.on { _ = $0.provider.connect(port) }
                    await server.heard("accepted")
                    try await server.on { stage in
                        #expect(stage.provider.call { $0.close_listener($1, listener) } == PLUGBOARD_OK)
                        #expect(stage.provider.call { $0.close_listener($1, listener) } == PLUGBOARD_E_HANDLE)
                    }
                    await client.heard("opened")
                    try await client.on { stage in
                        _ = stage.provider.write(stage.provider.opened[0], "still here")
                        _ = stage.provider.connect(port, user: 0x6000)
                    }
                    await server.heard("received 8192 still here")
                    await client.heard("closed 24576 \(PLUGBOARD_CLOSED_CONNECT_FAILED)")
                    #expect(try await server.on { $0.provider.count("accepted") } == 1)
                }
            }
        }
    }

    @Test("a host that has no address, and a port that nobody serves, are told apart")
    func failingConnects() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let (_, listener, port) = stage.provider.listen()
                    #expect(stage.provider.call { $0.close_listener($1, listener) } == PLUGBOARD_OK)
                    #expect(stage.provider.connect(port, user: 1).status == PLUGBOARD_OK)
                    withBytes("no.such.name.invalid") { name in
                        var options = plugboard_connect_options_t()
                        options.struct_size = structSize(plugboard_connect_options_t.self)
                        (options.host, options.port) = (name, 1)
                        var stream: UInt64 = 0
                        let user = UnsafeMutableRawPointer(bitPattern: 2)
                        #expect(stage.provider.call { $0.connect($1, &options, user, &stream) } == PLUGBOARD_OK)
                    }
                }
                await stage.heard("closed 1 \(PLUGBOARD_CLOSED_CONNECT_FAILED)")
                await stage.heard("closed 2 \(PLUGBOARD_CLOSED_NAME_FAILED)")
            }
        }
    }

    @Test("the peer's address is written into a buffer that has room for it")
    func peerAddress() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                let port = try await stage.on { stage in
                    let port = stage.provider.listen().port
                    _ = stage.provider.connect(port)
                    return port
                }
                await stage.heard("opened 4096")
                try await stage.on { stage in
                    let stream = try #require(stage.provider.opened.first { !stage.provider.accepted.contains($0) })
                    let expected = "127.0.0.1:\(port)"
                    var buffer = [UInt8](repeating: 0xEE, count: 64)
                    let length = stage.provider.call { $0.peer_address($1, stream, &buffer, 64) }
                    #expect(String(decoding: buffer.prefix(Int(length)), as: UTF8.self) == expected)
                    #expect(buffer[Int(length)] == 0xEE)
                    let exact = expected.utf8.count
                    #expect(stage.provider.call { $0.peer_address($1, stream, &buffer, exact) } == length)
                    for size in [exact - 1, 0, -1] {
                        #expect(stage.provider.call { $0.peer_address($1, stream, &buffer, size) } == PLUGBOARD_E_LIMIT)
                    }
                    #expect(stage.provider.call { $0.peer_address($1, stream, nil, 64) } == PLUGBOARD_E_INVALID)
                }
            }
        }
    }

    @Test("a timer fires once with its pointer, and a cancelled one never")
    func timers() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                let timer = try await stage.on { stage in
                    let cancelled = stage.provider.startTimer(1, user: 1)
                    #expect(stage.provider.call { $0.cancel_timer($1, cancelled.timer) } == PLUGBOARD_OK)
                    #expect(stage.provider.call { $0.cancel_timer($1, cancelled.timer) } == PLUGBOARD_E_HANDLE)
                    let timer = stage.provider.startTimer(5, user: 2)
                    #expect(timer.status == PLUGBOARD_OK)
                    _ = stage.provider.startTimer(20, user: 3)
                    return timer.timer
                }
                await stage.heard("fired", times: 2)
                #expect(try await stage.events.suffix(2).map { $0.split(separator: " ")[2] } == ["2", "3"])
                try await stage.on { stage in
                    #expect(stage.provider.call { $0.cancel_timer($1, timer) } == PLUGBOARD_E_HANDLE)
                }
            }
        }
    }

    @Test("a name is answered with its addresses, or with the news that nobody could say")
    func names() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    #expect(stage.provider.resolve(PLUGBOARD_RECORD_ADDRESS, "two.example", user: 1) == PLUGBOARD_OK)
                    #expect(stage.provider.resolve(PLUGBOARD_RECORD_ADDRESS, "::1", user: 2) == PLUGBOARD_OK)
                    #expect(
                        stage.provider.resolve(PLUGBOARD_RECORD_SRV, "_x._tcp.example.org", user: 3) == PLUGBOARD_OK
                    )
                    #expect(stage.provider.resolve(PLUGBOARD_RECORD_TXT, "example.org", user: 4) == PLUGBOARD_OK)
                }
                await stage.heard("resolved", times: 4)
                let events = try await stage.events
                #expect(events.contains("resolved 1 0 [\"192.0.2.1 0\", \"192.0.2.2 0\"]"))
                #expect(events.contains("resolved 2 0 [\"::1 0\"]"))
                // The only server is not there.
                #expect(events.contains("resolved 3 \(PLUGBOARD_E_SYSTEM) []"))
                #expect(events.contains("resolved 4 \(PLUGBOARD_E_SYSTEM) []"))
            }
        }
    }

    @Test("a service that is not offered comes as a dot")
    func notOffered() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let records = [
                        ServiceRecord(priority: 1, weight: 2, port: 5269, target: "a.example"),
                        ServiceRecord(priority: 0, weight: 0, port: 0, target: ""),
                    ]
                    stage.instance?.resolved(ResolutionHandle(rawValue: 9), .success(.services(records)))
                    stage.instance?.resolved(ResolutionHandle(rawValue: 9), .failure(.notFound))
                }
                let expected = ["resolved 0 0 [\"a.example 5269\", \". 0\"]", "resolved 0 0 []"]
                #expect(try await stage.events.suffix(2) == expected)
            }
        }
    }
}
