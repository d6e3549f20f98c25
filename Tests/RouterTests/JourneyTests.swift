import Directory
import ProviderKit
import Spool
import Testing

@testable import Router

@Suite("An envelope's journey", .timeLimit(.minutes(1)))
struct JourneyTests {
    /// A network of one partner's users.
    private func network() -> Script { Script("net", claims: ["partner.example"]) }

    @Test("A home user's message is stored, delivered to the partner's provider, and forgotten")
    func homeToPartner() async throws {
        let net = network()
        try await Rig.with(Setup(), [net]) { rig in
            let sent = await rig.router.send(.message("hello", from: "alice@home.example", to: "bob@partner.example"))
            #expect(sent.outcome == .accepted)
            #expect(!sent.id.isEmpty)
            let envelope = try #require(try await net.taken.wait(for: 1).first)
            #expect(envelope.text == "hello")
            #expect(envelope.id == sent.id)
            #expect(envelope.hops == 1)
            #expect(envelope.timestamp > 0)
            #expect(envelope.expires > envelope.timestamp)
            #expect(!envelope.isRedelivered)
            try await rig.hops.first { $0.event == .delivered }
            let names = rig.hops.all.map { Self.name($0.event) }
            #expect(names == ["submitted", "stored", "offered", "delivered"])
        }
    }

    private static func name(_ event: Hop.Event) -> String {
        switch event {
        case .submitted: "submitted"
        case .refused: "refused"
        case .stored: "stored"
        case .duplicate: "duplicate"
        case .offered: "offered"
        case .delivered: "delivered"
        case .deferred: "deferred"
        case .failed: "failed"
        }
    }

    @Test("A partner's message arrives in the inbox, and its author gets the receipt that was asked for")
    func partnerToHome() async throws {
        let net = network()
        try await Rig.with(Setup(), [net]) { rig in
            var envelope = Envelope.message("hi", from: "bob@partner.example", to: "alice@home.example", id: "m1")
            envelope.fromDevice = "phone"
            if case .message(var message) = envelope.content {
                message.wantsDelivered = true
                envelope.content = .message(message)
            }
            try await rig.send([envelope], by: net)
            let item = try #require(try await rig.inbox.wait(for: 1).first)
            #expect(item.owner == "alice@home.example")
            #expect(item.from == "bob@partner.example")
            #expect(item.kind == "message")
            #expect(item.id == "m1")
            #expect(item.text == "hi")
            #expect(try rig.router.inbox.items(of: "alice@home.example", after: 0, limit: 10) == [item])
            let receipt = try #require(try await net.taken.wait(for: 1).first)
            #expect(receipt.content == .receipt(Receipt(.delivered, messageID: "m1")))
            #expect(receipt.toDevice == "phone")
            // The receipt may have overtaken the answer, for it is not stored.
            #expect(try await net.answers.wait(for: 1).map(\.outcome) == [.accepted])
        }
    }

    @Test("Two home users reach each other")
    func homeToHome() async throws {
        try await Rig.with { rig in
            let sent = await rig.router.send(.message("psst", from: "alice@home.example", to: "ann@home.example"))
            #expect(sent.outcome == .accepted)
            let item = try await rig.inbox.first { $0.text == "psst" }
            #expect(item.owner == "ann@home.example")
        }
    }

    @Test("Typing passes the spool by, and stays out of the inbox's file")
    func typing() async throws {
        let net = network()
        try await Rig.with(Setup(), [net]) { rig in
            let from = try #require(Address("bob@partner.example"))
            let to = try #require(Address("alice@home.example"))
            try await rig.send([Envelope(from: from, to: to, content: .typing(.composing))], by: net)
            let item = try #require(try await rig.inbox.wait(for: 1).first)
            #expect(item.kind == "typing")
            #expect(item.text == "composing")
            #expect(item.sequence == 0)
            #expect(try rig.router.inbox.items(of: nil, after: 0, limit: 10).isEmpty)
            let isStored = rig.hops.all.contains { if case .stored = $0.event { true } else { false } }
            #expect(!isStored)
            #expect(try rig.counts().pending == 0)
        }
    }

