import Foundation
import Testing

/// The policy's example: what is written of it is what the commands print.
@Suite("The policy example", .timeLimit(.minutes(1)))
struct PolicyExampleTests {
    let program: Program
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    /// A command of an article, without its `plugboard`, and what follows it there.
    private struct Shown {
        var arguments: [String]
        var output: String
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The commands of an article with what they print, block by block.
    private static func shown(_ text: some StringProtocol) -> [Shown] {
        var all: [Shown] = []
        var isInBlock = false
        for line in text.components(separatedBy: "\n") {
            if line.hasPrefix("```") {
                isInBlock = line == "```text"
            } else if isInBlock, line.hasPrefix("$ plugboard ") {
                all.append(Shown(arguments: line.split(separator: " ").dropFirst(2).map(String.init), output: ""))
            } else if isInBlock, !all.isEmpty {
                all[all.count - 1].output += line + "\n"
            }
        }
        return all.map { Shown(arguments: $0.arguments, output: $0.output.trimmingCharacters(in: .newlines)) }
    }

    /// Without what differs each time: the time, the user, and the folder.
    private func plain(_ text: String) -> String {
        text.replacing(program.folder.url.path, with: "/srv/im")
            .replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, with: "TIME")
            .replacing(#/uid \d+ /#, with: "uid N ")
            .trimmingCharacters(in: .newlines)
    }

    private func run(_ all: [Shown]) throws {
        for shown in all {
            let result = try program.run(shown.arguments)
            let command = shown.arguments.joined(separator: " ")
            #expect(plain(result.errors + result.output) == plain(shown.output), "\(command)")
            let isRefused = result.output.hasPrefix("refused") || result.output.hasPrefix("{\"allowed\":false")
            #expect((result.status == 1) == (isRefused || result.errors.hasPrefix("refused")), "\(command)")
        }
    }

    @Test("Each command that is shown prints what is written there")
    func shown() throws {
        let configuration = try Self.text("Examples/Policy/plugboard.yaml")
        try program.folder.write(configuration, to: "plugboard.yaml")
        let router = try program.start(["run"], readErrors: true)
        defer {
            router.process.terminate()
            _ = router.output.readToEnd()
            router.waitUntilExit()
        }
        _ = try #require(router.output.line { $0.contains("the router runs") })

        let article = try Self.text("Sources/Policy/Policy.docc/Policy.md")
        let policy = try #require(configuration.firstRange(of: "policy:\n"))
        #expect(article.contains("```yaml\n" + configuration[policy.lowerBound...] + "```\n"))
        let short = Self.shown(article)
        let long = Self.shown(try Self.text("Examples/Policy/README.md"))
        #expect(short.count >= 3 && long.count >= 15)
        // The first ones ask and change nothing.
        try run(short)
        try run(long)
    }
}
