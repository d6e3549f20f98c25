import CPlugboard
import HostServices
import PluginHost
import Testing

@Suite("The life of an instance", .timeLimit(.minutes(1)))
struct InstanceLifeTests {
    @Test("an instance is created, started, drained, stopped and destroyed, each once")
    func life() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            try await stage.on { stage in
                try stage.make()
                let instance = try #require(stage.instance)
                #expect((instance.id, instance.index, instance.state) == ("raw-1", 7, .created))
                try instance.start()
                #expect(instance.state == .running)
                instance.drain()
                instance.drain()
                #expect(instance.state == .draining)
                instance.stop()
                instance.stop()
                instance.drain()
                #expect(instance.state == .stopped)
            }
            #expect(try await stage.events == ["create", "start", "drain", "stop", "destroy"])
        }
    }

    @Test("an instance that was never started is destroyed all the same, without a stop")
    func stoppedBeforeStart() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            try await stage.on { stage in
                try stage.make()
                stage.instance?.stop()
                stage.instance?.stop()
            }
            #expect(try await stage.events == ["create", "destroy"])
        }
    }

    @Test("an instance that does not start is told of its streams' end, and destroyed without a stop")
    func failingStart() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            try await stage.on { stage in
                stage.provider.onStart = { [unowned stage] in
                    #expect(stage.provider.connect(9).status == PLUGBOARD_OK)
                    return PLUGBOARD_E_SYSTEM
                }
                try stage.make()
                let expected = InstanceError.notStarted(instance: "raw-1", status: PLUGBOARD_E_SYSTEM)
                #expect(throws: expected) { try stage.instance?.start() }
                #expect(stage.instance?.state == .stopped)
            }
            #expect(try await stage.events == ["create", "start", "closed 4096 2", "destroy"])
        }
    }

    @Test("a plugin that makes no instance, or one with gaps in its table, is refused")
    func failingCreate() async throws {
        try await Bench.with { bench in
            try await Stage(bench).on { stage in
                stage.provider.onCreate = { false }
                #expect(throws: InstanceError.notCreated(instance: "raw-1", problems: [])) { try stage.make() }
            }
            let incomplete = InstanceError.incompleteTable(instance: "raw-1", plugin: "libraw.so")
            let changes: [@Sendable (inout plugboard_provider_t) -> Void] = [
                { $0.struct_size = 0 }, { $0.struct_size -= 1 }, { $0.start = nil }, { $0.deliver = nil },
                { $0.destroy = nil }, { $0.closed = nil }, { $0.extension = nil },
            ]
            for change in changes {
                try await Stage(bench).on { stage in
                    change(&stage.provider.table)
                    #expect(throws: incomplete) { try stage.make() }
                }
            }
        }
    }

    @Test("inside create, only the log, the clocks, chance and extensions are there; the context is there to be kept")
    func duringCreate() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            try await stage.on { stage in
                stage.provider.onCreate = { [unowned stage] in
                    let provider = stage.provider
                    #expect(provider.context != nil)
                    #expect(provider.connect(9).status == PLUGBOARD_E_SHUTDOWN)
                    #expect(provider.listen().status == PLUGBOARD_E_SHUTDOWN)
                    #expect(provider.startTimer(1).status == PLUGBOARD_E_SHUTDOWN)
                    #expect(provider.complete(1, PLUGBOARD_DELIVERED) == PLUGBOARD_E_SHUTDOWN)
                    withBytes("being made") { text in provider.call { $0.log($1, PLUGBOARD_LOG_INFO, text) } }
                    #expect(provider.call { $0.wall_ms($1) } > 1_700_000_000_000)
                    #expect(provider.call { $0.extension($1, PLUGBOARD_EXT_DIGEST) } != nil)
                    return true
                }
                try stage.make()
                #expect(stage.provider.call { host, context in host.context == context })
                // Created, but not started.
                #expect(stage.provider.connect(9).status == PLUGBOARD_E_SHUTDOWN)
                try stage.instance?.start()
                #expect(stage.provider.startTimer(60_000).status == PLUGBOARD_OK)
                stage.instance?.stop()
            }
            #expect(bench.log.lines.contains("info raw-1 being made"))
        }
    }

    @Test("when an instance stops, each open stream is closed exactly once, before stop")
    func closingAtStop() async throws {
        try await Bench.with { bench in
            try await bench.withStage { client in
                try await bench.withStage { server in
                    let port = try await server.on { $0.provider.listen().port }
                    try await client.on { stage in
                        for user in 1...3 { #expect(stage.provider.connect(port, user: user).status == PLUGBOARD_OK) }
                    }
                    await client.heard("opened", times: 3)
                    await server.until { $0.accepted.count == 3 }
                    try await client.on { stage in
                        // One more that has no answer yet, and one that is about to end anyway.
                        #expect(stage.provider.connect(port, user: 4).status == PLUGBOARD_OK)
                        let last = stage.provider.connect(port, user: 5).stream
                        #expect(stage.provider.call { $0.abort($1, last) } == PLUGBOARD_OK)
                        #expect(stage.instance?.isIdle == false)
                        stage.instance?.stop()
                        #expect(stage.instance?.isIdle == true)
                    }
                    let events = try await client.events
                    for user in 1...5 {
                        #expect(events.count { $0 == "closed \(user) \(PLUGBOARD_CLOSED_BY_US)" } == 1)
                    }
                    #expect(Array(events.suffix(2)) == ["stop", "destroy"])
                    // The other side sees them go.
                    await server.heard("closed", times: 3)
                }
            }
        }
    }

    @Test("nothing is called after the stop: no timer, no answer, no stream")
    func silenceAfterStop() async throws {
        try await Bench.with { bench in
            let stage = Stage(bench)
            try await bench.withStage { other in
                let port = try await other.on { $0.provider.listen().port }
                try await stage.on { stage in
                    try stage.make()
                    try stage.instance?.start()
                    #expect(stage.provider.startTimer(1).status == PLUGBOARD_OK)
                    #expect(stage.provider.resolve(PLUGBOARD_RECORD_ADDRESS, "two.example") == PLUGBOARD_OK)
                    #expect(stage.provider.resolve(PLUGBOARD_RECORD_SRV, "_x._tcp.example.org") == PLUGBOARD_OK)
                    #expect(stage.provider.connect(port).status == PLUGBOARD_OK)
                    #expect(stage.provider.listen().status == PLUGBOARD_OK)
                    stage.instance?.stop()
                }
                // The same things, begun later, come to the other instance: those of the first would have come before.
                try await other.on { stage in
                    #expect(stage.provider.startTimer(20).status == PLUGBOARD_OK)
                    #expect(stage.provider.resolve(PLUGBOARD_RECORD_ADDRESS, "two.example") == PLUGBOARD_OK)
                    #expect(stage.provider.resolve(PLUGBOARD_RECORD_SRV, "_x._tcp.example.org") == PLUGBOARD_OK)
                    #expect(stage.provider.connect(port).status == PLUGBOARD_OK)
                }
                await other.heard("fired")
                await other.heard("resolved", times: 2)
                await other.heard("opened 4096")
                let expected = ["create", "start", "closed 4096 2", "stop", "destroy"]
                #expect(try await stage.events == expected)
                try await stage.on { stage in
                    stage.instance?.room()
                    stage.instance?.submitted(UnsafeBufferPointer(start: nil, count: 0))
                    #expect(stage.instance?.deliver(UnsafeBufferPointer(start: nil, count: 0)) == 0)
                    #expect(stage.instance?.links() == [])
                }
                #expect(try await stage.events == expected)
            }
        }
    }

    @Test("an instance goes away with its last reference, and takes its log's instance name along")
    func memory() async throws {
        try await Bench.with { bench in
            let isGone = try await bench.worker.call {
                weak var gone: Instance?
                do {
                    let stage = Stage(bench)
                    try stage.make()
                    try stage.instance?.start()
                    _ = stage.provider.startTimer(60_000)
                    _ = stage.provider.listen()
                    gone = stage.instance
                    stage.instance?.stop()
                }
                return gone == nil
            }
            #expect(isGone)
        }
    }
}
