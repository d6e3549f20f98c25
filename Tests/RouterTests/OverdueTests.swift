import ProviderKit
import Testing

@testable import Router

@Suite("Envelopes that a provider takes and does not settle", .timeLimit(.minutes(1)))
struct OverdueTests {
    private func setup(isDurable: Bool = true) -> Setup {
        var setup = Setup(isDurable: isDurable)
        setup.limits.settleTime = .milliseconds(100)
        // It is looked as often as for stalls.
        setup.limits.stallThreshold = .milliseconds(20)
        return setup
    }

    private let pump = Script("pump", claims: ["pump@home.example"])

    /// A provider that keeps the first `count` envelopes and delivers the others.
    private func net(keeping count: Int) -> Script {
        var kept = 0
        return Script("net", claims: ["partner.example"]) { provider, delivery in
            guard kept < count else {
                delivery.complete(.delivered)
                return true
            }
            kept += 1
            provider.held.append(delivery)
            return true
        }
    }

    private func message(_ text: String) -> Envelope {
        .message(text, from: "pump@home.example", to: "user@partner.example")
    }

    @Test("What is stored comes again, marked as redelivered, and the provider is named in the log")
    func comesAgain() async throws {
        let net = net(keeping: 1)
        try await Rig.with(setup(), [pump, net]) { rig in
            try await rig.send([message("one")], by: pump)
            let taken = try await net.taken.wait(for: 2)
            #expect(taken.map(\.text) == ["one", "one"])
            #expect(taken.map(\.isRedelivered) == [false, true])
            let line = try await rig.log.lines.first { $0.contains("did not settle what it took") }
            #expect(line.contains("net") && line.contains("warning"))
            let status = try await rig.status(of: "net")
            #expect(status.counters.overdue == 1)
            #expect(status.counters.deferred == 1)
            #expect(status.inFlight == 0)
        }
    }

    @Test("A conversation keeps its order when its first message is taken back")
    func order() async throws {
        let net = net(keeping: 1)
        try await Rig.with(setup(), [pump, net]) { rig in
            try await rig.send([message("one")], by: pump)
            try await net.taken.wait(for: 1)
            try await rig.hops.first { if case .deferred = $0.event { true } else { false } }
            try await rig.send([message("two")], by: pump)
            #expect(try await net.taken.wait(for: 3).map(\.text) == ["one", "one", "two"])
        }
    }

    @Test("Who settles it afterwards is told that there is no such envelope, and it is not counted")
    func lateComplete() async throws {
        let net = net(keeping: 1)
        try await Rig.with(setup(), [pump, net]) { rig in
            try await rig.send([message("one")], by: pump)
            try await net.taken.wait(for: 2)
            try await rig.on(net) { $0.completeHeld(.failed(Outcome.Reason(.recipient, "too late"))) }
            try await rig.log.lines.first { $0.contains("completed twice") }
            let counters = try await rig.status(of: "net").counters
            #expect(counters.failed == 0)
            #expect(counters.delivered == 1)
        }
    }

    @Test("What is not stored has failed, and its author is told that it may have arrived")
    func notStored() async throws {
        let net = net(keeping: 1)
        try await Rig.with(setup(isDurable: false), [pump, net]) { rig in
            try await rig.send([message("one")], by: pump)
            let failure = try #require(try await pump.taken.wait(for: 1).first?.failure)
            #expect(failure.isUncertain)
            #expect(failure.code == "overdue")
        }
    }

    @Test("A provider whose hands are full of forgotten envelopes is offered more when they are taken back")
    func full() async throws {
        let net = net(keeping: 3)
        var setup = setup()
        setup.limits.inFlightMax = 3
        try await Rig.with(setup, [pump, net]) { rig in
            let envelopes = (0..<4).map {
                Envelope.message("\($0)", from: "pump@home.example", to: "user\($0)@partner.example")
            }
            try await rig.send(envelopes, by: pump)
            let taken = try await net.taken.wait(for: 7)
            #expect(Set(taken.map(\.text)) == ["0", "1", "2", "3"])
            #expect(try await rig.status(of: "net").counters.overdue == 3)
        }
    }
}
