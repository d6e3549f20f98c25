import ProviderKit
import Spool
import Testing

@testable import Router

@Suite("Retries", .timeLimit(.minutes(1)))
struct RetryTests {
    private let pump = Script("pump", claims: ["pump@home.example"])

    private func message(_ text: String, to user: String, id: String = "") -> Envelope {
        .message(text, from: "pump@home.example", to: "\(user)@partner.example", id: id)
    }

    /// A partner whose provider defers what is for `user` as long as the switch is on.
    private func network(deferring user: String, _ outcome: Outcome) -> (script: Script, down: Switch) {
        let down = Switch()
        let script = Script("net", claims: ["partner.example"]) { _, delivery in
            let isDown = down.isOn && delivery.envelope.to.user == user
            delivery.complete(isDown ? outcome : .delivered)
            // What was deferred is not recorded as taken a first time.
            if isDown { down.deferred.append(delivery.envelope.text) } else { down.delivered.append(delivery.envelope) }
            return true
        }
        return (script, down)
    }

    /// Whether a peer is down, and what was made of what was for it. Used on one loop.
    // Safe: the flag is changed on the provider's loop.
    final class Switch: @unchecked Sendable {
        var isOn = true
        let deferred = Recorder<String>()
        let delivered = Recorder<Envelope>()
    }

    private static let peerDown = Outcome.deferred(Outcome.Reason(.unavailable, "the peer is down"))

    @Test("A peer that is down does not hold up the others, and gets all in order when it is back", arguments: [1, 2])
    func slowPeer(workers: Int) async throws {
        let (net, down) = network(deferring: "slow", Self.peerDown)
        try await Rig.with(Setup(workers: workers), [pump, net]) { rig in
            let first = (0..<20).flatMap { [message("slow \($0)", to: "slow"), message("fast \($0)", to: "fast")] }
            try await rig.send(first, by: pump)
            let fast = try await down.delivered.wait(for: 20)
            #expect(fast.map(\.text) == (0..<20).map { "fast \($0)" })
            // Sent while its conversation is put off: behind what waits already.
            try await rig.send((20..<30).map { message("slow \($0)", to: "slow") }, by: pump)
            try await pump.answers.wait(for: 50)
            // Tried again at least once.
            try await rig.hops.first { if case .deferred = $0.event { true } else { false } }
            try await down.deferred.wait(for: 22)
            #expect(try await rig.status(of: "net").parked == 1)
            try await rig.on(net) { _ in down.isOn = false }
            let all = try await down.delivered.wait(for: 50)
            let slow = all.filter { $0.to.user == "slow" }
            #expect(slow.map(\.text) == (0..<30).map { "slow \($0)" })
            #expect(slow.first?.isRedelivered == true)
            #expect(!fast.contains { $0.isRedelivered })
            try await rig.hops.first { $0.event == .delivered && $0.to == "slow@partner.example" }
        }
    }

    @Test("While more conversations wait than the limit allows, sources are answered later, and nothing is lost")
    func parkedMax() async throws {
        let net = Script("net", claims: ["partner.example"])
        let down = Switch()
        net.onDeliver = { _, delivery in
            delivery.complete(down.isOn ? Self.peerDown : .delivered)
            if !down.isOn { down.delivered.append(delivery.envelope) }
            return true
        }
        var setup = Setup()
        setup.limits.parkedMax = 2
        try await Rig.with(setup, [pump, net]) { rig in
            try await rig.send((0..<2).map { message("\($0)", to: "user\($0)") }, by: pump)
            // At the limit they are answered at once.
            try await pump.answers.wait(for: 2)
            try await rig.send([message("2", to: "user2")], by: pump)
            try await rig.hops.first { $0.to == "user2@partner.example" && Self.isDeferred($0) }
            #expect(try await rig.status(of: "net").parked == 3)
            try await rig.send([message("3", to: "user3")], by: pump)
            // Twice: it was stored long ago.
            try await rig.hops.first { $0.to == "user3@partner.example" && Self.isDeferred($0) }
            let before = rig.hops.all.count { $0.to == "user3@partner.example" && Self.isDeferred($0) }
            let again = rig.hops
            while again.all.count(where: { $0.to == "user3@partner.example" && Self.isDeferred($0) }) == before {
                try await again.wait(for: again.all.count + 1)
            }
            #expect(pump.answers.all.map(\.text).contains("3") == false)
            try await rig.on(net) { _ in down.isOn = false }
            try await pump.answers.first { $0.text == "3" }
            let all = try await down.delivered.wait(for: 4)
            #expect(Set(all.map(\.text)) == ["0", "1", "2", "3"])
        }
    }

    private static func isDeferred(_ hop: Hop) -> Bool {
        if case .deferred = hop.event { true } else { false }
    }

