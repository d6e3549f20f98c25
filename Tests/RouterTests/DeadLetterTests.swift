import ProviderKit
import Spool
import Testing

@testable import Router

@Suite("Dead letters", .timeLimit(.minutes(1)))
struct DeadLetterTests {
    private let pump = Script("pump", claims: ["pump@home.example"])

    private func message(_ text: String, to: String = "user@partner.example", id: String) -> Envelope {
        .message(text, from: "pump@home.example", to: to, id: id)
    }

    /// A network that refuses for good until it is told to deliver, and how it stands. Used on one loop.
    // Safe: changed on the provider's loop.
    private final class Network: @unchecked Sendable {
        var outcome = Outcome.failed(Outcome.Reason(.recipient, "nobody"))
        let offered = Recorder<Envelope>()

        func script(_ name: String = "net", claims: [String] = ["partner.example", "other.example"]) -> Script {
            Script(name, claims: claims) { [self] _, delivery in
                offered.append(delivery.envelope)
                delivery.complete(outcome)
                return true
            }
        }
    }

    @Test("What was refused for good is listed, and shows its text only on demand")
    func listed() async throws {
        let network = Network()
        try await Rig.with(Setup(), [pump, network.script()]) { rig in
            try await rig.send(
                [message("secret", id: "m1"), message("too", to: "a@other.example", id: "m2")],
                by: pump
            )
            try await pump.taken.wait(for: 2)
            let all = try rig.router.deadLetters(limit: 10)
            #expect(all.map(\.messageID) == ["m1", "m2"])
            let first = try #require(all.first)
            #expect(first.from == "pump@home.example")
            #expect(first.to == "user@partner.example")
            #expect([first.kind, first.source, first.destination] == ["message", "pump", "net"])
            #expect([first.cause, first.failureClass, first.reason] == ["refused", "recipient", "nobody"])
            #expect(first.attempts == 1)
            #expect(first.text == nil)
            #expect(try rig.router.deadLetter(first.id, withText: false)?.text == nil)
            #expect(try rig.router.deadLetter(first.id, withText: true)?.text == "secret")
            #expect(try rig.router.deadLetter(99, withText: true) == nil)

            let other = try rig.router.deadLetters(DeadLetterFilter(toDomain: "other.example"), limit: 10)
            #expect(other.map(\.messageID) == ["m2"])
            #expect(try rig.router.deadLetters(DeadLetterFilter(diedBefore: first.diedAt), limit: 10).isEmpty)
            #expect(try rig.router.deadLetters(DeadLetterFilter(diedBefore: .max), limit: 10).count == 2)
            #expect(try rig.router.deadLetters(limit: 1).map(\.messageID) == ["m1"])
            #expect(try rig.router.deadLetters(after: first.id, limit: 10).map(\.messageID) == ["m2"])
        }
    }

    @Test("A retried one is offered again with its key, marked as redelivered, between others in order")
    func retried() async throws {
        let network = Network()
        try await Rig.with(Setup(), [pump, network.script()]) { rig in
            try await rig.send((1...300).map { message("\($0)", id: "m\($0)") }, by: pump)
            try await pump.taken.wait(for: 300)
            let ids = try rig.router.deadLetters(limit: 1000).map(\.id)
            try await rig.on(rig.scripts[1]) { _ in network.outcome = .delivered }
            let results = try await rig.router.retryDeadLetters(ids + [ids[0], 9999])
            #expect(results.dropLast(2).allSatisfy { if case .retried = $0 { true } else { false } })
            #expect(results.suffix(2) == [.unknown, .unknown])
            try await rig.send([message("last", id: "m301")], by: pump)
            let offered = try await network.offered.wait(for: 601).dropFirst(300)
            #expect(offered.map(\.text) == (1...300).map { "\($0)" } + ["last"])
            #expect(offered.dropLast().allSatisfy { $0.isRedelivered })
            #expect(offered.last?.isRedelivered == false)
            #expect(try rig.router.deadLetters(limit: 10).isEmpty)
            try await rig.hops.first { $0.id == "m301" && $0.event == .delivered }
        }
    }

    @Test("A retried one that fails again is a dead letter again, with another id")
    func failsAgain() async throws {
        let network = Network()
        try await Rig.with(Setup(), [pump, network.script()]) { rig in
            try await rig.send([message("1", id: "m1")], by: pump)
            try await pump.taken.wait(for: 1)
            let first = try #require(try rig.deadLetters().first)
            let result = try await rig.router.retryDeadLetters([first.record.sequence])
            try await pump.taken.wait(for: 2)
            #expect(try rig.deadLetters().map(\.record.idempotencyKey) == [first.record.idempotencyKey])
            let again = try rig.router.deadLetters(limit: 10)
            #expect(again.map { .retried(as: $0.id) } == result)
            #expect(again.map(\.attempts) == [2])
        }
    }

