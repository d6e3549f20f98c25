import Configuration
import NativeCalls
import ProviderKit
import Synchronization
import Testing

@testable import PluginHost
@testable import Router

/// A provider whose commands a test holds up.
private final class Commander: Provider {
    static let descriptor = Descriptor(
        id: "org.example.commander",
        name: "Commander",
        version: "1",
        vendor: "Nobody",
        capabilities: [],
        settings: [],
        commands: [
            Command("block", help: "Waits for the test.") { (_: Commander) in
                Commander.begun.append("block")
                Commander.gate.wait()
            },
            Command("note", .text("text"), answers: .text, help: "Notes it.") { (_: Commander, text) in
                Commander.begun.append(text)
                return text
            },
        ]
    )

    static let begun = Recorder<String>()
    static let gate = Gate()

    init(host: Host, instance: InstanceInfo) {}
    func start() {}
    func deliver(_ delivery: Delivery) -> Bool { false }
}

/// What a blocked thread waits for.
private final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    func wait() {
        while !isOpen.load(ordering: .acquiring) {}
    }
}

@Suite("Calls of commands", .timeLimit(.minutes(1)))
struct CommandCallTests {
    @Test("A caller's time ends its wait: what has begun runs on, what has not never begins")
    func deadline() async throws {
        let folder = try TemporaryFolder()
        let yaml = """
            router: {id: test, state: \(folder.path)/state}
            home: {domains: {home.example: {users: any}}}
            providers: {commander: {plugin: commander}}
            """
        let configuration = try #require(
            ConfigurationLoader.read(yaml, file: "test.yaml", directory: folder.path).configuration
        )
        let plugin = try Plugin(path: "commander", table: Entry.plugin(Commander.self))
        let router = try Router(
            configuration: configuration,
            linked: ["commander": plugin],
            logger: CapturedLog().logger
        )
        _ = try await router.start()

        let blocked = await #expect(throws: CallError.self) {
            try await router.call("commander", "block", [], within: .milliseconds(50))
        }
        guard case .timedOut("block", "commander", _, hasBegun: true) = blocked else {
            Issue.record("another error: \(blocked as Any)")
            return
        }
        let waiting = await #expect(throws: CallError.self) {
            try await router.call("commander", "note", ["never"], within: .milliseconds(50))
        }
        guard case .timedOut("note", "commander", _, hasBegun: false) = waiting else {
            Issue.record("another error: \(waiting as Any)")
            return
        }
        Commander.gate.open()
        let answer = try await router.call("commander", "note", ["afterwards"], within: .seconds(50))
        #expect(answer == .text("afterwards"))
        #expect(Commander.begun.all == ["block", "afterwards"])

        await #expect(throws: CallError.unknownInstance("nobody", known: ["home", "commander"])) {
            try await router.call("nobody", "note", [], within: .seconds(1))
        }
        await router.shutdown()
        await #expect(throws: CallError.command(.notRunning(instance: "commander"))) {
            try await router.call("commander", "note", ["late"], within: .seconds(1))
        }
    }
}
