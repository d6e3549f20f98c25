import ProviderKit
import Testing

@testable import XMPPBridge

/// Whether a partner's server is still there is found out although nothing is to be said (XEP-0199).
@Suite struct PingTests {
    private func established(_ policy: TwoServers.Policy, _ more: [(String, String)] = []) throws -> (
        TwoServers, FakeEndpoint
    ) {
        let servers = TwoServers(policy, more: more)
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        return (servers, try #require(servers.a.everyEndpoint.first))
    }

    private func pings(_ end: FakeEndpoint) -> Int {
        end.written.split(separator: "<ping xmlns='urn:xmpp:ping'/>", omittingEmptySubsequences: false).count - 1
    }

    @Test("A partner that answers pings keeps its link")
    func answered() throws {
        let (servers, end) = try self.established(TwoServers.unmanaged, [("ping_interval", "60000")])
        servers.world.run(forMs: 200_000)
        #expect(self.pings(end) == 3)
        #expect(!end.isClosed)
        // The answers come on a stream that B opened for them.
        let back = try #require(servers.b.everyEndpoint.first { $0.isClient })
        #expect(back.written.contains("type='result'"))
    }

    @Test("A partner that does not answer in time has lost its link; the next message opens another")
    func silent() throws {
        let (servers, end) = try self.established(
            TwoServers.unmanaged,
            [("ping_interval", "60000"), ("ping_timeout", "5000")]
        )
        servers.world.addresses["a.test"] = nil
        servers.world.run(forMs: 64_000)
        #expect(!end.isClosed)
        servers.world.run(forMs: 2_000)
        #expect(end.isClosed)
        #expect(servers.a.links.first { $0.name == "b.test" }?.detail.contains("did not answer within 5 s") == true)
        servers.world.run(forMs: 2_000)
        let token = servers.a.deliver(TwoServers.message("again", id: "m2"))
        servers.world.run()
        #expect(servers.a.outcome(token) == .delivered)
    }

    @Test("On a managed stream an acknowledgement is asked for instead")
    func managed() throws {
        let (servers, end) = try self.established(TwoServers.external, [("ping_interval", "60000")])
        servers.world.run(forMs: 130_000)
        #expect(self.pings(end) == 0)
        #expect(end.written.split(separator: "<r xmlns='urn:xmpp:sm:3'/>", omittingEmptySubsequences: false).count == 4)
        #expect(!end.isClosed)
    }

    @Test("A half-open managed stream is found out")
    func halfOpen() throws {
        let (servers, end) = try self.established(TwoServers.external, [("ping_interval", "60000")])
        let far = try #require(end.peer)
        // Nothing of what the peer says arrives any more, and nobody is told.
        far.peer = nil
        servers.world.run(forMs: 95_000)
        #expect(end.isClosed)
    }

    @Test("Without keep-alive nobody is asked")
    func off() throws {
        let (servers, end) = try self.established(
            TwoServers.unmanaged.merging(["keep_alive": "false"]) { $1 },
            [("ping_interval", "60000")]
        )
        servers.world.run(forMs: 200_000)
        #expect(self.pings(end) == 0)
    }
}
