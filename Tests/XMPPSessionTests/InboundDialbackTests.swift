import Testing
import XMPPWire

@testable import XMPPSession

/// Server Dialback, as the receiving and as the authoritative server.
@Suite struct InboundDialbackTests {
    private static let pair = DomainPair(sender: "a.test", target: "b.test")

    private static func opened(partners: [PartnerPolicy] = [.open("a.test")]) -> Endpoint {
        let endpoint = Endpoint.inbound(partners: partners)
        endpoint.receive(Script.header())
        _ = endpoint.sent()
        return endpoint
    }

    @Test("A valid key makes the stream good for stanzas, also larger ones than before")
    func valid() {
        let endpoint = Self.opened()
        let request = endpoint.receive(Script.key("f00d")).request
        #expect(request == DialbackRequest(pair: Self.pair, streamID: "id-1", key: "f00d"))
        #expect(endpoint.sent() == "")
        let actions = endpoint.authenticate()
        #expect(actions.isEmpty)
        if let request { endpoint.perform(inbound: { $0.dialbackVerified(request, .valid) }) }
        #expect(endpoint.sent() == "<db:result from='b.test' to='a.test' type='valid'/>")
        let body = String(repeating: "x", count: 20_000)
        let message = "<message from='x@a.test' to='y@b.test'><body>\(body)</body></message>"
        #expect(endpoint.receive(message).delivered.count == 1)
    }

    @Test("A forged key is called invalid, and the stream ends")
    func forged() {
        let endpoint = Self.opened()
        guard let request = endpoint.receive(Script.key()).request else {
            Issue.record("no request")
            return
        }
        let actions = endpoint.perform(inbound: { $0.dialbackVerified(request, .invalid) })
        #expect(endpoint.sent() == "<db:result from='b.test' to='a.test' type='invalid'/></stream:stream>")
        #expect(endpoint.isFinished)
        #expect(actions.failure != nil)
        #expect(endpoint.receive(Script.message).isEmpty)
    }

    @Test("A forged key on a stream that carries another domain is refused, and the stream lives on")
    func forgedBesideAnother() {
        let endpoint = Endpoint.established(partners: [.open("a.test"), .open("c.test")])
        guard let request = endpoint.receive(Script.key(from: "c.test")).request else {
            Issue.record("no request")
            return
        }
        endpoint.perform(inbound: { $0.dialbackVerified(request, .invalid) })
        #expect(endpoint.sent().contains("<forbidden "))
        #expect(endpoint.receive(Script.message).delivered.count == 1)
    }

    @Test(
        "A key that could not be verified is answered with an error, and the stream lives on",
        arguments: [
            (DialbackFailure.serverNotFound, "remote-server-not-found"),
            (.serverUnreachable, "remote-server-timeout"),
        ]
    )
    func unverified(failure: DialbackFailure, condition: String) {
        let endpoint = Self.opened()
        guard let request = endpoint.receive(Script.key()).request else {
            Issue.record("no request")
            return
        }
        endpoint.perform(inbound: { $0.dialbackVerified(request, .failed(failure)) })
        let sent = endpoint.sent()
        #expect(sent.hasPrefix("<db:result from='b.test' to='a.test' type='error'><error "))
        #expect(sent.contains("<\(condition) "))
        #expect(endpoint.receive(Script.key()).request != nil)
    }

    @Test(
        "Dialback that the policy forbids is refused without asking anybody",
        arguments: [
            (PartnerPolicy(domain: "c.test", tls: .optional, sasl: .required), "not-authorized"),
            (PartnerPolicy(domain: "c.test", tls: .optional, sasl: .optional, dialback: false), "policy-violation"),
            (PartnerPolicy(domain: "c.test", tls: .required, sasl: .optional), "policy-violation"),
            (PartnerPolicy(domain: "d.test"), "policy-violation"),
        ]
    )
    func forbidden(policy: PartnerPolicy, condition: String) {
        let endpoint = Self.opened(partners: [.open("a.test"), policy])
        let actions = endpoint.receive(Script.key(from: "c.test"))
        #expect(actions.request == nil)
        let sent = endpoint.sent()
        #expect(sent.hasPrefix("<db:result from='b.test' to='c.test' type='error'>"))
        #expect(sent.contains("<\(condition) "))
        #expect(!endpoint.isFinished)
    }

    @Test("A sub-domain of a partner is no partner, and a domain that is not served is not found")
    func unknownDomains() {
        let endpoint = Self.opened()
        endpoint.receive(Script.key(from: "chat.a.test"))
        #expect(endpoint.sent().contains("<policy-violation "))
        endpoint.receive(Script.key(to: "c.test"))
        #expect(endpoint.sent().contains("<item-not-found "))
    }

