import Directory
import ProviderKit
import Spool
import Testing

@testable import Router

/// Lanes of eight slots, four credits, and receivers that stop all the time: whatever wake-up is forgotten, one of
/// thousands of messages needs it.
@Suite("Back-pressure", .serialized, .timeLimit(.minutes(1)))
struct BackPressureTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var workers: Int
        var isDurable: Bool
        var backlogMax: Int
        var testDescription: String {
            "\(workers) workers, \(isDurable ? "durable, backlog \(backlogMax)" : "not durable")"
        }
    }

    static let cases = [1, 2].flatMap { workers in
        [
            Case(workers: workers, isDurable: true, backlogMax: 0),
            Case(workers: workers, isDurable: true, backlogMax: 100),
            Case(workers: workers, isDurable: true, backlogMax: 100_000),
            Case(workers: workers, isDurable: false, backlogMax: 0),
        ]
    }

    /// Messages of `conversations` interleaved conversations, numbered in each.
    private static func messages(_ count: Int, conversations: Int) -> [Envelope] {
        (0..<count).map { index in
            .message(
                "\(index % conversations) \(index / conversations)",
                from: "pump@home.example",
                to: "user\(index % conversations)@partner.example"
            )
        }
    }

    /// Whether each conversation has come whole, once, and in order.
    private static func check(_ taken: [Envelope], _ sent: [Envelope]) {
        #expect(taken.count == sent.count)
        let byRecipient = Dictionary(grouping: taken, by: \.to).mapValues { $0.map(\.text) }
        let expected = Dictionary(grouping: sent, by: \.to).mapValues { $0.map(\.text) }
        #expect(byRecipient == expected)
    }

    /// A receiver that refuses every fifth envelope once, and asks for it a moment later.
    private static func stoppingReceiver() -> Script {
        let script = Script("sink", claims: ["partner.example"])
        var offers = 0
        script.onDeliver = { provider, delivery in
            offers += 1
            guard offers % 5 != 0 else {
                _ = try? provider.host.startTimer(after: 1) { provider.host.ready() }
                return false
            }
            // Some at once, some later and all together.
            if offers % 3 == 0 {
                delivery.complete(.delivered)
            } else {
                provider.held.append(delivery)
                if provider.held.count > 6 { provider.completeHeld() }
            }
            return true
        }
        return script
    }

    @Test(
        "A receiver that stops and goes on holds the source; nothing is lost, doubled or out of order",
        arguments: cases
    )
    func stoppingReceiver(_ it: Case) async throws {
        let pump = Script("pump", claims: ["pump@home.example"])
        let sink = Self.stoppingReceiver()
        let setup = Setup.tiny(workers: it.workers, isDurable: it.isDurable, backlogMax: it.backlogMax)
        try await Rig.with(setup, [pump, sink]) { rig in
            let sent = Self.messages(2000, conversations: 7)
            try await rig.send(sent, by: pump)
            let taken = try await sink.taken.wait(for: sent.count)
            try await rig.on(sink) { $0.completeHeld() }
            let answers = try await pump.answers.wait(for: sent.count)
            #expect(answers.allSatisfy { $0.outcome == .accepted })
            Self.check(taken, sent)
            #expect(!pump.busy.all.isEmpty, "the lanes were never full")
            let status = try await rig.status(of: "sink")
            #expect(status.counters.delivered == UInt64(sent.count))
            #expect(status.inFlight == 0)
        }
    }

    @Test("A fast receiver gets everything in order", arguments: cases)
    func fastReceiver(_ it: Case) async throws {
        let pump = Script("pump", claims: ["pump@home.example"])
        let sink = Script("sink", claims: ["partner.example"])
        var setup = Setup.tiny(workers: it.workers, isDurable: it.isDurable, backlogMax: it.backlogMax)
        // More under way than a lane has slots.
        setup.limits.creditsMax = 50
        try await Rig.with(setup, [pump, sink]) { rig in
            let sent = Self.messages(4000, conversations: 3)
            try await rig.send(sent, by: pump)
            Self.check(try await sink.taken.wait(for: sent.count), sent)
            try await pump.answers.wait(for: sent.count)
        }
    }

    @Test("Two sources on two workers share one receiver", arguments: [true, false])
    func twoSources(isDurable: Bool) async throws {
        let pumps = [Script("pump", claims: ["pump@home.example"]), Script("other", claims: ["other@home.example"])]
        let sink = Self.stoppingReceiver()
        try await Rig.with(.tiny(workers: 2, isDurable: isDurable), pumps + [sink]) { rig in
            let sent = pumps.map { pump in
                Self.messages(1500, conversations: 4).map { envelope in
                    Envelope.message(envelope.text, from: pump.claims[0], to: envelope.to.description)
                }
            }
            for (pump, envelopes) in zip(pumps, sent) { try await rig.send(envelopes, by: pump) }
            let taken = try await sink.taken.wait(for: 3000)
            for (pump, envelopes) in zip(pumps, sent) {
                Self.check(taken.filter { $0.from.description == pump.claims[0] }, envelopes)
                try await pump.answers.wait(for: 1500)
            }
            try await rig.on(sink) { $0.completeHeld() }
        }
    }

    @Test("Two providers that flood each other both get everything", arguments: [1, 2], [true, false])
    func bothWays(workers: Int, isDurable: Bool) async throws {
        let left = Self.stoppingReceiver()
        let right = Script("home-bot", claims: ["pump@home.example"])
        try await Rig.with(.tiny(workers: workers, isDurable: isDurable), [left, right]) { rig in
            let there = Self.messages(1500, conversations: 2)
            let back = there.map { Envelope.message($0.text, from: $0.to.description, to: $0.from.description) }
            try await rig.send(there, by: right)
            try await rig.send(back, by: left)
            Self.check(try await left.taken.wait(for: 1500), there)
            let taken = try await right.taken.wait(for: 1500)
            let byAuthor = Dictionary(grouping: taken, by: \.from).mapValues { $0.map(\.text) }
            #expect(byAuthor == Dictionary(grouping: back, by: \.from).mapValues { $0.map(\.text) })
            try await left.answers.wait(for: 1500)
            try await right.answers.wait(for: 1500)
            try await rig.on(left) { $0.completeHeld() }
        }
    }

    @Test(
        "While the receiver takes nothing, the source is held after what lanes and backlog allow",
        arguments: [0, 10]
    )
    func held(backlogMax: Int) async throws {
        let pump = Script("pump", claims: ["pump@home.example"])
        let sink = Script("sink", claims: ["partner.example"]) { _, _ in false }
        try await Rig.with(.tiny(backlogMax: backlogMax), [pump, sink]) { rig in
            let sent = Self.messages(200, conversations: 1)
            try await rig.send(sent, by: pump)
            try await pump.busy.first { true }
            // What is answered is in the lane, in the provider's hand, or in the backlog; four more wait for an answer.
            try await pump.answers.wait(for: backlogMax)
            let stored = try rig.counts().pending
            #expect(stored < 200)
            #expect(pump.answers.all.count <= 8 + InstanceRuntime.batchMax + backlogMax)
            try await rig.on(sink) { provider in
                sink.onDeliver = { _, delivery in
                    delivery.complete(.delivered)
                    return true
                }
                provider.host.ready()
            }
            Self.check(try await sink.taken.wait(for: 200), sent)
            try await pump.answers.wait(for: 200)
        }
    }

    @Test("A source that is held back for one receiver is told of room for all others too")
    func roomForOthers() async throws {
        let pump = Script("pump", claims: ["pump@home.example"])
        let stuck = Script("stuck", claims: ["stuck.example"]) { _, _ in false }
        let sink = Script("sink", claims: ["partner.example"])
        try await Rig.with(.tiny(workers: 2), [pump, stuck, sink]) { rig in
            let blocked = (0..<100).map {
                Envelope.message("\($0)", from: "pump@home.example", to: "user@stuck.example")
            }
            let sent = Self.messages(500, conversations: 2)
            try await rig.send(blocked + sent, by: pump)
            // The stuck provider's share is on disk, so that it holds up nobody.
            Self.check(try await sink.taken.wait(for: 500), sent)
            #expect(stuck.taken.all.isEmpty)
        }
    }

    @Test("A provider that asks for more while it is being offered something is offered it again")
    func readyWithinDeliver() async throws {
        let pump = Script("pump", claims: ["pump@home.example"])
        let sink = Script("sink", claims: ["partner.example"])
        var offers = 0
        sink.onDeliver = { provider, delivery in
            offers += 1
            guard offers % 2 == 0 else {
                provider.host.ready()
                return false
            }
            delivery.complete(.delivered)
            return true
        }
        try await Rig.with(.tiny(), [pump, sink]) { rig in
            let sent = Self.messages(300, conversations: 2)
            try await rig.send(sent, by: pump)
            Self.check(try await sink.taken.wait(for: 300), sent)
            try await pump.answers.wait(for: 300)
        }
    }

    @Test(
        "An instance never holds more than the limit, and goes on when it settles",
        arguments: [1, 3, 64, 100],
        [true, false]
    )
    func inFlightLimit(limit: Int, isDurable: Bool) async throws {
        let pump = Script("pump", claims: ["pump@home.example"])
        let most = Recorder<Int>()
        let sink = Script("sink", claims: ["partner.example"]) { provider, delivery in
            provider.held.append(delivery)
            most.append(provider.held.count)
            return true
        }
        var setup = Setup.tiny(isDurable: isDurable)
        setup.limits.inFlightMax = limit
        try await Rig.with(setup, [pump, sink]) { rig in
            let sent = Self.messages(limit * 3 + 1, conversations: 2)
            try await rig.send(sent, by: pump)
            for round in 1...3 {
                try await most.wait(for: limit * round)
                #expect(try await rig.status(of: "sink").inFlight == limit)
                try await rig.on(sink) { $0.completeHeld() }
            }
            Self.check(try await sink.taken.wait(for: sent.count), sent)
            try await rig.on(sink) { $0.completeHeld() }
            #expect(most.all.max() == limit)
            try await pump.answers.wait(for: sent.count)
        }
    }

    @Test("The home users' inbox keeps up with thousands of messages", arguments: [1, 2])
    func inbox(workers: Int) async throws {
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(.tiny(workers: workers), [net]) { rig in
            let sent = (0..<2000).map {
                Envelope.message("\($0)", from: "bob@partner.example", to: "alice@home.example", id: "\($0)")
            }
            try await rig.send(sent, by: net)
            #expect(try await rig.inbox.wait(for: 2000).map(\.text) == sent.map(\.text))
        }
    }

    @Test("Many home users send at the same time")
    func manySends() async throws {
        let sink = Self.stoppingReceiver()
        try await Rig.with(.tiny(), [sink]) { rig in
            await withTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let to = "user\(index % 3)@partner.example"
                        return await rig.router.send(.message("\(index)", from: "alice@home.example", to: to)).outcome
                            == .accepted
                    }
                }
                for await isAccepted in group { #expect(isAccepted) }
            }
            #expect(Set(try await sink.taken.wait(for: 200).map(\.text)).count == 200)
            try await rig.on(sink) { $0.completeHeld() }
        }
    }
}
