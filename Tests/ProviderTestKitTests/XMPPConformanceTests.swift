import ProviderKit
import ProviderTestKit
import Testing
import XMPPBridge

@Suite struct XMPPConformanceTests {
    @Test(arguments: Conformance.Check.allCases)
    func theXMPPProviderConforms(to check: Conformance.Check) throws {
        let bob = try #require(Address("bob@b.test"))
        let settings = [
            "listen[0]": "198.51.100.1:5269", "dialback_secret": "not a secret", "partners[0].domain": "b.test",
            "partners[0].tls": "not-supported", "partners[0].sasl": "not-supported", "partners[0].dialback": "true",
        ]
        var conformance = Conformance(
            TestedPlugin(XMPPProvider.self),
            settings: settings,
            homeDomains: ["a.test"],
            to: bob
        ) {
            XMPPPeer(bytesPerSecond: check == .slowPeer ? 2000 : nil)
        }
        var contradiction = settings
        contradiction["partners[0].dialback"] = "false"
        var ill = settings
        ill["partners[0].domain"] = "b..test"
        conformance.refused = [contradiction, ill, ["partners[0].tls": "required"]]
        // Each place is a whole scenario, and negotiations make many.
        conformance.seedCount = 4
        try conformance.run(check)
    }

    @Test func theScriptedServersUsersAreHeard() throws {
        let simulation = Simulation(seed: 5)
        let peer = XMPPPeer()
        peer.setUp(simulation.network)
        let a = try server(
            "a.test",
            "198.51.100.1",
            partner: "b.test",
            TestedPlugin(XMPPProvider.self),
            simulation,
            [
                "partners[0].tls": "not-supported", "partners[0].sasl": "not-supported",
            ]
        )
        try a.start()
        peer.started(a)
        simulation.run(for: .seconds(5))
        for number in 1...10 { peer.say(Marker(number)) }
        simulation.run(for: .seconds(5))
        #expect(a.submitted.map(\.id) == (1...10).map { "\(Marker($0))" })
        try simulation.finish()
    }

    @Test func twoServersFederateOverSimulatedTLS() throws {
        let simulation = Simulation(seed: 3)
        simulation.network.name("a.test", address: "198.51.100.1")
        simulation.network.name("b.test", address: "198.51.100.2")
        let plugin = TestedPlugin(XMPPProvider.self)
        let a = try server("a.test", "198.51.100.1", partner: "b.test", plugin, simulation)
        let b = try server("b.test", "198.51.100.2", partner: "a.test", plugin, simulation)
        try a.start()
        try b.start()
        let alice = try #require(Address("alice@a.test"))
        let bob = try #require(Address("bob@b.test"))
        let there = a.deliver(Envelope(from: alice, to: bob, id: "m1", content: .message(Message(text: "hello"))))
        let back = b.deliver(Envelope(from: bob, to: alice, id: "m2", content: .message(Message(text: "well met"))))
        simulation.run(for: .seconds(10))
        #expect(there.isDelivered)
        #expect(back.isDelivered)
        #expect(b.submitted.map(\.id) == ["m1"])
        #expect(a.submitted.map(\.id) == ["m2"])
        #expect(a.links.contains { $0.name == "b.test" && $0.state == .up && $0.detail.contains("TLSv1.3") })
        try simulation.finish()
    }

    @Test func aServerWithoutATrustedCertificateIsNotSentAnything() throws {
        let simulation = Simulation(seed: 4)
        simulation.network.name("a.test", address: "198.51.100.1")
        simulation.network.name("b.test", address: "198.51.100.2")
        let plugin = TestedPlugin(XMPPProvider.self)
        let a = try server("a.test", "198.51.100.1", partner: "b.test", plugin, simulation)
        let b = try server("b.test", "198.51.100.2", partner: "a.test", plugin, simulation)
        b.identities = ["b.test": SimulatedCertificate("b.test", isTrusted: false)]
        try a.start()
        try b.start()
        let alice = try #require(Address("alice@a.test"))
        let bob = try #require(Address("bob@b.test"))
        let message = a.deliver(Envelope(from: alice, to: bob, id: "m1", content: .message(Message(text: "hello"))))
        simulation.run(for: .seconds(20))
        #expect(!message.isDelivered)
        #expect(b.submitted.isEmpty)
        try simulation.finish()
    }

    private func server(
        _ domain: String,
        _ address: String,
        partner: String,
        _ plugin: TestedPlugin,
        _ simulation: Simulation,
        _ more: [String: String] = [:]
    ) throws -> SimulatedInstance {
        let instance = try simulation.make(
            plugin,
            settings: more.merging(["listen[0]": "\(address):5269", "partners[0].domain": partner]) { $1 },
            id: domain,
            homeDomains: [domain]
        )
        #expect(instance.address == address)
        instance.identities = [domain: SimulatedCertificate(domain)]
        return instance
    }
}
