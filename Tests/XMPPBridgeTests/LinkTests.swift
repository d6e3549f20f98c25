import CPlugboard
import ProviderKit
import Testing

@testable import XMPPBridge

/// What becomes of envelopes when the way to a partner is not there, slow, or breaks.
@Suite struct LinkTests {
    private func reason(_ host: FakeHost, _ token: UInt64) -> Outcome.Reason? {
        if case .deferred(let reason)? = host.outcome(token) { reason } else { nil }
    }

    @Test("A partner whose certificate is not trusted gets nothing, and the reason is told")
    func untrusted() throws {
        let servers = TwoServers(TwoServers.external, isTrusted: false)
        let token = servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        #expect(TwoServers.texts(servers.b).isEmpty)
        let reason = try #require(self.reason(servers.a, token))
        #expect(reason.failureClass == .unavailable)
        #expect(reason.text.contains("not trusted"))
        // Half a minute to a minute, for somebody has to mend it.
        #expect((30_000...60_000).contains(reason.retryAfter))
        let link = try #require(servers.a.links.first)
        #expect(link.state == .backingOff)
        #expect(link.detail.contains("not trusted"))
        #expect(!servers.a.everyEndpoint.contains { $0.written.contains("hello") })
    }

    @Test("Dialback fails where the partner cannot connect back")
    func noWayBack() throws {
        let servers = TwoServers(TwoServers.dialback, isTrusted: false)
        servers.world.addresses["a.test"] = nil
        let token = servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        #expect(TwoServers.texts(servers.b).isEmpty)
        #expect(self.reason(servers.a, token)?.text.contains("dialback") == true)
    }

    @Test("Dialback fails where somebody else answers for the domain")
    func forged() throws {
        let servers = TwoServers(TwoServers.dialback, isTrusted: false)
        // Another server of a.test, with a secret of its own.
        let other = FakeHost(servers.world, name: "a.test", address: "192.0.2.3")
        let settings = [
            ("listen[0]", "192.0.2.3:5269"), ("partners[0].domain", "b.test"), ("partners[0].sasl", "not-supported"),
        ]
        #expect(other.start(XMPPProvider.self, settings, homeDomains: ["a.test"]))
        servers.world.addresses["a.test"] = "192.0.2.3"
        let token = servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        #expect(TwoServers.texts(servers.b).isEmpty)
        #expect(self.reason(servers.a, token)?.text.contains("forged") == true)
    }

    @Test("While a link backs off, envelopes are put off for the rest of the wait; after it, it is tried again")
    func backOff() throws {
        let servers = TwoServers(TwoServers.external)
        servers.world.addresses["b.test"] = nil
        let first = servers.a.deliver(TwoServers.message("1"))
        servers.world.run(forMs: 10)
        let wait = try #require(self.reason(servers.a, first)).retryAfter
        #expect((500...1000).contains(wait))
        #expect(servers.a.everyEndpoint.count == 1)

        let second = servers.a.deliver(TwoServers.message("2"))
        servers.world.run(forMs: 10)
        let rest = try #require(self.reason(servers.a, second)).retryAfter
        #expect(rest > 0 && rest < wait)
        #expect(servers.a.everyEndpoint.count == 1)

        servers.world.addresses["b.test"] = "192.0.2.2"
        servers.world.run(forMs: UInt64(wait))
        let third = servers.a.deliver(TwoServers.message("3"))
        servers.world.run()
        #expect(servers.a.outcome(third) == .delivered)
        #expect(TwoServers.texts(servers.b) == ["3"])
    }

    @Test("Each failed attempt makes the wait longer")
    func longer() throws {
        let servers = TwoServers(TwoServers.external)
        servers.world.addresses["b.test"] = nil
        var waits: [UInt32] = []
        for _ in 0..<5 {
            let token = servers.a.deliver(TwoServers.message("x"))
            servers.world.run(forMs: 10)
            let wait = try #require(self.reason(servers.a, token)).retryAfter
            waits.append(wait)
            servers.world.run(forMs: UInt64(wait))
        }
        for (index, wait) in waits.enumerated() {
            let full = UInt32(1000) << UInt32(index)
            #expect((full / 2...full).contains(wait), "\(waits)")
        }
    }

