import IMModel
import Testing

@testable import XMPPBridge

/// What proves who a server is stands in no log line, whether it was accepted or not.
@Suite struct SecretsInLogTests {
    private static let secret = "hush-dialback-secret"

    /// The texts of all elements of a name.
    private func contents(of element: String, in text: String) -> [String] {
        text.split(separator: "<\(element) ").dropFirst().compactMap { rest in
            guard let start = rest.firstIndex(of: ">"), rest[..<start].last != "/" else { return nil }
            let content = rest[rest.index(after: start)...].prefix { $0 != "<" }
            return content.isEmpty ? nil : String(content)
        }
    }

    @Test(
        "After an accepted exchange neither the dialback secret, nor a key, nor what SASL carried is in a log line",
        arguments: [TwoServers.dialback, TwoServers.plainDialback, TwoServers.external]
    )
    func accepted(policy: TwoServers.Policy) {
        let servers = TwoServers(policy, more: [("dialback_secret", Self.secret)])
        let token = servers.a.deliver(TwoServers.message("1"))
        servers.world.run(forMs: 5_000)
        #expect(servers.a.outcome(token) == .delivered)
        let written = [servers.a, servers.b].flatMap(\.everyEndpoint).map(\.written).joined(separator: "\n")
        let proofs = ["db:result", "db:verify", "auth"].flatMap { contents(of: $0, in: written) }
        #expect(!proofs.isEmpty, "nothing was proved")
        #expect(policy["dialback"] == "false" || proofs.contains { $0.count == 64 }, "no key was sent")
        expectNone(of: proofs + [Self.secret], in: servers)
    }

    @Test("Nor after one that was refused")
    func refused() {
        let servers = TwoServers(TwoServers.dialback, more: [("dialback_secret", Self.secret)])
        // Another server answers for A: it has not made the key.
        let other = FakeHost(servers.world, name: "a.test", address: "192.0.2.9")
        let settings = [
            ("listen[0]", "192.0.2.9:5269"), ("partners[0].domain", "b.test"), ("dialback_secret", "another"),
            ("partners[0].sasl", "not-supported"), ("partners[0].dialback", "true"),
        ]
        #expect(other.start(XMPPProvider.self, settings, homeDomains: ["a.test"]))
        servers.world.addresses["a.test"] = "192.0.2.9"
        let token = servers.a.deliver(TwoServers.message("1"))
        servers.world.run(forMs: 5_000)
        #expect(servers.a.outcome(token) != .delivered)
        let written = servers.a.everyEndpoint.map(\.written).joined(separator: "\n")
        let keys = contents(of: "db:result", in: written)
        #expect(!keys.isEmpty)
        expectNone(of: keys + [Self.secret], in: servers)
    }

    private func expectNone(of secrets: [String], in servers: TwoServers) {
        for line in servers.a.log + servers.b.log {
            for secret in secrets where secret.count > 1 { #expect(!line.contains(secret), "\(line)") }
        }
    }
}
