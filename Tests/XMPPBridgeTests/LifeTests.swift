import ProviderKit
import Testing

@testable import XMPPBridge

/// How streams grow old and end.
@Suite struct LifeTests {
    private func established(_ more: [(String, String)] = []) throws -> (TwoServers, FakeEndpoint) {
        let servers = TwoServers(TwoServers.unmanaged, more: more)
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        return (servers, try #require(servers.a.everyEndpoint.first))
    }

    @Test("A silent stream is kept alive by single spaces")
    func keepAlive() throws {
        let (servers, end) = try self.established([("keep_alive_interval", "60000"), ("ping_interval", "86400000")])
        servers.world.run(forMs: 200_000)
        #expect(end.written.hasSuffix("</message>   "))
        #expect(!end.isClosed)
    }

    @Test("Without keep-alive nothing is written to a silent stream")
    func noKeepAlive() throws {
        let (servers, end) = try self.established([("partners[0].keep_alive", "false")])
        servers.world.run(forMs: 400_000)
        #expect(end.written.hasSuffix("</message>"))
    }

    @Test("A stream without stanzas is closed in time, without a back-off, and the next message opens another")
    func idle() throws {
        let (servers, end) = try self.established([("inactivity_timeout", "100000")])
        servers.world.run(forMs: 99_000)
        #expect(!end.isClosed)
        servers.world.run(forMs: 2_000)
        #expect(end.isClosed)
        #expect(end.written.hasSuffix("</stream:stream>"))
        #expect(servers.a.links.map(\.state) == [.down])
        let token = servers.a.deliver(TwoServers.message("again", id: "m2"))
        servers.world.run()
        #expect(servers.a.outcome(token) == .delivered)
        #expect(servers.a.everyEndpoint.count == 2)
    }

    @Test("A stanza starts the idle time anew")
    func used() throws {
        let (servers, end) = try self.established([("inactivity_timeout", "100000")])
        servers.world.run(forMs: 90_000)
        servers.a.deliver(TwoServers.message("again", id: "m2"))
        servers.world.run(forMs: 90_000)
        #expect(!end.isClosed)
    }

    @Test("A server that connects and says nothing more is cut off at the establishment timeout")
    func silentServer() throws {
        let servers = TwoServers(TwoServers.external, more: [("establishment_timeout", "5000")])
        let silent = FakeHost(servers.world, name: "silent", address: "192.0.2.4")
        servers.world.listeners["192.0.2.4:5269"] = FakeWorld.FakeListener(
            host: silent,
            handle: servers.world.handle(),
            user: nil,
            tls: nil
        )
        servers.world.addresses["b.test"] = "192.0.2.4"
        let token = servers.a.deliver(TwoServers.message("hello"))
        servers.world.run(forMs: 4_900)
        #expect(servers.a.outcome(token) == nil)
        servers.world.run(forMs: 200)
        guard case .deferred? = servers.a.outcome(token) else {
            Issue.record("it is not deferred")
            return
        }
    }

    @Test("A peer that is not authenticated in time is cut off")
    func slowPeer() {
        let servers = TwoServers(TwoServers.external, more: [("establishment_timeout", "5000")])
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.say(peer.header())
        servers.world.run(forMs: 5_000)
        #expect(peer.heard().contains("<connection-timeout"))
        #expect(peer.end.isClosed)
    }

    @Test("A peer that connects and sends nothing is cut off at the establishment timeout")
    func wordlessPeer() {
        let servers = TwoServers(TwoServers.external, more: [("establishment_timeout", "5000")])
        let peer = RawPeer(servers.world, "192.0.2.2")
        servers.world.run(forMs: 4_900)
        #expect(!peer.end.isClosed)
        servers.world.run(forMs: 10_000)
        #expect(peer.end.isClosed)
    }

    @Test("A peer that does not close its half of the stream is cut off")
    func stubborn() {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.authenticate()
        servers.b.drain()
        #expect(peer.heard().hasSuffix("</stream:stream>"))
        #expect(!peer.end.isClosed)
        servers.world.run(forMs: 5_000)
        #expect(peer.end.isClosed)
    }

    @Test("Draining sends what waits, ends all streams, and takes no connections")
    func drain() throws {
        let servers = TwoServers(TwoServers.external)
        let waiting = servers.a.deliver(TwoServers.message("hello"))
        servers.world.run(forMs: 0)
        servers.a.drain()
        servers.world.run()
        #expect(servers.a.outcome(waiting) == .delivered)
        #expect(TwoServers.texts(servers.b) == ["hello"])
        let end = try #require(servers.a.everyEndpoint.first)
        #expect(end.written.hasSuffix("<r xmlns='urn:xmpp:sm:3'/></stream:stream>"))
        #expect(end.isClosed)
        #expect(servers.world.listener(host: "a.test", port: 5269) == nil)

        let late = servers.a.deliver(TwoServers.message("late"))
        servers.world.run()
        guard case .deferred? = servers.a.outcome(late) else {
            Issue.record("it is not deferred")
            return
        }
        #expect(servers.a.everyEndpoint.count == 1)
    }

    @Test("Draining while the way in is used ends it after what is on it")
    func drainInbound() {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.authenticate()
        servers.b.drain()
        _ = peer.heard()
        peer.say(peer.message("on its way") + "</stream:stream>")
        #expect(TwoServers.texts(servers.b) == ["on its way"])
        #expect(peer.end.isClosed)
    }
}
