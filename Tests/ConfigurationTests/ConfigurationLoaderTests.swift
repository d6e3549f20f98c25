import Foundation
import Testing

@testable import Configuration

@Suite struct ConfigurationLoaderTests {
    @Test func aWholeFileIsReadWithAbsolutePaths() throws {
        let directory = try TemporaryDirectory()
        for name in ["ca.pem", "a.pem", "a.key"] { try directory.write("x", to: name) }
        try directory.makeDirectory("plugins")
        let file = try directory.write(Self.whole, to: "plugboard.yaml")

        let (loaded, problems) = ConfigurationLoader.load(file)
        #expect(problems.map(\.description) == [])
        let configuration = try #require(loaded)

        #expect(configuration.directory == directory.path)
        #expect(configuration.router.id == "edge-1")
        #expect(configuration.router.workers == 2)
        #expect(configuration.router.state == "\(directory.path)/state")
        #expect(configuration.router.control == "/run/plugboard/control.sock")
        #expect(configuration.router.log == .debug)
        #expect(
            configuration.home.domains == [
                HomeSection.Domain(name: "a.test", users: .listed(["alice", "bob"])),
                HomeSection.Domain(name: "c.test", users: .any),
            ]
        )
        #expect(configuration.home.presenceGrace == .seconds(90))
        #expect(!configuration.spool.durable)
        #expect(configuration.spool.expire == .seconds(24 * 3600))
        #expect(configuration.spool.deadLetters.keep == .seconds(7 * 86400))
        #expect(configuration.spool.deadLetters.count == 50)
        #expect(
            configuration.spool.retry == SpoolSection.Retry(first: .milliseconds(250), max: .seconds(600), attempts: 7)
        )
        #expect(configuration.tls.trust == ["\(directory.path)/ca.pem"])
        #expect(
            configuration.tls.identities == [
                TLSSection.Identity(
                    domain: "a.test",
                    certificate: "\(directory.path)/a.pem",
                    key: .file(path: "\(directory.path)/a.key")
                )
            ]
        )
        #expect(
            configuration.dns.servers == [HostPort(host: "127.0.0.1", port: 5353), HostPort(host: "::1", port: 53)]
        )
        #expect(configuration.dns.hosts == [DNSSection.Host(name: "b.test", addresses: ["127.0.0.2", "::2"])])
        #expect(configuration.pluginPath == ["\(directory.path)/plugins"])
        #expect(configuration.providers.map(\.name) == ["xmpp", "echo"])
        #expect(configuration.providers[0].plugin == .named("XMPP"))
        #expect(
            configuration.providers[0].settings.flattened().map { "\($0.path)=\($0.value)" } == [
                "listen[0]=0.0.0.0:5269", "secret=env:DIALBACK_SECRET", "partners[0].domain=b.test",
                "partners[0].tls=required",
            ]
        )
        #expect(configuration.providers[1].settings.value == .map([]))
    }

    @Test func whatIsNotWrittenHasADefault() throws {
        let (loaded, problems) = ConfigurationLoader.read(
            "providers: { echo: { plugin: EchoProvider } }",
            file: "p.yaml",
            directory: "/etc/plugboard"
        )
        #expect(problems == [])
        let configuration = try #require(loaded)
        #expect(!configuration.router.id.isEmpty)
        #expect(configuration.router.workers == 1)
        #expect(configuration.router.state == "/etc/plugboard/state")
        #expect(configuration.router.control == "/etc/plugboard/state/control.sock")
        #expect(configuration.router.log == .info)
        #expect(configuration.home.domains == [])
        #expect(configuration.home.presenceGrace == .seconds(60))
        #expect(configuration.spool.durable)
        #expect(configuration.spool.expire == .seconds(48 * 3600))
        #expect(configuration.spool.retry == SpoolSection.Retry(first: .seconds(5), max: .seconds(3600), attempts: 100))
        #expect(configuration.spool.deadLetters.keep == .seconds(30 * 86400))
        #expect(configuration.spool.deadLetters.count == 100_000)
        #expect(configuration.tls.trust == nil)
        #expect(configuration.tls.identities == [])
        #expect(configuration.dns.servers == [])
        #expect(configuration.pluginPath == [])
    }

    @Test func aWarningDoesNotWithholdTheConfiguration() throws {
        let directory = try TemporaryDirectory()
        try directory.write("x", to: "a.pem")
        try directory.write("x", to: "a.key", mode: 0o644)
        let (loaded, problems) = ConfigurationLoader.read(
            """
            tls: { identities: { a.test: { certificate: a.pem, key: file:a.key } } }
            """,
            file: "p.yaml",
            directory: directory.path
        )
        #expect(loaded != nil)
        #expect(
            problems.map(\.description) == [
                "p.yaml:1:1: warning: no providers: the router would have no network to talk to",
                "p.yaml:1:57: warning: tls.identities[\"a.test\"].key: every user of this machine can read the "
                    + "private key '\(directory.path)/a.key'; run: chmod 600 \(directory.path)/a.key",
            ]
        )
    }

    @Test func aFileThatIsNotThereIsAProblem() {
        let (loaded, problems) = ConfigurationLoader.load("/nonexistent/p.yaml")
        #expect(loaded == nil)
        #expect(
            problems.map(\.description) == [
                "/nonexistent/p.yaml:1:1: error: cannot read '/nonexistent/p.yaml': No such file or directory"
            ]
        )
    }

    @Test func aDirectoryIsNoConfiguration() throws {
        let directory = try TemporaryDirectory()
        let (loaded, problems) = ConfigurationLoader.load(directory.path)
        #expect(loaded == nil)
        #expect(problems.map(\.message) == ["'\(directory.path)' is not a regular file"])
    }

    @Test func textThatIsNotUTF8IsAProblem() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(Data("router: é".utf8.dropLast()), to: "p.yaml")
        let (loaded, problems) = ConfigurationLoader.load(file)
        #expect(loaded == nil)
        #expect(problems.map(\.message) == ["'\(file)' is not UTF-8 text: byte 8 is wrong"])
    }

    @Test(arguments: [(0, true), (1, false)])
    func aFileMayHaveAMebibyte(excess: Int, fits: Bool) throws {
        let directory = try TemporaryDirectory()
        let head = "providers: { echo: { plugin: EchoProvider } }\n#"
        let padding = String(repeating: "x", count: ConfigurationLoader.fileSizeMax - head.utf8.count + excess)
        let file = try directory.write(head + padding, to: "p.yaml")
        let (loaded, problems) = ConfigurationLoader.load(file)
        #expect((loaded != nil) == fits)
        #expect(problems.map(\.message) == (fits ? [] : ["'\(file)' is larger than 1MiB"]))
        let fromMemory = ConfigurationLoader.read(head + padding, file: file, directory: "/")
        #expect((fromMemory.configuration != nil) == fits)
    }

    static let whole = """
        router:
          id: edge-1
          workers: 2
          state: state
          control: /run/plugboard/control.sock
          log: debug
        home:
          presence_grace: 90s
          domains:
            A.test:
              users: [alice, bob]
            c.test:
              users: any
        spool:
          durable: false
          expire: 1d
          retry: { first: 250ms, max: 10m, attempts: 7 }
          dead_letters: { keep: 7d, max: 50 }
        tls:
          trust: [ca.pem]
          identities:
            a.test: { certificate: a.pem, key: file:a.key }
        dns:
          servers: ["127.0.0.1:5353", "::1"]
          hosts: { b.test: [127.0.0.2, "::2"] }
        plugin_path: [plugins]
        providers:
          xmpp:
            plugin: XMPP
            settings:
              listen: ["0.0.0.0:5269"]
              secret: env:DIALBACK_SECRET
              partners:
                - domain: b.test
                  tls: required
          echo: { plugin: EchoProvider }
        """
}
