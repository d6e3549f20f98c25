import ProviderKit
import Testing

@testable import Router

@Suite("Refusals", .timeLimit(.minutes(1)))
struct RefusalTests {
    private let net = Script("net", claims: ["partner.example", "friend.example"])

    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var from: String
        var to: String
        var hops: UInt32 = 0
        var expires: Int64 = 0
        var failureClass: FailureClass
        var sentence: String
        var code: String
    }

    @Test(
        "What a provider may not hand in is refused with the reason",
        arguments: [
            Case(
                testDescription: "nobody serves the recipient",
                from: "bob@partner.example",
                to: "eve@nowhere.example",
                failureClass: .recipient,
                sentence: "no provider serves nowhere.example",
                code: "no-route"
            ),
            Case(
                testDescription: "the sender is another provider's",
                from: "alice@home.example",
                to: "ann@home.example",
                failureClass: .policy,
                sentence: "alice@home.example is not an address of the provider net",
                code: "foreign-sender"
            ),
            Case(
                testDescription: "the sender is nobody's",
                from: "mallory@nowhere.example",
                to: "alice@home.example",
                failureClass: .policy,
                sentence: "mallory@nowhere.example is not an address of the provider net",
                code: "foreign-sender"
            ),
            Case(
                testDescription: "neither side is home",
                from: "bob@partner.example",
                to: "ben@friend.example",
                failureClass: .policy,
                sentence: "neither the sender nor the recipient belongs to a home domain",
                code: "neither-side-home"
            ),
            Case(
                testDescription: "it has crossed too many routers",
                from: "bob@partner.example",
                to: "alice@home.example",
                hops: 16,
                failureClass: .policy,
                sentence: "it has crossed 16 routers, which is the limit",
                code: "hop-limit"
            ),
            Case(
                testDescription: "its time is over",
                from: "bob@partner.example",
                to: "alice@home.example",
                expires: 1,
                failureClass: .transient,
                sentence: "it expired on the way",
                code: "expired"
            ),
        ]
    )
    func refused(_ it: Case) async throws {
        try await Rig.with(Setup(), [net]) { rig in
            var envelope = Envelope.message("text", from: it.from, to: it.to)
            envelope.hops = it.hops
            envelope.expires = it.expires
            try await rig.send([envelope], by: net)
            let answer = try #require(try await net.answers.wait(for: 1).first)
            #expect(answer.outcome == .failed(Outcome.Reason(it.failureClass, it.sentence, code: it.code)))
            #expect(rig.hops.all.map(\.event) == [.refused(it.sentence)])
            #expect(try await rig.status(of: "net").counters.refused == 1)
        }
    }

    @Test("An envelope on its last hop is taken")
    func lastHop() async throws {
        try await Rig.with(Setup(), [net]) { rig in
            var envelope = Envelope.message("text", from: "bob@partner.example", to: "alice@home.example")
            envelope.hops = 15
            try await rig.send([envelope], by: net)
            #expect(try await net.answers.wait(for: 1).first?.outcome == .accepted)
        }
    }

    @Test("What would go back to where it came from is refused")
    func loop() async throws {
        // One address of the home domain is the provider's own.
        let net = Script("net", claims: ["partner.example", "bot@home.example"])
        try await Rig.with(Setup(), [net]) { rig in
            try await rig.send([.message("text", from: "bob@partner.example", to: "bot@home.example")], by: net)
            let answer = try #require(try await net.answers.wait(for: 1).first)
            #expect(answer.outcome.sentence == "it would go back to net, where it came from")
        }
    }

    @Test("What is too large is refused to the provider and to the home user alike, and the largest is delivered")
    func oversize() async throws {
        try await Rig.with(Setup(), [net]) { rig in
            let (from, to) = ("bob@partner.example", "alice@home.example")
            let huge = String(repeating: "x", count: 524_288)
            try await rig.send([.message(huge, from: from, to: to)], by: net)
            #expect(try await net.answers.wait(for: 1).first?.outcome.sentence == "not taken: limitReached")
            let sent = await rig.router.send(.message(huge, from: to, to: from))
            #expect(sent.outcome == .failed(Outcome.Reason(.content, "the message is too large")))

            let large = String(repeating: "x", count: 520_000)
            #expect(await rig.router.send(.message(large, from: to, to: from)).outcome == .accepted)
            #expect(try await net.taken.wait(for: 1).first?.text == large)
        }
    }

    @Test("What is malformed is refused")
    func malformed() async throws {
        try await Rig.with(Setup(), [net]) { rig in
            var envelope = Envelope.message("text", from: "bob@partner.example", to: "alice@home.example")
            let groups = Array(repeating: "group", count: ContactChange.groupsMax + 1)
            let address = try #require(Address("carol@partner.example"))
            envelope.content = .contact(ContactChange(.added, address: address, groups: groups))
            try await rig.send([envelope], by: net)
            #expect(try await net.answers.wait(for: 1).first?.outcome.sentence == "not taken: limitReached")
        }
    }

    @Test("Who is no home user cannot send as one")
    func stranger() async throws {
        try await Rig.with(Setup(users: "[alice]"), [net]) { rig in
            for from in ["eve@home.example", "bob@partner.example", "home.example"] {
                let sent = await rig.router.send(.message("text", from: from, to: "bob@partner.example"))
                #expect(sent.outcome == .failed(Outcome.Reason(.policy, "\(from) is not a home user")))
            }
        }
    }

    @Test("A claim counts at once, also within the same call")
    func claimThenSubmit() async throws {
        let net = Script("net", claims: [])
        try await Rig.with(Setup(), [net]) { rig in
            try await rig.on(net) { provider in
                try provider.host.claim(domain: "late.example")
                provider.send([.message("text", from: "bob@late.example", to: "alice@home.example")])
            }
            #expect(try await net.answers.wait(for: 1).first?.outcome == .accepted)
        }
    }

    @Test("Once start() has returned, every worker knows all routes", arguments: [1, 2, 3])
    func routesAfterStart(workers: Int) async throws {
        let nets = (0..<3).map { Script("net\($0)", claims: ["partner\($0).example"]) }
        try await Rig.with(Setup(workers: workers), nets) { rig in
            for index in nets.indices {
                let to = "bob@partner\(index).example"
                #expect(
                    await rig.router.send(.message("text", from: "alice@home.example", to: to)).outcome == .accepted
                )
            }
        }
    }

    @Test("A claim is a domain or an address, within their limits")
    func claims() async throws {
        try await Rig.with(Setup(), [net]) { rig in
            try await rig.on(net) { provider in
                func claim(_ domain: String) -> HostError? {
                    do throws(HostError) {
                        try provider.host.claim(domain: domain)
                        return nil
                    } catch {
                        return error
                    }
                }
                #expect(claim(String(repeating: "a", count: 1023)) == nil)
                #expect(claim(String(repeating: "a", count: 1024)) == .limitReached)
                #expect(claim("two words.example") == .invalidArgument)
                #expect(claim("line\nend.example") == .invalidArgument)
            }
        }
    }

    @Test(
        "What the home provider itself does not take of a sender is logged as the router's refusals are, up to a limit"
    )
    func homeRefusals() async throws {
        try await Rig.with(Setup(), [net]) { rig in
            let message = Envelope.message("x", from: "mallory@nowhere.example", to: "bob@partner.example", id: "m1")
            for _ in 0...EnvelopeLog.linesMax {
                let outcome = await rig.router.send(message).outcome
                #expect(outcome.sentence == "mallory@nowhere.example is not a home user")
            }
            let line = try await rig.log.entries.first { $0.message == "an envelope was refused" }
            let expected = [
                "code": "not-home-user", "from": "mallory@nowhere.example", "to": "bob@partner.example",
                "partner": "partner.example", "kind": "message", "message-id": "m1", "provider": "home",
                "reason": "mallory@nowhere.example is not a home user",
            ]
            for (name, value) in expected { #expect(line.fields[name] == value, "\(name)") }
            let lines = rig.log.entries.all.filter { $0.message == "an envelope was refused" }
            #expect(lines.count == EnvelopeLog.linesMax)
        }
    }
}
