import ProviderKit
import Testing

/// Two providers that federate with each other, over a network in memory.
@Suite struct FederationTests {
    /// A message from A to B and one back, and what A says of its streams.
    private func converse(_ servers: TwoServers) -> [String] {
        let there = servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == ["hello"], "\(servers.a.log) \(servers.b.log)")
        #expect(servers.a.outcome(there) == .delivered)
        var answer = TwoServers.message("hi", id: "m2")
        (answer.from, answer.to) = (answer.to, answer.from)
        let back = servers.b.deliver(answer)
        servers.world.run()
        #expect(TwoServers.texts(servers.a) == ["hi"])
        #expect(servers.b.outcome(back) == .delivered)
        return servers.a.links.filter { $0.state == .up }.map(\.detail)
    }

    @Test("Messages travel both ways between servers that trust each other's certificates")
    func external() {
        #expect(
            self.converse(TwoServers(TwoServers.external)) == [
                "in, TLSv1.3, EXTERNAL, acknowledged", "out, TLSv1.3, EXTERNAL, acknowledged",
            ]
        )
    }

    @Test("Messages travel both ways with dialback over TLS")
    func dialback() {
        let servers = TwoServers(TwoServers.dialback, isTrusted: false)
        #expect(self.converse(servers) == ["in, TLSv1.3, dialback", "out, TLSv1.3, dialback"])
    }

    @Test("Messages travel both ways with dialback in the clear, where the policy allows it")
    func plainDialback() {
        #expect(
            self.converse(TwoServers(TwoServers.plainDialback)) == ["in, no TLS, dialback", "out, no TLS, dialback"]
        )
    }

    @Test("An optional certificate that nobody trusts leads to dialback")
    func optional() {
        let servers = TwoServers(["sasl": "optional", "dialback": "true", "bidirectional": "false"], isTrusted: false)
        #expect(self.converse(servers) == ["in, TLSv1.3, dialback", "out, TLSv1.3, dialback"])
    }

    @Test("Where DNS names a server with direct TLS, the connection begins with TLS and the right protocol name")
    func directTLS() throws {
        let servers = TwoServers(TwoServers.external)
        servers.world.services["_xmpps-server._tcp.b.test"] = [DNSRecord(value: "b.test", port: 5270, priority: 0)]
        servers.world.services["_xmpp-server._tcp.b.test"] = [DNSRecord(value: "nowhere.test", port: 1, priority: 1)]
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == ["hello"])
        let end = try #require(servers.a.everyEndpoint.first)
        #expect(end.address == "b.test:5270")
        #expect(end.tls?.alpn == ["xmpp-server"])
        #expect(!end.written.contains("starttls"))
    }

    @Test("A server that does not answer is passed over for the next one that DNS names")
    func nextServer() {
        let servers = TwoServers(TwoServers.external)
        servers.world.services["_xmpp-server._tcp.b.test"] = [
            DNSRecord(value: "nowhere.test", port: 5269, priority: 0),
            DNSRecord(value: "b.test", port: 5269, priority: 1),
        ]
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == ["hello"])
        #expect(
            servers.a.log.contains {
                $0.contains("does not serve the partner") && $0.contains("peer=nowhere.test:5269")
            }
        )
    }

    @Test("Without an answer from DNS the domain itself is asked, and a proxy is asked instead of DNS")
    func fallbacks() {
        let silent = TwoServers(TwoServers.external)
        silent.world.services["_xmpps-server._tcp.b.test"] = .some(nil)
        silent.world.services["_xmpp-server._tcp.b.test"] = .some(nil)
        silent.a.deliver(TwoServers.message("hello"))
        silent.world.run()
        #expect(TwoServers.texts(silent.b) == ["hello"])

        var policy = TwoServers.external
        policy["proxy"] = "proxy.test:5269"
        let proxied = TwoServers(policy)
        proxied.world.addresses = ["proxy.test": "192.0.2.2"]
        proxied.a.deliver(TwoServers.message("hello"))
        proxied.world.run()
        #expect(TwoServers.texts(proxied.b) == ["hello"])
    }

    @Test("A domain that offers no federation is not connected to")
    func notOffered() {
        let servers = TwoServers(TwoServers.external)
        servers.world.services["_xmpp-server._tcp.b.test"] = [DNSRecord(value: ".", port: 0, priority: 0)]
        let token = servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        guard case .deferred(let reason)? = servers.a.outcome(token) else {
            Issue.record("the outcome is \(String(describing: servers.a.outcome(token)))")
            return
        }
        #expect(reason.failureClass == .unavailable)
        #expect(reason.code == "remote-server-not-found")
        #expect(servers.a.everyEndpoint.isEmpty)
    }

    @Test("The messages of a conversation arrive in order, on one stream")
    func order() {
        let servers = TwoServers(TwoServers.external)
        for number in 0..<50 { servers.a.deliver(TwoServers.message("\(number)", id: "\(number)")) }
        servers.world.run()
        for number in 50..<100 { servers.a.deliver(TwoServers.message("\(number)", id: "\(number)")) }
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == (0..<100).map(String.init))
        #expect(servers.a.completed == Array(1...100))
        #expect(servers.a.everyEndpoint.count == 1)
        #expect(servers.a.links.map(\.sent) == [100])
        #expect(servers.b.links.filter { $0.state == .up }.map(\.received) == [100])
    }

    @Test("Receipts, typing and presence travel too")
    func otherKinds() {
        let servers = TwoServers(TwoServers.external)
        let contents: [Envelope.Content] = [
            .receipt(Receipt(.delivered, messageID: "m0")), .typing(.composing), .presence(Presence(.away)),
            .subscription(Subscription(.request)),
        ]
        for content in contents { servers.a.deliver(toBob(content)) }
        servers.world.run()
        #expect(servers.b.submitted.map(\.content) == contents)
    }

    @Test("What is not between a home domain and a partner, or has no form in XMPP, fails at once")
    func strangers() {
        let servers = TwoServers(TwoServers.external)
        var foreign = TwoServers.message("x")
        foreign.from = address("alice@elsewhere.test")
        var call = TwoServers.message("x")
        call.content = .call(CallEvent(.invite, callID: "1"))
        let tokens = [foreign, call].map { servers.a.deliver($0) }
        servers.world.run()
        let classes = tokens.map { token -> FailureClass? in
            if case .failed(let reason)? = servers.a.outcome(token) { reason.failureClass } else { nil }
        }
        #expect(classes == [.policy, .content])
    }

    @Test("The partners' domains are claimed")
    func claims() {
        let servers = TwoServers(TwoServers.external, more: [("partners[0].additional_domains[0]", "c.test")])
        #expect(servers.a.claims == ["b.test", "c.test"])
    }

    @Test("Neither secrets nor what people write are in the log")
    func secrets() throws {
        let secret = "the-dialback-secret"
        let servers = TwoServers(TwoServers.dialback, more: [("dialback_secret", secret)], isTrusted: false)
        servers.b.verdict = { _ in .refuse(Outcome.Reason(.policy, "not today")) }
        servers.a.deliver(TwoServers.message("what people write"))
        servers.world.run()
        let written = try #require(servers.a.everyEndpoint.first).written
        let start = try #require(written.firstRange(of: "<db:result from='a.test' to='b.test'>")).upperBound
        let key = written[start...].prefix(64)
        #expect(key.allSatisfy(\.isHexDigit) && key.count == 64)
        let log = servers.a.log + servers.b.log
        #expect(!log.isEmpty)
        for line in log {
            #expect(!line.contains(secret) && !line.contains(key) && !line.contains("what people write"))
        }
    }
}