    @Test("As many envelopes as the limit wait for a stream; one more is put off")
    func queueLimit() {
        let servers = TwoServers(TwoServers.external, more: [("partner_queue_max", "3")])
        let tokens = (0..<4).map { servers.a.deliver(TwoServers.message("\($0)", id: "\($0)")) }
        servers.world.run(forMs: 0)
        #expect(tokens.prefix(3).allSatisfy { servers.a.outcome($0) == nil })
        #expect(self.reason(servers.a, tokens[3])?.retryAfter == PartnerLink.fullRetryMs)
        #expect(servers.a.links.map(\.waiting) == [3])
        #expect(servers.a.links.map(\.state) == [.connecting])
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == ["0", "1", "2"])
    }

    @Test("Writing stops above the high-water mark, and goes on in order when the peer has taken enough")
    func highWater() {
        let servers = TwoServers(TwoServers.external)
        servers.a.deliver(TwoServers.message("0", id: "0"))
        servers.world.run()
        servers.a.highWater = 500
        let tokens = (1..<20).map { servers.a.deliver(TwoServers.message("\($0)", id: "\($0)")) }
        servers.world.run(forMs: 0)
        #expect(servers.a.links.first?.waiting ?? 0 > 0)
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == (0..<20).map(String.init))
        #expect(tokens.allSatisfy { servers.a.outcome($0) == .delivered })
    }

    @Test("A link that breaks puts off what still waits, in order, and is opened anew later")
    func linkLoss() throws {
        let servers = TwoServers(TwoServers.unmanaged)
        servers.a.deliver(TwoServers.message("0", id: "0"))
        servers.world.run(forMs: 20_000)
        servers.a.highWater = 0
        servers.b.verdict = { _ in .status(PLUGBOARD_BUSY) }
        let tokens = (1...5).map { servers.a.deliver(TwoServers.message("\($0)", id: "\($0)")) }
        servers.world.run(forMs: 0)
        try #require(servers.a.everyEndpoint.first).cut()
        servers.world.run()
        #expect(servers.a.outcome(tokens[0]) == .delivered)
        #expect(tokens.dropFirst().allSatisfy { self.reason(servers.a, $0) != nil })
        #expect(servers.a.completed == [1] + tokens)
        #expect(self.reason(servers.a, tokens[1])?.text == "The connection broke (connection reset by peer)")

        servers.a.highWater = nil
        servers.b.verdict = { _ in .accept }
        servers.b.room()
        servers.world.run(forMs: 1000)
        let again = (6...9).map { servers.a.deliver(TwoServers.message("\($0)", id: "\($0)")) }
        servers.world.run()
        #expect(again.allSatisfy { servers.a.outcome($0) == .delivered })
        #expect(TwoServers.texts(servers.b).suffix(4) == ["6", "7", "8", "9"])
    }

    @Test("A stanza that no buffer holds fails; the others go on")
    func tooLarge() {
        let servers = TwoServers(TwoServers.external)
        servers.a.writeMax = 2000
        let large = servers.a.deliver(TwoServers.message(String(repeating: "x", count: 3000)))
        let small = servers.a.deliver(TwoServers.message("small"))
        servers.world.run()
        guard case .failed(let reason)? = servers.a.outcome(large) else {
            Issue.record("it did not fail")
            return
        }
        #expect(reason.failureClass == .content)
        #expect(servers.a.outcome(small) == .delivered)
        #expect(TwoServers.texts(servers.b) == ["small"])
    }

    @Test("A peer that takes nothing for too long counts as dead")
    func stalled() throws {
        let servers = TwoServers(TwoServers.external)
        servers.a.deliver(TwoServers.message("0", id: "0"))
        servers.world.run()
        servers.a.highWater = 0
        servers.b.verdict = { _ in .status(PLUGBOARD_BUSY) }
        // The first stops B from reading, the second fills what is on the way.
        for number in 1...2 {
            servers.a.deliver(TwoServers.message("\(number)", id: "\(number)"))
            servers.world.run()
        }
        let waiting = servers.a.deliver(TwoServers.message("3", id: "3"))
        servers.world.run(forMs: PartnerLink.stallMaxMs - 1000)
        #expect(servers.a.outcome(waiting) == nil)
        servers.world.run(forMs: 1000)
        #expect(self.reason(servers.a, waiting)?.text == "The peer took nothing for 60 s.")
    }

    @Test("An unreachable partner does not hold up another one")
    func otherPartner() {
        let servers = TwoServers(TwoServers.external, more: [("partners[1].domain", "c.test")])
        var lost = TwoServers.message("lost")
        lost.to = address("carol@c.test")
        let tokens = [lost, TwoServers.message("hello")].map { servers.a.deliver($0) }
        servers.world.run()
        #expect(self.reason(servers.a, tokens[0]) != nil)
        #expect(servers.a.outcome(tokens[1]) == .delivered)
        #expect(servers.a.links.map(\.name) == ["b.test", "c.test"])
    }
}
