import Foundation
import ProviderKit
import Testing

@testable import Router

@Suite("What the router counts", .timeLimit(.minutes(1)))
struct MetricsTests {
    @Test("Envelopes are counted by their kind, refusals by their reason, failures by their class")
    func kindsAndReasons() async throws {
        let net = Script("net", claims: ["partner.example"]) { _, delivery in
            switch delivery.envelope.text {
            case "fail": delivery.complete(.failed(Outcome.Reason(.recipient, "no such user")))
            case "later": delivery.complete(.deferred(Outcome.Reason(.throttled, "slow down", retryAfter: 60_000)))
            default: delivery.complete(.delivered)
            }
            return true
        }
        try await Rig.with(Setup(), [net]) { rig in
            let (alice, bob) = ("alice@home.example", "bob@partner.example")
            for text in ["hello", "fail"] { _ = await rig.router.send(.message(text, from: alice, to: bob)) }
            _ = await rig.router.send(.message("later", from: alice, to: "eve@partner.example"))
            _ = await rig.router.send(.message("hello", from: alice, to: "x@nowhere.example"))
            var receipt = Envelope.message("", from: bob, to: alice)
            receipt.content = .receipt(Receipt(.delivered, messageID: "1"))
            try await rig.send([receipt, .message("x", from: "eve@nowhere.example", to: alice)], by: net)
            let text = try await rig.metrics { $0.contains("outcome=\"deferred\"") }
            for line in [
                "plugboard_submitted_total{kind=\"message\",provider=\"home\"} 4",
                "plugboard_submitted_total{kind=\"receipt\",provider=\"net\"} 1",
                "plugboard_submitted_total{kind=\"message\",provider=\"net\"} 1",
                "plugboard_refused_total{kind=\"message\",provider=\"home\",reason=\"no-route\"} 1",
                "plugboard_refused_total{kind=\"message\",provider=\"net\",reason=\"foreign-sender\"} 1",
                "plugboard_settled_total{kind=\"message\",outcome=\"delivered\",provider=\"net\"} 1",
                "plugboard_settled_total{kind=\"message\",outcome=\"failed\",provider=\"net\"} 1",
                "plugboard_settled_total{kind=\"message\",outcome=\"deferred\",provider=\"net\"} 1",
                "plugboard_failures_total{class=\"recipient\",kind=\"message\",provider=\"net\"} 1",
                "plugboard_failures_total{class=\"throttled\",kind=\"message\",provider=\"net\"} 1",
            ] {
                #expect(text.split(separator: "\n").contains { $0 == line }, "\(line) is not in:\n\(text)")
            }
        }
    }

    @Test("What breaks the ABI's rules is counted and logged, without what is in it")
    func malformed() async throws {
        let net = Script("net", claims: ["partner.example"])
        try await Rig.with(Setup(), [net]) { rig in
            let huge = String(repeating: "x", count: 524_288)
            try await rig.send([.message(huge, from: "bob@partner.example", to: "alice@home.example")], by: net)
            let text = try await rig.metrics { $0.contains("reason=\"over-limit\"") }
            #expect(text.contains("plugboard_refused_total{kind=\"message\",provider=\"net\",reason=\"over-limit\"} 1"))
            let line = try await rig.log.entries.first { $0.message == "an envelope was refused" }
            #expect(line.fields["code"] == "over-limit")
            #expect(line.fields["provider"] == "net")
        }
    }

    @Test("The table of metrics has every metric of the router")
    func documented() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent()
        let article = tests.appending(path: "../../Sources/Telemetry/Telemetry.docc/Watching.md")
        let text = try String(contentsOf: article, encoding: .utf8)
        for (name, _, _) in RouterMetrics.descriptions {
            #expect(text.contains("| `\(name)` |"), "\(name) is not in Watching.md")
        }
    }
}

extension Rig {
    /// The metrics' text, once it is as wanted.
    func metrics(_ isWanted: (String) -> Bool) async throws -> String {
        while true {
            let text = await router.metricsText()
            if isWanted(text) { return text }
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
