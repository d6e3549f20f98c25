import Configuration
import IMModel
import Policy
import PolicyStore
import ProviderKit
import Testing

@testable import Router

@Suite("Policy", .timeLimit(.minutes(1)))
struct PolicyTests {
    private let net = Script("net", claims: ["partner.example", "stranger.example"])

    /// A router with a policy; `more` are lines of the section, indented by two.
    private func setup(_ more: String) -> Setup {
        var setup = Setup()
        setup.moreProviders = "policy:\n  federation: true\n" + more
        return setup
    }

    private static let federation = """
          providers: {net: {network: sip, enabled: true}}
          partners: {allowed: [{domain: partner.example, type: federated}], blocked: [bad.example]}
          access: {global: {federation: true}, users: {eve@home.example: {federation: false}}}
        """

    private static let yahoo = """
          providers: {net: {network: yahoo, enabled: true, passed_dates: ignore}}
          access: {global: {public: true}}
        """

    private func sentence(_ outcome: Outcome) -> String? {
        if case .failed(let reason) = outcome { reason.text } else { nil }
    }

    @Test("A home user who may not is refused with the reason, and one who may is not")
    func outgoing() async throws {
        try await Rig.with(setup(Self.federation), [net]) { rig in
            let refused = await rig.router.send(.message("a", from: "eve@home.example", to: "bob@partner.example"))
            let reason = Outcome.Reason(
                .policy,
                "eve@home.example may not talk to partners",
                code: "no-federation-access"
            )
            #expect(refused.outcome == .failed(reason))
            let taken = await rig.router.send(.message("b", from: "ann@home.example", to: "bob@partner.example"))
            #expect(taken.outcome == .accepted)
            let arrived = try await net.taken.wait(for: 1)
            #expect(arrived.map(\.text) == ["b"])
        }
    }

    @Test("A partner that is not listed is refused with the reason, and the refusal is in the audit log with its place")
    func incoming() async throws {
        try await Rig.with(setup(Self.federation), [net]) { rig in
            try await rig.send([.message("secret", from: "joe@stranger.example", to: "ann@home.example")], by: net)
            let answer = try #require(try await net.answers.wait(for: 1).first)
            let sentence = "the domain stranger.example is not an allowed partner"
            #expect(answer.outcome == .failed(Outcome.Reason(.policy, sentence, code: "partner-not-allowed")))
            let entry = try #require(try rig.router.auditLog(limit: 10).last)
            #expect(entry.actor == "net" && entry.what == "refused")
            #expect(entry.detail.hasPrefix("message from joe@stranger.example to ann@home.example: \(sentence) ("))
            #expect(entry.detail.contains("policy") && !entry.detail.contains("secret"))
        }
    }

