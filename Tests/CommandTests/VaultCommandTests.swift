import Foundation
import Testing

@Suite struct VaultCommandTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
        try program.folder.write(
            CheckCommandTests.start + """
                vault: { key: "file:vault.key" }
                providers:
                  echo: { plugin: EchoProvider, settings: { address: echo@a.test, prefix: "you said: " } }
                """,
            to: "a.yaml"
        )
    }

    private func vault(_ arguments: String...) throws -> Program.Result {
        let running = try program.start(["vault"] + arguments + ["--config", "a.yaml"])
        let output = String(decoding: running.output.readToEnd(), as: UTF8.self)
        running.process.waitUntilExit()
        let errors = (try? String(contentsOf: running.errorFile, encoding: .utf8)) ?? ""
        return Program.Result(status: running.process.terminationStatus, output: output, errors: errors)
    }

    private var key: String {
        let file = program.folder.url.appendingPathComponent("vault.key")
        return ((try? String(contentsOf: file, encoding: .utf8)) ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("A vault is made once, looked at, and gets another key; no output has a key in it", .timeLimit(.minutes(1)))
    func life() throws {
        #expect(try vault("status").errors.contains("run plugboard vault init"))
        let made = try vault("init")
        #expect(made.status == 0 && made.output.contains("sealed with the key"), "\(made)")
        let old = key
        #expect(try vault("init").status == 1)
        #expect(try vault("status").output.contains("0 secrets"))
        #expect(try vault("list").status == 0)
        let rotated = try vault("rotate")
        #expect(rotated.status == 0 && rotated.output.contains("sealed 0 secrets anew"), "\(rotated)")
        #expect(key != old && !old.isEmpty)
        let status = try vault("status")
        #expect(status.status == 0 && status.output.contains("opens it"), "\(status)")
        for text in [made.output, rotated.output, status.output] {
            #expect(!text.contains(old) && !text.contains(key))
        }
    }

    @Test("A wrong key, and one that others can read, are refused by the router too", .timeLimit(.minutes(1)))
    func refusals() throws {
        #expect(try vault("init").status == 0)
        let file = program.folder.url.appendingPathComponent("vault.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        let exposed = try program.run("run", "--config", "a.yaml")
        #expect(exposed.status == 1 && exposed.errors.contains("chmod 600"), "\(exposed)")
        try program.folder.write(Data(repeating: 7, count: 32).base64EncodedString(), to: "vault.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        for result in [try program.run("run", "--config", "a.yaml"), try vault("status"), try vault("rotate")] {
            #expect(result.status == 1 && result.errors.contains("is sealed with the key"), "\(result)")
        }
    }

    @Test("While a router runs, its vault can be looked at, and keeps its key", .timeLimit(.minutes(1)))
    func running() throws {
        #expect(try vault("init").status == 0)
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        #expect(try vault("status").output.contains("opens it"))
        #expect(try vault("list").status == 0)
        let rotated = try vault("rotate")
        #expect(rotated.status == 1 && rotated.errors.contains("stop the router first"), "\(rotated)")
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
        #expect(try vault("rotate").status == 0)
    }
}
