import Configuration
import Directory
import ProviderKit
import Spool
import Testing

@testable import Router

@Suite("Reloads", .timeLimit(.minutes(1)))
struct ReloadTests {
    private typealias File = LineRig.File

    private func file(_ providers: String..., change: (inout LineRig.File) -> Void = { _ in }) -> LineRig.File {
        var file = File(providers: providers)
        change(&file)
        return file
    }

    private let a = LineRig.provider("a", domain: "a.example", mark: "a")
    private let b = LineRig.provider("b", domain: "b.example", mark: "b")

    @Test("A provider that is added runs, and an unchanged one's streams stay open", arguments: [1, 2])
    func added(workers: Int) async throws {
        try await LineRig.with(file(a) { $0.workers = workers }) { rig in
            let client = try await rig.client("a")
            let answer = await rig.reload(file(a, b) { $0.workers = workers })
            #expect(answer.isApplied)
            #expect(answer.done == ["started b"])
            #expect(answer.failed == [])
            #expect(answer.unchanged == ["a"])
            #expect(await rig.send("for a", to: "u@a.example") == .accepted)
            try await client.lines.first { $0.hasSuffix("u@a.example for a") }
            let other = try await rig.client("b")
            #expect(await rig.send("for b", to: "u@b.example") == .accepted)
            try await other.lines.first { $0.hasSuffix("for b") }
            other.send("M 1 u@b.example bob@home.example hello")
            try await rig.inbox.first { $0.text == "hello" && $0.owner == "bob@home.example" }
            #expect(rig.book.life.all == ["start a", "start b"])
            #expect(!client.lines.all.contains("END"))
        }
    }

    @Test("A file with errors changes nothing, and all errors are told")
    func errors() async throws {
        try await LineRig.with(file(a)) { rig in
            let client = try await rig.client("a")
            let missing = "c: {plugin: NoSuchPlugin}"
            let wrong = LineRig.provider("b", domain: "b.example", more: ", prot: 1")
            let answer = await rig.reload(file(wrong, missing) { $0.spool = ", expre: 1h" })
            #expect(!answer.isApplied)
            #expect(answer.done == [])
            let text = answer.problems.map(\.description).joined(separator: "\n")
            #expect(text.contains("test.yaml:3:"))
            #expect(text.contains("unknown key 'expre'"))
            #expect(text.contains("unknown key 'prot'"))
            #expect(text.contains("no libNoSuchPlugin.so in"))
            try await rig.log.lines.first { $0.contains("no libNoSuchPlugin.so in") }
            #expect(await rig.send("still", to: "u@a.example") == .accepted)
            try await client.lines.first { $0.hasSuffix("still") }
            #expect(rig.book.life.all == ["start a"])
        }
    }

