import ProviderKit
import ProviderTestKit
import Testing

/// Providers over HTTP and UDP: right ones conform, and each planted bug is found by the rule that it breaks.
@Suite struct WebAndDatagramTests {
    static func hook(_ bug: HookProvider.Bug = .none) -> Conformance {
        guard let peer = Address("peer@hook.example") else { preconditionFailure("peer@hook.example is an address") }
        return Conformance(
            TestedPlugin(HookProvider.self),
            settings: ["url": "http://hooks.example/", "domain": "hook.example", "bug": bug.rawValue],
            to: peer
        ) {
            HookServer()
        }
    }

    static func knock(_ bug: KnockProvider.Bug = .none) -> Conformance {
        guard let peer = Address("peer@knock.example") else { preconditionFailure("peer@knock.example is an address") }
        return Conformance(
            TestedPlugin(KnockProvider.self),
            settings: ["server": KnockServer.address, "domain": "knock.example", "bug": bug.rawValue],
            to: peer
        ) {
            KnockServer()
        }
    }

    @Test(arguments: Conformance.Check.allCases)
    func aProviderOverHTTPConforms(to check: Conformance.Check) throws { try Self.hook().run(check) }

    @Test(arguments: Conformance.Check.allCases)
    func aProviderOverUDPConforms(to check: Conformance.Check) throws { try Self.knock().run(check) }

    struct Plant<Bug: Sendable>: Sendable {
        var bug: Bug
        var check: Conformance.Check
        var rule: Violation.Rule
    }

    static let hooks: [Plant<HookProvider.Bug>] = [
        Plant(bug: .deliversAnyAnswer, check: .messages, rule: .lost),
        Plant(bug: .deliversOnSend, check: .messages, rule: .lost),
        Plant(bug: .forgetsOnFailure, check: .messages, rule: .forgotten),
        Plant(bug: .dropsWhenBusy, check: .routerBusy, rule: .lostInbound),
        Plant(bug: .fetchesAgain, check: .messages, rule: .submittedTwice),
        Plant(bug: .stopsReading, check: .messages, rule: .answerLeft),
        Plant(bug: .requestsInStop, check: .startAndStop, rule: .callInStop),
    ]

    static let knocks: [Plant<KnockProvider.Bug>] = [
        Plant(bug: .neverResends, check: .lossyNetwork, rule: .forgotten),
        Plant(bug: .deliversOnSend, check: .lossyNetwork, rule: .lost),
        Plant(bug: .takesAnyAnswer, check: .lossyNetwork, rule: .lost),
        Plant(bug: .submitsTwice, check: .lossyNetwork, rule: .submittedTwice),
        Plant(bug: .answersWhenBusy, check: .routerBusy, rule: .lostInbound),
        Plant(bug: .sendsAfterClose, check: .startAndStop, rule: .socketAfterClosed),
    ]

    @Test(arguments: hooks)
    func aPlantedBugOverHTTPIsFound(_ plant: Plant<HookProvider.Bug>) throws {
        let failure = #expect(throws: ConformanceFailure.self) { try Self.hook(plant.bug).run(plant.check) }
        #expect(failure?.violation.rule == plant.rule, "\(failure.map { "\($0)" } ?? "")")
    }

    @Test(arguments: knocks)
    func aPlantedBugOverUDPIsFound(_ plant: Plant<KnockProvider.Bug>) throws {
        let failure = #expect(throws: ConformanceFailure.self) { try Self.knock(plant.bug).run(plant.check) }
        #expect(failure?.violation.rule == plant.rule, "\(failure.map { "\($0)" } ?? "")")
    }

    @Test func everyBugIsPlanted() {
        #expect(Set(Self.hooks.map(\.bug)) == Set(HookProvider.Bug.allCases).subtracting([.none]))
        #expect(Set(Self.knocks.map(\.bug)) == Set(KnockProvider.Bug.allCases).subtracting([.none]))
    }

    @Test func aTestReadsWhatAnInstanceCounts() throws {
        let simulation = Simulation(seed: 3)
        let server = HookServer()
        server.setUp(simulation.network)
        let instance = try simulation.start(
            TestedPlugin(HookProvider.self),
            settings: ["url": "http://hooks.example/", "domain": "hook.example"]
        )
        #expect(instance.metric("plugboard_plugin_hooks_sent_total") == 0)
        #expect(instance.metric("plugboard_plugin_hooks_sent") == nil)
        let (alice, peer) = (try #require(Address("alice@home.example")), try #require(Address("peer@hook.example")))
        let delivery = instance.deliver(Envelope(from: alice, to: peer, content: .message(Message(text: "hello"))))
        simulation.run(atMost: .seconds(60)) { delivery.isDelivered }
        #expect(instance.metric("plugboard_plugin_hooks_sent_total") == 1)
        try simulation.finish()
        #expect(instance.metrics.map(\.name) == ["plugboard_plugin_hooks_sent_total"])
    }

    @Test func aSocketThatTheSystemClosesIsToldOnceAndTheProviderGoesOn() throws {
        let simulation = Simulation(seed: 3)
        let server = KnockServer()
        server.setUp(simulation.network)
        let instance = try simulation.start(
            TestedPlugin(KnockProvider.self),
            settings: ["server": KnockServer.address, "domain": "knock.example"]
        )
        simulation.run(for: .seconds(1))
        instance.breakDatagramSockets()
        let (alice, peer) = (try #require(Address("alice@home.example")), try #require(Address("peer@knock.example")))
        simulation.run(for: .seconds(1))
        let delivery = instance.deliver(Envelope(from: alice, to: peer, content: .message(Message(text: "hello"))))
        simulation.run(for: .seconds(1))
        let outcome = try #require(delivery.outcomes.last)
        guard case .deferred(let reason) = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(reason.failureClass == .unavailable)
        try simulation.check()
    }
}
