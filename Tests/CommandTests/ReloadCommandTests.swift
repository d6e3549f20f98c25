import Foundation
import Testing

@Suite struct ReloadCommandTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    private static func echo(_ name: String, prefix: String = "") -> String {
        #"\#(name): { plugin: EchoProvider, settings: { address: \#(name)@a.test, prefix: "\#(prefix)" } }"#
    }

    private func write(_ providers: String...) throws {
        let lines = providers.map { "  \($0)\n" }.joined()
        try program.folder.write(CheckCommandTests.start + "providers:\n" + lines, to: "a.yaml")
    }

    private func startRouter(_ file: String = "a.yaml") throws -> Program.Running {
        let router = try program.start(["run", "--config", file], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        return router
    }

    private func stop(_ router: Program.Running) {
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
        #expect(router.process.terminationStatus == 0)
    }

    private func answer(_ text: String, from address: String) throws {
        #expect(try program.run("send", "alice@a.test", address, text, "--config", "a.yaml").status == 0)
        let inbox = try program.start(["inbox", "alice@a.test", "--follow", "--config", "a.yaml"])
        #expect(inbox.output.line { $0.contains("\(address) →") && $0.hasSuffix(text) } != nil)
        inbox.process.terminate()
    }

    @Test("The command starts, replaces and stops providers, and says what it did", .timeLimit(.minutes(1)))
    func command() throws {
        try write(Self.echo("one"), Self.echo("two"))
        let router = try startRouter()
        try write(Self.echo("one"), Self.echo("two", prefix: "2 "), Self.echo("three"))
        let reload = try program.run("reload", "--config", "a.yaml")
        #expect(reload.status == 0)
        #expect(reload.output == "replaced two: other settings\nstarted three\nunchanged: one\n")
        try answer("hello", from: "three@a.test")

        try write(Self.echo("one"))
        let second = try program.run("reload", "--config", "a.yaml", "--json")
        #expect(second.output.contains(#""done":["stopped two","stopped three"]"#))
        #expect(try program.run("reload", "--config", "a.yaml").output == "unchanged: one\nnothing is different\n")
        stop(router)
    }

    @Test(
        "Errors are told with file and line, by the command and in the log, and nothing changes",
        .timeLimit(.minutes(1))
    )
    func errors() throws {
        try write(Self.echo("one"))
        let router = try startRouter()
        try write(Self.echo("one", prefix: "x"), "two: { plugin: NoSuch }", "three: { plugn: EchoProvider }")
        let reload = try program.run("reload", "--config", "a.yaml")
        #expect(reload.status == 1)
        let lines = reload.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("a.yaml:6:18: error: no libNoSuch.so in") })
        #expect(lines.contains { $0.hasPrefix("a.yaml:7:12: error: unknown key 'plugn'") })
        #expect(lines.last == "nothing was changed")
        #expect(router.output.line { $0.contains("position=6:18") && $0.contains("no libNoSuch.so in") } != nil)
        #expect(router.output.line { $0.contains("was not reloaded") } != nil)
        try write(Self.echo("one"))
        try answer("as before", from: "one@a.test")
        stop(router)
    }

    @Test("SIGHUP reloads", .timeLimit(.minutes(1)))
    func hangup() throws {
        try write(Self.echo("one"))
        let router = try startRouter()
        try write(Self.echo("one"), Self.echo("two"))
        kill(router.process.processIdentifier, SIGHUP)
        #expect(router.output.line { $0.contains("change=started two") } != nil)
        try answer("hello", from: "two@a.test")
        try program.folder.write("routr: {}", to: "a.yaml")
        kill(router.process.processIdentifier, SIGHUP)
        #expect(router.output.line { $0.contains("unknown key 'routr'") } != nil)
        stop(router)
    }

    // MARK: Federation

    /// A router that federates with another over plain XMPP.
    private func federation(_ name: String, with partner: String, _ ports: [String: UInt16], more: String = "")
        -> String
    {
        """
        router: { id: \(name), state: state-\(name), log: info }
        home: { domains: { \(name).test: { users: any } } }
        plugin_path: ["\(Program.buildFolder.path)"]
        providers:
          xmpp:
            plugin: XMPP
            settings:
              listen: ["127.0.0.1:\(ports[name] ?? 0)"]
              partners:
                - { domain: \(partner).test, tls: not-supported, sasl: not-supported, dialback: true,
                    proxy: "127.0.0.1:\(ports[partner] ?? 0)" }
          \(more)
        """
    }

    @Test("An XMPP link stays up while another provider is added and removed", .timeLimit(.minutes(1)))
    func link() throws {
        let ports = ["a": try FreePort.take(), "b": try FreePort.take()]
        try program.folder.write(federation("a", with: "b", ports), to: "a.yaml")
        try program.folder.write(federation("b", with: "a", ports), to: "b.yaml")
        let (a, b) = (try startRouter("a.yaml"), try startRouter("b.yaml"))
        let inbox = try program.start(["inbox", "bob@b.test", "--follow", "--config", "b.yaml"])
        #expect(try program.run("send", "alice@a.test", "bob@b.test", "first", "--config", "a.yaml").status == 0)
        #expect(inbox.output.line { $0.hasSuffix("first") } != nil)
        let before = try Sockets.established(of: a.process.processIdentifier)
        #expect(!before.isEmpty)

        try program.folder.write(
            federation("a", with: "b", ports, more: Self.echo("echo")),
            to: "a.yaml"
        )
        #expect(try program.run("reload", "--config", "a.yaml").output == "started echo\nunchanged: xmpp\n")
        try program.folder.write(federation("a", with: "b", ports), to: "a.yaml")
        #expect(try program.run("reload", "--config", "a.yaml").output == "stopped echo\nunchanged: xmpp\n")
        #expect(try program.run("send", "alice@a.test", "bob@b.test", "second", "--config", "a.yaml").status == 0)
        #expect(inbox.output.line { $0.hasSuffix("second") } != nil)
        // One for dialback alone may have ended, and one for the receipts may have come; had the provider been
        // replaced, none of the first would be left.
        let after = try Sockets.established(of: a.process.processIdentifier)
        #expect(!after.isDisjoint(with: before))
        inbox.process.terminate()
        stop(a)
        stop(b)
    }
}

/// TCP connections of a process, as the system lists them (proc(5)).
enum Sockets {
    /// Inodes of its established TCP connections.
    static func established(of process: Int32) throws -> Set<String> {
        let folder = "/proc/\(process)/fd"
        let own = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name in
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
        }
        // Such a file has no size, and comes in pieces.
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(process)/net/tcp"))
        var table = ""
        while let piece = try file.read(upToCount: 4096), !piece.isEmpty {
            table += String(decoding: piece, as: UTF8.self)
        }
        let inodes = table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 9 && fields[3] == "01" ? String(fields[9]) : nil
        }
        return Set(inodes.filter { own.contains("socket:[\($0)]") })
    }
}

/// TCP ports of this machine that nobody uses.
enum FreePort {
    static func take() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 && getsockname(descriptor, pointer, &size) == 0
            }
        }
        try #require(isBound)
        return UInt16(bigEndian: address.sin_port)
    }
}
