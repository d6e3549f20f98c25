import Foundation
import Testing

@Suite struct LogTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    private func write(_ log: String) throws {
        try program.folder.write(
            CheckCommandTests.start + "log: \(log)\n"
                + "providers: { echo: { plugin: EchoProvider, settings: { address: echo@a.test } } }",
            to: "a.yaml"
        )
    }

    @Test("JSON lines carry time, level and part; message text is in none of them", .timeLimit(.minutes(1)))
    func json() throws {
        try write("{ level: info, format: json, parts: { echo: warning } }")
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        var lines: [String] = []
        let isUp = router.output.line { line in
            lines.append(line)
            return line.contains("the router runs")
        }
        #expect(isUp != nil)
        let text = "do-not-log-this"
        #expect(try program.run("send", "alice@a.test", "echo@a.test", text, "--config", "a.yaml").status == 0)
        let inbox = try program.start(["inbox", "alice@a.test", "--follow", "--config", "a.yaml"])
        #expect(inbox.output.line { $0.hasSuffix(text) } != nil)
        inbox.process.terminate()
        #expect(try program.run("send", "alice@a.test", "x@nowhere.test", text, "--config", "a.yaml").status == 1)
        router.process.terminate()
        lines += String(decoding: router.output.readToEnd(), as: UTF8.self).split(separator: "\n").map(String.init)
        router.process.waitUntilExit()
        let objects = try lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String], "\(line)")
        }
        #expect(objects.allSatisfy { $0["time"]?.hasSuffix("Z") == true && $0["level"] != nil && $0["part"] != nil })
        let refusal = objects.first { $0["message"] == "an envelope was refused" }
        #expect(refusal?["part"] == "home")
        #expect(refusal?["reason"] == "no provider serves nowhere.test")
        #expect(refusal?["provider"] == "home" && refusal?["code"] == "no-route" && refusal?["kind"] == "message")
        #expect(refusal?["from"] == "alice@a.test" && refusal?["to"] == "x@nowhere.test")
        #expect(refusal?["partner"] == "nowhere.test" && refusal?["message-id"]?.isEmpty == false)
        #expect(!lines.contains { $0.contains(text) })
        // The part that logs warnings only.
        #expect(!objects.contains { $0["part"] == "echo" })
    }

    @Test("A reload changes what is logged, and how", .timeLimit(.minutes(1)))
    func reload() throws {
        try write("{ level: error }")
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        // Nothing is logged: the socket tells that it runs.
        while try program.run("status", "--config", "a.yaml").status != 0 {}
        try write("{ level: info, format: json }")
        let reload = try program.run("reload", "--config", "a.yaml")
        #expect(reload.output == "took over log\nunchanged: echo\n")
        #expect(try program.run("send", "alice@a.test", "x@nowhere.test", "x", "--config", "a.yaml").status == 1)
        #expect(router.output.line { $0.hasPrefix("{") && $0.contains("no provider serves nowhere.test") } != nil)
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
    }
}
