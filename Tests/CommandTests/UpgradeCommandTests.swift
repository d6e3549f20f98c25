import ControlSocket
import Foundation
import Testing

@Suite struct UpgradeCommandTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
        try program.folder.write(
            CheckCommandTests.start
                + "providers: { echo: { plugin: EchoProvider, settings: { address: echo@a.test } } }",
            to: "a.yaml"
        )
    }

    private func startRouter() throws -> Program.Running {
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        return router
    }

    private func stop(_ router: Program.Running) {
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
        #expect(router.process.terminationStatus == 0)
    }

    /// A plugin's file with other bytes at its end, which make another library of it for the loader.
    private func version(_ number: Int, of plugin: String) throws -> String {
        let source = Program.buildFolder.appendingPathComponent("lib\(plugin).so")
        let target = program.folder.url.appendingPathComponent("lib\(plugin)-\(number).so")
        var contents = try Data(contentsOf: source)
        contents.append(contentsOf: "\(number)".utf8)
        try contents.write(to: target)
        return target.lastPathComponent
    }

    @Test("Upgrades while messages go both ways lose none, double none and keep the order", .timeLimit(.minutes(1)))
    func underLoad() throws {
        let router = try startRouter()
        let socket = program.folder.url.appendingPathComponent("state/control.sock").path
        let count = 2000
        let sender = Thread {
            guard var client = try? ControlClient(path: socket) else { return }
            for index in 0..<count {
                let request = SendRequest(from: "alice@a.test", to: "echo@a.test", text: "\(index)")
                _ = try? client.event(of: ControlCommand.send.rawValue, request, as: SendResult.self)
            }
        }
        let inbox = try program.start(["inbox", "alice@a.test", "--follow", "--json", "--config", "a.yaml"])
        sender.start()
        for number in 0..<5 {
            let file = try version(number, of: "EchoProvider")
            let upgrade = try program.run("upgrade", "echo", file, "--config", "a.yaml")
            #expect(upgrade.status == 0)
            #expect(upgrade.output == "echo: 1.0.0 → 1.0.0\n")
        }
        var texts: [String] = []
        while texts.count < count, let line = inbox.output.line(where: { $0.contains(#""kind":"message""#) }) {
            let item = try JSONDecoder().decode(InboxItem.self, from: Data(line.utf8))
            texts.append(item.text)
        }
        #expect(texts == (0..<count).map { "\($0)" })
        let plugins = try program.run("plugins", "--config", "a.yaml")
        #expect(plugins.output.contains("libEchoProvider-4.so"))
        inbox.process.terminate()
        stop(router)
    }

    @Test("A file that cannot take over is refused, and the old version goes on", .timeLimit(.minutes(1)))
    func refused() throws {
        let router = try startRouter()
        let missing = try program.run("upgrade", "echo", "nowhere.so", "--config", "a.yaml")
        #expect(missing.status == 1)
        #expect(missing.errors.contains("nowhere.so cannot be read: there is no such file"))
        let other = Program.buildFolder.appendingPathComponent("libXMPP.so").path
        let wrong = try program.run("upgrade", "echo", other, "--config", "a.yaml")
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("is the plugin org.plugboard.xmpp, and echo is org.plugboard.example.echo"))
        let unknown = try program.run("upgrade", "nobody", other, "--config", "a.yaml")
        #expect(unknown.errors.contains("is called nobody"))
        #expect(try program.run("send", "alice@a.test", "echo@a.test", "on", "--config", "a.yaml").status == 0)
        let inbox = try program.start(["inbox", "alice@a.test", "--follow", "--config", "a.yaml"])
        #expect(inbox.output.line { $0.hasSuffix("alice@a.test  on") } != nil)
        inbox.process.terminate()
        stop(router)
    }

    @Test("An upgrade keeps to the pinned digest, or to the one that is given: another is named, and nothing changes")
    func pinned() throws {
        let first = try version(1, of: "EchoProvider")
        let second = try version(2, of: "EchoProvider")
        let (one, two) = (try digest(first), try digest(second))
        try program.folder.write(
            CheckCommandTests.start
                + "providers: { echo: { plugin: ./\(first), sha256: \(one), settings: { address: echo@a.test } } }",
            to: "a.yaml"
        )
        let router = try startRouter()
        defer { stop(router) }
        func running() throws -> String { try program.run("plugins", "--config", "a.yaml").output }
        #expect(try running().contains(one))
        for arguments in [[], ["--sha256", one], ["--sha256", "1234"]] {
            let refused = try program.run(["upgrade", "echo", second] + arguments + ["--config", "a.yaml"])
            #expect(refused.status == 1)
            let pin = arguments.last ?? one
            #expect(refused.errors.contains(second) && refused.errors.contains(pin), "\(refused)")
            #expect(refused.errors.contains(two), "\(refused)")
            #expect(try running().contains(one))
            #expect(try program.run("send", "alice@a.test", "echo@a.test", "x", "--config", "a.yaml").status == 0)
        }
        let upgrade = try program.run("upgrade", "echo", second, "--sha256", two.uppercased(), "--config", "a.yaml")
        #expect(upgrade.status == 0 && upgrade.output == "echo: 1.0.0 → 1.0.0\n", "\(upgrade)")
        #expect(try running().contains(two))
        // It is pinned now: the one before is another file.
        #expect(try program.run("upgrade", "echo", first, "--config", "a.yaml").status == 1)
    }

    /// What `check` says of a file.
    private func digest(_ file: String) throws -> String {
        try program.folder.write(
            CheckCommandTests.start
                + "providers: { echo: { plugin: ./\(file), settings: { address: echo@a.test } } }",
            to: "digest.yaml"
        )
        let output = try program.run("check", "--config", "digest.yaml").output
        return String(try #require(output.firstMatch(of: /sha256 ([0-9a-f]{64})/)).1)
    }
}