    @Test("A dropped one is gone, and one that is not there is told so")
    func dropped() async throws {
        let network = Network()
        try await Rig.with(Setup(), [pump, network.script()]) { rig in
            try await rig.send([message("1", id: "m1")], by: pump)
            try await pump.taken.wait(for: 1)
            let id = try #require(try rig.router.deadLetters(limit: 1).first?.id)
            #expect(try await rig.router.dropDeadLetters([id, id]) == [.dropped, .unknown])
            #expect(try rig.counts().deadLetters == 0)
        }
    }

    @Test("One whose provider is configured no more stays, and the reason names the provider")
    func noProvider() async throws {
        let folder = try TemporaryFolder()
        let network = Network()
        try await Rig.with(Setup(), [pump, network.script()], in: folder) { rig in
            try await rig.send([message("1", id: "m1")], by: pump)
            try await pump.taken.wait(for: 1)
        }
        try await Rig.with(Setup(), [Script("pump", claims: ["pump@home.example"])], in: folder) { rig in
            let id = try #require(try rig.router.deadLetters(limit: 1).first?.id)
            #expect(try await rig.router.retryDeadLetters([id]) == [.noProvider("net")])
            #expect(try rig.counts().deadLetters == 1)
        }
    }

    @Test("Without a spool, and after the end, the reason is clear")
    func noStore() async throws {
        let rig = try await Rig.with(Setup(isDurable: false), [pump]) { rig in
            #expect(throws: DeadLetterError.notStored) { try rig.router.deadLetters(limit: 1) }
            await #expect(throws: DeadLetterError.notStored) { try await rig.router.retryDeadLetters([1]) }
            return rig
        }
        withExtendedLifetime(rig) {}
        let stopped = try await Rig.with(Setup(), []) { $0 }
        await #expect(throws: DeadLetterError.stopping) { try await stopped.router.retryDeadLetters([1]) }
    }

    @Test("A spool that cannot be written is named, and the dead letter stays")
    func spoolFails() async throws {
        let network = Network()
        let held = Holder()
        var setup = Setup()
        setup.openStore = { path throws(SpoolError) in
            let store = try FaultyStore(path: path)
            held.value = store
            return store
        }
        try await Rig.with(setup, [pump, network.script()]) { rig in
            try await rig.send([message("1", id: "m1")], by: pump)
            try await pump.taken.wait(for: 1)
            let id = try #require(try rig.router.deadLetters(limit: 1).first?.id)
            held.value?.fault.set { _ in .diskFull(path: "here") }
            await #expect(throws: DeadLetterError.spool("\(SpoolError.diskFull(path: "here"))")) {
                try await rig.router.retryDeadLetters([id])
            }
            held.value?.fault.set(nil)
            #expect(try rig.counts().deadLetters == 1)
        }
    }

    @Test("What is older than the configuration allows is dropped by the next look")
    func tooOld() async throws {
        let folder = try TemporaryFolder()
        let network = Network()
        try await Rig.with(Setup(), [pump, network.script()], in: folder) { rig in
            try await rig.send([message("1", id: "m1")], by: pump)
            try await pump.taken.wait(for: 1)
        }
        var setup = Setup()
        setup.limits.expirySweepInterval = .milliseconds(10)
        setup.openStore = { path throws(SpoolError) in
            var limits = SpoolLimits()
            limits.deadLettersAgeMaxMs = 0
            return try SQLiteSpool(path: path, limits: limits)
        }
        try await Rig.with(setup, [Script("pump", claims: ["pump@home.example"])], in: folder) { rig in
            try await rig.log.lines.first { $0.contains("old dead letters are dropped") }
            #expect(try rig.counts().deadLetters == 0)
            #expect(await rig.router.status().spool?.deadLettersDropped == 1)
        }
    }

    @Test("A dead letter can be retried for a provider that was added a moment ago")
    func addedMeanwhile() async throws {
        let folder = try TemporaryFolder()
        let rig = try Rig(Setup(), [], in: folder)
        let (core, store) = (rig.router.core, try #require(rig.router.store))
        let writer = SpoolWriter(core: core, store: store)
        _ = core.addRuntime(named: "late", on: 0)
        let record = SpoolRecord(
            destination: "late",
            conversation: "a@b|c@d",
            source: "pump",
            idempotencyKey: IdempotencyKey(high: 1, low: 2),
            createdAt: 1,
            payload: [1]
        )
        _ = try store.commit([.append(record), .failed(sequence: 1, reason: "no", at: 1)])
        let answers = Recorder<[DeadLetterResult]>()
        writer.ask(.init(action: .retry, ids: [1]) { answers.append((try? $0.get()) ?? []) })
        #expect(writer.performRequests())
        #expect(answers.all == [[.retried(as: 2)]])
        await rig.router.shutdown()
    }
}
