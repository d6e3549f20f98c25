import Foundation
import Glibc
import Testing

/// The examples as their READMEs show them.
@Suite(.timeLimit(.minutes(1))) struct ExampleTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    private static let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Examples")

    private func startRouter() throws -> Program.Running {
        try program.start(["run", "--config", "a.yaml"], readErrors: true)
    }

    private func stop(_ router: Program.Running) -> Int32 {
        router.process.terminate()
        _ = router.output.readToEnd()
        return router.waitUntilExit()
    }

    // MARK: CProvider

    private func writeLines(plugin: String = "CProvider", listen: String = "127.0.0.1:0", more: String = "") throws {
        let providers = """
            providers:
              lines: { plugin: \(plugin), settings: { listen: "\(listen)", domain: lines.test\(more) } }
            """
        try program.folder.write(CheckCommandTests.start + providers, to: "a.yaml")
    }

    /// Starts a router with the line gate; the port where it listens.
    private func startGate() throws -> (router: Program.Running, port: UInt16) {
        let router = try startRouter()
        let line = try #require(router.output.line { $0.contains("people can connect to 127.0.0.1, port ") })
        let port = try #require(line.firstMatch(of: /port (\d+)/).flatMap { UInt16($0.1) })
        _ = try #require(router.output.line { $0.contains("the router runs") })
        return (router, port)
    }

    @Test("The line gate carries messages both ways, answers commands, and says goodbye")
    func lineGate() throws {
        try writeLines()
        let (router, port) = try startGate()
        let bob = try LineClient(port)
        #expect(bob.line()?.hasPrefix("HELLO") == true)
        bob.say("SEND alice@a.test too early")
        #expect(bob.line() == "ERROR log in first")
        bob.say("LOGIN Bob")
        #expect(bob.line()?.hasPrefix("ERROR a name is") == true)
        bob.say("LOGIN bob\r")
        #expect(bob.line() == "OK bob")
        let other = try LineClient(port)
        _ = other.line()
        other.say("LOGIN bob")
        #expect(other.line() == "ERROR this name is taken")

        bob.say(#"SEND alice@a.test two\nlines"#)
        #expect(bob.line()?.hasPrefix("OK ") == true)
        let inbox = try program.start(["inbox", "alice@a.test", "--follow", "--json", "--config", "a.yaml"])
        #expect(inbox.output.line { $0.contains(#""text":"two\nlines""#) && $0.contains("bob@lines.test") } != nil)
        inbox.process.terminate()
        inbox.waitUntilExit()

        #expect(
            try program.run("send", "alice@a.test", "bob@lines.test", #"back\slash"#, "--config", "a.yaml").status == 0
        )
        #expect(bob.line() == #"MESSAGE 1 alice@a.test back\\slash"#)
        bob.say("ACK 1")
        bob.say("ACK 1")
        #expect(bob.line() == "ERROR no such message waits for you")
        let status = try program.run("status", "--config", "a.yaml")
        #expect(status.output.contains("127.0.0.1 port \(port)  lines     up"))

        #expect(try program.run("call", "--config", "a.yaml", "lines", "who").output == "bob\n")
        #expect(try program.run("call", "--config", "a.yaml", "lines", "announce", "-5 °C").output == "1\n")
        #expect(bob.line() == "NOTICE -5 °C")
        let kick = try program.run("call", "--config", "a.yaml", "lines", "kick", "ann")
        #expect((kick.status, kick.errors) == (1, "error: nobody has logged in by this name\n"))
        let list = try program.run("call", "--config", "a.yaml", "lines")
        #expect(list.output.contains("kick NAME [REASON=an operator closed it]\n"))

        // One that is not acknowledged, and two connections open: one has nothing to wait for, the other is waited for until
        // the router's time is over.
        #expect(try program.run("send", "alice@a.test", "bob@lines.test", "again", "--config", "a.yaml").status == 0)
        #expect(bob.line() == "MESSAGE 2 alice@a.test again")
        #expect(stop(router) == 0)
        #expect(other.line() == "BYE the gate closes")
        #expect(bob.line() == nil)

        let (second, newPort) = try startGate()
        let again = try LineClient(newPort)
        _ = again.line()
        again.say("LOGIN bob")
        #expect(again.line() == "OK bob")
        #expect(stop(second) == 0)
    }

    @Test("A connection that does not log in, sends too long a line or a zero is told so and closed")
    func misbehaviour() throws {
        try writeLines(more: ", login_timeout: 100ms")
        let (router, port) = try startGate()
        let silent = try LineClient(port)
        _ = silent.line()
        #expect(silent.line() == "BYE nobody has logged in")
        #expect(silent.line() == nil)
        let long = try LineClient(port)
        _ = long.line()
        long.say(String(repeating: "x", count: 8193))
        #expect(long.line() == "BYE a line is too long")
        let zero = try LineClient(port)
        _ = zero.line()
        zero.say("LOGIN a\0b")
        #expect(zero.line() == "BYE a line holds a zero")
        let ordinary = try LineClient(port)
        _ = ordinary.line()
        ordinary.say(String(repeating: "x", count: 8192))
        #expect(ordinary.line() == "ERROR there are LOGIN, SEND, ACK and QUIT")
        ordinary.say("QUIT")
        #expect(ordinary.line() == "BYE")
        #expect(ordinary.line() == nil)
        #expect(stop(router) == 0)
    }

    @Test("The line gate's settings are judged with their line")
    func settings() throws {
        let file = "\(program.folder.url.path)/a.yaml"
        try program.folder.write(
            CheckCommandTests.start + """
                providers:
                  lines:
                    plugin: CProvider
                    settings: { listen: "127.0.0.1:0", domain: "Lines test", connections_max: 0, ack_timeout: 5 }
                """,
            to: "a.yaml"
        )
        let check = try program.run("check", "--config", "a.yaml")
        #expect(check.status == 1)
        #expect(check.output.contains("a.yaml:7:"), "\(file)")
        #expect(check.output.contains("connections_max must be an integer from 1 to 10000, not '0'"))
        #expect(check.output.contains("ack_timeout must be a duration"))
        #expect(check.output.contains("providers.lines.settings.domain: must be a domain name in small letters"))
    }

    @Test("The line of the compiler in the README builds a plugin that is loaded")
    func compilerLine() throws {
        let readme = try String(
            contentsOf: Self.examples.appendingPathComponent("CProvider/README.md"),
            encoding: .utf8
        )
        let line = String(try #require(readme.split(separator: "\n").first { $0.hasPrefix("cc ") }))
        let library = program.folder.url.appendingPathComponent("libMine.so").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line.replacing("-o libCProvider.so", with: "-Werror -o '\(library)'")]
        process.currentDirectoryURL = Self.examples.deletingLastPathComponent()
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        try writeLines(plugin: library)
        let check = try program.run("check", "--config", "a.yaml")
        #expect(check.status == 0, "\(check.output)")
        #expect(check.output.contains("can be used, 1 provider\nlines: sha256 "))
    }

    @Test("A command that is declared wrongly is told by check, plugins and call, and the others are offered")
    func wrongDeclaration() throws {
        let sources = program.folder.url.appendingPathComponent("CProvider")
        try FileManager.default.copyItem(at: Self.examples.appendingPathComponent("CProvider"), to: sources)
        let commands = sources.appendingPathComponent("commands.c")
        let text = try String(contentsOf: commands, encoding: .utf8)
        try #require(text.contains(#""i(s)""#))
        try Data(text.replacing(#""i(s)""#, with: #""i(s,x)""#).utf8).write(to: commands)
        let library = program.folder.url.appendingPathComponent("libWrong.so").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let include = Self.examples.deletingLastPathComponent().appendingPathComponent("Sources/CPlugboard/include")
            .path
        process.arguments = [
            "-c", "cc -shared -fPIC -fvisibility=hidden -I '\(include)' -o '\(library)' CProvider/*.c",
        ]
        process.currentDirectoryURL = program.folder.url
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)

        try writeLines(plugin: library)
        let sentence =
            "its command 2 'announce' is not offered: its signature 'i(s,x)' is wrong at character 5: 'x' is no type"
        let check = try program.run("check", "--config", "a.yaml")
        #expect(check.status == 0)
        #expect(check.output.contains("a.yaml:5:20: warning: \(library): \(sentence)"))
        let (router, _) = try startGate()
        let plugins = try program.run("plugins", "--config", "a.yaml")
        #expect(plugins.output.contains("\(library): \(sentence)"))
        #expect(try program.run("call", "--config", "a.yaml", "lines").output.contains(sentence))
        #expect(try program.run("call", "--config", "a.yaml", "lines", "who").status == 0)
        let call = try program.run("call", "--config", "a.yaml", "lines", "announce", "x")
        #expect((call.status, call.errors.contains(sentence)) == (1, true))
        #expect(stop(router) == 0)
    }

    // MARK: ForeignConnector

    private func writePager(sha256: String? = nil, edit: (String) -> String = { $0 }) throws {
        let file = Self.examples.appendingPathComponent("ForeignConnector/plugboard.yaml")
        var text = try String(contentsOf: file, encoding: .utf8)
        text = text.replacing("../../.build/debug", with: Program.buildFolder.path)
        text = text.replacing("env:PAGER_PIN_BOB", with: "file:pin")
        if let sha256 { text = text.replacing("  pager:\n", with: "  pager:\n    sha256: \(sha256)\n") }
        try program.folder.write(edit(text), to: "a.yaml")
        try program.folder.write("4321\n", to: "pin")
    }

    @Test("Two accounts of a library that knows nothing of us page each other")
    func pager() throws {
        try writePager()
        let check = try program.run("check", "--config", "a.yaml")
        #expect(check.status == 0, "\(check.output)")
        let digest = try #require(check.output.firstMatch(of: /pager: sha256 ([0-9a-f]{64})/)).1
        try writePager(sha256: String(digest))

        let router = try startRouter()
        _ = try #require(router.output.line { $0.contains("the router runs") })
        let inbox = try program.start(["inbox", "--follow", "--json", "--config", "a.yaml"])
        #expect(try send("alice", "1002", "Lunch?") == 0)
        let first = inbox.output.line { $0.contains("Lunch?") }
        #expect(first?.contains(#""from":"1001@pager.example""#) == true)
        #expect(first?.contains(#""to":"bob@home.example""#) == true)
        #expect(try send("bob", "1001", "Yes") == 0)
        let second = inbox.output.line { $0.contains("Yes") }
        #expect(second?.contains(#""from":"1002@pager.example""#) == true)
        #expect(second?.contains(#""to":"alice@home.example""#) == true)
        #expect(try send("bob", "0", "What time is it?") == 0)
        #expect(inbox.output.line { $0.contains("third stroke") }?.contains(#""to":"bob@home.example""#) == true)
        #expect(try send("alice", "555", "Hello?") == 0)
        let failure = inbox.output.line { $0.contains("failure") }
        #expect(failure?.contains("pager_send answered -1") == true)
        inbox.process.terminate()
        inbox.waitUntilExit()

        let status = try program.run("status", "--config", "a.yaml")
        #expect(status.output.contains("bob@home.example    pager     up     logged in"))
        let plugins = try program.run("plugins", "--config", "a.yaml")
        #expect(plugins.output.contains("sha256 \(digest)  \(Program.buildFolder.path)/libPager.so"))
        #expect(stop(router) == 0)
    }

    private func send(_ user: String, _ number: String, _ text: String) throws -> Int32 {
        try program.run("send", "\(user)@home.example", "\(number)@pager.example", text, "--config", "a.yaml").status
    }

    @Test("A wrong digest, a missing function, a secret that is not there: each with its line")
    func pagerProblems() throws {
        try writePager(sha256: String(repeating: "0", count: 64))
        var check = try program.run("check", "--config", "a.yaml")
        #expect(check.status == 1)
        #expect(check.output.contains("a.yaml:10:13: error: "))
        #expect(check.output.contains("is not the file that is pinned: its SHA-256 is "))

        try writePager { $0.replacing("function: pager_send", with: "function: pager_sned") }
        check = try program.run("check", "--config", "a.yaml")
        #expect(check.status == 1)
        #expect(check.output.contains("a.yaml:30:19: error: "))
        #expect(check.output.contains("exports no function 'pager_sned', which deliver names"))

        try writePager { $0.replacing("file:pin", with: "file:nip") }
        check = try program.run("check", "--config", "a.yaml")
        #expect(check.status == 1)
        #expect(check.output.contains("providers.pager.connector.accounts[1]"))
    }
}

/// A connection to the line gate, which blocks, but no longer than a reader of lines does.
final class LineClient {
    private let descriptor: Int32
    private let reader: LineReader

    init(_ port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        self.descriptor = descriptor
        reader = LineReader(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
    }

    func say(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }

    /// The next line; nil at the end.
    func line() -> String? { reader.line { _ in true } }
}
