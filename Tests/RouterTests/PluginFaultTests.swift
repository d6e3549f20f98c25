import Configuration
import PluginHost
import Spool
import Testing

@testable import ProviderKit
@testable import Router

@Suite("Plugins at fault", .timeLimit(.minutes(1)))
struct PluginFaultTests {
    private let pump = Script("pump", claims: ["pump@home.example"])

    private func message(_ text: String, to user: String = "user@partner.example") -> Envelope {
        .message(text, from: "pump@home.example", to: user)
    }

    @Test("Providers that cannot be loaded, made or started leave the others alone, and the reasons are told")
    func othersRun() async throws {
        let unmade = Script("unmade", claims: ["unmade.example"])
        unmade.createFailure = "the moon is wrong"
        let unstarted = Script("unstarted", claims: ["unstarted.example"])
        unstarted.startFailure = "the sun is wrong"
        let net = Script("net", claims: ["partner.example"])
        var setup = Setup()
        setup.moreProviders = "  missing: {plugin: NoSuchPlugin}"
        try await Rig.with(setup, [unmade, unstarted, pump, net]) { rig in
            try await rig.send([message("still here")], by: pump)
            try await net.taken.first { $0.text == "still here" }
            #expect(try await rig.status(of: "unmade").state == "failed")
            #expect(try await rig.status(of: "unmade").failure == "unmade was not created: the moon is wrong")
            #expect(try await rig.status(of: "unstarted").state == "failed")
            #expect(try await rig.status(of: "net").state == "running")

            let problems = rig.setups.reduce(into: [:]) { $0[$1.name] = $1.problems.map(\.message) }
            #expect(problems["unmade"] == ["unmade was not created: the moon is wrong"])
            #expect(problems["unstarted"]?.count == 1)
            #expect(problems["missing"]?.first?.hasPrefix("no libNoSuchPlugin.so in ") == true)
            #expect(problems["net"] == [])
            // Nobody serves what they would have served.
            for domain in ["unmade.example", "unstarted.example"] {
                try await rig.send([message("lost", to: "user@\(domain)")], by: pump)
                try await pump.answers.first { $0.outcome.sentence == "no provider serves \(domain)" }
            }
        }
    }

    @Test("Of two providers that claim one domain the first has it, and the second says so")
    func conflict() async throws {
        let (first, second) = (
            Script("first", claims: ["partner.example"]), Script("second", claims: ["partner.example"])
        )
        try await Rig.with(Setup(workers: 2), [pump, first, second]) { rig in
            try await rig.send([message("whose?")], by: pump)
            try await first.taken.wait(for: 1)
            #expect(try await rig.status(of: "second").state == "failed")
            #expect(rig.log.lines.all.contains { $0.contains("partner.example cannot be claimed: conflict") })
        }
    }

    @Test("A home domain cannot be claimed, one address of it can")
    func homeConflict() async throws {
        let thief = Script("thief", claims: ["home.example"])
        try await Rig.with(Setup(), [thief, pump]) { rig in
            #expect(try await rig.status(of: "thief").state == "failed")
            #expect(await rig.router.send(message("hi", to: "pump@home.example").from("alice")).outcome == .accepted)
            try await pump.taken.first { $0.text == "hi" }
        }
    }

    @Test("What a provider claimed before its start failed is free for the next")
    func claimsDropped() async throws {
        let first = Script("first", claims: ["partner.example", "home.example"])
        let second = Script("second", claims: ["partner.example"])
        try await Rig.with(Setup(), [first, second, pump]) { rig in
            #expect(try await rig.status(of: "first").state == "failed")
            try await rig.send([message("for the second")], by: pump)
            try await second.taken.wait(for: 1)
        }
    }

    @Test("What is on disk for a provider that does not run stays there, and is no work for anybody")
    func rowsOfStopped() async throws {
        let folder = try TemporaryFolder()
        let closed = Script("net", claims: ["partner.example"]) { _, _ in false }
        var setup = Setup()
        setup.limits.drainTime = .zero
        try await Rig.with(setup, [pump, closed], in: folder) { rig in
            try await rig.send((0..<100).map { message("\($0)") }, by: pump)
            try await pump.answers.wait(for: 100)
        }
        let stopped = Script("net", claims: ["partner.example"])
        stopped.startFailure = "no network"
        let other = Script("pump", claims: ["pump@home.example"])
        try await Rig.with(setup, [other, stopped], in: folder) { rig in
            #expect(await rig.router.send(message("x", to: "pump@home.example").from("alice")).outcome == .accepted)
            try await other.taken.wait(for: 1)
            #expect(try await rig.status(of: "net").laneDepth == 0)
            let counts = try rig.counts()
            #expect(counts.pending >= 100)
        }
    }

    @Test("Settling twice, what is unknown, or what was not taken changes nothing else")
    func tokens() async throws {
        let refused = Recorder<String>()
        let net = Script("net", claims: ["partner.example"])
        net.onDeliver = { provider, delivery in
            switch delivery.envelope.text {
            case "twice":
                delivery.complete(.delivered)
                delivery.complete(.failed(Outcome.Reason(.recipient, "no")))
            case "unknown":
                provider.host.complete(0, .delivered)
                provider.host.complete(.max, .delivered)
                provider.host.complete(delivery.token ^ 1, .delivered)
                provider.host.complete(delivery.token + 1 << 32, .delivered)
                delivery.complete(.delivered)
            case "settled and refused":
                delivery.complete(.delivered)
                refused.append(delivery.envelope.text)
                provider.host.ready()
                return false
            case "refused and settled" where refused.all.count < 2:
                refused.append(delivery.envelope.text)
                _ = try? provider.host.startTimer(after: 1) {
                    delivery.complete(.delivered)
                    provider.host.ready()
                }
                return false
            default:
                delivery.complete(.delivered)
            }
            return true
        }
        try await Rig.with(Setup(), [pump, net]) { rig in
            let texts = ["twice", "unknown", "settled and refused", "refused and settled", "last"]
            try await rig.send(texts.map { message($0) }, by: pump)
            try await net.taken.first { $0.text == "last" }
            // What it settled although it refused it is not offered again.
            #expect(net.taken.all.map(\.text) == ["twice", "unknown", "refused and settled", "last"])
            try await rig.log.lines.first { $0.contains("settled an envelope that it did not take") }
            let status = try await rig.status(of: "net")
            #expect(status.counters.delivered == 5)
            #expect(status.counters.failed == 0)
            #expect(status.inFlight == 0)
        }
    }

    @Test("A second provider may be the same plugin")
    func sharedPlugin() async throws {
        let pair = [Script("one", claims: ["one.example"]), Script("two", claims: ["two.example"])]
        try await Rig.with(Setup(), [pump] + pair) { rig in
            try await rig.send([message("1", to: "u@one.example"), message("2", to: "u@two.example")], by: pump)
            #expect(try await pair[0].taken.wait(for: 1).map(\.text) == ["1"])
            #expect(try await pair[1].taken.wait(for: 1).map(\.text) == ["2"])
        }
    }
}

extension Envelope {
    /// The same from a user of the home domain.
    fileprivate func from(_ user: String) -> Envelope {
        .message(text, from: "\(user)@home.example", to: to.description)
    }
}
