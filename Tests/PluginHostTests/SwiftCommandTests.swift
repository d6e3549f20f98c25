import HostServices
import NativeCalls
import PluginHost
import ProviderKit
import Testing

/// A provider of commands alone.
private final class Commander: Provider {
    static let descriptor = Descriptor(
        id: "org.example.commander",
        name: "Commander",
        version: "1",
        vendor: "Nobody",
        capabilities: [],
        settings: [],
        commands: [
            Command(
                "describe",
                .text("text"),
                .integer("integer", standard: -5),
                .number("number", standard: 0.5),
                .truth("truth", standard: true),
                answers: .text,
                help: "Says what it was given."
            ) { (commander: Commander, text, integer, number, truth) in
                commander.calls += 1
                return "\(text) \(integer) \(number) \(truth)"
            },
            Command("calls", answers: .integer, help: "Counts.") { (commander: Commander) in commander.calls },
            Command("half", .number("value"), answers: .number, help: "Halves.") { (_: Commander, value) in value / 2 },
            Command("not", .truth("value"), answers: .truth, help: "Negates.") { (_: Commander, value) in !value },
            Command("reset", help: "Begins anew.") { (commander: Commander) in commander.calls = 0 },
            Command("fail", .text("reason"), help: "Fails.") { (_: Commander, reason) in
                throw ProviderError(reason, setting: "moon")
            },
            Command("fill", .integer("count"), answers: .text, help: "Is long.") { (_: Commander, count) in
                String(repeating: "x", count: count)
            },
            Command("foreign", help: "Is another provider's.") { (_: Other) in },
        ]
    )

    private var calls = 0

    init(host: Host, instance: InstanceInfo) {}
    func start() {}
    func deliver(_ delivery: Delivery) -> Bool { false }
}

private final class Other: Provider {
    static let descriptor = Commander.descriptor

    init(host: Host, instance: InstanceInfo) {}
    func start() {}
    func deliver(_ delivery: Delivery) -> Bool { false }
}

@Suite("Commands of Swift plugins", .timeLimit(.minutes(1)))
struct SwiftCommandTests {
    @Test("Closures are called with what the operator gave, and answer or say why not")
    func closures() async throws {
        try await Bench.with { bench in
            let plugin = try Plugin(path: "commander", table: Entry.plugin(Commander.self))
            #expect(plugin.description.commandRefusals == [])
            let usages = plugin.description.commands.map(\.form.usage)
            #expect(usages.first == "describe TEXT [INTEGER=-5] [NUMBER=0.5] [TRUTH=true]")
            let stage = FixtureStage(bench, plugin)
            try await bench.worker.call { try stage.start() }
            let results = try await bench.worker.call {
                [
                    stage.call("describe", ["Grüße", "7", "-2.5", "false"]), stage.call("describe", ["x"]),
                    stage.call("calls", []), stage.call("half", ["3"]), stage.call("not", ["true"]),
                    stage.call("reset", []), stage.call("calls", []), stage.call("fail", ["is wrong"]),
                    stage.call("fill", ["\(CommandValue.answerBytesMax + 1)"]), stage.call("foreign", []),
                ]
            }
            #expect(
                results == [
                    .success(.text("Grüße 7 -2.5 false")), .success(.text("x -5 0.5 true")), .success(.integer(2)),
                    .success(.number(1.5)), .success(.truth(false)), .success(nil), .success(.integer(0)),
                    .failure(.failed("moon: is wrong")), .failure(.failed("its answer is too long to be shown")),
                    .failure(.failed("the command is another provider's")),
                ]
            )
            try await bench.worker.call { stage.instance?.stop() }
            let late = try await bench.worker.call { stage.call("calls", []) }
            #expect(late == .failure(.notRunning(instance: "fixture")))
        }
    }
}
