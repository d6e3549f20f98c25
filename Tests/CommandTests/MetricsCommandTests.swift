import Foundation
import Testing

@Suite struct MetricsCommandTests {
    @Test("A running router prints what it counts, with each message counted once", .timeLimit(.minutes(1)))
    func metrics() throws {
        let program = Program(folder: try TemporaryFolder())
        try program.folder.write(
            CheckCommandTests.start + """
                providers:
                  echo: { plugin: EchoProvider, settings: { address: echo@a.test, prefix: "you said: " } }
                """,
            to: "a.yaml"
        )
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        let inbox = try program.start(["inbox", "alice@a.test", "--follow", "--json", "--config", "a.yaml"])
        #expect(try program.run("send", "alice@a.test", "echo@a.test", "hello", "--config", "a.yaml").status == 0)
        #expect(inbox.output.line { $0.contains("you said: hello") } != nil)
        // Asked twice: what was counted before is not counted again.
        _ = try program.run("metrics", "--config", "a.yaml")
        let result = try program.run("metrics", "--config", "a.yaml")
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains("# TYPE plugboard_submitted_total counter"))
        #expect(
            lines.contains { line in
                line.hasPrefix("plugboard_settled_total{kind=\"message\",outcome=\"delivered\",provider=\"echo\"")
                    && line.hasSuffix(" 1")
            },
            "\(result.output)"
        )
        #expect(lines.contains { $0.hasPrefix("plugboard_provider_up{provider=\"echo\"") && $0.hasSuffix(" 1") })
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
        inbox.process.waitUntilExit()
        #expect(try program.run("metrics", "--config", "a.yaml").status == 69)
    }
}
