import CPlugboard
import HostServices
import PluginHost
import Testing

@Suite("Envelopes to and from an instance", .timeLimit(.minutes(1)))
struct InstanceEnvelopeTests {
    @Test("envelopes are offered in one call, and the plugin says how many it took")
    func delivering() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let samples = Samples()
                    let batch = [PLUGBOARD_MESSAGE, PLUGBOARD_CONTACT, PLUGBOARD_CALL].map {
                        UnsafePointer<plugboard_envelope_t>?(samples.envelope($0))
                    }
                    for taken in 0...3 {
                        stage.provider.onDeliver = { _ in taken }
                        #expect(batch.withUnsafeBufferPointer { stage.instance?.deliver($0) } == taken)
                    }
                }
                #expect(try await stage.events.suffix(4) == ["deliver 3", "deliver 3", "deliver 3", "deliver 3"])
            }
        }
    }

    @Test(
        "a plugin that takes more than it was offered is believed to have taken all",
        arguments: [3, Int.max, -1, Int.min]
    )
    func takingTooMuch(taken: Int) async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let samples = Samples()
                    stage.provider.onDeliver = { _ in taken }
                    let batch = [PLUGBOARD_TYPING, PLUGBOARD_TYPING].map {
                        UnsafePointer<plugboard_envelope_t>?(samples.envelope($0))
                    }
                    for _ in 0..<3 {
                        #expect(batch.withUnsafeBufferPointer { stage.instance?.deliver($0) } == 2)
                    }
                }
                // A fault may come with each call: it is said once in a while.
                #expect(bench.log.lines.count { $0.hasPrefix("error raw-1 the plugin says it took more") } == 1)
            }
        }
    }

    @Test("what is submitted reaches the router, and its answer the plugin")
    func submitting() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let samples = Samples()
                    let envelope = samples.envelope(PLUGBOARD_CONTACT)
                    #expect(stage.provider.submit(envelope, cookie: 9) == PLUGBOARD_OK)
                    #expect(stage.router.submitted.map(\.facts) == [Facts(envelope)])
                    #expect(stage.router.submitted.map(\.cookie) == [9])
                    var outcome = plugboard_outcome_t()
                    outcome.result = PLUGBOARD_ACCEPTED
                    withUnsafePointer(to: outcome) { outcome in
                        var result = plugboard_submitted_t()
                        (result.cookie, result.outcome) = (9, outcome)
                        withUnsafePointer(to: result) {
                            stage.instance?.submitted(UnsafeBufferPointer(start: $0, count: 1))
                        }
                    }
                }
                #expect(try await stage.events.last == "submitted 9 1")
            }
        }
    }

    @Test("a submit that is too large, malformed or missing gets its status")
    func badSubmits() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let samples = Samples()
                    let provider = stage.provider
                    let envelope = samples.envelope(PLUGBOARD_TYPING)
                    envelope.pointee.conversation = samples.arena.text(String(repeating: "x", count: 1024))
                    #expect(provider.submit(envelope) == PLUGBOARD_E_LIMIT)
                    envelope.pointee.conversation = .missing
                    #expect(provider.submit(envelope) == PLUGBOARD_E_INVALID)
                    envelope.pointee.conversation.count = -1
                    #expect(provider.submit(envelope) == PLUGBOARD_E_LIMIT)
                    #expect(provider.submit(nil) == PLUGBOARD_E_INVALID)
                    envelope.pointee = plugboard_envelope_t()
                    #expect(provider.submit(envelope) == PLUGBOARD_E_INVALID)
                    #expect(stage.router.submitted.isEmpty)
                }
            }
        }
    }

    @Test("an envelope is completed once")
    func completing() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    #expect(stage.provider.complete(5, PLUGBOARD_DELIVERED) == PLUGBOARD_OK)
                    #expect(stage.provider.complete(5, PLUGBOARD_DELIVERED) == PLUGBOARD_E_HANDLE)
                    #expect(stage.router.completed.map(\.token) == [5])
                    #expect(stage.provider.call { $0.complete($1, 6, nil) } == PLUGBOARD_E_INVALID)
                    var outcome = plugboard_outcome_t()
                    outcome.result = PLUGBOARD_FAILED
                    #expect(stage.provider.call { $0.complete($1, 6, &outcome) } == PLUGBOARD_E_INVALID)
                    outcome.struct_size = structSize(plugboard_outcome_t.self)
                    // Nobody reads a text that is not there.
                    outcome.reason = .missing
                    #expect(stage.provider.call { $0.complete($1, 6, &outcome) } == PLUGBOARD_OK)
                    #expect(stage.router.completed.last?.reason == "")
                }
            }
        }
    }

    @Test("claims and requests for more reach the router")
    func claiming() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    let provider = stage.provider
                    for scope in [PLUGBOARD_CLAIM_DOMAIN, PLUGBOARD_CLAIM_ADDRESS] {
                        let status = withBytes("a@b") { text in provider.call { $0.claim($1, scope, text) } }
                        #expect(status == PLUGBOARD_OK)
                    }
                    #expect(stage.router.claims == ["1 a@b", "2 a@b"])
                    let empty = plugboard_bytes_t(start: nil, count: 0)
                    #expect(provider.call { $0.claim($1, 1, empty) } == PLUGBOARD_E_INVALID)
                    #expect(provider.call { $0.claim($1, 1, .missing) } == PLUGBOARD_E_INVALID)
                    provider.call { $0.ready($1) }
                    #expect(stage.router.readies == 1)
                }
            }
        }
    }

    @Test("a busy router makes the host keep the rest of the input, and offer it again when there is room")
    func busyRouter() async throws {
        try await Bench.with { bench in
            try await bench.withStage { server in
                try await bench.withStage { client in
                    let port = try await server.on { stage in
                        stage.router.isBusy = true
                        stage.provider.onReceived = { [unowned stage] _, bytes in
                            let samples = Samples()
                            // One envelope for each byte; what is not taken stays with the host.
                            let taken = bytes.prefix { _ in
                                stage.provider.submit(samples.envelope(PLUGBOARD_TYPING)) == PLUGBOARD_OK
                            }
                            return taken.count
                        }
                        return stage.provider.listen().port
                    }
                    try await client.on { stage in
                        stage.provider.onOpened = { [unowned stage] stream in
                            #expect(stage.provider.write(stream, "abc") == PLUGBOARD_OK)
                        }
                        #expect(stage.provider.connect(port).status == PLUGBOARD_OK)
                    }
                    await server.heard("received 8192 abc")
                    try await server.on { stage in
                        #expect(stage.router.submitted.isEmpty)
                        // Still no room: the rest is not offered.
                        stage.provider.onDeliver = { $0 }
                        stage.router.isBusy = false
                        stage.instance?.room()
                    }
                    await server.heard("received 8192 abc", times: 2)
                    #expect(try await server.on { $0.router.submitted.count } == 3)
                    #expect(try await server.events.contains("room"))
                }
            }
        }
    }

    @Test("links are what the plugin reports, as far as they can be read")
    func links() async throws {
        try await Bench.with { bench in
            try await bench.withStage { stage in
                try await stage.on { stage in
                    #expect(stage.instance?.links() == [])
                    let arena = Arena()
                    var table = plugboard_status_extension_t()
                    table.links = { instance, sink, report in
                        withBytes("one.example") { name in
                            var link = plugboard_link_t()
                            (link.state, link.name, link.sent) = (PLUGBOARD_LINK_UP, name, 4)
                            report?(sink, &link)
                            link.struct_size = structSize(plugboard_link_t.self)
                            report?(sink, &link)
                            (link.state, link.detail) = (99, .missing)
                            report?(sink, &link)
                        }
                        report?(sink, nil)
                        report?(nil, nil)
                        withExtendedLifetime(instance) {}
                    }
                    stage.provider.extensionTable = UnsafeRawPointer(arena.put(table))
                    #expect(stage.instance?.links() == [])
                    table.struct_size = structSize(plugboard_status_extension_t.self)
                    stage.provider.extensionTable = UnsafeRawPointer(arena.put(table))
                    let links = try #require(stage.instance?.links())
                    // The one without a size is not counted.
                    #expect(links.map(\.name) == ["one.example", "one.example"])
                    #expect(links.map(\.state) == [.up, .down])
                    #expect(links.map(\.sent) == [4, 4])
                    #expect(links.map(\.detail) == ["", ""])
                    table.links = nil
                    stage.provider.extensionTable = UnsafeRawPointer(arena.put(table))
                    #expect(stage.instance?.links() == [])
                }
            }
        }
    }
}
