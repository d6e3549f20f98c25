import CPlugboard
import ProviderKit
import Testing
import XMPPSession

@testable import XMPPBridge

/// One stream for both directions between two routers (XEP-0288).
@Suite struct BothWaysTests {
    private static let texts = (1...6).map { "message \($0)" }

    /// A message from bob on B to alice on A.
    private func back(_ text: String) -> Envelope {
        Envelope(
            from: address("bob@b.test"),
            to: address("alice@a.test"),
            id: text,
            content: .message(Message(text: text))
        )
    }

    @Test(
        "An answer goes back on the stream that the message came on, whatever proved who its ends are",
        arguments: [
            (TwoServers.externalBothWays, ", EXTERNAL, acknowledged"),
            (TwoServers.unmanagedBothWays, ", EXTERNAL"), (TwoServers.dialbackBothWays, ", dialback"),
        ]
    )
    func oneStream(policy: TwoServers.Policy, detail: String) {
        let servers = TwoServers(policy)
        let there = servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == ["hello"], "\(servers.a.log) \(servers.b.log)")
        let back = servers.b.deliver(self.back("hi"))
        servers.world.run()
        #expect(TwoServers.texts(servers.a) == ["hi"], "\(servers.a.log) \(servers.b.log)")
        #expect(servers.a.outcome(there) == .delivered && servers.b.outcome(back) == .delivered)
        // B connects to A for the dialback key alone.
        let isDialback = policy["sasl"] == "not-supported"
        #expect(servers.b.everyEndpoint.count { $0.isClient } == (isDialback ? 1 : 0))
        let up = servers.a.links.filter { $0.state == .up }
        #expect(up.map(\.detail) == ["out, TLSv1.3\(detail), both ways"])
        #expect(up.map(\.received) == [1])
        #expect(
            servers.b.links.filter { $0.state == .up }.map(\.detail).sorted() == [
                "in, TLSv1.3\(detail), both ways", "out on a stream of theirs, TLSv1.3\(detail)",
            ]
        )
    }

    @Test("Where one of the two is told not to, each direction has a stream", arguments: [true, false])
    func switchedOff(atA: Bool) {
        let (on, off) = (TwoServers.externalBothWays, TwoServers.external)
        let servers = TwoServers(atA ? off : on, atA ? on : off)
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        servers.b.deliver(self.back("hi"))
        servers.world.run()
        #expect(TwoServers.texts(servers.a) == ["hi"] && TwoServers.texts(servers.b) == ["hello"])
        #expect(servers.b.everyEndpoint.count { $0.isClient } == 1)
        #expect(!(servers.a.links + servers.b.links).contains { $0.detail.contains("both ways") })
    }

    @Test("A stanza that comes back is acknowledged when the router has it on disk, and no sooner")
    func acknowledged() {
        let servers = TwoServers(TwoServers.externalBothWays)
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        servers.a.holdsAnswers = true
        let token = servers.b.deliver(self.back("hi"))
        servers.world.run(forMs: 1_000)
        #expect(TwoServers.texts(servers.a) == ["hi"] && servers.b.outcome(token) == nil)
        servers.a.answerHeld()
        servers.world.run(forMs: 1_000)
        #expect(servers.b.outcome(token) == .delivered)
    }

    @Test("What the router has no room for waits, is not read past, and comes in order when there is room")
    func backPressure() {
        let servers = TwoServers(TwoServers.externalBothWays)
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        servers.a.verdict = { _ in .status(PLUGBOARD_BUSY) }
        let tokens = Self.texts.map { servers.b.deliver(self.back($0)) }
        servers.world.run(forMs: 1_000)
        #expect(TwoServers.texts(servers.a).isEmpty && tokens.allSatisfy { servers.b.outcome($0) == nil })
        servers.a.verdict = { _ in .accept }
        servers.a.room()
        servers.world.run(forMs: 1_000)
        #expect(TwoServers.texts(servers.a) == Self.texts)
        #expect(tokens.allSatisfy { servers.b.outcome($0) == .delivered })
    }

    @Test("A stream that both had opened at once serves each its own way")
    func atOnce() {
        let servers = TwoServers(TwoServers.externalBothWays)
        let there = servers.a.deliver(TwoServers.message("hello"))
        let back = servers.b.deliver(self.back("hi"))
        servers.world.run(forMs: 2_000)
        #expect(servers.a.outcome(there) == .delivered && servers.b.outcome(back) == .delivered)
        #expect(TwoServers.texts(servers.a) == ["hi"] && TwoServers.texts(servers.b) == ["hello"])
    }

    @Test("A partner that cannot be connected to is reached on the stream that it opened, without waiting")
    func behindFirewall() {
        let servers = TwoServers(TwoServers.externalBothWays)
        servers.world.addresses["a.test"] = nil
        let first = servers.b.deliver(self.back("too early"))
        servers.world.run(forMs: 500)
        guard case .deferred? = servers.b.outcome(first) else {
            Issue.record("it was not put off: \(String(describing: servers.b.outcome(first)))")
            return
        }
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run(forMs: 100)
        let second = servers.b.deliver(self.back("now"))
        servers.world.run(forMs: 100)
        #expect(servers.b.outcome(second) == .delivered && TwoServers.texts(servers.a) == ["now"])
    }

    @Test("A partner that is blocked gets nothing on the stream that it opened")
    func blocked() throws {
        let servers = TwoServers(TwoServers.externalBothWays)
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        servers.b.deliver(self.back("hi"))
        servers.world.run()
        let provider = try #require(servers.b.provider(as: XMPPProvider.self))
        #expect(try provider.federation.block("a.test") == "a.test is blocked")
        let token = servers.b.deliver(self.back("never"))
        servers.world.run(forMs: 1_000)
        guard case .failed? = servers.b.outcome(token) else {
            Issue.record("it is \(String(describing: servers.b.outcome(token)))")
            return
        }
        #expect(TwoServers.texts(servers.a) == ["hi"])
        #expect(servers.b.everyEndpoint.allSatisfy { $0.isClosed })
    }

    @Test("A silent stream that goes both ways is closed in order, and the next message opens another")
    func inactivity() {
        let servers = TwoServers(TwoServers.externalBothWays, more: [("inactivity_timeout", "10000")])
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        servers.b.deliver(self.back("hi"))
        servers.world.run(forMs: 20_000)
        #expect(servers.a.everyEndpoint.allSatisfy { $0.isClosed })
        let token = servers.b.deliver(self.back("again"))
        servers.world.run(forMs: 1_000)
        #expect(servers.b.outcome(token) == .delivered && TwoServers.texts(servers.a) == ["hi", "again"])
    }

    @Test("What comes on a stream counts as its use")
    func use() {
        let servers = TwoServers(TwoServers.externalBothWays, more: [("inactivity_timeout", "10000")])
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        for text in Self.texts {
            servers.b.deliver(self.back(text))
            servers.world.run(forMs: 6_000)
        }
        #expect(TwoServers.texts(servers.a) == Self.texts)
        #expect(servers.a.everyEndpoint.count == 1)
    }

    @Test("A router that stops sends what waits on the partner's stream, and then ends it")
    func drain() {
        let servers = TwoServers(TwoServers.externalBothWays)
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        servers.a.holdsAnswers = true
        let token = servers.b.deliver(self.back("the last"))
        servers.world.run()
        servers.b.drain()
        servers.world.run(forMs: 1_000)
        #expect(servers.b.everyEndpoint.contains { !$0.isClosed })
        servers.a.answerHeld()
        servers.world.run(forMs: 6_000)
        #expect(servers.b.outcome(token) == .delivered)
        #expect(servers.b.everyEndpoint.allSatisfy { $0.isClosed })
    }

    // MARK: Broken connections

    /// Sends from both sides, tries again what was put off as the routers would, and lets all come to rest.
    private func sendAll(_ servers: TwoServers) -> Bool {
        var there = Self.texts.map { text in (text, servers.a.deliver(TwoServers.message(text, id: text))) }
        servers.world.run(forMs: 50)
        var back = Self.texts.map { text in (text, servers.b.deliver(self.back(text))) }
        for _ in 0..<40 {
            servers.world.run(forMs: 5_000)
            for (index, (text, token)) in there.enumerated() {
                if case .deferred? = servers.a.outcome(token) {
                    there[index].1 = servers.a.deliver(TwoServers.message(text, id: text))
                }
            }
            for (index, (text, token)) in back.enumerated() {
                if case .deferred? = servers.b.outcome(token) { back[index].1 = servers.b.deliver(self.back(text)) }
            }
            if there.allSatisfy({ servers.a.outcome($0.1) == .delivered }),
                back.allSatisfy({ servers.b.outcome($0.1) == .delivered })
            {
                return true
            }
        }
        return false
    }

    /// How many bytes each side writes on the stream from A to B when nothing breaks.
    private func recorded() throws -> (a: Int, b: Int) {
        let servers = TwoServers(TwoServers.externalBothWays)
        #expect(self.sendAll(servers))
        let out = try #require(servers.a.everyEndpoint.first { $0.isClient })
        let into = try #require(servers.b.everyEndpoint.first { !$0.isClient })
        #expect(out.written.contains("message 6") && into.written.contains("message 6"))
        #expect(servers.b.everyEndpoint.allSatisfy { !$0.isClient })
        return (out.written.utf8.count, into.written.utf8.count)
    }

    private func expectAllOnce(cut host: (TwoServers) -> FakeHost, isClient: Bool, behind offset: Int) {
        let servers = TwoServers(TwoServers.externalBothWays)
        var left: Int? = offset
        host(servers).whenConnecting = { end in
            guard end.isClient == isClient, let offset = left else { return }
            left = nil
            end.severAfter = offset
        }
        let isDone = self.sendAll(servers)
        let cut = "cut behind byte \(offset)"
        #expect(isDone, "\(cut)")
        #expect(TwoServers.texts(servers.a) == Self.texts, "\(cut)")
        #expect(TwoServers.texts(servers.b) == Self.texts, "\(cut)")
    }

    @Test(
        "Cut anywhere in what the opening side writes, nothing is lost and nothing doubled either way",
        .timeLimit(.minutes(1))
    )
    func cutOurs() throws {
        for offset in stride(from: 0, to: try self.recorded().a, by: 3) {
            self.expectAllOnce(cut: \.a, isClient: true, behind: offset)
        }
    }

    @Test(
        "Cut anywhere in what the other side writes, nothing is lost and nothing doubled either way",
        .timeLimit(.minutes(1))
    )
    func cutTheirs() throws {
        for offset in stride(from: 0, to: try self.recorded().b, by: 3) {
            self.expectAllOnce(cut: \.b, isClient: false, behind: offset)
        }
    }

    @Test("A partner that acknowledges more than went back to it is refused, also when it resumes")
    func tooMany() {
        let servers = TwoServers(TwoServers.externalBothWays)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.encrypt()
        peer.say(peer.header())
        peer.say("<bidi xmlns='urn:xmpp:bidi'/>" + RawPeer.external)
        peer.say(peer.header())
        peer.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        servers.b.deliver(self.back("hi"))
        #expect(peer.heard().contains("<body>hi</body>"))
        #expect(peer.say("<a xmlns='urn:xmpp:sm:3' h='2'/>").contains("undefined-condition"))
    }

    @Test("A peer that does not say whether it wants acknowledgements gets stanzas without, after a while")
    func undecided() {
        let servers = TwoServers(TwoServers.externalBothWays)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.encrypt()
        peer.say(peer.header())
        peer.say("<bidi xmlns='urn:xmpp:bidi'/>" + RawPeer.external)
        peer.say(peer.header())
        let token = servers.b.deliver(self.back("hi"))
        #expect(!peer.heard().contains("<body>"))
        servers.world.run(forMs: InboundSession.managementWaitMs)
        #expect(peer.heard().contains("<body>hi</body>"))
        #expect(servers.b.outcome(token) == .delivered)
    }

    @Test("What waits for a peer's stream that comes to nothing goes on one of ours")
    func nothing() {
        let servers = TwoServers(TwoServers.externalBothWays)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.encrypt()
        peer.say(peer.header())
        peer.say("<bidi xmlns='urn:xmpp:bidi'/>" + RawPeer.external)
        peer.say(peer.header())
        let token = servers.b.deliver(self.back("hi"))
        servers.world.run(forMs: 100)
        #expect(servers.b.everyEndpoint.allSatisfy { !$0.isClient })
        peer.end.cut()
        servers.world.run(forMs: 100)
        #expect(servers.b.outcome(token) == .delivered && TwoServers.texts(servers.a) == ["hi"])
    }

    @Test("A peer that resumes with a count of what it was never sent is refused")
    func resumedTooMany() throws {
        let servers = TwoServers(TwoServers.externalBothWays)
        func open() -> RawPeer {
            let peer = RawPeer(servers.world, "192.0.2.2")
            peer.encrypt()
            peer.say(peer.header())
            peer.say("<bidi xmlns='urn:xmpp:bidi'/>" + RawPeer.external)
            peer.say(peer.header())
            return peer
        }
        let first = open()
        let enabled = first.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        let start = try #require(enabled.firstRange(of: "id='")).upperBound
        let id = enabled[start...].prefix { $0 != "'" }
        let token = servers.b.deliver(self.back("hi"))
        #expect(first.heard().contains("<body>hi</body>"))
        first.end.cut()
        servers.world.run(forMs: 100)
        let liar = open()
        #expect(liar.say("<resume xmlns='urn:xmpp:sm:3' previd='\(id)' h='2'/>").contains("undefined-condition"))
        #expect(servers.b.outcome(token) == nil)
    }
}
