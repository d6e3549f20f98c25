import Directory
import ProviderKit
import Spool
import Testing

@testable import Router

@Suite("The end of a router", .timeLimit(.minutes(1)))
struct ShutdownTests {
    private let pump = Script("pump", claims: ["pump@home.example"])

    private func message(_ text: String) -> Envelope {
        .message(text, from: "alice@home.example", to: "user@partner.example")
    }

    private func setup(drain: Duration) -> Setup {
        var setup = Setup()
        setup.limits.drainTime = drain
        return setup
    }

    @Test("A provider that never settles is waited for as long as the drain time, and no longer")
    func neverDrains() async throws {
        let net = Script("net", claims: ["partner.example"]) { provider, delivery in
            provider.held.append(delivery)
            return true
        }
        try await Rig.with(setup(drain: .milliseconds(300)), [net]) { rig in
            #expect(await rig.router.send(message("held")).outcome == .accepted)
            try await net.taken.wait(for: 1)
            let time = await ContinuousClock().measure { await rig.router.shutdown() }
            #expect(time >= .milliseconds(300))
            #expect(time < .seconds(10))
        }
    }

    @Test("A router whose providers are done does not wait")
    func drains() async throws {
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(setup(drain: .seconds(50)), [net]) { rig in
            #expect(await rig.router.send(message("done")).outcome == .accepted)
            try await net.taken.wait(for: 1)
            let time = await ContinuousClock().measure { await rig.router.shutdown() }
            #expect(time < .seconds(20))
        }
    }

    @Test("What a provider settles while it drains is recorded")
    func settlesInDrain() async throws {
        let folder = try TemporaryFolder()
        let net = Script("net", claims: ["partner.example"]) { provider, delivery in
            provider.held.append(delivery)
            return true
        }
        net.onDrain = { provider in
            _ = try? provider.host.startTimer(after: 30) { provider.completeHeld() }
        }
        try await Rig.with(setup(drain: .seconds(50)), [net], in: folder) { rig in
            #expect(await rig.router.send(message("held")).outcome == .accepted)
            try await net.taken.wait(for: 1)
        }
        let again = Script("net", claims: ["partner.example"])
        try await Rig.with(setup(drain: .seconds(5)), [again], in: folder) { rig in
            let counts = try rig.counts()
            #expect(counts.pending == 0)
        }
        #expect(again.taken.all.isEmpty)
    }

    @Test("What a provider settles as its last act is recorded")
    func settlesInStop() async throws {
        let folder = try TemporaryFolder()
        let net = Script("net", claims: ["partner.example"]) { provider, delivery in
            provider.held.append(delivery)
            return true
        }
        net.onStop = { $0.completeHeld() }
        try await Rig.with(setup(drain: .zero), [net], in: folder) { rig in
            #expect(await rig.router.send(message("held")).outcome == .accepted)
            try await net.taken.wait(for: 1)
        }
        try await Rig.with(setup(drain: .zero), [Script("net", claims: ["partner.example"])], in: folder) { rig in
            let counts = try rig.counts()
            #expect(counts.pending == 0)
        }
    }

    @Test("Without a spool, what is in the lane is delivered before the end")
    func lanesDrain() async throws {
        let net = Script("net", claims: ["partner.example"])
        var offers = 0
        net.onDeliver = { provider, delivery in
            offers += 1
            guard offers % 3 != 0 else {
                _ = try? provider.host.startTimer(after: 1) { provider.host.ready() }
                return false
            }
            delivery.complete(.delivered)
            return true
        }
        var setup = Setup(isDurable: false)
        setup.limits.drainTime = .seconds(50)
        try await Rig.with(setup, [pump, net]) { rig in
            let envelopes = (0..<300).map {
                Envelope.message("\($0)", from: "pump@home.example", to: "user@partner.example")
            }
            try await rig.send(envelopes, by: pump)
        }
        #expect(net.taken.all.map(\.text) == (0..<300).map { "\($0)" })
    }

    @Test("Without a spool, what is left after the drain time is counted in the log")
    func losses() async throws {
        let net = Script("net", claims: ["partner.example"]) { provider, delivery in
            guard provider.held.isEmpty else { return false }
            provider.held.append(delivery)
            return true
        }
        var setup = setup(drain: .milliseconds(50))
        setup.isDurable = false
        try await Rig.with(setup, [pump, net]) { rig in
            let envelopes = (0..<5).map {
                Envelope.message("\($0)", from: "pump@home.example", to: "user@partner.example")
            }
            try await rig.send(envelopes, by: pump)
            try await net.taken.wait(for: 1)
            await rig.router.shutdown()
            let line = try #require(rig.log.lines.all.first { $0.contains("are lost") })
            #expect(line.contains("net") && line.contains("5"))
        }
    }

