import ProviderKit
import Testing

@testable import XMPPBridge

/// What became unknown when a link was lost is asked for when there is one again (RFC 6121 §4.3).
@Suite struct ProbeTests {
    private func presence(_ availability: Presence.Availability, from: String, to: String) -> Envelope {
        Envelope(from: address(from), to: address(to), content: .presence(Presence(availability)))
    }

    /// Two routers with links both ways, of which A's user has seen B's.
    private func seen(_ policy: TwoServers.Policy = TwoServers.external, count: Int = 1) -> TwoServers {
        let servers = TwoServers(policy)
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        for number in 0..<count {
            servers.b.deliver(self.presence(.away, from: "bob\(number)@b.test", to: "alice@a.test"))
        }
        servers.world.run(forMs: 1_000)
        return servers
    }

    private func probes(_ host: FakeHost) -> [String] {
        host.submitted.filter { $0.content == .subscription(Subscription(.probe)) }.map { "\($0.from) \($0.to)" }
    }

    private func unknown(_ host: FakeHost) -> Int {
        host.submitted.count { $0.content == .presence(Presence(.unknown)) }
    }

    private func cut(_ servers: TwoServers) throws {
        try #require(servers.a.everyEndpoint.first { $0.isClient && !$0.isClosed }).cut()
    }

    @Test(
        "After a link was lost, it is opened again by itself, and what became unknown is asked for",
        arguments: [TwoServers.external, TwoServers.unmanaged, TwoServers.dialback, TwoServers.externalBothWays]
    )
    func comesBack(policy: TwoServers.Policy) throws {
        let servers = self.seen(policy)
        servers.world.addresses["b.test"] = nil
        try self.cut(servers)
        // A stream that goes both ways is tried to be resumed before its presence is given up.
        servers.world.run(forMs: PartnerLink.resumptionMaxMs + 10_000)
        #expect(self.unknown(servers.a) == 1 && self.probes(servers.b).isEmpty)
        servers.world.addresses["b.test"] = "192.0.2.2"
        servers.world.run(forMs: 600_000)
        #expect(self.probes(servers.b) == ["alice@a.test bob0@b.test"])
        servers.b.deliver(self.presence(.available, from: "bob0@b.test", to: "alice@a.test"))
        servers.world.run()
        #expect(servers.a.submitted.last?.content == .presence(Presence(.available)))
    }

    @Test("Many are asked for in turn, each once, without filling the queue", .timeLimit(.minutes(1)))
    func many() throws {
        let count = 3 * PartnerLink.probesAtOnceMax + 1
        let servers = self.seen(TwoServers.unmanaged, count: count)
        try self.cut(servers)
        servers.world.run(forMs: 60_000)
        #expect(self.unknown(servers.a) == count)
        #expect(Set(self.probes(servers.b)).count == count && self.probes(servers.b).count == count)
    }

    @Test("What was asked for on a link that was lost as well is asked for again")
    func lostAgain() throws {
        let servers = self.seen(TwoServers.externalBothWays)
        servers.world.addresses["b.test"] = nil
        try self.cut(servers)
        servers.world.run(forMs: PartnerLink.resumptionMaxMs + 10_000)
        servers.b.holdsAnswers = true
        servers.world.addresses["b.test"] = "192.0.2.2"
        var ends: [FakeEndpoint] = []
        servers.a.whenConnecting = { ends.append($0) }
        servers.world.run(forMs: 300_000)
        #expect(self.probes(servers.b).count >= 1)
        let before = self.probes(servers.b).count
        servers.world.addresses["b.test"] = nil
        for end in ends where !end.isClosed { end.cut() }
        servers.b.holdsAnswers = false
        servers.world.run(forMs: PartnerLink.resumptionMaxMs + 10_000)
        servers.world.addresses["b.test"] = "192.0.2.2"
        servers.world.run(forMs: 600_000)
        #expect(self.probes(servers.b).count > before)
    }

    @Test("Nothing is asked for where nothing was known, of a partner that is blocked, or by a router that stops")
    func notAsked() throws {
        let nothing = TwoServers(TwoServers.unmanaged)
        nothing.a.deliver(TwoServers.message("hello"))
        nothing.world.run()
        try self.cut(nothing)
        nothing.world.run(forMs: 60_000)
        #expect(self.probes(nothing.b).isEmpty && nothing.a.everyEndpoint.count { $0.isClient } == 1)

        let blocked = self.seen(TwoServers.unmanaged)
        try self.cut(blocked)
        blocked.world.run(forMs: 10)
        let provider = try #require(blocked.a.provider(as: XMPPProvider.self))
        _ = try provider.federation.block("b.test")
        blocked.world.run(forMs: 60_000)
        #expect(self.probes(blocked.b).isEmpty)

        let stopping = self.seen(TwoServers.unmanaged)
        try self.cut(stopping)
        stopping.world.run(forMs: 10)
        stopping.a.drain()
        stopping.world.run(forMs: 60_000)
        #expect(self.probes(stopping.b).isEmpty)
    }

    @Test("A partner's probe reaches the router as the question that it is")
    func asked() {
        let servers = TwoServers(TwoServers.external)
        servers.b.deliver(
            Envelope(
                from: address("bob@b.test"),
                to: address("alice@a.test"),
                content: .subscription(Subscription(.probe))
            )
        )
        servers.world.run()
        #expect(self.probes(servers.a) == ["bob@b.test alice@a.test"])
    }
}
