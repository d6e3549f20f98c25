import ProviderKit
import Testing

@testable import Router

@Suite("Stalls", .timeLimit(.minutes(1)))
struct StallTests {
    private func setup() -> Setup {
        var setup = Setup()
        setup.limits.stallThreshold = .milliseconds(20)
        return setup
    }

    @Test(
        "A provider that takes nothing while envelopes wait is reported once, and when it goes on",
        arguments: [1, 100]
    )
    func blocked(waiting: Int) async throws {
        let pump = Script("pump", claims: ["pump@home.example"])
        let net = Script("net", claims: ["partner.example"]) { _, _ in false }
        try await Rig.with(setup(), [pump, net]) { rig in
            let envelopes = (0..<waiting).map {
                Envelope.message("\($0)", from: "pump@home.example", to: "user@partner.example")
            }
            try await rig.send(envelopes, by: pump)
            try await rig.log.lines.first { $0.contains("takes nothing from its lane") }
            #expect(try await rig.status(of: "net").counters.stalls == 1)
            try await rig.on(net) { provider in
                net.onDeliver = { _, delivery in
                    delivery.complete(.delivered)
                    return true
                }
                provider.host.ready()
            }
            try await net.taken.wait(for: waiting)
            try await rig.log.lines.first { $0.contains("takes envelopes again") }
            #expect(try await rig.status(of: "net").counters.stalls == 1)
        }
    }

    @Test("A provider that takes everything and settles nothing is no stall before its hands are full")
    func full() async throws {
        let pump = Script("pump", claims: ["pump@home.example"])
        let net = Script("net", claims: ["partner.example"]) { provider, delivery in
            provider.held.append(delivery)
            return true
        }
        var setup = setup()
        setup.limits.inFlightMax = 10
        try await Rig.with(setup, [pump, net]) { rig in
            let envelopes = (0..<11).map {
                Envelope.message("\($0)", from: "pump@home.example", to: "user@partner.example")
            }
            try await rig.send(Array(envelopes.prefix(10)), by: pump)
            try await net.taken.wait(for: 10)
            let ticks = Recorder<Void>()
            try await rig.on(net) { provider in
                _ = try provider.host.startTimer(after: 100) { ticks.append(()) }
            }
            try await ticks.wait(for: 1)
            #expect(try await rig.status(of: "net").counters.stalls == 0)
            try await rig.send([envelopes[10]], by: pump)
            try await rig.log.lines.first { $0.contains("takes nothing from its lane") }
            try await rig.on(net) { $0.completeHeld() }
            try await net.taken.wait(for: 11)
            try await rig.on(net) { $0.completeHeld() }
        }
    }
}
