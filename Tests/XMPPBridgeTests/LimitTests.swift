import Testing

@testable import XMPPBridge

/// The limits on what peers that are not let in may use up.
@Suite struct LimitTests {
    @Test("As many dialback keys of a partner as the limit are verified at once; one more is not")
    func verifications() {
        let servers = TwoServers(TwoServers.plainDialback)
        let silent = FakeHost(servers.world, name: "silent", address: "192.0.2.4")
        servers.world.listeners["192.0.2.4:5269"] = FakeWorld.FakeListener(
            host: silent,
            handle: servers.world.handle(),
            user: nil,
            tls: nil
        )
        servers.world.addresses["a.test"] = "192.0.2.4"
        let peers = (0...KeyVerification.perPartnerMax).map { _ in RawPeer(servers.world, "192.0.2.2") }
        let answers = peers.map { peer in
            peer.say(peer.header())
            return peer.say("<db:result from='a.test' to='b.test'>\(String(repeating: "a", count: 64))</db:result>")
        }
        #expect(servers.b.everyEndpoint.filter(\.isClient).count == KeyVerification.perPartnerMax)
        #expect(answers.dropLast().joined().isEmpty)
        #expect(answers.last?.contains("<remote-server-timeout") == true)
        #expect(peers.allSatisfy { !$0.end.isClosed })
    }

    @Test("As many connections as the limit are taken; one more is not, until one has ended", .timeLimit(.minutes(1)))
    func connections() throws {
        let servers = TwoServers(TwoServers.external)
        let peers = (0..<1000).map { _ in RawPeer(servers.world, "192.0.2.2") }
        #expect(peers.allSatisfy { !$0.end.isClosed })
        #expect(RawPeer(servers.world, "192.0.2.2").end.isClosed)
        try #require(peers.first).end.cut()
        servers.world.run()
        #expect(!RawPeer(servers.world, "192.0.2.2").end.isClosed)
    }

    @Test("A connection that stays silent past the establishment timeout is cut off, and counts no more")
    func silence() {
        let servers = TwoServers(TwoServers.external, more: [("establishment_timeout", "5000")])
        let peers = (0..<1000).map { _ in RawPeer(servers.world, "192.0.2.2") }
        servers.world.run(forMs: 5_000)
        #expect(!RawPeer(servers.world, "192.0.2.2").end.isClosed)
        peers[0].say(peers[0].header())
        #expect(peers[0].end.isClosed)
    }
}
