import Foundation
import HostServices
import NativeCalls
import PluginHost
import Testing

@Suite("Commands of plugins", .timeLimit(.minutes(1)))
struct CommandTests {
    /// Runs `body` with a call into a running instance of the fixture with its commands.
    private func withCommands(
        _ body: (_ call: @Sendable (String, [String]) async -> Result<CommandValue?, CommandError>) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let path = try FixtureCommands.build("commands-\(UUID().uuidString.prefix(8))", in: folder)
        let plugin = try PluginLoader(searchPath: [], copies: "\(folder.path)/copies").load(path)
        #expect(plugin.description.commandRefusals == [])
        try await Bench.with { bench in
            let stage = FixtureStage(bench, plugin)
            try await bench.worker.call { try stage.start() }
            try await body { name, arguments in
                do {
                    return try await bench.worker.call { stage.call(name, arguments) }
                } catch {
                    return .failure(.failed("\(error)"))
                }
            }
            try await bench.worker.call { stage.instance?.stop() }
        }
    }

    @Test("Functions of every shape are called with what the operator gave, and answer")
    func shapes() async throws {
        try await withCommands { call in
            #expect(await call("echo", ["Grüße 🎈"]) == .success(.text("Grüße 🎈")))
            #expect(await call("all", ["x", "-7", "2.5", "false"]) == .success(.text("x -7 2.500 0")))
            #expect(await call("all", ["x"]) == .success(.text("x 5 0.250 1")))
            #expect(await call("negate", ["9223372036854775807"]) == .success(.integer(-.max)))
            #expect(await call("half", ["-3"]) == .success(.number(-1.5)))
            #expect(await call("not", ["true"]) == .success(.truth(false)))
            #expect(await call("not", ["false"]) == .success(.truth(true)))
            #expect(await call("nothing", []) == .success(nil))
            #expect(await call("null", []) == .success(nil))
            #expect(await call("is-self", []) == .success(.integer(1)))
        }
    }

    @Test("Sixteen arguments in registers and on the stack arrive each in its place")
    func manyArguments() async throws {
        try await withCommands { call in
            let arguments = (0..<16).map { "\($0 / 2 + 1)" }
            // 1 + 2·2 + 3·4 … + 8·128, in both halves.
            let half = (0..<8).reduce(0) { $0 + ($1 + 1) << $1 }
            #expect(await call("sum", arguments) == .success(.integer(Int64(half + half * 1000))))
        }
    }

    @Test("Wrong arguments are refused before the plugin is called")
    func wrongArguments() async throws {
        try await withCommands { call in
            let wrong = await call("negate", ["seven"])
            #expect(
                wrong
                    == .failure(
                        .arguments(.wrong(argument: "value", expected: "an integer of 64 bits", given: "seven"))
                    )
            )
            #expect(
                await call("echo", []) == .failure(.arguments(.missing(command: "echo TEXT", argument: "text")))
            )
            guard case .failure(.unknown("ehco", "fixture", let known)) = await call("ehco", []) else {
                Issue.record("another error")
                return
            }
            #expect(known.contains("echo"))
        }
    }

    @Test("A command says that it failed, and its result is not shown")
    func failing() async throws {
        try await withCommands { call in
            #expect(await call("fail", ["the moon is wrong"]) == .failure(.failed("the moon is wrong")))
            #expect(await call("fail", [""]) == .failure(.failed("")))
            let long = String(repeating: "x", count: 2000)
            #expect(await call("fail", [long]) == .failure(.failed(String(long.prefix(1024)))))
            // The failure belongs to that call alone.
            #expect(await call("echo", ["on"]) == .success(.text("on")))
            // PLUGBOARD_E_STATE: a function has its result to answer with.
            #expect(await call("answer-late", []) == .success(.integer(-4)))
        }
    }

    @Test("An answer as long as is allowed is shown, a longer one is an error")
    func answerLimit() async throws {
        try await withCommands { call in
            let most = CommandValue.answerBytesMax
            guard case .success(.text(let text)) = await call("fill", ["\(most)"]) else {
                Issue.record("no text")
                return
            }
            #expect(text.utf8.count == most)
            guard case .failure(.badAnswer("fill", _)) = await call("fill", ["\(most + 1)"]) else {
                Issue.record("another answer")
                return
            }
        }
    }

    @Test("A command without a function needs the extension")
    func orphan() async throws {
        try await withCommands { call in
            #expect(await call("orphan", []) == .failure(.notCarriedOut(command: "orphan")))
        }
    }

    @Test("Wrong declarations are refused one by one, with place, name and cause, and the others are offered")
    func refusals() throws {
        let folder = try TemporaryFolder()
        let list = """
            C("good", "v()", "", nothing), C("bad", "v(x)", "a", nothing), C("good", "v()", "", nothing),
            C(NULL, "v()", "", nothing), C("no-signature", NULL, "", nothing), C("more", "v(i)", "a,b", nothing),
            {8, 0, NULL, NULL, NULL, NULL, NULL}, C("also-good", "i(i)", "value", negate),
            """
        let path = try FixtureCommands.build("refused", in: folder, list: list)
        let plugin = try PluginLoader(searchPath: [], copies: "\(folder.path)/copies").load(path)
        #expect(plugin.description.commands.map(\.form.name) == ["good", "also-good"])
        #expect(plugin.description.commands.map(\.index) == [0, 7])
        let refusals = plugin.description.commandRefusals
        #expect(refusals.map(\.index) == [1, 2, 3, 4, 5, 6])
        let sentences = refusals.map(\.description)
        #expect(
            sentences[0].hasPrefix("its command 1 'bad' is not offered: its signature 'v(x)' is wrong at character 3:")
        )
        #expect(sentences[1] == "its command 2 'good' is not offered: command 0 has the same name")
        #expect(sentences[2].contains("name is missing"))
        #expect(sentences[3].contains("'no-signature' is not offered: its signature is missing"))
        #expect(sentences[4].contains("2 names, its signature takes 1"))
        #expect(sentences[5].contains("struct_size"))
    }
}

/// An instance of a plugin whose commands are called.
// Safe: used on its worker's loop alone.
final class FixtureStage: @unchecked Sendable {
    private let bench: Bench
    private let plugin: Plugin
    private let router = TestRouter()
    private(set) var instance: Instance?

    init(_ bench: Bench, _ plugin: Plugin) {
        self.bench = bench
        self.plugin = plugin
    }

    func start() throws {
        instance = try Instance(
            index: 0,
            settings: InstanceSettings(id: "fixture", entries: [], homeDomains: []),
            plugin: plugin,
            services: bench.services(.init()),
            router: router
        )
        try instance?.start()
    }

    func call(_ name: String, _ arguments: [String]) -> Result<CommandValue?, CommandError> {
        guard let instance else { return .failure(.notRunning(instance: "fixture")) }
        do throws(CommandError) {
            return .success(try instance.call(name, arguments))
        } catch {
            return .failure(error)
        }
    }
}