    @Test("One stream carries several domain pairs, each by itself")
    func multiplexed() {
        let endpoint = Endpoint.established(partners: [.open("a.test", additionalDomains: ["rooms.a.test"])])
        let foreign = "<message from='r@rooms.a.test' to='y@rooms.b.test'/>"
        endpoint.authenticate(from: "rooms.a.test", to: "rooms.b.test")
        #expect(endpoint.receive(foreign + Script.message).delivered.count == 2)
        let crossed = endpoint.receive("<message from='x@a.test' to='y@rooms.b.test'/>")
        #expect(crossed.delivered.isEmpty)
        #expect(endpoint.isFinished)
    }

    @Test("A pair that is authenticated is not verified again, and one that waits is asked about once")
    func repeated() {
        let endpoint = Endpoint.established()
        #expect(endpoint.receive(Script.key("other")).request == nil)
        #expect(endpoint.sent().contains("type='valid'"))
        let waiting = Self.opened()
        #expect(waiting.receive(Script.key()).request != nil)
        #expect(waiting.receive(Script.key()).isEmpty)
    }

    @Test("An answer for a stream that has restarted since is dropped")
    func lateAnswer() {
        let endpoint = Self.opened()
        guard let request = endpoint.receive(Script.key()).request else {
            Issue.record("no request")
            return
        }
        endpoint.receive(Script.startTLS)
        #expect(endpoint.perform(inbound: { $0.dialbackVerified(request, .valid) }).isEmpty)
        endpoint.establishTLS(with: TestCertificate.missing.identity())
        endpoint.receive(Script.header())
        #expect(endpoint.perform(inbound: { $0.dialbackVerified(request, .valid) }).isEmpty)
        #expect(endpoint.receive(Script.message).failure != nil)
    }

    @Test("As many keys as are allowed may wait, and one more is refused")
    func pendingLimit() {
        let server = ServerPolicy(mainDomain: "b.test")
        let domains = (0...server.pendingVerificationsMax).map { "d\($0).test" }
        let endpoint = Endpoint.inbound(partners: [.open("a.test", additionalDomains: domains)], server: server)
        endpoint.receive(Script.header())
        for domain in domains.dropLast() { #expect(endpoint.receive(Script.key(from: domain)).request != nil) }
        _ = endpoint.sent()
        #expect(endpoint.receive(Script.key(from: domains[server.pendingVerificationsMax])).request == nil)
        #expect(endpoint.sent().contains("<resource-constraint "))
    }

    @Test("As many pairs as are allowed are taken, and one more is refused")
    func pairLimit() {
        let server = ServerPolicy(mainDomain: "b.test")
        let domains = (0...server.domainPairsMax).map { "d\($0).test" }
        let endpoint = Endpoint.inbound(partners: [.open("a.test", additionalDomains: domains)], server: server)
        endpoint.receive(Script.header())
        for domain in domains.dropLast() { #expect(!endpoint.authenticate(from: domain).isEmpty) }
        _ = endpoint.sent()
        #expect(endpoint.authenticate(from: domains[server.domainPairsMax]).isEmpty)
        #expect(endpoint.sent().contains("<resource-constraint "))
    }

    @Test("A key of the length that is allowed is verified, and an empty or longer one is refused")
    func keyLength() {
        let longest = String(repeating: "a", count: DialbackKey.bytesMax)
        #expect(Self.opened().receive(Script.key(longest)).request?.key == longest)
        for wrong in ["", longest + "a"] {
            let endpoint = Self.opened()
            #expect(endpoint.receive(Script.key(wrong)).request == nil)
            #expect(endpoint.sent().contains("<not-acceptable "))
        }
    }

    @Test("Whether a key is ours is answered without authentication, as often as it is asked")
    func authoritative() {
        let endpoint = Self.opened()
        let key = DialbackKey.test().key(receiving: "a.test", originating: "b.test", streamID: "4711")
        endpoint.receive("<db:verify id='4711' from='a.test' to='b.test'>\(key)</db:verify>")
        #expect(endpoint.sent() == "<db:verify from='b.test' to='a.test' id='4711' type='valid'/>")
        endpoint.receive("<db:verify id='4712' from='a.test' to='b.test'>\(key)</db:verify>")
        #expect(endpoint.sent() == "<db:verify from='b.test' to='a.test' id='4712' type='invalid'/>")
    }

    @Test(
        "A question about a domain that is not ours, or from one that is no partner, is refused",
        arguments: [
            ("a.test", "c.test", "item-not-found"),
            ("chat.a.test", "b.test", "policy-violation"),
            ("c.test", "b.test", "not-authorized"),
        ]
    )
    func authoritativeRefuses(from: String, to: String, condition: String) {
        let endpoint = Self.opened(partners: [.open("a.test"), PartnerPolicy(domain: "c.test")])
        endpoint.receive("<db:verify id='1' from='\(from)' to='\(to)'>abc</db:verify>")
        let sent = endpoint.sent()
        #expect(sent.hasPrefix("<db:verify from='\(to)' to='\(from)' id='1' type='error'>"))
        #expect(sent.contains("<\(condition) "))
        #expect(!endpoint.isFinished)
    }
}
