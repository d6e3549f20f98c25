import Dispatch
import Foundation
import ProviderKit
import Spool
import Testing

@testable import Router

@Suite("A spool in trouble", .timeLimit(.minutes(1)))
struct SpoolTroubleTests {
    private let pump = Script("pump", claims: ["pump@home.example"])

    private func message(_ text: String, id: String = "") -> Envelope {
        .message(text, from: "pump@home.example", to: "user@partner.example", id: id)
    }

    /// A receiver that holds what it takes until it is told.
    private func holder() -> Script {
        Script("net", claims: ["partner.example"]) { provider, delivery in
            provider.held.append(delivery)
            return true
        }
    }

    /// Runs `body` with a router whose spool fails on demand.
    private func withStore(
        _ scripts: [Script],
        in folder: TemporaryFolder? = nil,
        prepare: @escaping (FaultyStore) -> Void = { _ in },
        _ body: (Rig, FaultyStore) async throws -> Void
    ) async throws {
        let holder = Holder()
        var setup = Setup()
        setup.limits.drainTime = .milliseconds(20)
        setup.openStore = { path throws(SpoolError) in
            let store = try FaultyStore(path: path)
            prepare(store)
            holder.value = store
            return store
        }
        try await Rig.with(setup, scripts, in: folder) { rig in
            try await body(rig, #require(holder.value))
        }
    }

    @Test("While the disk is full messages are refused, and when it is not any more they are taken")
    func diskFull() async throws {
        let net = Script("net", claims: ["partner.example"])
        try await withStore([pump, net]) { rig, store in
            store.fault.set { _ in .diskFull(path: "spool") }
            try await rig.send([message("1")], by: pump)
            let refused = try await pump.answers.first { $0.text == "1" }
            let reason = Outcome.Reason(
                .internal,
                "the router cannot store it: see the router's log",
                code: "spool-failed"
            )
            #expect(refused.outcome == .failed(reason))
            let counted = "plugboard_refused_total{kind=\"message\",provider=\"pump\",reason=\"spool-failed\"} 1"
            _ = try await rig.metrics { $0.contains(counted) }
            let line = try await rig.log.entries.first { $0.message == "an envelope was refused" }
            #expect(line.fields["code"] == "spool-failed")
            #expect(line.fields["partner"] == "home.example")
            #expect(line.fields["to"] == "user@partner.example")
            store.fault.set(nil)
            try await rig.send([message("2")], by: pump)
            #expect(try await pump.answers.first { $0.text == "2" }.outcome == .accepted)
            try await net.taken.first { $0.text == "2" }
            #expect(net.taken.all.map(\.text) == ["2"])
        }
    }

    @Test("What was settled while the spool could not be written is recorded later, in order")
    func settledLater() async throws {
        let folder = try TemporaryFolder()
        let net = holder()
        try await withStore([pump, net], in: folder) { rig, store in
            try await rig.send((0..<4).map { message("\($0)", id: "m\($0)") }, by: pump)
            try await net.taken.wait(for: 4)
            try await pump.answers.wait(for: 4)
            store.fault.set { _ in .busy(path: "spool") }
            try await rig.on(net) { provider in
                provider.held.removeFirst().complete(.delivered)
                provider.held.removeFirst().complete(.failed(Outcome.Reason(.content, "bad words")))
                provider.held.removeFirst().complete(.deferred(Outcome.Reason(.transient, "later")))
                provider.held.removeFirst().complete(.deferred(Outcome.Reason(.transient, "later")))
            }
            // Its time to be tried again comes while nothing can be written.
            let before = store.commits.all.count
            try await store.commits.wait(for: before + 2)
            store.fault.set(nil)
            let recorded = try await store.done.first { $0.count >= 5 }
            #expect(recorded.map(Self.name) == ["delivered", "failed", "append", "deferred", "deferred"])
            try await pump.taken.first { $0.failure?.messageID == "m1" }
            try await net.taken.wait(for: 6)
            #expect(net.taken.all.suffix(2).map(\.text) == ["2", "3"])
            #expect(net.taken.all.suffix(2).allSatisfy { $0.isRedelivered })
            try await rig.on(net) { $0.completeHeld() }
        }
        let counts = try SQLiteSpool(path: "\(folder.path)/state/spool.db").counts()
        #expect(counts.pending == 0)
        #expect(counts.deadLetters == 1)
    }

    @Test("What was delivered before a crash is not delivered again, though the spool could not record it")
    func notedBeforeCrash() async throws {
        let folder = try TemporaryFolder()
        let net = holder()
        let copy = "\(folder.path)/copy.db"
        try await withStore([pump, net], in: folder) { rig, store in
            try await rig.send((0..<3).map { message("\($0)", id: "m\($0)") }, by: pump)
            try await net.taken.wait(for: 3)
            try await pump.answers.wait(for: 3)
            store.fault.set { _ in .busy(path: "spool") }
            try await rig.on(net) { provider in
                provider.held.removeFirst().complete(.delivered)
                provider.held.removeFirst().complete(.deferred(Outcome.Reason(.transient, "later")))
            }
            // The files as they are now: what a process that is killed leaves behind.
            for suffix in ["", "-wal", CompletedMarks.suffix] {
                try FileManager.default.copyItem(
                    atPath: "\(folder.path)/state/spool.db\(suffix)",
                    toPath: copy + suffix
                )
            }
            store.fault.set(nil)
            try await rig.on(net) { $0.completeHeld() }
        }
        let waiting = try SQLiteSpool(path: copy).loadPending(after: 0, limit: 10)
        #expect(waiting.count == 2)
        #expect(!waiting.contains { String(decoding: $0.payload, as: UTF8.self).contains("m0") })
    }

    private static func name(_ operation: SpoolOperation) -> String {
        switch operation {
        case .append: "append"
        case .delivered: "delivered"
        case .deferred: "deferred"
        case .failed: "failed"
        case .expired: "expired"
        }
    }

    @Test("A source that is held back because the spool lags behind is told when it has caught up")
    func laggingSpool() async throws {
        let net = holder()
        let held = Holder()
        var setup = Setup.tiny()
        setup.limits.creditsMax = 1000
        setup.openStore = { path throws(SpoolError) in
            let store = try FaultyStore(path: path)
            held.value = store
            return store
        }
        try await Rig.with(setup, [pump, net]) { rig in
            let store = try #require(held.value)
            try await rig.send((0..<100).map { message("\($0)") }, by: pump)
            try await net.taken.wait(for: 100)
            try await pump.answers.wait(for: 100)
            // No commit ends before the gate opens, so that the steps fill the lane to the spool: its writer has to be
            // in a commit before, for it gathers steps while there is nothing to be stored.
            let gate = DispatchSemaphore(value: 0)
            let reached = Recorder<Int>()
            store.fault.set { operations in
                reached.append(operations.count)
                gate.wait()
                gate.signal()
                return nil
            }
            try await rig.send([message("stored slowly")], by: pump)
            try await reached.wait(for: 1)
            try await rig.on(net) { $0.completeHeld() }
            let busy = pump.busy.all.count
            try await rig.send([message("held back")], by: pump)
            try await pump.busy.wait(for: busy + 1)
            gate.signal()
            try await pump.answers.wait(for: 102)
            try await net.taken.wait(for: 102)
            try await rig.on(net) { $0.completeHeld() }
        }
    }

    @Test("A dead letter and the failure for its author are one commit, however many come together")
    func oneCommit() async throws {
        let net = holder()
        try await withStore([pump, net]) { rig, store in
            let count = 1500
            try await rig.send((0..<count).map { message("\($0)", id: "m\($0)") }, by: pump)
            try await net.taken.wait(for: count)
            try await rig.on(net) { $0.completeHeld(.failed(Outcome.Reason(.recipient, "nobody"))) }
            try await pump.taken.wait(for: count)
            for commit in store.done.all {
                for (index, operation) in commit.enumerated() where Self.name(operation) == "failed" {
                    let isFollowed = index + 1 < commit.count && Self.name(commit[index + 1]) == "append"
                    #expect(isFollowed, "a failure without the notice in the same commit")
                }
            }
            let counts = try rig.counts()
            #expect(counts.deadLetters == count)
        }
    }

    @Test("After a failure of the disk itself nothing is taken that would have to be stored, and the rest goes on")
    func lost() async throws {
        let folder = try TemporaryFolder()
        let net = holder()
        try await withStore([pump, net], in: folder) { rig, store in
            try await rig.send([message("delivered"), message("put off")], by: pump)
            try await net.taken.wait(for: 2)
            store.fault.set { _ in .ioFailure(path: "spool", detail: "bad sector") }
            try await rig.send([message("refused")], by: pump)
            let refused = try await pump.answers.first { $0.text == "refused" }
            #expect(refused.outcome.sentence == "the router cannot store it: see the router's log")
            try await rig.log.lines.first { $0.hasPrefix("critical: the spool is lost") }
            // The disk seems to work again, but what is on it is not certain.
            store.fault.set(nil)
            let commits = store.commits.all.count
            try await rig.send([message("refused too")], by: pump)
            let again = try await pump.answers.first { $0.text == "refused too" }
            #expect(again.outcome.sentence == refused.outcome.sentence)
            let homeMessage = Envelope.message("home", from: "alice@home.example", to: "user@partner.example")
            #expect(await rig.router.send(homeMessage).outcome.sentence == refused.outcome.sentence)
            var typing = message("")
            typing.content = .typing(.composing)
            try await rig.send([typing], by: pump)
            try await net.taken.first { $0.text == "typing" }
            try await rig.on(net) { provider in
                provider.held.removeFirst().complete(.delivered)
                provider.held.removeFirst().complete(.deferred(Outcome.Reason(.transient, "later")))
                provider.completeHeld()
            }
            try await rig.hops.first { $0.event == .delivered && $0.kind == "message" }
            #expect(store.commits.all.count == commits)
        }
        let again = Script("net", claims: ["partner.example"])
        try await withStore([Script("pump", claims: ["pump@home.example"]), again], in: folder) { _, _ in
            // What became of the other one could not be recorded; that it was delivered would have been noted.
            try await again.taken.wait(for: 1)
            #expect(again.taken.all.map(\.text) == ["put off"])
        }
    }

    @Test("Deliveries that could not be recorded to the end are counted in the log")
    func lostCount() async throws {
        let net = Script("net", claims: ["partner.example"])
        let log = try await Rig.with(Setup(), []) { $0.log }
        #expect(!log.lines.all.contains { $0.contains("could not be recorded") })
        var lines = Recorder<String>()
        try await withStore([pump, net]) { rig, store in
            lines = rig.log.lines
            store.fault.set { $0.contains { Self.name($0) == "delivered" } ? .diskFull(path: "spool") : nil }
            try await rig.send([message("1")], by: pump)
            try await store.commits.first { $0.contains { Self.name($0) == "delivered" } }
        }
        #expect(lines.all.contains { $0.contains("could not be recorded") && $0.contains("\"count\": 1") })
    }

    @Test("What could not be read is read later, at the start as well as after a deferral")
    func readLater() async throws {
        let folder = try TemporaryFolder()
        let closed = Script("net", claims: ["partner.example"]) { _, _ in false }
        try await withStore([pump, closed], in: folder) { rig, _ in
            try await rig.send((0..<3).map { message("\($0)") }, by: pump)
            try await pump.answers.wait(for: 3)
        }
        let failing: @Sendable ([SpoolOperation]) -> SpoolError? = { _ in .busy(path: "spool") }
        let held = Holder()
        let net = Script("net", claims: ["partner.example"])
        net.onDeliver = { _, delivery in
            let isFirst = net.taken.all.isEmpty
            // Nothing can be read when its time comes.
            if isFirst { held.value?.readFault.set(failing) }
            delivery.complete(isFirst ? .deferred(Outcome.Reason(.transient, "later")) : .delivered)
            return true
        }
        let source = Script("pump", claims: ["pump@home.example"])
        let prepare = { (store: FaultyStore) in
            held.value = store
            store.readFault.set(failing)
        }
        try await withStore([source, net], in: folder, prepare: prepare) { rig, store in
            try await store.failedReads.wait(for: 3)
            store.readFault.set(nil)
            let failed = store.failedReads.all.count
            try await net.taken.wait(for: 3)
            try await store.failedReads.wait(for: failed + 1)
            store.readFault.set(nil)
            try await net.taken.wait(for: 4)
            #expect(net.taken.all.map(\.text) == ["0", "1", "2", "0"])
            #expect(net.taken.all[3].isRedelivered)
        }
    }

    @Test("A stored message that changed on the disk, and would read well, becomes a dead letter and not a delivery")
    func altered() async throws {
        let folder = try TemporaryFolder()
        let closed = Script("net", claims: ["partner.example"]) { _, _ in false }
        // The last is so long that it goes over several pages.
        let texts = ["sound", "pay 100 euros", String(repeating: "long", count: 5000) + "the middle"]
        try await withStore([pump, closed], in: folder) { rig, _ in
            try await rig.send(texts.map { message($0) } + [message("sound too")], by: pump)
            try await pump.answers.wait(for: 4)
        }
        let path = "\(folder.path)/state/spool.db"
        var file = try Data(contentsOf: URL(filePath: path))
        let amount = try #require(file.range(of: Data("pay 100".utf8)))
        file[amount.lowerBound + 4] = UInt8(ascii: "9")
        // A page in the middle of the long one, gone: it can be neither read nor removed.
        let place = try #require(file.range(of: Data(String(repeating: "long", count: 1000).utf8)))
        let page = place.lowerBound / 4096 + 1
        file.replaceSubrange(page * 4096..<(page + 1) * 4096, with: Data(count: 4096))
        try file.write(to: URL(filePath: path))

        let net = Script("net", claims: ["partner.example"])
        try await withStore([Script("pump", claims: ["pump@home.example"]), net], in: folder) { rig, store in
            try await net.taken.first { $0.text == "sound too" }
            try await store.done.first { $0.contains { Self.name($0) == "delivered" } }
            #expect(net.taken.all.map(\.text) == ["sound", "sound too"])
            let letters = try rig.router.deadLetters(limit: 10)
            #expect(letters.map(\.cause) == ["damaged"])
            #expect(letters.map(\.kind) == ["unknown"], "nothing that it says is shown as if it were so")
            let id = try #require(letters.first?.id)
            #expect(try await rig.router.retryDeadLetters([id]) == [.damaged])
            #expect(rig.log.lines.all.contains { $0.contains("plugboard spool recover") })
            #expect(try rig.counts().pending == 1)
        }
    }

    @Test("A stored message that is damaged becomes a dead letter, and the others are delivered")
    func damaged() async throws {
        let folder = try TemporaryFolder()
        let closed = Script("net", claims: ["partner.example"]) { _, _ in false }
        try await withStore([pump, closed], in: folder) { rig, store in
            try await rig.send([message("sound")], by: pump)
            try await pump.answers.wait(for: 1)
            let record = SpoolRecord(
                destination: "net",
                conversation: "a@b|c@d",
                source: "pump",
                idempotencyKey: IdempotencyKey(high: 1, low: 2),
                createdAt: 1,
                payload: Array(repeating: 0xFF, count: 300)
            )
            var huge = record
            huge.idempotencyKey = IdempotencyKey(high: 3, low: 4)
            huge.payload = Array(repeating: 0, count: SpoolLimits().payloadBytesMax)
            // A kind that only a later version knows.
            var newer = try #require(try store.loadPending(after: 0, limit: 1).first)
            newer.idempotencyKey = IdempotencyKey(high: 5, low: 6)
            newer.remoteID = nil
            newer.payload[4] = 200
            _ = try store.commit([.append(record), .append(huge), .append(newer)])
        }
        let net = Script("net", claims: ["partner.example"])
        try await withStore([Script("pump", claims: ["pump@home.example"]), net], in: folder) { rig, store in
            try await net.taken.first { $0.text == "sound" }
            try await store.done.first { $0.contains { Self.name($0) == "delivered" } }
            let counts = try rig.counts()
            #expect(counts.deadLetters == 3)
            #expect(counts.pending == 0)
            let letters = try rig.router.deadLetters(limit: 10)
            #expect(letters.map(\.cause) == ["damaged", "damaged", "newer"])
            #expect(letters.map(\.attempts) == [0, 0, 0])
            #expect(letters.last?.reason.hasPrefix("a newer version of the router has stored it") == true)
            // It is whole, and the version that has stored it could deliver it.
            let id = try #require(letters.last?.id)
            guard case .retried = try await rig.router.retryDeadLetters([id]).first else {
                Issue.record("it cannot be retried")
                return
            }
        }
    }

    @Test("A router ends in time, though a provider is being stopped whose last steps cannot be written")
    func endsWhileStopping() async throws {
        let net = holder()
        let stopped = Recorder<Void>()
        net.onStop = { _ in stopped.append(()) }
        try await withStore([pump, net]) { rig, store in
            try await rig.send([message("1")], by: pump)
            try await net.taken.wait(for: 1)
            try await pump.answers.wait(for: 1)
            store.fault.set { _ in .diskFull(path: "spool") }
            let runtime = try #require(rig.router.core.runtimes.first { $0.name == "net" })
            let bound = LoopBound(value: runtime)
            Task {
                await rig.router.turns.take()
                await rig.router.stopProvider(bound.value, because: "a test")
                rig.router.turns.give()
            }
            try await stopped.wait(for: 1)
            // What it had held is taken back, and that cannot be written.
            try await store.commits.first { $0.contains { Self.name($0) == "deferred" } }
        }
    }
}
