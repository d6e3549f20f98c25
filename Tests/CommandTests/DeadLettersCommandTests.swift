import Foundation
import Testing

@Suite("plugboard dead-letters", .timeLimit(.minutes(1)))
struct DeadLettersCommandTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    /// A router whose provider `net` reaches nobody, and gives up at once; or one in which it answers.
    private func configure(net: String) throws {
        let configuration =
            CheckCommandTests.start + """
                spool: { retry: { attempts: 1 } }
                providers: { net: \(net) }
                """
        try program.folder.write(configuration, to: "a.yaml")
    }

    private static func unreachable() throws -> String {
        """
        {plugin: XMPP, settings: {listen: ["127.0.0.1:\(try freePort())"], \
        partners: [{domain: b.test, proxy: "127.0.0.1:1"}, {domain: c.test, proxy: "127.0.0.1:1"}]}}
        """
    }
    private static let answering = "{plugin: EchoProvider, settings: {address: bob@b.test, prefix: \"you said: \"}}"

    private func startRouter() throws -> Program.Running {
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        return router
    }

    private func stop(_ router: Program.Running) {
        guard router.process.isRunning else { return }
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
    }

    /// A port that nobody listens at: XMPP has to be told one, and nobody connects to it here.
    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
        return UInt16(bigEndian: address.sin_port)
    }

    /// Runs `plugboard dead-letters`.
    private func deadLetters(_ arguments: String...) throws -> Program.Result {
        try program.run(["dead-letters"] + arguments + ["--config", "a.yaml"])
    }

    /// Sends messages, and waits until each is given up.
    private func giveUp(_ messages: [(to: String, text: String)], by router: Program.Running) throws {
        for (to, text) in messages {
            try #require(try program.run("send", "alice@a.test", to, text, "--config", "a.yaml").status == 0)
            _ = try #require(router.output.line { $0.contains("a delivery failed") })
        }
        let inbox = try program.start(["inbox", "--follow", "--config", "a.yaml"])
        var left = messages.count
        while left > 0 {
            // A failure is stored in the same commit as the dead letter.
            _ = try #require(inbox.output.line { $0.contains("(failure)") })
            left -= 1
        }
        inbox.process.terminate()
        inbox.process.waitUntilExit()
    }

    @Test("Given-up messages are listed, shown, dropped and, when the network is back, delivered after all")
    func life() throws {
        try configure(net: Self.unreachable())
        var router = try startRouter()
        defer { stop(router) }
        #expect(try deadLetters("list").output == "there are none\n")
        try giveUp([("bob@b.test", "one"), ("carol@c.test", "two"), ("bob@b.test", "three")], by: router)

        let list = try deadLetters("list")
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("ID  GIVEN UP"))
        #expect(lines[1].contains("alice@a.test  bob@b.test"))
        #expect(lines[1].contains("exhausted"))
        #expect(!list.output.contains("one"))
        let ids = lines.dropFirst().compactMap { $0.split(separator: " ").first.map(String.init) }
        #expect(try deadLetters("list", "--to-domain", "c.test", "--json").output.contains(#""to":"carol@c.test""#))
        #expect(try deadLetters("list", "--older-than", "1h").output == "there are none\n")
        let short = try deadLetters("list", "--limit", "1")
        #expect(short.output.split(separator: "\n").count == 2)
        #expect(short.errors == "there are more: add --after \(ids[0])\n")
        let rest = try deadLetters("list", "--after", ids[0], "--json")
        #expect(rest.output.split(separator: "\n").count == 2)

        let shown = try deadLetters("show", ids[0])
        #expect(shown.output.contains("to:           bob@b.test"))
        #expect(!shown.output.contains("one"))
        #expect(try deadLetters("show", ids[0], "--text").output.hasSuffix("text:         one\n"))
        let status = try program.run("status", "--config", "a.yaml")
        #expect(status.output.contains("3 given up"))

        #expect(try deadLetters("drop", ids[2]).output == "\(ids[2]) is dropped\n")
        stop(router)

        try configure(net: Self.answering)
        router = try startRouter()
        let retried = try deadLetters("retry", "--all", "--to-domain", "b.test")
        #expect(retried.status == 0)
        #expect(retried.output.hasPrefix("\(ids[0]) waits for delivery as "))
        let inbox = try program.start(["inbox", "--follow", "--config", "a.yaml"])
        #expect(inbox.output.line { $0.contains("you said: one") } != nil)
        inbox.process.terminate()
        inbox.process.waitUntilExit()
        #expect(try deadLetters("list").output.split(separator: "\n").count == 2)
    }

    @Test("What cannot be done is said, with status 1; a wrong command line ends with 2")
    func errors() throws {
        try configure(net: Self.answering)
        let router = try startRouter()
        for command in ["show", "retry", "drop"] {
            let result = try deadLetters(command, "7")
            #expect(result.status == 1)
            #expect(result.errors.contains("there is no dead letter 7; 'plugboard dead-letters list' shows"))
        }
        #expect(try deadLetters("retry", "--all").output == "there are none\n")
        for wrong in [
            ["retry"], ["drop"], ["retry", "7", "--all"], ["retry", "7", "--to-domain", "b.test"], ["show"],
            ["list", "--limit", "0"], ["list", "--limit", "10001"], ["list", "--older-than", "soon"],
        ] {
            #expect(try program.run(["dead-letters"] + wrong).status == 2, "\(wrong)")
        }
        stop(router)
        #expect(try deadLetters("list").status == 69)
    }
}
