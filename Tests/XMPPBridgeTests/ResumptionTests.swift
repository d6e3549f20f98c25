import ProviderKit
import Testing
import XMPPSession

@testable import XMPPBridge

/// Stream management between two routers: nothing is acknowledged too early, and nothing is lost or doubled when a link
/// breaks (XEP-0198).
@Suite struct ResumptionTests {
    private static let texts = (1...6).map { "message \($0)" }

    /// Sends, tries again what was put off as the router would, and lets all come to rest.
    private func sendAll(_ servers: TwoServers) -> [UInt64] {
        var tokens = Self.texts.map { text in (text, servers.a.deliver(TwoServers.message(text, id: text))) }
        for _ in 0..<40 {
            servers.world.run(forMs: 5_000)
            for (index, (text, token)) in tokens.enumerated() {
                if case .deferred? = servers.a.outcome(token) {
                    tokens[index].1 = servers.a.deliver(TwoServers.message(text, id: text))
                }
            }
            if tokens.allSatisfy({ servers.a.outcome($0.1) == .delivered }) { break }
        }
        return tokens.map(\.1)
    }

    /// How many bytes each side writes on the stream from A to B when nothing breaks.
    private func recorded() throws -> (a: Int, b: Int) {
        let servers = TwoServers(TwoServers.external)
        _ = self.sendAll(servers)
        let out = try #require(servers.a.everyEndpoint.first { $0.isClient })
        let into = try #require(servers.b.everyEndpoint.first { !$0.isClient })
        #expect(out.written.contains("message 6") && into.written.contains("<a "))
        return (out.written.utf8.count, into.written.utf8.count)
    }

    /// Cuts the first connections of a side's behind so many bytes each.
    private func cut(_ host: FakeHost, isClient: Bool, behind offsets: [Int]) {
        var left = offsets[...]
        host.whenConnecting = { end in
            if end.isClient == isClient, let offset = left.popFirst() { end.severAfter = offset }
        }
    }

    private func expectAllOnce(_ servers: TwoServers, _ tokens: [UInt64], _ cut: String) {
        #expect(TwoServers.texts(servers.b) == Self.texts, "cut behind \(cut)")
        #expect(tokens.allSatisfy { servers.a.outcome($0) == .delivered }, "cut behind \(cut)")
    }

    @Test("Cut behind any byte that we write, nothing is lost and nothing doubled", .timeLimit(.minutes(1)))
    func cutOurBytes() throws {
        for offset in 0..<(try self.recorded().a) {
            let servers = TwoServers(TwoServers.external)
            self.cut(servers.a, isClient: true, behind: [offset])
            self.expectAllOnce(servers, self.sendAll(servers), "our byte \(offset)")
        }
    }

    @Test("Cut behind any byte that the partner writes, nothing is lost and nothing doubled", .timeLimit(.minutes(1)))
    func cutTheirBytes() throws {
        for offset in 0..<(try self.recorded().b) {
            let servers = TwoServers(TwoServers.external)
            self.cut(servers.b, isClient: false, behind: [offset])
            self.expectAllOnce(servers, self.sendAll(servers), "their byte \(offset)")
        }
    }

    @Test(
        "Cut three times, also in the midst of resuming, nothing is lost and nothing doubled",
        .timeLimit(.minutes(1))
    )
    func cutAgainAndAgain() throws {
        let bytes = try self.recorded()
        for offset in stride(from: 0, to: bytes.a, by: 7) {
            let servers = TwoServers(TwoServers.external)
            self.cut(servers.a, isClient: true, behind: [offset, bytes.a - offset, offset])
            self.expectAllOnce(servers, self.sendAll(servers), "our byte \(offset), three times")
        }
    }

    @Test("A stanza is acknowledged when the router has it on disk, and no sooner")
    func acknowledgedFromDisk() {
        let servers = TwoServers(TwoServers.external)
        servers.b.holdsAnswers = true
        let tokens = (1...3).map { servers.a.deliver(TwoServers.message("\($0)", id: "\($0)")) }
        servers.world.run(forMs: 1_000)
        #expect(TwoServers.texts(servers.b) == ["1", "2", "3"])
        #expect(tokens.allSatisfy { servers.a.outcome($0) == nil })
        #expect(servers.a.links.first { $0.detail.hasPrefix("out") }?.waiting == 3)
        servers.b.answerHeld()
        servers.world.run(forMs: 1_000)
        #expect(tokens.allSatisfy { servers.a.outcome($0) == .delivered })
    }