    @Test("What is explained is what happens")
    func explained() async throws {
        try await Rig.with(setup(Self.federation), [net]) { rig in
            for (from, to) in [
                ("eve@home.example", "bob@partner.example"), ("ann@home.example", "bob@partner.example"),
                ("ann@home.example", "joe@stranger.example"), ("ann@home.example", "u@nowhere.example"),
                ("ann@home.example", "eve@home.example"),
            ] {
                let sent = await rig.router.send(.message("a", from: from, to: to))
                let (sender, recipient) = try (#require(Address(from)), #require(Address(to)))
                let explained = try #require(await rig.router.explain(from: sender, to: recipient, kind: .message))
                #expect(explained.isAllowed == (sent.outcome == .accepted), "\(from) \(to)")
                #expect(explained.refusal == sentence(sent.outcome), "\(from) \(to)")
            }
            let sender = try #require(Address("joe@elsewhere.example"))
            let recipient = try #require(Address("ann@home.example"))
            let unknown = await rig.router.explain(from: sender, to: recipient, kind: .message)
            #expect(unknown?.refusal == "no provider serves elsewhere.example")
        }
    }

    @Test("A seat counts from the moment it is assigned until it is revoked, and outlives a restart")
    func seats() async throws {
        let folder = try TemporaryFolder()
        let message = Envelope.message("a", from: "ann@home.example", to: "bob@partner.example")
        let day = try #require(PolicyDate("2014-01-01"))
        try await Rig.with(setup(Self.yahoo), [net], in: folder) { rig in
            let refused = await rig.router.send(message)
            #expect(sentence(refused.outcome) == "ann@home.example has no seat of the licence 'pic', which net needs")
            let seat = try await rig.router.assignSeat(
                user: "ann@home.example",
                licence: "pic",
                from: day,
                until: nil,
                by: "uid 7"
            )
            #expect(seat.id == 1 && seat.warnings.isEmpty)
            #expect(await rig.router.send(message).outcome == .accepted)
        }
        let again = Script("net", claims: net.claims)
        try await Rig.with(setup(Self.yahoo), [again], in: folder) { rig in
            #expect(await rig.router.send(message).outcome == .accepted)
            #expect(try await rig.router.revokeSeat(1, by: "uid 8").user == "ann@home.example")
            #expect(await rig.router.send(message).outcome != .accepted)
            await #expect(throws: Router.SeatRefusal.self) { try await rig.router.revokeSeat(1, by: "uid 8") }
            let log = try rig.router.auditLog(limit: 100).filter { $0.what.hasPrefix("seat") }
            #expect(log.map { "\($0.actor): \($0.what)" } == ["uid 7: seat assigned", "uid 8: seat revoked"])
        }
    }

    @Test(
        "A licence that is not sold any more is refused, assigned with a warning, or just assigned, as the operator chose",
        arguments: ["block", "warn", "ignore"]
    )
    func closedSale(_ choice: String) async throws {
        let policy = Self.yahoo.replacing("passed_dates: ignore", with: "end_of_life: none, passed_dates: \(choice)")
        let day = try #require(PolicyDate("2014-01-01"))
        try await Rig.with(setup(policy), [net]) { rig in
            var warnings: [String]?
            do {
                warnings = try await rig.router.assignSeat(
                    user: "ann@home.example",
                    licence: "pic",
                    from: day,
                    until: nil,
                    by: "uid 7"
                ).warnings
            } catch {
                #expect("\(error)".hasPrefix("the licence 'pic' is not sold since 2012-09-01"))
            }
            let expected: [String]? =
                choice == "block" ? nil : choice == "warn" ? ["the licence 'pic' is not sold since 2012-09-01"] : []
            #expect(warnings == expected)
        }
    }

    @Test("A seat of a stranger, or of a licence that there is not, is refused")
    func wrongSeats() async throws {
        let day = try #require(PolicyDate("2014-01-01"))
        try await Rig.with(setup(Self.yahoo), [net]) { rig in
            for (user, licence) in [("ann@partner.example", "pic"), ("ann@home.example", "gold")] {
                await #expect(throws: Router.SeatRefusal.self) {
                    try await rig.router.assignSeat(user: user, licence: licence, from: day, until: nil, by: "uid 7")
                }
            }
            let seats = try rig.router.assignedSeats()
            #expect(seats.isEmpty)
        }
    }

    @Test("Of a partner whose users nobody vouches for, the user has to have added the sender")
    func contacts() async throws {
        let policy = Self.federation.replacing("type: federated", with: "type: public-unverified")
        try await Rig.with(setup(policy), [net]) { rig in
            let message = Envelope.message("a", from: "bob@partner.example", to: "ann@home.example")
            try await rig.send([message], by: net)
            #expect(
                try await net.answers.wait(for: 1).last?.outcome.sentence
                    == "ann@home.example has to add bob@partner.example as a contact first"
            )
            try await addContact(rig)
            try await rig.send([message], by: net)
            #expect(try await net.answers.wait(for: 2).last?.outcome == .accepted)
            let (ann, bob) = try (#require(Address("ann@home.example")), #require(Address("bob@partner.example")))
            _ = try await rig.router.change(bob, of: ann, .remove)
            try await rig.send([message], by: net)
            #expect(try await net.answers.wait(for: 3).last?.outcome != .accepted)
        }
    }

