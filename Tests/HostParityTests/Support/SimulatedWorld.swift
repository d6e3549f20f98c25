import IMModel
import ProviderTestKit
import Testing

/// Plays uses on simulated hosts, one world each.
final class SimulatedWorld: ProbeWorld, @unchecked Sendable {  // Safe: used on one thread.
    /// What came of a use.
    struct Result: Sendable {
        var record: Record
        /// The rule that was broken first.
        var violation: Violation?
        /// What the probe still waited for in the end.
        var stuckAt: String?
    }

    private let simulation = Simulation(seed: 1)
    let webPort: UInt16 = 8080
    private var instance: SimulatedInstance?

    /// How much virtual time a use may take.
    private static let timeMax = Duration.seconds(60)

    /// - Parameter change: makes the world another one, before the probe starts.
    static func play(_ use: Use, id: String, _ change: (Simulation) -> Void = { _ in }) throws -> Result {
        let world = SimulatedWorld()
        change(world.simulation)
        return try world.play(use, id: id)
    }

    private func play(_ use: Use, id: String) throws -> Result {
        simulation.isForgiving = true
        simulation.network.conditions.splitOneIn = 0
        simulation.network.conditions.delay = .microseconds(50)...Duration.milliseconds(1)
        simulation.router.retryAfter = .milliseconds(100)...Duration.milliseconds(100)
        for address in ["192.0.2.1", "192.0.2.2"] { simulation.network.name("two.example", address: address) }
        for name in ["broken.example", "_im._tcp.broken.example"] { simulation.network.breakName(name) }
        simulation.network.serve("127.0.0.1", port: webPort) { WebScript.answer($0) }
        let probe = Probe(use, id: id, world: self)
        let instance = try simulation.make(TestedPlugin(entry: { _ in probe.plugin }), id: id)
        // What a real router knows by its table of routes.
        instance.verdict = { [domain = probe.domain] envelope in
            if envelope.from.domain != domain { return .init(.policy, "not its own", code: "foreign-sender") }
            if envelope.to.domain != "home.example" { return .init(.recipient, "nobody serves it", code: "no-route") }
            return nil
        }
        self.instance = instance
        try instance.start()
        simulation.run(atMost: Self.timeMax) { probe.isDone }
        // On the real host, too, others are not done yet.
        simulation.run(for: .seconds(5))
        instance.drain()
        simulation.run(for: .seconds(5))
        instance.stop()
        let stuckAt = probe.isDone ? nil : probe.waitsFor
        return Result(record: probe.record, violation: simulation.violation, stuckAt: stuckAt)
    }

    func change(_ changes: [AccountChange], of probe: Probe) {
        guard let alice = Address("alice@home.example") else { return }
        for change in changes {
            switch change {
            case .link(let name, let password): instance?.link(name, to: alice, password: password)
            case .unlink(let name): instance?.unlink(name)
            }
        }
    }

    func send(_ envelopes: [Envelope], to probe: Probe) {
        for envelope in envelopes { instance?.deliver(envelope) }
    }
}