    @Test("A long backlog of one conversation comes in pages, in order")
    func longConversation() async throws {
        let (net, down) = network(deferring: "slow", Self.peerDown)
        var setup = Setup.tiny()
        setup.limits.creditsMax = 64
        try await Rig.with(setup, [pump, net]) { rig in
            let count = SpoolDestination.rowsMax * 3 + 10
            let sent = (0..<count).map { message("\($0)", to: "slow") }
            try await rig.send(sent, by: pump)
            try await pump.answers.wait(for: count)
            try await rig.on(net) { _ in down.isOn = false }
            // More while the pages come.
            let more = (count..<count + 300).map { message("\($0)", to: "slow") }
            try await rig.send(more, by: pump)
            let delivered = try await down.delivered.wait(for: count + 300)
            #expect(delivered.map(\.text) == (sent + more).map(\.text))
            // And what comes later goes on as before.
            try await rig.send([message("last", to: "slow")], by: pump)
            try await down.delivered.first { $0.text == "last" }
            #expect(down.delivered.all.count == count + 301)
        }
    }

    @Test("Many conversations that are put off together all come back in order")
    func manyConversations() async throws {
        let down = Switch()
        let net = Script("net", claims: ["partner.example"]) { _, delivery in
            if down.isOn {
                down.deferred.append(delivery.envelope.text)
                delivery.complete(Self.peerDown)
            } else {
                down.delivered.append(delivery.envelope)
                delivery.complete(.delivered)
            }
            return true
        }
        try await Rig.with(.tiny(workers: 2), [pump, net]) { rig in
            let sent = (0..<300).map { message("\($0 / 100)", to: "user\($0 % 100)") }
            try await rig.send(sent, by: pump)
            try await pump.answers.wait(for: 300)
            try await down.deferred.wait(for: 200)
            try await rig.on(net) { _ in down.isOn = false }
            let byRecipient = Dictionary(grouping: try await down.delivered.wait(for: 300), by: \.to)
            #expect(byRecipient.count == 100)
            #expect(byRecipient.values.allSatisfy { $0.map(\.text) == ["0", "1", "2"] })
        }
    }

    @Test("What the provider still holds of a conversation that is put off is not delivered twice")
    func heldWhileParked() async throws {
        let down = Switch()
        let net = Script("net", claims: ["partner.example"]) { provider, delivery in
            if down.isOn, delivery.envelope.text == "1" {
                down.deferred.append("1")
                delivery.complete(Self.peerDown)
            } else {
                down.delivered.append(delivery.envelope)
                provider.held.append(delivery)
            }
            return true
        }
        try await Rig.with(Setup(), [pump, net]) { rig in
            try await rig.send(["1", "2", "3"].map { message($0, to: "slow") }, by: pump)
            try await down.delivered.wait(for: 2)
            // The time to try again passes while 2 and 3 are held.
            let tick = Recorder<Void>()
            try await rig.on(net) { provider in
                down.isOn = false
                _ = try provider.host.startTimer(after: 250) { tick.append(()) }
            }
            try await tick.wait(for: 1)
            #expect(down.delivered.all.map(\.text) == ["2", "3"])
            try await rig.on(net) { $0.completeHeld() }
            try await down.delivered.wait(for: 3)
            try await rig.on(net) { $0.completeHeld() }
            #expect(down.delivered.all.map(\.text) == ["2", "3", "1"])
            #expect(try await rig.status(of: "net").inFlight == 0)
        }
    }

    @Test("What a provider gave back does not overtake what it put off before")
    func givenBackBehindDeferred() async throws {
        let offers = Recorder<String>()
        let net = Script("net", claims: ["partner.example"])
        net.onDeliver = { provider, delivery in
            let text = delivery.envelope.text
            let isFirst = !offers.all.contains(text)
            offers.append(text)
            guard isFirst else {
                delivery.complete(.delivered)
                return true
            }
            if text == "1" {
                delivery.complete(Self.peerDown)
                return true
            }
            // Ready again long before the first is tried again.
            _ = try? provider.host.startTimer(after: 1) { provider.host.ready() }
            return false
        }
        try await Rig.with(Setup(firstRetry: "300ms", lastRetry: "300ms"), [pump, net]) { rig in
            try await rig.send(["1", "2"].map { message($0, to: "slow") }, by: pump)
            try await offers.first { $0 == "2" }
            try await net.taken.wait(for: 3)
            #expect(net.taken.all.map(\.text) == ["1", "1", "2"])
            try await rig.send([message("3", to: "slow")], by: pump)
            try await offers.first { $0 == "3" }
        }
    }

    @Test("The time that a provider asks for is honoured")
    func retryAfter() async throws {
        let throttled = Outcome.deferred(Outcome.Reason(.throttled, "too fast", retryAfter: 60_000))
        let (net, _) = network(deferring: "slow", throttled)
        try await Rig.with(Setup(), [pump, net]) { rig in
            let before = try await rig.on(net) { $0.host.wallClock }
            try await rig.send([message("text", to: "slow")], by: pump)
            let hop = try await rig.hops.first { if case .deferred = $0.event { true } else { false } }
            guard case .deferred("too fast", let until) = hop.event else {
                Issue.record("\(hop.event)")
                return
            }
            let after = try await rig.on(net) { $0.host.wallClock }
            // And no more than the first wait's jitter later.
            #expect((before + 60_000...after + 60_100).contains(until))
        }
    }

