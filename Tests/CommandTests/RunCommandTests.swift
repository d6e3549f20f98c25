import Foundation
import Testing

@Suite struct RunCommandTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
        try program.folder.write(
            CheckCommandTests.start + """
                providers:
                  echo: { plugin: EchoProvider, settings: { address: echo@a.test, prefix: "you said: " } }
                  broken: { plugin: NoSuchPlugin }
                """,
            to: "a.yaml"
        )
    }

    private func startRouter() throws -> Program.Running {
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        return router
    }

    private func stop(_ router: Program.Running) -> Int32 {
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
        return router.process.terminationStatus
    }

    @Test(
        "A router answers its commands, drains on SIGTERM, and has everything after a restart",
        .timeLimit(.minutes(1))
    )
    func life() throws {
        var router = try startRouter()
        #expect(try program.run("send", "alice@a.test", "echo@a.test", "hello", "--config", "a.yaml").status == 0)
        let inbox = try program.start(["inbox", "alice@a.test", "--follow", "--json", "--config", "a.yaml"])
        #expect(inbox.output.line { $0.contains(#""text":"you said: hello""#) } != nil)

        let refused = try program.run("send", "alice@a.test", "bob@nowhere.test", "x", "--config", "a.yaml")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("no provider serves nowhere.test"))

        let status = try program.run("status", "--config", "a.yaml", "--json")
        #expect(status.output.contains(#""name":"echo""#))
        #expect(status.output.contains(#""state":"running""#))
        let plugins = try program.run("plugins", "--config", "a.yaml")
        #expect(plugins.output.contains("org.plugboard.example.echo"))
        #expect(plugins.output.contains("no libNoSuchPlugin.so in"))

        #expect(stop(router) == 0)
        inbox.process.waitUntilExit()

        router = try startRouter()
        let kept = try program.run("inbox", "alice@a.test", "--config", "a.yaml")
        #expect(kept.output.contains("you said: hello"))
        #expect(stop(router) == 0)
    }

    @Test("A second router on the same state folder is refused", .timeLimit(.minutes(1)))
    func second() throws {
        let router = try startRouter()
        let other = try program.run("run", "--config", "a.yaml")
        #expect(other.status == 1)
        #expect(other.errors.contains("state/spool.db"))
        #expect(stop(router) == 0)
    }
}
