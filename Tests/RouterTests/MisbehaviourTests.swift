import Configuration
import Directory
import Foundation
import ProviderKit
import Synchronization
import Testing

@testable import Router

@Suite("Plugins that misbehave", .timeLimit(.minutes(1)))
struct MisbehaviourTests {
    private let pump = Script("pump", claims: ["pump@home.example"])

    private func message(_ text: String, to domain: String = "partner.example") -> Envelope {
        .message(text, from: "pump@home.example", to: "user@\(domain)")
    }

    /// Holds a callback until the test lets it go.
    private final class Gate: Sendable {
        private let gate = DispatchSemaphore(value: 0)
        let entered = Recorder<Void>()

        func wait() {
            entered.append(())
            gate.wait()
        }

        func open() { gate.signal() }
    }

    private func setup(_ worker: String = "shared", stuck: String = "100ms") -> Setup {
        var setup = Setup()
        setup.more["net"] = "worker: \(worker), limits: {slow_call: 20ms, stuck_call: \(stuck)}"
        setup.limits.watchInterval = .milliseconds(5)
        return setup
    }

    private func blocked(_ gate: Gate) -> Script {
        Script("net", claims: ["partner.example"]) { provider, delivery in
            if delivery.envelope.text == "block" {
                gate.wait()
            }
            delivery.complete(.delivered)
            return true
        }
    }

    @Test("A slow callback is counted and logged, with the provider's and the callback's name")
    func slow() async throws {
        let gate = Gate()
        let net = blocked(gate)
        try await Rig.with(setup(stuck: "1h"), [pump, net]) { rig in
            try await rig.send([message("block")], by: pump)
            try await gate.entered.wait(for: 1)
            let line = try await rig.log.lines.first { $0.contains("takes long in a callback") }
            #expect(line.contains("\"provider\": net"))
            #expect(line.contains("\"callback\": deliver"))
            gate.open()
            try await rig.send([message("after")], by: pump)
            try await net.taken.first { $0.text == "after" }
            let status = try await rig.status(of: "net")
            #expect(status.slowCalls == 1)
            #expect(status.state == "running")
        }
    }

    @Test("One that is stuck and returns is stopped: its routes go, what it held is kept, the others go on")
    func stuckAndBack() async throws {
        let folder = try TemporaryFolder()
        let gate = Gate()
        let net = blocked(gate)
        net.onDeliver = { provider, delivery in
            provider.held.append(delivery)
            if delivery.envelope.text == "block" { gate.wait() }
            return true
        }
        let other = Script("other", claims: ["other.example"])
        try await Rig.with(setup(), [pump, net, other], in: folder) { rig in
            try await rig.send([message("block")], by: pump)
            try await gate.entered.wait(for: 1)
            let line = try await rig.log.lines.first { $0.contains("is stuck in a callback") }
            #expect(line.contains("\"provider\": net"))
            // While it is stuck the status does not wait for it.
            #expect(try await rig.status(of: "net").state == "stuck")
            #expect(try await rig.status(of: "other").state == "held up")
            gate.open()
            try await rig.log.lines.first { $0.contains("a provider was stopped") && $0.contains("it spent more than") }
            try await rig.log.lines.first { $0.contains("has returned from a callback in which it was stuck") }
            try await rig.send([message("on", to: "other.example")], by: pump)
            try await other.taken.first { $0.text == "on" }
            try await rig.send([message("refused")], by: pump)
            try await pump.answers.first { $0.outcome.sentence == "no provider serves partner.example" }
            let status = try await rig.status(of: "net")
            #expect(status.state == "failed")
            #expect(status.failure.hasSuffix("in deliver"))
            // The operator lets it run again, and it gets what it held.
            net.onDeliver = { _, delivery in
                delivery.complete(.delivered)
                return true
            }
            #expect(await rig.router.enable("net") == nil)
            let again = try await net.taken.first { $0.text == "block" && $0.isRedelivered }
            #expect(again.to.domain == "partner.example")
        }
    }

    @Test("One that never returns and has a worker of its own is given up; the rest goes on, the end too")
    func never() async throws {
        let folder = try TemporaryFolder()
        let gate = Gate()
        let net = blocked(gate)
        let other = Script("other", claims: ["other.example"])
        let rig = try Rig(setup("own"), [pump, net, other], in: folder)
        _ = try await rig.router.start()
        try await rig.send([message("block"), message("behind")], by: pump)
        try await gate.entered.wait(for: 1)
        try await rig.log.lines.first { $0.contains("does not return from a callback") }
        try await rig.log.lines.first { $0.contains("a worker was given up, its provider is dead") }
        let status = try await rig.status(of: "net")
        #expect(status.state == "dead")
        #expect(status.failure.hasSuffix("in deliver"))
        try await rig.send([message("on", to: "other.example")], by: pump)
        try await other.taken.first { $0.text == "on" }
        #expect(await rig.router.enable("net")?.contains("restart the router") == true)
        // It ends although the thread does not.
        await rig.router.shutdown()
        // Let go at the end only: what it says was delivered then is so for the next start, too.
        defer { gate.open() }

        let again = Script("net", claims: ["partner.example"])
        try await Rig.with(Setup(), [Script("pump", claims: ["pump@home.example"]), again], in: folder) { _ in
            let taken = try await again.taken.wait(for: 2)
            #expect(taken.map(\.text) == ["block", "behind"])
        }
    }

