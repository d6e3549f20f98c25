import CPlugboard
import HostServices
import PluginHost
import ProviderKit
import Testing

@Suite("Whole plugins", .timeLimit(.minutes(1)))
struct PluginTests {
    static let settings = InstanceSettings(
        id: "one",
        entries: [
            .init(path: "address", value: "echo@example.org"), .init(path: "partners[0].domain", value: "ä.example"),
            .init(path: "empty", value: ""),
        ],
        homeDomains: ["example.org", "example.net"]
    )

    private func plugin(
        make: @escaping Entry.Make = { host, instance throws(ProviderError) in
            try Parrot(host: host, instance: instance)
        }
    ) throws -> Plugin {
        try Plugin(path: "libparrot.so", table: Entry.plugin(Parrot.self, make: make))
    }

    @Test("a table that is not there is a plugin that declined")
    func declining() {
        #expect(throws: PluginRefusal.declined(path: "x")) { try Plugin(path: "x", table: nil) }
    }

    @Test("a Swift provider's descriptor comes through whole")
    func descriptor() throws {
        let description = try plugin().description
        #expect((description.id, description.name) == ("org.example.parrot", "Parrot"))
        #expect(description.capabilities.map(\.name) == ["messages"])
        #expect(description.settings.map(\.path) == ["address"])
        #expect(description.settings.map(\.isRequired) == [true])
    }

    @Test("a check in C sees every setting in order, and its findings come back")
    func checkInC() throws {
        let folder = try TemporaryFolder()
        _ = try FixturePlugin.build("checker", in: folder)
        let loader = PluginLoader(searchPath: [folder.path], copies: "\(folder.path)/copies")
        let problems = try loader.load("checker").check(Self.settings)
        #expect(problems.map(\.path) == Self.settings.entries.map(\.path))
        #expect(problems.map(\.sentence) == Self.settings.entries.map(\.value))
        #expect(problems.map(\.isError) == [false, false, false])
        let nothing = InstanceSettings(id: "", entries: [], homeDomains: [])
        #expect(try loader.load("checker").check(nothing) == [])
    }

    @Test("a check in Swift sees them too, and errors are told from warnings")
    func checkInSwift() throws {
        let problems = try plugin().check(Self.settings)
        #expect(problems.map(\.isError) == [true, false])
        #expect(problems.map(\.path) == ["address", ""])
        #expect(problems.map(\.sentence) == ["is echo@example.org", "one of example.org, example.net"])
    }

    @Test("a check that reports without end, or nonsense, is cut off")
    func endlessCheck() throws {
        var table = try #require(Entry.plugin(Parrot.self)).pointee
        table.check = { _, instance in
            guard let sink = instance?.pointee.problems?.pointee else { return }
            for _ in 0..<2000 { sink.report(sink.context, 77, .missing, .missing) }
            sink.report(nil, 1, .missing, .missing)
        }
        let arena = Arena()
        let problems = try Plugin(path: "x", table: arena.put(table)).check(Self.settings)
        #expect(problems.count == 1000)
        #expect(problems.allSatisfy { $0.isError && $0.path.isEmpty && $0.sentence.isEmpty })
    }