    /// Puts bob on ann's list.
    private func addContact(_ rig: Rig) async throws {
        let (ann, bob) = try (#require(Address("ann@home.example")), #require(Address("bob@partner.example")))
        _ = try await rig.router.change(bob, of: ann, .add(name: nil, groups: nil, asks: false))
    }

    @Test("A discovered partner is held to its rate and its number of users, and is watched then; a listed one is not")
    func discovered() async throws {
        let policy =
            Self.federation + "\n  partner_discovery: true\n  discovered: {messages_per_second: 1000, targets: 2}"
        try await Rig.with(setup(policy), [net]) { rig in
            let messages = ["a", "b", "c", "a"].map {
                Envelope.message($0, from: "joe@stranger.example", to: "\($0)@home.example")
            }
            try await rig.send(messages, by: net)
            let answers = try await net.answers.wait(for: 4)
            let refusal = "stranger.example has addressed as many users as an organisation may that is not listed here"
            #expect(Set(answers.filter { $0.outcome != .accepted }.map(\.text)) == ["c"])
            #expect(answers.first { $0.text == "c" }?.outcome.sentence == refusal)
            #expect(try await rig.status(of: "net").watched == ["stranger.example"])
            // It is explained as it happens, and asking counts for nothing.
            let sender = try #require(Address("joe@stranger.example"))
            for (user, expected) in [("a", nil), ("d", refusal), ("b", nil)] {
                let recipient = try #require(Address("\(user)@home.example"))
                let explained = await rig.router.explain(from: sender, to: recipient, kind: .message)
                #expect(explained?.refusal == expected && explained?.isAllowed == (expected == nil))
                #expect(explained?.trail.last?.rule == .discovered)
                #expect(explained?.trail.last?.place.keyPath == "policy.discovered")
            }
            let more = ["d", "e", "f"].map {
                Envelope.message($0, from: "bob@partner.example", to: "\($0)@home.example")
            }
            try await rig.send(more, by: net)
            #expect(try await net.answers.wait(for: 7).suffix(3).allSatisfy { $0.outcome == .accepted })
            #expect(try await rig.status(of: "net").watched == ["stranger.example"])
        }
    }

    @Test("What the router has no room for now is counted when it is taken, and not before", arguments: [true, false])
    func discoveredAndBusy(isDurable: Bool) async throws {
        var setup = Setup.tiny(isDurable: isDurable)
        setup.moreProviders = "policy:\n  federation: true\n  partner_discovery: true\n" + Self.federation
        try await Rig.with(setup, [net]) { rig in
            let messages = (0..<20).map {
                Envelope.message("\($0)", from: "joe@stranger.example", to: "ann@home.example")
            }
            try await rig.send(messages, by: net)
            let answers = try await net.answers.wait(for: 20)
            #expect(answers.allSatisfy { $0.outcome == .accepted })
            #expect(!net.busy.all.isEmpty, "there was always room")
        }
    }

    @Test("Another policy counts after a reload, and is in the audit log")
    func reload() async throws {
        try await Rig.with(setup(Self.federation), [net]) { rig in
            var configuration = rig.router.currentConfiguration
            configuration.policy?.users = [:]
            let answer = await rig.router.reload(configuration, by: "uid 7")
            #expect(answer.isApplied && answer.done == ["took over policy"])
            let taken = await rig.router.send(.message("a", from: "eve@home.example", to: "bob@partner.example"))
            #expect(taken.outcome == .accepted)
            configuration.policy = nil
            _ = await rig.router.reload(configuration)
            let open = await rig.router.send(.message("a", from: "eve@home.example", to: "joe@stranger.example"))
            #expect(open.outcome == .accepted)
            let log = try rig.router.auditLog(limit: 10).map { "\($0.actor): \($0.what): \($0.detail)" }
            #expect(
                log == [
                    "start: policy introduced: 15 settings, from test.yaml:11",
                    "uid 7: policy changed: access.users.eve@home.example.federation: false → not set",
                    "host: policy removed: every provider is open to every home user",
                ]
            )
        }
    }

    @Test(
        "A provider whose word counts brings senders that it vouches for, and those of whom it does not know if they are contacts",
        arguments: [
            (Vouching.verified, "mia", "accepted"), (.unverified, "bob", "accepted"),
            (.unverified, "mia", "not-a-contact"), (.absent, "bob", "not-vouched"),
        ]
    )
    func vouching(_ vouching: Vouching, _ sender: String, _ expected: String) async throws {
        let policy = """
              providers: {net: {network: skype, enabled: true, verification: provider}}
              access: {global: {public: true}}
            """
        try await Rig.with(setup(policy), [net]) { rig in
            try await addContact(rig)
            var message = Envelope.message("a", from: "\(sender)@partner.example", to: "ann@home.example")
            message.vouching = vouching
            try await rig.send([message], by: net)
            let outcome = try #require(try await net.answers.wait(for: 1).first?.outcome)
            if case .failed(let reason) = outcome {
                #expect(reason.code == expected)
            } else {
                #expect("\(outcome)" == expected)
            }
        }
    }
}
