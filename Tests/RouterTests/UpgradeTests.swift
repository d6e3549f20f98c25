import Directory
import PluginHost
import ProviderKit
import Testing

@testable import Router

@Suite("Upgrades", .timeLimit(.minutes(1)))
struct UpgradeTests {
    private let a = LineRig.provider("a", domain: "a.example", mark: "a")

    private func upgrade(_ rig: LineRig, _ plugin: Plugin? = nil, name: String = "a") async throws -> UpgradeAnswer {
        let preparation = ProviderPreparation(rig.router.currentConfiguration)
        let plugin = try plugin ?? rig.book.plugin()
        await rig.router.turns.take()
        defer { rig.router.turns.give() }
        return await rig.router.upgrade(name, to: plugin, preparation)
    }

    @Test(
        "Under load, upgrades lose nothing, double nothing and keep the order",
        arguments: [1, 2],
        [true, false]
    )
    func underLoad(workers: Int, isDurable: Bool) async throws {
        var limits = RouterLimits()
        limits.drainTime = .seconds(30)
        var file = LineRig.File(providers: [a])
        (file.workers, file.isDurable) = (workers, isDurable)
        let count = 3000
        try await LineRig.with(file, limits: limits) { rig in
            let peer = LoadPeer(port: try await rig.book.port("a"), count: count)
            try peer.connect()
            defer { peer.end() }
            let users = (0..<4).map { "u\($0)@a.example" }
            let sending = Task {
                var refused = 0
                for index in 0..<count where await rig.send("\(index)", to: users[index % 4]) != .accepted {
                    refused += 1
                }
                return refused
            }
            for round in 1...10 {
                // An upgrade may be over before the peer has connected to what it brought.
                try await peer.greeted.wait(for: round)
                let answer = try await upgrade(rig)
                #expect(answer.refusal == nil)
                #expect(answer.failed == [])
                #expect(answer.done == ["a: 1.0.0 → 1.0.0"])
            }
            try await peer.greeted.wait(for: 11)
            #expect(await sending.value == 0)
            try await rig.inbox.wait(for: count)
            try await peer.taken.wait(for: count)
            #expect(rig.inbox.all.map(\.text) == (0..<count).map { "\($0)" })
            #expect(peer.refused.all == [])
            for user in 0..<4 {
                let own = peer.taken.all.compactMap { Int($0.text) }.filter { $0 % 4 == user }
                #expect(own == (0..<count).filter { $0 % 4 == user })
            }
            #expect(peer.taken.all.allSatisfy { !$0.isAgain })
            #expect(peer.connections == 11)
            #expect(rig.book.life.all.filter { $0 == "stop a" }.count == 10)
        }
    }