    @Test("One that never returns and shares its worker is told to the host")
    func shared() async throws {
        let lost = Recorder<LostProvider>()
        let gate = Gate()
        let net = blocked(gate)
        try await Rig.with(setup(), [pump, net], onLost: { lost.append($0) }) { rig in
            try await rig.send([message("block")], by: pump)
            let told = try await lost.wait(for: 1)
            #expect(told.first?.name == "net")
            #expect(told.first?.reason.hasSuffix("in deliver") == true)
            gate.open()
            try await rig.log.lines.first { $0.contains("has returned from a callback in which it was stuck") }
        }
    }

    @Test("A provider in quarantine is not started; enabling it or a reload starts it", arguments: [true, false])
    func quarantine(isReloaded: Bool) async throws {
        let folder = try TemporaryFolder()
        try Quarantine(state: "\(folder.path)/state").add("net", because: "it spent its time")
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(Setup(), [pump, net], in: folder) { rig in
            #expect(net.provider == nil)
            let setup = rig.setups.first { $0.name == "net" }
            #expect(setup?.quarantine == "it spent its time")
            if isReloaded {
                let answer = await rig.router.reload(rig.router.currentConfiguration)
                #expect(answer.done == ["started net, which did not run"])
            } else {
                #expect(await rig.router.enable("net") == nil)
            }
            try await rig.send([message("there")], by: pump)
            try await net.taken.wait(for: 1)
            #expect(Quarantine(state: "\(folder.path)/state").all() == [:])
            #expect(rig.router.setups.first { $0.name == "net" }?.quarantine == nil)
        }
    }

    @Test("One that hands in too much waits, is counted and reported, and loses nothing; the others have their share")
    func flood() async throws {
        let flooder = Script("flooder", claims: ["flood@home.example"])
        let net = Script("net", claims: ["partner.example"])
        var setup = Setup()
        setup.more["flooder"] = "limits: {submits_per_second: 200, submit_burst: 10}"
        try await Rig.with(setup, [pump, flooder, net]) { rig in
            let many = (0..<60).map { Envelope.message("f\($0)", from: "flood@home.example", to: "u@partner.example") }
            try await rig.send(many, by: flooder)
            try await rig.log.lines.first { $0.contains("hands in more than it may") }
            try await rig.send([message("mine")], by: pump)
            try await net.taken.first { $0.text == "mine" }
            try await flooder.answers.wait(for: 60)
            #expect(flooder.answers.all.allSatisfy { $0.outcome == .accepted })
            #expect(try await rig.status(of: "flooder").counters.throttled >= 4)
            #expect(try await rig.status(of: "pump").counters.throttled == 0)
            try await net.taken.wait(for: 61)
        }
    }

    @Test("How long it may hold what it took is the configuration's to say")
    func settle() async throws {
        let net = Script("net", claims: ["partner.example"])
        var setup = Setup()
        setup.more["net"] = "limits: {settle: 7m}"
        try await Rig.with(setup, [pump, net]) { rig in
            var times: [String: Duration?] = [:]
            for runtime in rig.router.core.runtimes {
                times[runtime.name] = await rig.router.onLoop(of: runtime) { $0.settleTime }
            }
            #expect(times == ["home": nil, "pump": nil, "net": .seconds(420)])
        }
    }

    @Test("A provider that does not start is tried again, after pauses that grow")
    func retries() async throws {
        let tries = Recorder<Void>()
        let net = Script("net", claims: ["partner.example"])
        net.startFailure = "not yet"
        net.onMake = { script in
            tries.append(())
            if tries.all.count == 4 { script.startFailure = nil }
        }
        var setup = Setup()
        setup.limits.startRetryFirst = .milliseconds(10)
        setup.limits.startRetryMax = .milliseconds(30)
        try await Rig.with(setup, [pump, net]) { rig in
            try await tries.wait(for: 4)
            let lines = try await rig.log.lines.first { $0.contains("a provider runs") && $0.contains("net") }
            #expect(lines.contains("org.example.scripted"))
            let pauses = rig.log.lines.all.filter { $0.contains("that does not run is tried again") }
            #expect(pauses.count == 3)
            for (pause, ms) in zip(pauses, [10, 20, 30]) { #expect(pause.contains("\"retry-in-ms\": \(ms)")) }
            #expect(try await rig.status(of: "net").state == "running")
        }
    }
}
