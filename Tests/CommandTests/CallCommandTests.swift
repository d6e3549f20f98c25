import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct CallCommandTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
        try program.folder.write(
            CheckCommandTests.start
                + "providers: { echo: { plugin: EchoProvider, settings: { address: echo@a.test } } }",
            to: "a.yaml"
        )
    }

    @Test("Commands of a Swift plugin are listed and called, and what is wrong is said by name")
    func calling() throws {
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })

        let list = try program.run("call", "--config", "a.yaml", "echo")
        #expect(list.status == 0)
        #expect(list.output.contains("count → integer\n    How many messages were answered.\n"))
        #expect(list.output.contains("set-prefix [PREFIX=]\n"))
        #expect(list.output.contains("    PREFIX: text; without it ''\n"))

        #expect(try program.run("call", "--config", "a.yaml", "echo", "count").output == "0\n")
        let set = try program.run("call", "--config", "a.yaml", "echo", "set-prefix", "--you said: ")
        #expect((set.status, set.output) == (0, ""))
        #expect(try program.run("send", "alice@a.test", "echo@a.test", "hello", "--config", "a.yaml").status == 0)
        let inbox = try program.start(["inbox", "--follow", "--config", "a.yaml"])
        #expect(inbox.output.line { $0.hasSuffix("--you said: hello") } != nil)
        inbox.process.terminate()
        inbox.process.waitUntilExit()
        let count = try program.run("call", "--json", "--config", "a.yaml", "echo", "count")
        #expect(count.output == #"{"answer":"1","type":"integer"}"# + "\n")

        let surplus = try program.run("call", "--config", "a.yaml", "echo", "count", "7")
        #expect(surplus.status == 1)
        #expect(surplus.errors == "error: 1 arguments were given, at most 0 are taken: count\n")
        let unknown = try program.run("call", "--config", "a.yaml", "echo", "cuont")
        #expect(unknown.errors == "error: echo has no command 'cuont', but count, set-prefix\n")
        let nobody = try program.run("call", "--config", "a.yaml", "ehco", "count")
        #expect(nobody.status == 1)
        #expect(nobody.errors.contains("no provider is called 'ehco'"))
        #expect(try program.run("call", "--config", "a.yaml", "home").status == 1)
        #expect(try program.run("call", "--timeout", "0", "--config", "a.yaml", "echo").status == 2)

        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
        #expect(router.process.terminationStatus == 0)
    }
}