    @Test("What arrives for home users until the end is in the inbox, once")
    func inboxAtEnd() async throws {
        let folder = try TemporaryFolder()
        let net = Script("net", claims: ["partner.example"])
        let sent = (0..<500).map {
            Envelope.message("\($0)", from: "bob@partner.example", to: "alice@home.example", id: "\($0)")
        }
        try await Rig.with(setup(drain: .seconds(5)), [net], in: folder) { rig in
            try await rig.send(sent, by: net)
            try await net.answers.wait(for: 500)
        }
        try await Rig.with(setup(drain: .seconds(5)), [Script("net", claims: [])], in: folder) { rig in
            let stored = try rig.router.inbox.items(of: nil, after: 0, limit: 1000).count
            try await rig.inbox.wait(for: 500 - stored)
            let items = try rig.router.inbox.items(of: nil, after: 0, limit: 1000)
            #expect(items.map(\.text) == sent.map(\.text))
        }
    }

    @Test("Without a spool, what is on its way to home users is in the inbox at the end")
    func inboxWithoutSpool() async throws {
        let folder = try TemporaryFolder()
        let net = Script("net", claims: ["partner.example"])
        let sent = (0..<500).map {
            Envelope.message("\($0)", from: "bob@partner.example", to: "alice@home.example", id: "\($0)")
        }
        var setup = Setup(isDurable: false)
        setup.limits.drainTime = .seconds(50)
        try await Rig.with(setup, [net], in: folder) { rig in
            try await rig.send(sent, by: net)
        }
        let inbox = try Inbox(path: "\(folder.path)/state/inbox.db")
        let items = try inbox.items(of: nil, after: 0, limit: 1000)
        #expect(items.map(\.text) == sent.map(\.text))
        inbox.close()
    }

    @Test("Senders whose answer was held back get it when the router stops")
    func withheldAnswers() async throws {
        let stuck = Script("stuck", claims: ["partner.example"]) { _, _ in false }
        var setup = Setup.tiny(backlogMax: 0)
        setup.isObserved = true
        setup.limits.creditsMax = 1000
        setup.limits.drainTime = .milliseconds(50)
        try await Rig.with(setup, [stuck]) { rig in
            let count = 200
            let answers = try await withThrowingTaskGroup(of: Outcome.self) { group in
                for index in 0..<count { group.addTask { await rig.router.send(message("\(index)")).outcome } }
                let hops = rig.hops
                for _ in 0..<count { try await hops.wait(for: count * 2) }
                await rig.router.shutdown()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == Array(repeating: .accepted, count: count))
        }
    }

    @Test("A router that is stopped says so to senders, and has no instances")
    func afterEnd() async throws {
        try await Rig.with(setup(drain: .zero), [pump]) { rig in
            await rig.router.shutdown()
            await rig.router.shutdown()
            let sent = await rig.router.send(message("late"))
            #expect(sent.outcome == .failed(Outcome.Reason(.unavailable, "the router does not run")))
            let status = await rig.router.status()
            #expect(status.instances.isEmpty)
            #expect(status.name == "test")
        }
    }

    @Test("Senders at the moment of the end all get an answer")
    func sendsAtEnd() async throws {
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(setup(drain: .seconds(5)), [net]) { rig in
            let answers = await withTaskGroup(of: Outcome.self) { group in
                for index in 0..<300 {
                    group.addTask { await rig.router.send(message("\(index)")).outcome }
                    if index == 150 {
                        group.addTask {
                            await rig.router.shutdown(); return .delivered
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 301)
            // Whoever was told that it is accepted finds it delivered, or on disk.
            #expect(answers.count { $0 == .accepted } >= net.taken.all.count)
        }
    }

    @Test("A router that was never started can be shut down, and nobody can send before the start")
    func neverStarted() async throws {
        let rig = try Rig(setup(drain: .zero), [pump], in: TemporaryFolder())
        #expect(await rig.router.send(message("early")).outcome.sentence == "the router does not run")
        await rig.router.shutdown()
        #expect(pump.provider == nil)
    }

    @Test("Nothing of a router is left when it is gone")
    func noLeaks() async throws {
        weak var core: RouterCore?
        weak var provider: ScriptedProvider?
        weak var inbox: Inbox?
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(setup(drain: .seconds(5)), [net]) { rig in
            core = rig.router.core
            inbox = rig.router.inbox
            #expect(await rig.router.send(message("hello")).outcome == .accepted)
            try await net.taken.wait(for: 1)
            provider = net.provider
        }
        net.provider = nil
        #expect(core == nil)
        #expect(inbox == nil)
        #expect(provider == nil)
    }
}