    @Test("When the attempts are used up, the author is told and the message is a dead letter")
    func attemptsUsedUp() async throws {
        let (net, down) = network(deferring: "slow", Self.peerDown)
        try await Rig.with(Setup(attempts: 3), [pump, net]) { rig in
            try await rig.send([message("lost", to: "slow", id: "m1")], by: pump)
            let notice = try await pump.taken.first { $0.failure?.messageID == "m1" }
            #expect(notice.failure?.reason == "the peer is down")
            #expect(notice.failure?.failureClass == .unavailable)
            #expect(notice.from.description == "slow@partner.example")
            #expect(down.deferred.all.count { $0 == "lost" } == 3)
            // Its conversation goes on.
            try await rig.on(net) { _ in down.isOn = false }
            try await rig.send([message("next", to: "slow")], by: pump)
            try await down.delivered.first { $0.text == "next" }
            let dead = try rig.deadLetters()
            #expect(dead.map(\.cause) == [.exhausted])
            #expect(dead.first?.reason == "the peer is down")
        }
    }

    @Test("What expires before the next attempt is given up at once, and its author told")
    func expiresBeforeRetry() async throws {
        let (net, _) = network(deferring: "slow", Self.peerDown)
        try await Rig.with(Setup(firstRetry: "1h", lastRetry: "1h", expire: "10m"), [pump, net]) { rig in
            try await rig.send([message("late", to: "slow", id: "m1")], by: pump)
            try await pump.taken.first { $0.failure?.messageID == "m1" }
        }
    }

    @Test("What expires while it waits behind another is given up, and its author told")
    func expiresWhileWaiting() async throws {
        let throttled = Outcome.deferred(Outcome.Reason(.throttled, "too fast", retryAfter: 3000))
        let (net, down) = network(deferring: "slow", throttled)
        try await Rig.with(Setup(), [pump, net]) { rig in
            try await rig.send([message("first", to: "slow")], by: pump)
            let hop = try await rig.hops.first { if case .deferred = $0.event { true } else { false } }
            guard case .deferred(_, let until) = hop.event else { return }
            var short = message("short", to: "slow", id: "m2")
            short.expires = until - 1
            try await rig.send([short], by: pump)
            let notice = try await pump.taken.first { $0.failure?.messageID == "m2" }
            #expect(notice.failure?.reason == "it expired on the way")
            #expect(!down.deferred.all.contains("short"))
            let dead = try rig.deadLetters()
            #expect(dead.map(\.cause) == [.expired])
        }
    }

    @Test("Without a spool nothing can be put off: the author is told at once")
    func withoutSpool() async throws {
        let (net, _) = network(deferring: "slow", Self.peerDown)
        try await Rig.with(Setup(isDurable: false), [pump, net]) { rig in
            try await rig.send([message("text", to: "slow", id: "m1")], by: pump)
            let notice = try await pump.taken.first { $0.failure?.messageID == "m1" }
            #expect(notice.failure?.reason == "the peer is down")
        }
    }

    @Test("Without a spool, authors are told also when their own lane is full")
    func noticesWithoutSpool() async throws {
        let net = Script("net", claims: ["partner.example"]) { _, delivery in
            delivery.complete(.failed(Outcome.Reason(.recipient, "nobody")))
            return true
        }
        var offers = 0
        pump.onDeliver = { provider, delivery in
            offers += 1
            guard offers % 4 != 0 else {
                _ = try? provider.host.startTimer(after: 1) { provider.host.ready() }
                return false
            }
            delivery.complete(.delivered)
            return true
        }
        try await Rig.with(.tiny(workers: 2, isDurable: false), [pump, net]) { rig in
            try await rig.send((0..<500).map { message("\($0)", to: "user", id: "\($0)") }, by: pump)
            let notices = try await pump.taken.wait(for: 500)
            #expect(notices.compactMap(\.failure?.messageID) == (0..<500).map { "\($0)" })
        }
    }

    @Test("What is of the moment is dropped if it cannot be delivered, and nobody is told")
    func typingDropped() async throws {
        let net = Script("net", claims: ["partner.example"]) { _, delivery in
            delivery.complete(delivery.envelope.text == "typing" ? Self.peerDown : .delivered)
            return true
        }
        try await Rig.with(Setup(), [pump, net]) { rig in
            var typing = message("", to: "user")
            typing.content = .typing(.composing)
            try await rig.send([typing, message("after", to: "user")], by: pump)
            try await net.taken.wait(for: 2)
            try await rig.hops.first { $0.event == .delivered }
            #expect(try await rig.status(of: "net").counters.dropped == 1)
            #expect(pump.taken.all.isEmpty)
        }
    }
}
