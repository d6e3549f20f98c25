import Foundation
import Testing

/// Whatever goes wrong, no secret comes out: not in the log at its finest level, and not in what commands print.
@Suite(.timeLimit(.minutes(1))) struct SecretsTests {
    let program: Program
    private let port: UInt16
    /// What may be nowhere, by what it is.
    private let secrets: [String: String]
    private let pinName = "PLUGBOARD_TEST_PIN_\(UInt32.random(in: 0...UInt32.max))"

    init() throws {
        program = Program(folder: try TemporaryFolder())
        port = try Self.freePort()
        func secret(_ name: String) -> (String, String) { (name, "hush\(UInt64.random(in: 0...UInt64.max))") }
        secrets = Dictionary(
            uniqueKeysWithValues: [
                "dialback secret", "pin", "inline", "text", "sasl", "dialback key", "key file", "environment",
            ].map(secret)
        )
        setenv(pinName, self["pin"], 1)
        try program.folder.write(self["dialback secret"] + "\n", to: "dialback.secret")
        try write()
        let vault = try program.run("vault", "init", "--config", "a.yaml")
        #expect(vault.status == 0, "\(vault)")
    }

    private subscript(_ name: String) -> String { secrets[name] ?? "" }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try #require(bind(descriptor, pointer, size) == 0)
                try #require(getsockname(descriptor, pointer, &size) == 0)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Writes the configuration.
    ///
    /// - Parameters:
    ///   - dialback: what stands at the setting for the dialback secret.
    ///   - more: further lines below `providers`.
    private func write(dialback: String = "file:dialback.secret", more: String = "", top: String = "") throws {
        let library = Program.buildFolder.appendingPathComponent("libPager.so").path
        try program.folder.write(
            CheckCommandTests.start.replacing(", log: info", with: "") + """
                log: { level: trace, format: json }
                vault: { key: "file:vault.key" }
                \(top)
                providers:
                  xmpp:
                    plugin: XMPP
                    settings:
                      listen: ["127.0.0.1:\(port)"]
                      dialback_secret: "\(dialback)"
                      partners:
                        - { domain: b.test, tls: optional, sasl: optional, dialback: true, proxy: "127.0.0.1:1" }
                  pager:
                    connector:
                      library: \(library)
                      domain: pager.test
                      initialise: { function: pager_init, signature: "i32()" }
                      open:
                        function: pager_open
                        signature: i32(string,string,pointer)
                        arguments: [account.number, account.pin, new_handle]
                        succeeds: [zero]
                      register:
                        function: pager_on_page
                        signature: void(pointer,pointer)
                        arguments: [handle, callback]
                      callback: { signature: "void(string,string)", arguments: [from, text] }
                      deliver:
                        function: pager_send
                        signature: i32(pointer,string,string)
                        arguments: [handle, to, text]
                        succeeds: [zero]
                      close: { function: pager_close, signature: "void(pointer)", arguments: [handle] }
                      shutdown: { function: pager_shutdown, signature: "void()" }
                      accounts:
                        - { user: alice@a.test, settings: { number: "1002" }, secrets: { pin: "env:\(pinName)" } }
                \(more)
                """,
            to: "a.yaml"
        )
    }

    /// What a peer sends before TLS: it authenticates itself in every way that is not offered.
    private func talk() throws {
        let peer = try Peer(port: port)
        try peer.send(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
                + "xmlns:db='jabber:server:dialback' from='b.test' to='a.test' version='1.0'>"
        )
        try peer.read(until: "features")
        try peer.send("<db:result from='b.test' to='a.test'>\(self["dialback key"])</db:result>")
        try peer.send(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(self["sasl"])</auth>"
        )
        peer.readToEnd()
    }

    @Test("A router at trace level, with everything that can fail failing, gives no secret away")
    func router() throws {
        var outputs: [String] = []
        func run(_ arguments: String...) throws {
            let result = try program.run(arguments + ["--config", "a.yaml"])
            outputs += [result.output, result.errors]
        }
        try run("check")
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(
            router.output.line { line in
                outputs.append(line)
                return line.contains("the router runs")
            }
        )
        try talk()
        try run("send", "alice@a.test", "x@b.test", self["text"])
        try run("send", "alice@a.test", "x@pager.test", self["text"])
        try run("send", "alice@a.test", "x@nowhere.test", self["text"])
        for command in [["settings"], ["status"], ["plugins"], ["check"], ["metrics"], ["call", "xmpp"]] {
            for more in [[], ["--json"]] {
                let result = try program.run(command + more + ["--config", "a.yaml"])
                outputs += [result.output, result.errors]
            }
        }
        try run("vault", "status")
        try run("vault", "list")
        // Refused settings: a secret where a reference is to stand, and one that a plugin does not like.
        try write(dialback: self["inline"])
        try run("check")
        try run("reload")
        try write(more: "  echo: { plugin: EchoProvider, settings: { address: \"\(self["inline"])\" } }")
        try run("reload")
        try write(top: "tls: { identities: { a.test: { certificate: none.pem, key: env:\(pinName) } } }")
        try run("reload")
        try run("upgrade", "xmpp", Program.buildFolder.appendingPathComponent("libEchoProvider.so").path)
        try run("upgrade", "xmpp", "none.so")
        router.process.terminate()
        let log = String(decoding: router.output.readToEnd(), as: UTF8.self)
        router.waitUntilExit()
        #expect(router.process.terminationStatus == 0)
        // The configuration's own text is no secret's place: the operator is told what he wrote for an address.
        let inline = self["inline"]
        let lines = log.split(separator: "\n").map(String.init) + outputs
        #expect(log.contains("could not be logged in"), "the wrong pin was to be refused")
        try check(lines.filter { !($0.contains(inline) && $0.contains("settings.address")) })
        for line in lines where line.hasPrefix("{") && line.contains(self["text"]) {
            #expect(line.contains("\"level\":\"debug\"") || line.contains("\"level\":\"trace\""), "\(line)")
        }
    }

    @Test("A start that fails for a key that is none shows nothing of it")
    func badKeys() throws {
        try program.folder.write(self["key file"], to: "tls.key")
        chmod(program.folder.url.appendingPathComponent("tls.key").path, 0o600)
        for key in ["file:tls.key", "env:\(pinName)"] {
            try program.folder.write("no certificate", to: "a.pem")
            try write(top: "tls: { identities: { a.test: { certificate: a.pem, key: \"\(key)\" } } }")
            for command in ["run", "check"] {
                let result = try program.run(command, "--config", "a.yaml")
                if command == "run" { #expect(result.status == 1, "\(result)") }
                try check([result.output, result.errors])
            }
        }
        try write()
        try program.folder.write(self["key file"], to: "vault.key")
        for command in [["run"], ["check"], ["vault", "status"], ["vault", "rotate"]] {
            let result = try program.run(command + ["--config", "a.yaml"])
            if command != ["check"] { #expect(result.status != 0, "\(command): \(result)") }
            try check([result.output, result.errors])
        }
    }

    /// Looks for each secret, and for the vault's key.
    private func check(_ lines: [String]) throws {
        let keyFile = program.folder.url.appendingPathComponent("vault.key")
        let key = try String(contentsOf: keyFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        var all = secrets.filter { $0.key != "text" }
        all["vault key"] = key
        for (name, secret) in all {
            for line in lines { #expect(!line.contains(secret), "the \(name) is in: \(line.prefix(500))") }
        }
    }
}

/// One end of a connection, blocking, for at most 10 s a call.
private final class Peer {
    private let descriptor: Int32

    init(port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        try #require(Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    func read(until wanted: String) throws {
        var text = ""
        var bytes = [UInt8](repeating: 0, count: 4096)
        while !text.contains(wanted) {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            try #require(count > 0, "\(wanted) did not come: \(text)")
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    func readToEnd() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while recv(descriptor, &bytes, bytes.count, 0) > 0 {}
    }
}