    @Test("A provider that is removed drains; what is stored for it waits and is delivered when it comes back")
    func removedAndBack() async throws {
        try await LineRig.with(file(a, b)) { rig in
            // Nobody is connected to b, so that the message stays in its lane.
            #expect(await rig.send("kept", to: "u@b.example") == .accepted)
            let answer = await rig.reload(file(a))
            #expect(answer.done == ["stopped b"])
            #expect(rig.book.life.all == ["start a", "start b", "drain b", "stop b"])
            #expect(await rig.status(of: "b") == nil)
            #expect(await rig.send("refused", to: "u@b.example").sentence == "no provider serves b.example")
            #expect(try rig.router.store?.counts().pending == 1)

            #expect(
                await rig.reload(file(a, LineRig.provider("b", domain: "b.example", mark: "b2"))).done == ["started b"]
            )
            let client = try await rig.client("b2")
            try await client.lines.first { $0.hasSuffix("u@b.example kept") }
            #expect(await rig.send("new", to: "u@b.example") == .accepted)
            try await client.lines.first { $0.hasSuffix("u@b.example new") }
            #expect(rig.book.offered.all.map(\.text) == ["kept", "new"])
        }
    }

    @Test("What a removed provider held and had not settled comes again, marked as redelivered")
    func heldByRemoved() async throws {
        var limits = RouterLimits()
        limits.drainTime = .milliseconds(20)
        try await LineRig.with(file(b), limits: limits) { rig in
            let silent = try LineClient(port: try await rig.book.port("b"))
            try await silent.lines.first { $0.hasPrefix("HELLO") }
            #expect(await rig.send("held", to: "u@b.example") == .accepted)
            try await silent.lines.first { $0.hasSuffix("held") }
            _ = await rig.reload(file(a))
            _ = await rig.reload(file(a, LineRig.provider("b", domain: "b.example", mark: "b2")))
            let client = try await rig.client("b2")
            let line = try await client.lines.first { $0.hasSuffix("held") }
            #expect(line.split(separator: " ")[2] == "true")
        }
    }

    @Test("Without a spool, what waits for a removed provider goes back to its author")
    func removedWithoutSpool() async throws {
        var limits = RouterLimits()
        limits.drainTime = .milliseconds(20)
        try await LineRig.with(file(a, b) { $0.isDurable = false }, limits: limits) { rig in
            #expect(await rig.send("lost", to: "u@b.example") == .accepted)
            _ = await rig.reload(file(a) { $0.isDurable = false })
            let item = try await rig.inbox.first { $0.kind == "failure" }
            #expect(item.text == "the provider b does not run any more")
        }
    }

    @Test("A provider with other settings is replaced, the one beside it is not touched")
    func changed() async throws {
        try await LineRig.with(file(a, b)) { rig in
            let (kept, old) = (try await rig.client("a"), try await rig.client("b"))
            let answer = await rig.reload(file(a, LineRig.provider("b", domain: "b.example", mark: "b2")))
            #expect(answer.done == ["replaced b: other settings"])
            #expect(answer.unchanged == ["a"])
            try await old.lines.first { $0 == "END" }
            #expect(rig.book.life.all == ["start a", "start b", "start b2", "drain b", "stop b"])
            let client = try await rig.client("b2")
            #expect(try await rig.book.port("b2") == rig.book.port("b"), "the listening socket was not handed over")
            #expect(await rig.send("new", to: "u@b.example") == .accepted)
            try await client.lines.first { $0.hasSuffix("new") }
            #expect(!kept.lines.all.contains("END"))
        }
    }

    @Test("One that does not start with its new settings goes on with the old, and the answer says why")
    func failed() async throws {
        try await LineRig.with(file(a)) { rig in
            let client = try await rig.client("a")
            let broken = LineRig.provider("a", domain: "a.example", mark: "a2", more: ", failure: the sun is wrong")
            let answer = await rig.reload(file(broken))
            #expect(answer.isApplied)
            #expect(answer.done == [])
            #expect(answer.failed.count == 1)
            #expect(answer.failed.first?.hasPrefix("a goes on as it was: ") == true)
            #expect(await rig.send("on", to: "u@a.example") == .accepted)
            try await client.lines.first { $0.hasSuffix("on") }
            #expect(await rig.status(of: "a")?.state == "running")
            // Its socket is accepted from as before.
            let other = try await rig.client("a")
            other.send("M 1 u@a.example bob@home.example hello")
            try await rig.inbox.first { $0.text == "hello" }
        }
    }

    @Test("A domain goes from one provider to another in one reload, whichever stands first in the file")
    func movedDomain() async throws {
        try await LineRig.with(file(a, b)) { rig in
            let answer = await rig.reload(
                file(
                    LineRig.provider("a", domain: "b.example", mark: "a2"),
                    LineRig.provider("b", domain: "c.example", mark: "b2")
                )
            )
            #expect(answer.failed == [])
            let client = try await rig.client("a2")
            #expect(await rig.send("moved", to: "u@b.example") == .accepted)
            try await client.lines.first { $0.hasSuffix("moved") }
            #expect(await rig.send("x", to: "u@a.example").sentence == "no provider serves a.example")
        }
    }

    @Test("Home users come and go without a provider being touched; a home domain is told to all of them")
    func home() async throws {
        try await LineRig.with(file(a)) { rig in
            let client = try await rig.client("a")
            client.send("M 1 u@a.example carol@home.example early")
            try await client.lines.first { $0 == "A 1" }
            try await client.lines.first { $0.hasPrefix("D ") }
            let users = file(a) { $0.home = "home.example: {users: [alice, carol]}" }
            var answer = await rig.reload(users)
            #expect(answer.done == ["added carol@home.example", "removed bob@home.example"])
            client.send("M 2 u@a.example carol@home.example now")
            try await rig.inbox.first { $0.text == "now" }

            answer = await rig.reload(
                file(a) { $0.home = "home.example: {users: [alice, carol]}, new.example: {users: any}" }
            )
            #expect(answer.done == ["serves the home domain new.example", "replaced a: other home domains"])
            let other = try await rig.client("a")
            other.send("M 3 u@a.example x@new.example there")
            try await rig.inbox.first { $0.text == "there" && $0.owner == "x@new.example" }

            _ = await rig.reload(users)
            let last = try await rig.client("a")
            last.send("M 4 u@a.example x@new.example gone")
            try await last.lines.first { $0 == "R 4 no provider serves new.example" }
        }
    }

    @Test("A provider that takes other home domains over keeps its streams; one that does not is replaced")
    func homeDomainsTold() async throws {
        let adapting = LineRig.provider("a", domain: "a.example", mark: "a", more: ", adapts: true")
        try await LineRig.with(file(adapting, b)) { rig in
            let client = try await rig.client("a")
            let more = file(adapting, b) { $0.home = "home.example: {users: any}, new.example: {users: any}" }
            var answer = await rig.reload(more)
            #expect(
                answer.done.filter { !$0.contains("@") } == [
                    "serves the home domain new.example", "told a the home domains", "replaced b: other home domains",
                ]
            )
            #expect(answer.unchanged == ["a"])
            #expect(answer.failed == [])
            #expect(
                rig.book.told.all == [["a", "home.example", "new.example"], ["b", "home.example", "new.example"]]
            )
            // The stream that was open before.
            client.send("M 1 u@a.example x@new.example there")
            try await rig.inbox.first { $0.text == "there" && $0.owner == "x@new.example" }
            #expect(await rig.send("for a", to: "u@a.example") == .accepted)
            try await client.lines.first { $0.hasSuffix("for a") }
            #expect(!client.lines.all.contains("BYE") && !client.lines.all.contains("END"))
            #expect(rig.book.life.all.filter { $0.hasSuffix(" a") } == ["start a"])

            answer = await rig.reload(more)
            #expect(answer.done == [])
            #expect(answer.unchanged == ["a", "b"])
        }
    }

    @Test("Keys that cannot change are named, and the rest is done")
    func restart() async throws {
        try await LineRig.with(file(a)) { rig in
            let other = file(a, b) { file in
                file.workers = 2
                file.spool = ", expire: 3h"
            }
            for _ in 0..<2 {
                let answer = await rig.reload(other)
                #expect(answer.needsRestart == ["router.workers"])
            }
            #expect(rig.router.core.expireMs == 3 * 3600 * 1000)
            #expect(await rig.status(of: "b")?.state == "running")
        }
    }

    @Test("A provider that did not run is tried again")
    func retried() async throws {
        let broken = LineRig.provider("a", domain: "a.example", mark: "a", more: ", failure: no")
        try await LineRig.with(file(broken)) { rig in
            #expect(await rig.status(of: "a")?.state == "failed")
            #expect(await rig.reload(file(a)).done == ["started a, which did not run"])
            #expect(await rig.status(of: "a")?.state == "running")
            #expect(await rig.status(of: "a")?.failure == "")
        }
    }

    @Test("Reloads while messages flow lose none and change no order", arguments: [1, 2])
    func underLoad(workers: Int) async throws {
        try await LineRig.with(file(a) { $0.workers = workers }) { rig in
            let client = try await rig.client("a")
            let count = 2000
            let sending = Task {
                for index in 0..<count { client.send("M \(index) u@a.example bob@home.example \(index)") }
            }
            for round in 0..<6 {
                let files = [file(a, b) { $0.workers = workers }, file(a) { $0.workers = workers }]
                #expect(await rig.reload(files[round % 2]).isApplied)
            }
            await sending.value
            try await rig.inbox.wait(for: count)
            #expect(rig.inbox.all.map(\.text) == (0..<count).map { "\($0)" })
        }
    }
}
