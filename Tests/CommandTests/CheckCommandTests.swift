import Foundation
import Testing

@Suite struct CheckCommandTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    static let start = """
        router: { id: a, state: state, log: info }
        home: { domains: { a.test: { users: [alice] } } }
        plugin_path: ["\(Program.buildFolder.path)"]

        """

    @Test("Everything that is wrong is said at once, the plugins' findings too, each with its line")
    func allProblems() throws {
        let configuration =
            Self.start.replacing("log: info", with: "log: inof") + """
                providers:
                  xmpp:
                    plugin: XMPP
                    settings:
                      partnrs: []
                      partners:
                        - { domain: b.test, tls: not-supported, sasl: required, dialback: false }
                        - { domain: c.test, tls: maybe }
                  echo:
                    plugin: EchoProvder
                """
        try program.folder.write(configuration, to: "a.yaml")
        let result = try program.run("check", "--config", "a.yaml")
        #expect(result.status == 1)
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("a.yaml:1:37: error: router.log must be one of") })
        #expect(
            lines.contains { $0.hasPrefix("a.yaml:8:7: error: unknown key 'partnrs'") && $0.hasSuffix("'partners'?") }
        )
        #expect(lines.contains { $0.contains(":10:") && $0.contains("partners[0]") })
        #expect(lines.contains { $0.contains(":11:") && $0.contains("partners[1].tls must be one of required") })
        #expect(lines.contains { $0.hasPrefix("a.yaml:13:13: error: no libEchoProvder.so in") })
    }

    @Test("A sound configuration passes")
    func sound() throws {
        try program.folder.write(
            Self.start + "providers: { echo: { plugin: EchoProvider, settings: { address: echo@a.test } } }",
            to: "a.yaml"
        )
        let result = try program.run("check", "--config", "a.yaml")
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.first == "a.yaml: can be used, 1 provider")
        // What can be written as its sha256.
        #expect(lines.last?.wholeMatch(of: /echo: sha256 [0-9a-f]{64}  \/.*\/libEchoProvider\.so/) != nil)
    }

    @Test("Problems come as JSON where a machine reads them")
    func json() throws {
        try program.folder.write("routr: {}", to: "a.yaml")
        let result = try program.run("check", "--config", "a.yaml", "--json")
        #expect(result.status == 1)
        let line = try #require(result.output.split(separator: "\n").first { $0.contains("'routr'") })
        let problem = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(problem["line"] as? Int == 1)
        #expect(problem["severity"] as? String == "error")
        #expect(problem["suggestion"] as? String == "did you mean 'router'?")
    }

    @Test("A command that is not understood ends with 2, a router that is not there with 69")
    func exitCodes() throws {
        try program.folder.write(Self.start, to: "a.yaml")
        #expect(try program.run("chekc").status == 2)
        #expect(try program.run("send", "alice", "b@b.test", "x", "--config", "a.yaml").status == 2)
        let status = try program.run("status", "--config", "a.yaml")
        #expect(status.status == 69)
        #expect(status.errors.contains("plugboard run"))
    }
}