    @Test(
        "What the old instance does not settle in its time goes to the new one, marked, in order, and nothing is lost",
        arguments: [true, false]
    )
    func takenBack(isDurable: Bool) async throws {
        var limits = RouterLimits()
        limits.drainTime = .milliseconds(20)
        var file = LineRig.File(providers: [a])
        file.isDurable = isDurable
        try await LineRig.with(file, limits: limits) { rig in
            // Settles nothing, and does not leave.
            let port = try await rig.book.port("a")
            let silent = try LineClient(port: port)
            try await silent.lines.first { $0.hasPrefix("HELLO") }
            for index in 0..<10 { #expect(await rig.send("\(index)", to: "u\(index % 2)@a.example") == .accepted) }
            try await silent.lines.first { $0.hasSuffix(" 9") }
            let answer = try await upgrade(rig)
            #expect(answer.done == ["a: 1.0.0 → 1.0.0, 10 unfinished envelopes went to the new version"])
            try await silent.lines.first { $0 == "END" }
            for index in 10..<12 { #expect(await rig.send("\(index)", to: "u\(index % 2)@a.example") == .accepted) }
            let peer = LoadPeer(port: port, count: 0)
            try peer.connect()
            defer { peer.end() }
            try await peer.taken.wait(for: 12)
            for user in 0..<2 {
                let own = peer.taken.all.filter { Int($0.text).map { $0 % 2 } == user }
                #expect(own.map(\.text) == (0..<12).filter { $0 % 2 == user }.map { "\($0)" })
                #expect(own.map(\.isAgain) == [true, true, true, true, true, false])
            }
        }
    }

    @Test("A conversation of which the old instance holds something waits for it; the others go on")
    func order() async throws {
        var limits = RouterLimits()
        limits.drainTime = .seconds(50)
        try await LineRig.with(LineRig.File(providers: [a]), limits: limits) { rig in
            let port = try await rig.book.port("a")
            let slow = try LineClient(port: port)
            try await slow.lines.first { $0.hasPrefix("HELLO") }
            #expect(await rig.send("held", to: "slow@a.example") == .accepted)
            let line = try await slow.lines.first { $0.hasSuffix("held") }
            async let answer = upgrade(rig)
            try await slow.lines.first { $0 == "BYE" }
            let peer = LoadPeer(port: port, count: 0)
            try peer.connect()
            defer { peer.end() }
            #expect(await rig.send("behind", to: "slow@a.example") == .accepted)
            #expect(await rig.send("free", to: "quick@a.example") == .accepted)
            try await peer.taken.first { $0.text == "free" }
            #expect(!peer.taken.all.contains { $0.text == "behind" })
            slow.send("K \(line.split(separator: " ")[1])")
            slow.finish()
            try await peer.taken.first { $0.text == "behind" }
            #expect(try await answer.done == ["a: 1.0.0 → 1.0.0"])
            #expect(peer.taken.all.map(\.text) == ["free", "behind"])
        }
    }

    @Test("A new version that does not start leaves the old one as it was, streams and socket too")
    func notStarted() async throws {
        let failing = try Plugin(
            path: "failing",
            table: Entry.plugin(LineProvider.self) { host, instance throws(ProviderError) in
                throw ProviderError("the moon is wrong")
            }
        )
        try await LineRig.with(LineRig.File(providers: [a])) { rig in
            let client = try await rig.client("a")
            let answer = try await upgrade(rig, failing)
            #expect(answer.failed == ["a goes on as it was: a was not created: the moon is wrong"])
            #expect(await rig.send("on", to: "u@a.example") == .accepted)
            try await client.lines.first { $0.hasSuffix("on") }
            client.send("M 1 u@a.example bob@home.example hello")
            try await rig.inbox.first { $0.text == "hello" }
            _ = try await rig.client("a")
            #expect(rig.book.life.all == ["start a"])
        }
    }

    @Test("A plugin of another id, and a name that nobody has, are refused")
    func refused() async throws {
        try await LineRig.with(LineRig.File(providers: [a])) { rig in
            let other = try Script("other", claims: []).plugin()
            let answer = try await upgrade(rig, other)
            #expect(answer.refusal == "linked other is the plugin org.example.scripted, and a is org.example.line")
            #expect(try await upgrade(rig, name: "b").refusal?.hasSuffix("is called b") == true)
            #expect(try await upgrade(rig, name: "org.example.line").done.count == 1)
            #expect(try await upgrade(rig, name: "lines").done.count == 1)
            #expect(
                await rig.router.upgrade("a", file: "/nowhere/lib.so").refusal?.hasPrefix("/nowhere/lib.so") == true
            )
        }
    }

    @Test("A file that runs already changes nothing")
    func sameFile() async throws {
        try await LineRig.with(LineRig.File(providers: [a])) { rig in
            let plugin = try rig.book.plugin()
            #expect(try await upgrade(rig, plugin).done == ["a: 1.0.0 → 1.0.0"])
            #expect(try await upgrade(rig, plugin).done == ["a runs this file already"])
        }
    }

    @Test("A reload after an upgrade keeps the version that runs")
    func reloadAfter() async throws {
        try await LineRig.with(LineRig.File(providers: [a])) { rig in
            let plugin = try rig.book.plugin()
            _ = try await upgrade(rig, plugin)
            _ = await rig.reload(LineRig.File(providers: [LineRig.provider("a", domain: "b.example", mark: "a2")]))
            #expect(try await upgrade(rig, plugin).done == ["a runs this file already"])
        }
    }
}