    @Test("an instance that cannot be made says why, with the setting's name")
    func notCreated() async throws {
        try await Bench.with { bench in
            let router = BoundRouter()
            let settings = InstanceSettings(id: "two", entries: [], homeDomains: [])
            let plugin = try plugin()
            try await bench.worker.call {
                let error = try #require(throws: InstanceError.self) {
                    try Instance(
                        index: 0,
                        settings: settings,
                        plugin: plugin,
                        services: bench.services(ServiceLimits()),
                        router: router.router
                    )
                }
                #expect("\(error)" == "two was not created: address is missing")
            }
        }
    }

    @Test("a plugin in C delivers and completes, from the file to the router")
    func fixtureInC() async throws {
        let folder = try TemporaryFolder()
        _ = try FixturePlugin.build("whole", in: folder)
        let plugin = try PluginLoader(searchPath: [folder.path], copies: "\(folder.path)/copies").load("whole")
        try await Bench.with { bench in
            let router = BoundRouter()
            try await bench.worker.call {
                let instance = try Instance(
                    index: 0,
                    settings: Self.settings,
                    plugin: plugin,
                    services: bench.services(ServiceLimits()),
                    router: router.router
                )
                try instance.start()
                #expect(router.router.claims == ["2 fixture@example.org"])
                let samples = Samples()
                let batch = (1...3).map { token in
                    let envelope = samples.envelope(PLUGBOARD_MESSAGE)
                    envelope.pointee.token = UInt64(token)
                    return UnsafePointer<plugboard_envelope_t>?(envelope)
                }
                #expect(batch.withUnsafeBufferPointer { instance.deliver($0) } == 3)
                #expect(router.router.completed.map(\.token) == [1, 2, 3])
                #expect(router.router.completed.allSatisfy { $0.result == PLUGBOARD_DELIVERED })
                #expect(instance.links() == [])
                instance.drain()
                instance.stop()
            }
        }
    }

    @Test("a Swift provider answers over a real connection, and is freed with its instance")
    func swiftProvider() async throws {
        try await Bench.with { bench in
            let router = BoundRouter()
            let parrot = WeakParrot()
            let plugin = try plugin { host, instance throws(ProviderError) in
                let made = try Parrot(host: host, instance: instance)
                parrot.parrot = made
                return made
            }
            let server = try await bench.worker.call {
                let instance = try Instance(
                    index: 0,
                    settings: Self.settings,
                    plugin: plugin,
                    services: bench.services(ServiceLimits()),
                    router: router.router
                )
                try instance.start()
                return BoundInstance(instance: instance)
            }
            try await bench.withStage { client in
                let port = try await bench.worker.call { parrot.parrot?.port ?? 0 }
                try await client.on { stage in
                    stage.provider.onOpened = { [unowned stage] stream in
                        _ = stage.provider.write(stream, "one\ntwo\nthr")
                    }
                    _ = stage.provider.connect(port)
                }
                await client.until { $0.count("received") > 0 && $0.events.joined().hasSuffix("two!\n") }
                try await client.on { stage in
                    stage.provider.onReceived = { $1.count }
                    _ = stage.provider.write(stage.provider.opened[0], "ee\n")
                }
                await client.until { $0.events.joined().hasSuffix("three!\n") }
                try await bench.worker.call {
                    let texts = router.router.submitted.compactMap { $0.facts.texts.dropFirst(8).first }
                    #expect(texts.map { String(decoding: $0, as: UTF8.self) } == ["one", "two", "three"])
                    #expect(router.router.submitted.allSatisfy { $0.cookie != 0 })
                    let links = server.instance?.links() ?? []
                    #expect(links.map(\.name) == ["nest"])
                    #expect(links.map(\.received) == [3])
                    server.instance?.stop()
                    server.instance = nil
                }
                await client.heard("closed")
                #expect(try await bench.worker.call { parrot.parrot == nil })
            }
        }
    }
}

/// A router for use on a worker's loop.
// Safe: used on its worker's loop alone.
private final class BoundRouter: @unchecked Sendable {
    let router = TestRouter()
}

/// An instance for use on a worker's loop.
// Safe: used on its worker's loop alone.
private final class BoundInstance: @unchecked Sendable {
    var instance: Instance?

    init(instance: Instance) {
        self.instance = instance
    }
}

/// Where a test finds the provider that was made.
// Safe: used on its worker's loop alone.
private final class WeakParrot: @unchecked Sendable {
    weak var parrot: Parrot?
}

/// Submits each line that it hears as a message, and says it again with an exclamation mark.
private final class Parrot: Provider {
    static let descriptor = Descriptor(
        id: "org.example.parrot",
        name: "Parrot",
        version: "1.0",
        vendor: "Nobody",
        capabilities: [Capability("messages")],
        settings: [SettingSchema("address", .string, isRequired: true, help: "Who speaks.")]
    )

    static func check(_ instance: InstanceInfo, problems: inout Problems) {
        problems.error("address", "is \(instance.settings["address"] ?? "missing")")
        problems.warning("", "\(instance.id) of \(instance.homeDomains.joined(separator: ", "))")
    }

    private let host: Host
    private let address: Address
    private var lines: UInt64 = 0
    private(set) var port: UInt16 = 0

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        guard let address = Address(instance.settings["address"] ?? "") else {
            throw ProviderError("is missing", setting: "address")
        }
        self.host = host
        self.address = address
    }

    func start() throws(ProviderError) {
        do {
            port = try host.listen(address: "127.0.0.1", port: 0) { [unowned self] _ in Perch(self) }.port
        } catch {
            throw ProviderError("cannot listen: \(error)")
        }
    }

    func deliver(_ delivery: Delivery) -> Bool { false }

    func links() -> [LinkReport] { [LinkReport(name: "nest", state: .up, detail: "in", received: lines)] }

    fileprivate func hear(_ line: String) {
        lines += 1
        let envelope = Envelope(from: address, to: address, id: "\(lines)", content: .message(Message(text: line)))
        #expect(throws: Never.self) { _ = try host.submit(envelope) { _ in } }
    }
}

/// One connection to a parrot.
private final class Perch: StreamSession {
    private let parrot: Parrot

    init(_ parrot: Parrot) {
        self.parrot = parrot
    }

    func opened(_ stream: ProviderKit.Stream, tls: ProviderKit.TLSInfo?) {}

    func received(_ input: inout ByteReader, on stream: ProviderKit.Stream) {
        while let bytes = input.readBytes(through: 10) {
            let line = String(decoding: bytes, as: UTF8.self)
            parrot.hear(line)
            #expect(throws: Never.self) { try stream.write(Array("\(line)!\n".utf8)) }
        }
    }

    func closed(_ stream: ProviderKit.Stream, reason: ProviderKit.CloseReason) {}
}
