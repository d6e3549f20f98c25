import Foundation
import Testing

/// `plugboard partners` and `plugboard test`, with two routers that federate over loopback.
@Suite(.timeLimit(.minutes(1))) struct PartnersCommandTests {
    let program: Program
    private let portA: UInt16
    private let portB: UInt16

    init() throws {
        program = Program(folder: try TemporaryFolder())
        portA = try Self.freePort()
        portB = try Self.freePort()
        try write("a", user: "alice", port: portA, partner: "b.test", at: portB)
        try write("b", user: "bob", port: portB, partner: "a.test", at: portA)
    }

    private func write(_ name: String, user: String, port: UInt16, partner: String, at other: UInt16) throws {
        try program.folder.write(
            """
            router: { id: \(name), state: state-\(name), control: \(name).sock, log: info }
            home: { domains: { \(name).test: { users: [\(user)] } } }
            plugin_path: ["\(Program.buildFolder.path)"]
            providers:
              xmpp:
                plugin: XMPP
                settings:
                  listen: ["127.0.0.1:\(port)"]
                  partners:
                    - domain: \(partner)
                      tls: not-supported
                      sasl: not-supported
                      direct_tls: never
                      proxy: "127.0.0.1:\(other)"

            """,
            to: "\(name).yaml"
        )
    }

    /// A port of the loopback that nobody uses; another program may take it first.
    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                bind(descriptor, name, length) + getsockname(descriptor, name, &length)
            }
        }
        try #require(descriptor >= 0 && status == 0)
        return UInt16(bigEndian: address.sin_port)
    }

    private func startRouter(_ name: String) throws -> Program.Running {
        let router = try program.start(["run", "--config", "\(name).yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        return router
    }

    /// Ends a router, which must go well.
    private func stop(_ router: Program.Running) {
        router.process.terminate()
        _ = router.output.readToEnd()
        #expect(router.waitUntilExit() == 0)
    }

    private func run(_ name: String, _ arguments: String...) throws -> Program.Result {
        try program.run(arguments + ["--config", "\(name).yaml"])
    }

    /// Sends a message and waits until it has arrived.
    private func send(_ text: String, from: String, to: String, at sender: String, inbox receiver: String) throws {
        #expect(try run(sender, "send", from, to, text).status == 0)
        let inbox = try program.start(["inbox", "--follow", "--config", "\(receiver).yaml"])
        #expect(inbox.output.line { $0.hasSuffix(text) } != nil)
        inbox.process.terminate()
        inbox.waitUntilExit()
    }

    private struct Report: Decodable {
        struct Link: Decodable {
            var state: String
            var detail: String
        }

        struct Attempt: Decodable {
            var target: String
            var succeeded: Bool
            var error: String?
            var meaning: String?
        }

        var provider: String
        var domain: String
        var blocked: Bool
        var messagesIn: Int
        var messagesOut: Int
        var links: [Link]
        var attempts: [Attempt]

        var isUp: Bool { self.links.contains { $0.state == "up" } }
    }

    private func report(_ name: String) throws -> Report {
        let result = try run(name, "partners", "--json")
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 1)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Report.self, from: Data(try #require(lines.first).utf8))
    }

    @Test("Partners are shown with links, messages both ways and attempts; what was cut is shown as it is")
    func shown() throws {
        let a = try startRouter("a")
        var b = try startRouter("b")
        let fresh = try report("a")
        #expect(fresh.domain == "b.test" && fresh.provider == "xmpp" && !fresh.blocked && !fresh.isUp)
        #expect(fresh.messagesIn == 0 && fresh.messagesOut == 0 && fresh.attempts.isEmpty)

        try send("hello", from: "alice@a.test", to: "bob@b.test", at: "a", inbox: "b")
        try send("hi", from: "bob@b.test", to: "alice@a.test", at: "b", inbox: "a")
        let up = try report("a")
        #expect(up.messagesIn == 1 && up.messagesOut == 1)
        #expect(up.links.contains { $0.state == "up" && $0.detail.hasPrefix("out, no TLS, dialback") })
        #expect(up.attempts.map(\.succeeded) == [true])
        #expect(up.attempts.first?.target == "127.0.0.1:\(portB)")
        let text = try run("a", "partners").output
        #expect(text.hasPrefix("b.test (xmpp): up; messages in 1, out 1\n    link up: "))
        #expect(text.contains(" 127.0.0.1:\(portB): connected\n"))

        // B is gone without a word: the link is cut, and nobody is there to take another.
        kill(b.process.processIdentifier, SIGKILL)
        b.waitUntilExit()
        _ = try #require(a.output.line { $0.contains("there is no stream out") || $0.contains("was closed") })
        for attempt in 1...3 {
            #expect(try run("a", "send", "alice@a.test", "bob@b.test", "while it is gone \(attempt)").status == 0)
        }
        _ = try #require(a.output.line { $0.contains("there is no stream out") && $0.contains("does not take") })
        let cut = try report("a")
        #expect(!cut.isUp && !cut.attempts.isEmpty && cut.attempts.count <= 3)
        let last = try #require(cut.attempts.last)
        #expect(!last.succeeded && last.target == "127.0.0.1:\(portB)")
        #expect(last.meaning?.hasPrefix("The server does not take connections: is it running") == true)
        #expect(last.error?.contains("refused") == true)
        let gone = try run("a", "partners").output
        #expect(gone.hasPrefix("b.test (xmpp): no link; messages in 1, out 1\n"))
        #expect(gone.contains("The server does not take connections"))

        b = try startRouter("b")
        try send("are you back?", from: "bob@b.test", to: "alice@a.test", at: "b", inbox: "a")
        #expect(try report("a").messagesIn == 2)
        stop(b)
        stop(a)
    }

    @Test("A trial tells of each step, in words and as JSON, and its end is the exit status")
    func trial() throws {
        let a = try startRouter("a")
        let failed = try run("a", "test", "b.test")
        #expect(failed.status == 1)
        #expect(failed.output.contains("good  dns             DNS is not asked: the partner's proxy is 127.0.0.1:"))
        #expect(
            failed.output.contains("bad   tcp             127.0.0.1:\(portB): The server does not take connections")
        )
        #expect(failed.output.hasSuffix("the partner cannot be reached\n"))

        let b = try startRouter("b")
        let good = try run("a", "test", "b.test", "--json")
        #expect(good.status == 0)
        let lines = good.output.split(separator: "\n")
        #expect(lines.contains { $0.contains(#""step":"tcp""#) && $0.contains(#""good":true"#) })
        #expect(lines.contains { $0.contains(#""step":"authentication""#) && $0.contains("lets us in by dialback") })
        #expect(lines.last?.contains(#""done":true"#) == true && lines.last?.contains(#""partner":"b.test""#) == true)
        // Nothing was sent, and no link is left of it.
        #expect(try report("a").messagesOut == 0)

        let unknown = try run("a", "test", "c.test")
        #expect(unknown.status == 1)
        #expect(unknown.errors == "error: no provider has the partner c.test; see plugboard partners\n")
        stop(b)
        stop(a)
        #expect(try run("a", "test", "b.test").status == 69)
        #expect(try run("a", "partners").status == 69)
    }

    @Test("A partner is blocked, which a restart does not forget, and unblocked")
    func blocking() throws {
        var a = try startRouter("a")
        let b = try startRouter("b")
        try send("hello", from: "alice@a.test", to: "bob@b.test", at: "a", inbox: "b")
        let block = try run("a", "partners", "block", "b.test")
        #expect((block.status, block.output) == (0, "b.test is blocked\n"))
        #expect(try run("a", "partners", "block", "b.test").output == "b.test is blocked already\n")
        #expect(try run("a", "partners").output.hasPrefix("b.test (xmpp): blocked; "))
        let stranger = try run("a", "partners", "block", "c.test")
        #expect((stranger.status, stranger.output) == (1, ""))
        stop(a)

        a = try startRouter("a")
        #expect(try report("a").blocked)
        let unblock = try run("a", "partners", "unblock", "b.test")
        #expect((unblock.status, unblock.output) == (0, "b.test is not blocked any more\n"))
        #expect(try !report("a").blocked)
        try send("hello again", from: "alice@a.test", to: "bob@b.test", at: "a", inbox: "b")
        stop(b)
        stop(a)
    }

    @Test("A router without partners says so")
    func none() throws {
        try program.folder.write(
            CheckCommandTests.start
                + "providers: { echo: { plugin: EchoProvider, settings: { address: echo@a.test } } }",
            to: "c.yaml"
        )
        let router = try startRouter("c")
        #expect(try run("c", "partners").output == "no provider has partners\n")
        #expect(try run("c", "partners", "--json").output.isEmpty)
        #expect(try run("c", "partners", "block", "b.test").errors.hasPrefix("error: no provider has partners"))
        stop(router)
    }
}