    @Test("A message to a user who does not exist comes back as a failure, and is kept as a dead letter")
    func unknownUser() async throws {
        let net = network()
        try await Rig.with(Setup(users: "[alice]"), [net]) { rig in
            let envelope = Envelope.message("who?", from: "bob@partner.example", to: "eve@home.example", id: "m1")
            try await rig.send([envelope], by: net)
            let notice = try #require(try await net.taken.wait(for: 1).first)
            let failure = try #require(notice.failure)
            #expect(failure.failureClass == .recipient)
            #expect(failure.messageID == "m1")
            #expect(failure.reason == "there is no user eve@home.example")
            #expect(failure.code == "item-not-found")
            #expect(notice.from.description == "eve@home.example")
            #expect(notice.to.description == "bob@partner.example")
            // The message had been taken before it failed.
            #expect(net.answers.all.map(\.outcome) == [.accepted])
            let dead = try rig.deadLetters()
            #expect(dead.map(\.cause) == [.refused])
            #expect(dead.first?.reason == "there is no user eve@home.example")
        }
    }

    @Test("Without a spool, a message to a user who does not exist comes back too")
    func unknownUserWithoutSpool() async throws {
        let net = network()
        try await Rig.with(Setup(isDurable: false, users: "[alice]"), [net]) { rig in
            let envelope = Envelope.message("who?", from: "bob@partner.example", to: "eve@home.example", id: "m1")
            try await rig.send([envelope], by: net)
            #expect(try await net.taken.wait(for: 1).first?.failure?.messageID == "m1")
        }
    }

    @Test("A failure that fails is nobody's news")
    func failureOfFailure() async throws {
        let net = Script("net", claims: ["partner.example"]) { _, delivery in
            delivery.complete(.failed(Outcome.Reason(.recipient, "no")))
            return true
        }
        try await Rig.with(Setup(users: "[alice]"), [net]) { rig in
            let envelope = Envelope.message("who?", from: "bob@partner.example", to: "eve@home.example", id: "m1")
            try await rig.send([envelope], by: net)
            try await rig.hops.first { $0.instance == "net" && $0.event == .failed("no") }
            // The provider settles it before it says that it took it.
            #expect(try await net.taken.wait(for: 1).count == 1)
            #expect(rig.inbox.all.isEmpty)
        }
    }

    @Test("A message that comes again is taken and not delivered again; another text under its id is another message")
    func duplicates() async throws {
        let net = network()
        try await Rig.with(Setup(), [net]) { rig in
            let texts = ["one", "one", "two", "one"]
            let envelopes = texts.map {
                Envelope.message($0, from: "bob@partner.example", to: "alice@home.example", id: "7")
            }
            try await rig.send(envelopes, by: net)
            let answers = try await net.answers.wait(for: 4)
            #expect(answers.allSatisfy { $0.outcome == .accepted })
            #expect(try await rig.inbox.wait(for: 2).map(\.text) == ["one", "two"])
            #expect(rig.hops.all.count { $0.event == .duplicate } == 2)
        }
    }

    @Test("The same id and text to another user is another message")
    func sameIDToAnother() async throws {
        let net = network()
        try await Rig.with(Setup(), [net]) { rig in
            let envelopes = ["alice", "ann"].map {
                Envelope.message("all", from: "bob@partner.example", to: "\($0)@home.example", id: "7")
            }
            try await rig.send(envelopes, by: net)
            #expect(Set(try await rig.inbox.wait(for: 2).map(\.owner)) == ["alice@home.example", "ann@home.example"])
        }
    }

    @Test("An id as long as it may be is still recognised")
    func longID() async throws {
        let net = network()
        try await Rig.with(Setup(), [net]) { rig in
            let id = String(repeating: "x", count: 1023)
            let envelope = Envelope.message("once", from: "bob@partner.example", to: "alice@home.example", id: id)
            try await rig.send([envelope, envelope], by: net)
            _ = try await net.answers.wait(for: 2)
            try await rig.hops.first { $0.event == .duplicate }
        }
    }

    @Test("A subscription that is asked for again after it was cancelled is no duplicate")
    func subscriptionAgain() async throws {
        let net = network()
        try await Rig.with(Setup(), [net]) { rig in
            let from = try #require(Address("bob@partner.example"))
            let to = try #require(Address("alice@home.example"))
            let steps: [Subscription.Action] = [.request, .cancel, .request]
            let envelopes = steps.map {
                Envelope(from: from, to: to, id: "1", content: .subscription(Subscription($0)))
            }
            try await rig.send(envelopes, by: net)
            #expect(try await rig.inbox.wait(for: 3).map(\.text) == ["request", "cancel", "request"])
        }
    }
}
