import ProviderKit
import Testing

@testable import XMPPBridge

/// What operators see of partners and do with them.
@Suite struct OperationTests {
    private func provider(_ host: FakeHost) throws -> XMPPProvider {
        try #require(host.provider(as: XMPPProvider.self))
    }

    private static func fromBob(_ id: String) -> Envelope {
        let (bob, alice) = (TwoServers.address("bob@b.test"), TwoServers.address("alice@a.test"))
        return Envelope(from: bob, to: alice, id: id, content: .message(Message(text: "hi")))
    }

    @Test("A report names the links, the messages both ways, and the last three attempts with both kinds of words")
    func report() throws {
        let servers = TwoServers(TwoServers.external)
        let federation = try self.provider(servers.a).federation
        servers.world.addresses["b.test"] = nil
        for _ in 0..<4 {
            servers.a.deliver(TwoServers.message("x"))
            servers.world.run(forMs: 20_000)
        }
        let down = federation.partnerReport(after: "")
        #expect(down.split(separator: "\"succeeded\":false").count == 1 + PartnerRecord.attemptsMax)
        #expect(down.contains(#""error":"b.test:5269 refuses connections""#))
        #expect(down.contains(#""meaning":"The server does not take connections"#))
        servers.world.addresses["b.test"] = "192.0.2.2"
        servers.a.deliver(TwoServers.message("hello", id: "m2"))
        servers.world.run()
        let up = federation.partnerReport(after: "")
        #expect(up.contains(#""messages_in":0,"messages_out":1"#))
        #expect(up.contains(#""state":"up","detail":"out, TLSv1.3, EXTERNAL, acknowledged""#))
        #expect(up.contains(#""succeeded":true"#))
        let other = try self.provider(servers.b).federation
        #expect(other.partnerReport(after: "").contains(#""messages_in":1"#))
        #expect(federation.partnerReport(after: "b.test").isEmpty)
    }

    @Test("A blocked partner loses its links, gets nothing and is not let in, until it is unblocked")
    func blocking() throws {
        let servers = TwoServers(TwoServers.external)
        servers.b.deliver(Self.fromBob("m0"))
        servers.a.deliver(TwoServers.message("1", id: "1"))
        servers.world.run()
        let federation = try self.provider(servers.a).federation
        #expect(throws: ProviderError.self) { try federation.block("c.test") }
        #expect(try federation.block("B.TEST") == "b.test is blocked")
        #expect(try federation.block("b.test") == "b.test is blocked already")
        servers.world.run(forMs: 10_000)
        #expect(servers.a.endpoints.isEmpty)
        let refused = servers.a.deliver(TwoServers.message("2", id: "2"))
        let unwanted = servers.b.deliver(Self.fromBob("m1"))
        servers.world.run()
        guard case .failed(let reason)? = servers.a.outcome(refused) else {
            Issue.record("it was not refused")
            return
        }
        #expect(reason.text.contains("blocked by the operator"))
        #expect(servers.b.outcome(unwanted) != .delivered)
        #expect(federation.partnerReport(after: "").contains(#""blocked":true"#))
        #expect(try federation.unblock("b.test") == "b.test is not blocked any more")
        let taken = servers.a.deliver(TwoServers.message("3", id: "3"))
        servers.world.run()
        #expect(servers.a.outcome(taken) == .delivered)
        #expect(TwoServers.texts(servers.b) == ["1", "3"])
    }

    private func trial(_ servers: TwoServers) throws -> String {
        let federation = try self.provider(servers.a).federation
        _ = try federation.startTrial("b.test")
        servers.world.run(forMs: 1_000)
        return try federation.trialReport("b.test")
    }

    @Test("A trial tells of each step, and sends nothing")
    func trial() throws {
        let servers = TwoServers(TwoServers.external)
        let report = try self.trial(servers)
        for step in ["dns", "tcp", "tls", "certificate", "authentication"] {
            #expect(report.contains(#"{"step":"\#(step)","good":true"#), "\(step) in \(report)")
        }
        #expect(report.hasSuffix(#"{"done":true,"good":true,"partner":"b.test"}"#))
        servers.world.run(forMs: 20_000)
        #expect(servers.a.endpoints.isEmpty)
        #expect(servers.b.submitted.isEmpty)
    }

    @Test("A trial that fails says where and why")
    func failedTrial() throws {
        let untrusted = try self.trial(TwoServers(TwoServers.external, isTrusted: false))
        #expect(untrusted.contains(#"{"step":"certificate","good":false"#))
        #expect(untrusted.hasSuffix(#"{"done":true,"good":false,"partner":"b.test"}"#))
        let nobody = TwoServers(TwoServers.external)
        nobody.world.addresses["b.test"] = nil
        #expect(try self.trial(nobody).contains(#"{"step":"tcp","good":false"#))
        let denied = TwoServers(TwoServers.external)
        let lone = DNSRecord(value: ".", port: 0)
        denied.world.services = ["_xmpp-server._tcp.b.test": [lone], "_xmpps-server._tcp.b.test": [lone]]
        #expect(try self.trial(denied).contains(#"{"step":"dns","good":false"#))
        let federation = try self.provider(denied.a).federation
        #expect(throws: ProviderError.self) { try federation.startTrial("c.test") }
    }

    @Test("JSON escapes what it must")
    func json() {
        let value = JSONText.object([("a\"", .list([.text("\\\n\u{1}é"), .number(-1), .truth(true)]))])
        #expect(value.line == "{\"a\\\"\":[\"\\\\\\u000a\\u0001é\",-1,true]}")
    }
}
