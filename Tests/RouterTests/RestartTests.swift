import Directory
import Foundation
import ProviderKit
import Spool
import Testing

@testable import Router

@Suite("Restarts", .timeLimit(.minutes(1)))
struct RestartTests {
    private func message(_ text: String, to user: String = "user", id: String = "") -> Envelope {
        .message(text, from: "pump@home.example", to: "\(user)@partner.example", id: id)
    }

    private func pump() -> Script { Script("pump", claims: ["pump@home.example"]) }

    /// A receiver that holds what it takes.
    private func holder() -> Script {
        Script("net", claims: ["partner.example"]) { provider, delivery in
            provider.held.append(delivery)
            return true
        }
    }

    private func receiver() -> Script { Script("net", claims: ["partner.example"]) }

    /// Few ms for draining: what is tested is what is left then.
    private func setup(_ workers: Int = 1) -> Setup {
        var setup = Setup(workers: workers)
        setup.limits.drainTime = .milliseconds(20)
        return setup
    }

    @Test("What was not delivered is delivered after the restart, in order", arguments: [1, 2], [10, 1000])
    func undelivered(workers: Int, count: Int) async throws {
        let folder = try TemporaryFolder()
        let sent = (0..<count).map { message("\($0)", to: "user\($0 % 3)") }
        let closed = Script("net", claims: ["partner.example"]) { _, _ in false }
        let source = pump()
        var tiny = Setup.tiny(workers: workers)
        tiny.limits.drainTime = .milliseconds(20)
        try await Rig.with(tiny, [source, closed], in: folder) { rig in
            try await rig.send(sent, by: source)
            try await source.answers.wait(for: count)
        }
        #expect(closed.taken.all.isEmpty)
        let open = receiver()
        try await Rig.with(.tiny(workers: workers), [pump(), open], in: folder) { rig in
            let taken = try await open.taken.wait(for: count)
            let byRecipient = Dictionary(grouping: taken, by: \.to).mapValues { $0.map(\.text) }
            #expect(byRecipient == Dictionary(grouping: sent, by: \.to).mapValues { $0.map(\.text) })
            // Nobody had it before.
            #expect(!taken.contains { $0.isRedelivered })
        }
        let empty = receiver()
        try await Rig.with(setup(), [pump(), empty], in: folder) { rig in
            let counts = try rig.counts()
            #expect(counts.pending == 0)
        }
        #expect(empty.taken.all.isEmpty)
    }

    @Test("What a provider held when the router stopped comes again, marked as redelivered")
    func held() async throws {
        let folder = try TemporaryFolder()
        let (source, first) = (pump(), holder())
        try await Rig.with(setup(), [source, first], in: folder) { rig in
            try await rig.send([message("held", id: "m1"), message("too", id: "m2")], by: source)
            try await first.taken.wait(for: 2)
        }
        let second = receiver()
        try await Rig.with(setup(), [pump(), second], in: folder) { _ in
            let taken = try await second.taken.wait(for: 2)
            #expect(taken.map(\.text) == ["held", "too"])
            #expect(taken.allSatisfy { $0.isRedelivered })
            #expect(taken.map(\.id) == ["m1", "m2"])
        }
    }

    @Test("A crash loses nothing that was accepted, in whatever state it was")
    func crash() async throws {
        let folder = try TemporaryFolder()
        let source = pump()
        let net = Script("net", claims: ["partner.example"]) { provider, delivery in
            switch delivery.envelope.to.user {
            case "held": provider.held.append(delivery)
            case "deferred": delivery.complete(.deferred(Outcome.Reason(.unavailable, "down")))
            default: delivery.complete(.delivered)
            }
            return true
        }
        let users = ["held", "deferred", "done"]
        let sent = (0..<30).map { message("\($0)", to: users[$0 % 3]) }
        let copy = try await Rig.with(setup(), [source, net], in: folder) { rig in
            try await rig.send(sent, by: source)
            try await source.answers.wait(for: 30)
            try await net.taken.first { $0.to.user == "held" }
            // Tried again, so that the first attempt is on disk.
            try await net.taken.first { $0.to.user == "deferred" && $0.isRedelivered }
            for text in stride(from: 2, to: 30, by: 3).map({ "\($0)" }) {
                try await net.taken.first { $0.text == text }
            }
            return try folder.copy()
        }
        let (newSource, again) = (pump(), receiver())
        try await Rig.with(setup(), [newSource, again], in: copy) { rig in
            try await again.taken.first { $0.text == "27" }
            try await again.taken.first { $0.text == "28" }
            for user in users.dropLast() {
                let texts = again.taken.all.filter { $0.to.user == user }.map(\.text)
                #expect(texts == sent.filter { $0.to.user == user }.map(\.text))
            }
            // The crash has taken along which of them the provider had had.
            #expect(again.taken.all.allSatisfy { $0.isRedelivered })
            // What comes from now on is doubted by nobody.
            try await rig.send([message("new", to: "fresh")], by: newSource)
            let fresh = try await again.taken.first { $0.text == "new" }
            #expect(!fresh.isRedelivered)
        }
    }

    @Test("A message that comes again after a restart is recognised")
    func duplicate() async throws {
        let folder = try TemporaryFolder()
        let envelope = message("once", id: "m1")
        for round in 0..<2 {
            let (source, net) = (pump(), receiver())
            try await Rig.with(setup(), [source, net], in: folder) { rig in
                try await rig.send([envelope], by: source)
                #expect(try await source.answers.wait(for: 1).first?.outcome == .accepted)
                if round == 0 {
                    try await rig.hops.first { $0.event == .delivered }
                } else {
                    try await rig.hops.first { $0.event == .duplicate }
                }
            }
            #expect(net.taken.all.count == (round == 0 ? 1 : 0))
        }
    }

