import Foundation
import ProviderKit
import Telemetry
import Testing

@testable import Router

@Suite("What log lines say", .timeLimit(.minutes(1)))
struct LogFieldTests {
    private let alice = "alice@home.example"
    private let bob = "bob@partner.example"

    @Test("A refused envelope: who handed it in, whom it is from and to, its id, and why")
    func refusal() async throws {
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(Setup(), [net]) { rig in
            try await rig.send([.message("secret words", from: "eve@else.example", to: alice, id: "m1")], by: net)
            let line = try await rig.log.entries.first { $0.message == "an envelope was refused" }
            #expect(
                line.fields == [
                    "provider": "net", "partner": "else.example", "from": "eve@else.example", "to": alice,
                    "message-id": "m1", "kind": "message", "code": "foreign-sender",
                    "reason": "eve@else.example is not an address of the provider net",
                ]
            )
            #expect(!rig.log.lines.all.contains { $0.contains("secret words") })
        }
    }

    @Test("A delivery that is put off, and one that fails, say why, how often, and when it goes on")
    func deliveries() async throws {
        let net = Script("net", claims: ["partner.example"]) { _, delivery in
            let isFirst = delivery.envelope.text == "later" && !delivery.envelope.isRedelivered
            delivery.complete(
                isFirst
                    ? .deferred(Outcome.Reason(.throttled, "slow down", code: "wait"))
                    : .failed(Outcome.Reason(.recipient, "no such user", code: "404"))
            )
            return true
        }
        try await Rig.with(Setup(firstRetry: "100ms", lastRetry: "100ms"), [net]) { rig in
            let id = await rig.router.send(.message("later", from: alice, to: bob)).id
            let put = try await rig.log.entries.first { $0.message == "a delivery is put off" }
            var fields = put.fields
            let retry = try #require(fields.removeValue(forKey: "retry-in-ms").flatMap { Int($0) })
            #expect((0...200).contains(retry))
            var expected = [
                "provider": "net", "partner": "partner.example", "from": alice, "to": bob, "message-id": id,
                "kind": "message", "reason": "slow down", "class": "throttled", "code": "wait", "attempts": "1",
            ]
            #expect(fields == expected)
            let failed = try await rig.log.entries.first { $0.message == "a delivery failed" }
            expected["reason"] = "no such user"
            expected["class"] = "recipient"
            expected["code"] = "404"
            #expect(failed.fields == expected)
        }
    }

    @Test("A peer that brings refusals about without end gets some lines, and then a count")
    func flood() async throws {
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(Setup(), [net]) { rig in
            let envelopes = (0..<500).map {
                Envelope.message("x", from: "eve\($0)@else.example", to: alice, id: "\($0)")
            }
            try await rig.send(envelopes, by: net)
            _ = try await net.answers.wait(for: 500)
            // Of another cause: it has a limit of its own.
            try await rig.send([.message("x", from: bob, to: "x@nowhere.example")], by: net)
            _ = try await rig.log.entries.first { $0.fields["code"] == "no-route" }
            let lines = rig.log.entries.all.filter { $0.fields["code"] == "foreign-sender" }
            #expect(lines.count == EnvelopeLog.linesMax)
            #expect(try await rig.status(of: "net").counters.refused == 501)
        }
    }

    @Test("A plugin's own lines have its fields, and cannot claim another provider's name")
    func pluginLines() async throws {
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(Setup(), [net]) { rig in
            try await rig.on(net) { provider in
                provider.host.log(
                    .warning,
                    "a login failed",
                    [
                        .partner: "partner.example", .reason: "wrong word", "provider": "xmpp", "Bad Name": "x",
                        "own": "1",
                    ]
                )
            }
            let line = try await rig.log.entries.first { $0.message == "a login failed" }
            #expect(
                line.fields == ["provider": "net", "partner": "partner.example", "reason": "wrong word", "own": "1"]
            )
        }
    }

    @Test("A plugin that says the same without end is held back, debug lines are not")
    func pluginFlood() async throws {
        let net = Script("net", claims: [])
        try await Rig.with(Setup(), [net]) { rig in
            try await rig.on(net) { provider in
                for number in 0..<60 {
                    provider.host.log(.notice, "again", ["number": "\(number)"])
                    provider.host.log(.debug, "in detail", ["number": "\(number)"])
                }
            }
            let lines = rig.log.entries.all
            #expect(lines.count { $0.message == "again" } == 50)
            #expect(lines.count { $0.message == "in detail" } == 60)
        }
    }

    @Test("A configuration's error says where it is and whose it is")
    func problems() async throws {
        let net = Script("net", claims: [])
        net.createFailure = "no licence"
        try await Rig.with(Setup(moreProviders: "  gone: {plugin: NoSuchPlugin}"), [net]) { rig in
            let error = try await rig.log.entries.first { $0.message == "the configuration has an error" }
            #expect(error.fields["provider"] == "gone")
            #expect(error.fields["key"] == "providers.gone.plugin")
            #expect(error.fields["path"] == "test.yaml")
            #expect(error.fields["position"] != nil && error.fields["reason"] != nil)
            let failed = try await rig.log.entries.first { $0.message == "a provider does not run" }
            #expect(failed.fields["provider"] == "net")
            #expect(failed.fields["reason"]?.contains("no licence") == true)
        }
    }

    @Test("The operators' list of fields has every field")
    func documented() throws {
        let list = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/Telemetry/Telemetry.docc/Watching.md")
        let text = try String(contentsOf: list, encoding: .utf8)
        for field in LogField.allCases {
            #expect(text.contains("`\(field.rawValue)`"), "\(field.rawValue) is not in Watching.md")
        }
    }
}