    @Test("A resumption waits until it is certain what the router has")
    func resumedFromDisk() throws {
        let servers = TwoServers(TwoServers.external)
        servers.b.holdsAnswers = true
        let token = servers.a.deliver(TwoServers.message("1", id: "1"))
        servers.world.run(forMs: 1_000)
        try #require(servers.a.everyEndpoint.first).cut()
        servers.world.run(forMs: 2_000)
        let second = try #require(servers.a.everyEndpoint.last)
        #expect(second.written.contains("<resume "))
        #expect(servers.a.outcome(token) == nil)
        servers.b.answerHeld()
        servers.world.run(forMs: 1_000)
        #expect(servers.a.outcome(token) == .delivered)
        #expect(TwoServers.texts(servers.b) == ["1"])
        #expect(!second.written.contains("<body>"))
    }

    @Test("A partner that forgot the stream gets what it did not acknowledge again, with the same id")
    func notResumed() throws {
        let servers = TwoServers(TwoServers.external)
        servers.b.holdsAnswers = true
        let token = servers.a.deliver(TwoServers.message("1", id: ""))
        servers.world.run(forMs: 1_000)
        let first = try #require(servers.a.everyEndpoint.first)
        // What comes over another connection is another server's, who knows nothing of the stream.
        let other = FakeHost(servers.world, name: "b.test", address: "192.0.2.7")
        let settings = [
            ("listen[0]", "192.0.2.7:5269"), ("partners[0].domain", "a.test"), ("partners[0].sasl", "required"),
        ]
        #expect(other.start(XMPPProvider.self, settings, homeDomains: ["b.test"]))
        servers.world.addresses["b.test"] = "192.0.2.7"
        first.cut()
        servers.world.run(forMs: 5_000)
        guard case .deferred(let reason)? = servers.a.outcome(token) else {
            Issue.record("it was not put off")
            return
        }
        #expect(reason.isUncertain)
        #expect(servers.a.links.contains { $0.state == .up })
    }

    @Test("A partner that does not acknowledge in time counts as lost, and the stream is resumed")
    func noAnswer() throws {
        let servers = TwoServers(TwoServers.external)
        servers.b.holdsAnswers = true
        let token = servers.a.deliver(TwoServers.message("1", id: "1"))
        servers.world.run(forMs: 29_000)
        #expect(servers.a.everyEndpoint.count { $0.isClient } == 1)
        servers.b.answerHeld()
        servers.b.holdsAnswers = true
        servers.a.deliver(TwoServers.message("2", id: "2"))
        servers.world.run(forMs: 35_000)
        #expect(servers.a.everyEndpoint.count { $0.isClient } == 2)
        #expect(servers.a.outcome(token) == .delivered)
    }

    @Test("A broken stream that nobody takes up within a minute is given up")
    func tooLate() throws {
        let servers = TwoServers(TwoServers.external)
        servers.b.holdsAnswers = true
        let token = servers.a.deliver(TwoServers.message("1", id: "1"))
        servers.world.run(forMs: 1_000)
        servers.world.addresses["b.test"] = nil
        try #require(servers.a.everyEndpoint.first).cut()
        servers.world.run(forMs: PartnerLink.resumptionMaxMs - 2_000)
        #expect(servers.a.outcome(token) == nil)
        servers.world.run(forMs: 2_000)
        guard case .deferred(let reason)? = servers.a.outcome(token) else {
            Issue.record("it was not put off")
            return
        }
        #expect(reason.isUncertain && reason.retryAfter == PartnerLink.unackedRetryMs)
    }

    @Test("No more is written unacknowledged than the limit allows; one more waits")
    func limit() {
        let servers = TwoServers(TwoServers.external)
        servers.a.deliver(TwoServers.message("0", id: "0"))
        servers.world.run()
        servers.b.holdsAnswers = true
        let max = ServerPolicy(mainDomain: "a.test").unackedMax
        for number in 1...max + 1 { servers.a.deliver(TwoServers.message("\(number)", id: "\(number)")) }
        servers.world.run(forMs: 1_000)
        #expect(TwoServers.texts(servers.b).count == 1 + max)
        servers.b.answerHeld()
        servers.world.run(forMs: 1_000)
        #expect(TwoServers.texts(servers.b).count == 2 + max)
    }

    @Test("Of broken streams as many are kept as the limit allows, for their time; one more takes the oldest's place")
    func keptStreams() {
        var streams = ResumableStreams(max: 2)
        let pair = DomainPair(sender: "a.test", target: "b.test")
        let handled = (1...3).map { HandledStanzas(id: "\($0)", pair: pair, session: nil) }
        for stream in handled { streams.add(stream) }
        for stream in handled { streams.keep(stream, until: 1_000) }
        #expect(streams.brokenCount == 2)
        #expect(streams.take("1", pair, nowMs: 0) == nil)
        #expect(streams.take("2", DomainPair(sender: "c.test", target: "b.test"), nowMs: 0) == nil)
        #expect(streams.take("2", pair, nowMs: 999) === handled[1])
        #expect(streams.take("3", pair, nowMs: 1_000) == nil)
    }
}