    @Test("A wait that a provider asked for outlives a restart")
    func deferredUntil() async throws {
        let folder = try TemporaryFolder()
        let source = pump()
        let down = Script("net", claims: ["partner.example"]) { _, delivery in
            let isDown = delivery.envelope.to.user == "slow"
            let reason = Outcome.Reason(.throttled, "wait", retryAfter: 3_600_000)
            delivery.complete(isDown ? .deferred(reason) : .delivered)
            return true
        }
        var setup = setup()
        setup.expire = "48h"
        try await Rig.with(setup, [source, down], in: folder) { rig in
            try await rig.send([message("later", to: "slow"), message("behind", to: "slow")], by: source)
            try await rig.hops.first { if case .deferred = $0.event { true } else { false } }
            try await source.answers.wait(for: 2)
        }
        let up = receiver()
        let again = pump()
        try await Rig.with(setup, [again, up], in: folder) { rig in
            try await rig.send([message("now")], by: again)
            try await up.taken.first { $0.text == "now" }
            // It came off the disk before, and waits with all of its conversation.
            #expect(up.taken.all.map(\.text) == ["now"])
            #expect(try await rig.status(of: "net").parked == 1)
            #expect(try rig.counts().pending >= 2)
        }
    }

    @Test("A failure waits on disk until its author's provider is back")
    func failureWaits() async throws {
        let folder = try TemporaryFolder()
        let author = Script("author", claims: ["author.example"])
        let bot = Script("bot", claims: ["bot@home.example"]) { provider, delivery in
            provider.held.append(delivery)
            return true
        }
        try await Rig.with(setup(), [author, bot], in: folder) { rig in
            try await rig.send(
                [.message("lost", from: "ann@author.example", to: "bot@home.example", id: "m1")],
                by: author
            )
            try await bot.taken.wait(for: 1)
        }
        // The author's provider does not start, and the message fails.
        let broken = Script("author", claims: ["author.example"])
        broken.startFailure = "no network"
        let refusing = Script("bot", claims: ["bot@home.example"]) { _, delivery in
            delivery.complete(.failed(Outcome.Reason(.recipient, "nobody")))
            return true
        }
        try await Rig.with(setup(), [broken, refusing], in: folder) { rig in
            try await rig.hops.first { $0.event == .failed("nobody") }
        }
        let back = Script("author", claims: ["author.example"])
        try await Rig.with(setup(), [back, Script("bot", claims: ["bot@home.example"])], in: folder) { _ in
            let notice = try await back.taken.first { $0.failure?.messageID == "m1" }
            #expect(notice.failure?.reason == "nobody")
        }
    }

    @Test("What expires for a provider that does not run, or is configured no more, goes back to its author")
    func expirySweep() async throws {
        let folder = try TemporaryFolder()
        let source = pump()
        let gone = Script("gone", claims: ["gone.example"]) { _, _ in false }
        let broken = Script("net", claims: ["partner.example"]) { _, _ in false }
        try await Rig.with(setup(), [source, gone, broken], in: folder) { rig in
            let now = try await rig.on(source) { $0.host.wallClock }
            var toGone = Envelope.message("1", from: "pump@home.example", to: "user@gone.example", id: "m1")
            var toBroken = message("2", id: "m2")
            toGone.expires = now + 2000
            toBroken.expires = now + 2000
            try await rig.send([toGone, toBroken], by: source)
            try await source.answers.wait(for: 2)
        }
        let stopped = Script("net", claims: ["partner.example"])
        stopped.startFailure = "no network"
        let again = pump()
        var setup = setup()
        setup.limits.expirySweepInterval = .milliseconds(20)
        try await Rig.with(setup, [again, stopped], in: folder) { rig in
            for id in ["m1", "m2"] {
                let notice = try await again.taken.first { $0.failure?.messageID == id }
                #expect(notice.failure?.reason == "it expired on the way")
            }
            let counts = try rig.counts()
            #expect(counts.deadLetters == 2)
        }
    }

    @Test("The inbox shows a message once, though its delivery was not recorded before a crash")
    func inboxOnce() async throws {
        let folder = try TemporaryFolder()
        let net = receiver()
        let store = Holder()
        var faulty = setup()
        faulty.openStore = { path throws(SpoolError) in
            let made = try FaultyStore(path: path)
            store.value = made
            return made
        }
        try await Rig.with(faulty, [net], in: folder) { rig in
            store.value?.fault.set { operations in
                let isForgetting = operations.contains { if case .delivered = $0 { true } else { false } }
                return isForgetting ? .diskFull(path: "test") : nil
            }
            let envelope = Envelope.message("once", from: "bob@partner.example", to: "alice@home.example", id: "1")
            try await rig.send([envelope], by: net)
            try await rig.inbox.wait(for: 1)
        }
        // As a power cut may: otherwise the router knows of the delivery by its marks.
        let path = try #require(store.value).path
        try FileManager.default.removeItem(atPath: path + CompletedMarks.suffix)
        let again = receiver()
        try await Rig.with(setup(), [again], in: folder) { rig in
            try await rig.hops.first { $0.event == .delivered }
            let items = try rig.router.inbox.items(of: nil, after: 0, limit: 10)
            #expect(items.map(\.text) == ["once"])
        }
    }
}

/// Carries a store out of the closure that makes it.
// Safe: set before the router starts.
final class Holder: @unchecked Sendable {
    var value: FaultyStore?
}
