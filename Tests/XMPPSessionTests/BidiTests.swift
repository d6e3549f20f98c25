import Testing
import XMPPWire

@testable import XMPPSession

/// Streams in both directions (XEP-0288): no stanza goes or comes where nobody has proved who they are.
@Suite struct BidiTests {
    private static let feature = "<bidi xmlns='urn:xmpp:features:bidi'/>"
    private static let request = "<bidi xmlns='urn:xmpp:bidi'/>"
    private static let back = "<message from='y@b.test' to='x@a.test/1'><body>hi</body></message>"
    private static let valid = "<db:result from='b.test' to='a.test' type='valid'/>"
    private static let backPair = DomainPair(sender: "b.test", target: "a.test")

    private static func reversible(_ actions: [StreamAction]) -> [DomainPair: Authentication] {
        var found: [DomainPair: Authentication] = [:]
        for case .reversible(let pair, let authentication) in actions { found[pair] = authentication }
        return found
    }

    private static func without(_ domain: String) -> PartnerPolicy {
        var policy = PartnerPolicy.open(domain)
        policy.bidirectional = false
        return policy
    }

    // MARK: Inbound

    @Test("It is offered while the peer has something to authenticate by, and not where the policy forbids it")
    func offer() {
        #expect(Endpoint.secured().sent().contains(Self.feature))
        #expect(!Endpoint.secured(partners: [Self.without("a.test")]).sent().contains("bidi"))
        let authenticated = Endpoint.secured()
        authenticated.receive(Script.auth("="))
        _ = authenticated.sent()
        authenticated.receive(Script.header())
        #expect(!authenticated.sent().contains("bidi"))
        // Where TLS must come first, it is not offered before.
        let plain = Endpoint.inbound(partners: [PartnerPolicy(domain: "a.test", sasl: .optional)])
        plain.receive(Script.header())
        #expect(!plain.sent().contains("bidi"))
    }

    @Test("After a certificate, and not before it, stanzas may go back, between the stream's own domains")
    func external() {
        let endpoint = Endpoint.secured()
        #expect(endpoint.receive(Self.request + Self.request).isEmpty)
        #expect(Self.reversible(endpoint.receive(Script.auth("="))).isEmpty)
        #expect(Self.reversible(endpoint.receive(Script.header())) == [Self.backPair: .external])
    }

    @Test("After dialback, and not before the verdict, stanzas may go back, for each pair that was verified")
    func dialback() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        endpoint.receive(Self.request)
        let request = endpoint.receive(Script.key()).request
        #expect(Self.reversible(endpoint.actions).isEmpty)
        if let request { endpoint.perform(inbound: { $0.dialbackVerified(request, .valid) }) }
        #expect(Self.reversible(endpoint.actions) == [Self.backPair: .dialback(secured: false)])
        endpoint.authenticate(to: "rooms.b.test")
        #expect(Self.reversible(endpoint.actions).keys.contains(DomainPair(sender: "rooms.b.test", target: "a.test")))
    }

    @Test(
        "A key that is forged or cannot be verified opens nothing",
        arguments: [
            DialbackVerdict.invalid, .failed(.serverNotFound), .failed(.serverUnreachable),
        ]
    )
    func forged(verdict: DialbackVerdict) {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        endpoint.receive(Self.request)
        let request = endpoint.receive(Script.key()).request
        if let request { endpoint.perform(inbound: { $0.dialbackVerified(request, verdict) }) }
        #expect(request != nil && Self.reversible(endpoint.actions).isEmpty)
    }

    @Test("Without the request nothing goes back")
    func notAsked() {
        #expect(Self.reversible(Endpoint.established().actions).isEmpty)
        let external = Endpoint.secured()
        external.receive(Script.auth("="))
        external.receive(Script.header())
        #expect(Self.reversible(external.actions).isEmpty)
    }

    @Test("The request is refused where it was not offered, and after authentication")
    func refused() {
        let forbidden = Endpoint.secured(partners: [Self.without("a.test")])
        #expect(forbidden.receive(Self.request).failure != nil)
        let late = Endpoint.established()
        #expect(late.receive(Self.request).failure != nil)
        #expect(late.sent().contains("policy-violation"))
    }

    @Test("A request in the clear is forgotten when TLS begins: it may have been anybody's")
    func injected() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        endpoint.receive(Self.request + Script.startTLS)
        endpoint.establishTLS(with: TestCertificate.valid.identity(of: "a.test"))
        endpoint.receive(Script.header())
        endpoint.authenticate()
        #expect(!endpoint.actions.authenticated.isEmpty && Self.reversible(endpoint.actions).isEmpty)
    }

    @Test("Of a stream without a named sender, a partner whose policy forbids it gets nothing back")
    func unnamed() {
        let endpoint = Endpoint.inbound(partners: [.open("c.test"), Self.without("a.test")])
        endpoint.receive(Script.header(from: nil))
        #expect(endpoint.sent().contains(Self.feature))
        endpoint.receive(Self.request)
        endpoint.authenticate(from: "a.test")
        endpoint.authenticate(from: "c.test")
        #expect(Set(Self.reversible(endpoint.actions).keys) == [DomainPair(sender: "b.test", target: "c.test")])
    }

    @Test("A verdict that nobody asked for ends the stream, also where it goes both ways")
    func surprise() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        endpoint.receive(Self.request)
        let actions = endpoint.receive("<db:result from='a.test' to='b.test' type='valid'/>")
        #expect(actions.failure != nil && Self.reversible(endpoint.actions).isEmpty)
    }

    // MARK: Outbound

    /// An outbound end over TLS that was offered what stands in `features`.
    private static func offered(
        _ features: String,
        _ partner: PartnerPolicy = .open("b.test"),
        by certificate: TestCertificate = .valid
    ) -> Endpoint {
        let endpoint = Endpoint.outbound(partner)
        endpoint.establishTLS(with: certificate.identity(of: "b.test"))
        _ = endpoint.sent()
        endpoint.receive(Script.answer() + Script.features(features))
        return endpoint
    }

    @Test("It is asked for before the certificate or the key is shown, where it is offered and the policy allows it")
    func asks() throws {
        for (features, proof) in [(Script.external, "<auth"), (Script.dialbackFeature, "<db:result")] {
            let sent = Self.offered(features + Self.feature).sent()
            let request = try #require(sent.firstRange(of: Self.request))
            #expect(request.upperBound == sent.firstRange(of: proof)?.lowerBound, "\(sent)")
            #expect(!Self.offered(features).sent().contains("bidi"))
            #expect(!Self.offered(features + Self.feature, Self.without("b.test")).sent().contains("bidi"))
        }
    }

    @Test("It is asked for once, also when dialback follows a certificate that was refused")
    func asksOnce() {
        let endpoint = Self.offered(Script.external + Script.dialbackFeature + Self.feature)
        endpoint.receive(Script.saslFailure)
        #expect(endpoint.sent().split(separator: "urn:xmpp:bidi").count == 2)
        #expect(endpoint.receive(Self.valid + Self.back).delivered.count == 1)
    }

    @Test("It is not asked for before TLS, nor on a stream that asks about a key")
    func asksNot() {
        let plain = Endpoint.connected()
        plain.receive(Script.answer() + Script.features(Script.startTLS + Self.feature))
        #expect(!plain.sent().contains("bidi"))
        let request = DialbackRequest(
            pair: DomainPair(sender: "b.test", target: "a.test"),
            streamID: "1",
            key: "abc"
        )
        let asking = Endpoint.connected(purpose: .verification(request))
        asking.receive(Script.answer() + Script.features(Script.dialbackFeature + Self.feature))
        #expect(!asking.sent().contains("bidi"))
        #expect(asking.receive(Self.back).failure != nil)
    }

    @Test("Stanzas are taken as soon as the peer has proved its domain, and refused before")
    func taken() {
        let external = Self.offered(Script.external + Self.feature)
        external.receive(Script.success)
        let features = Script.features("<sm xmlns='urn:xmpp:sm:3'/>")
        #expect(external.receive(Script.answer() + features + Self.back).delivered.count == 1)
        #expect(external.receive("<enabled xmlns='urn:xmpp:sm:3'/>" + Self.back).delivered.count == 1)

        let early = Self.offered(Script.external + Self.feature)
        #expect(early.receive(Self.back).failure != nil)
        let dialing = Self.offered(Script.dialbackFeature + Self.feature)
        #expect(dialing.receive(Self.back).failure != nil && dialing.actions.delivered.isEmpty)
        let dialed = Self.offered(Script.dialbackFeature + Self.feature)
        #expect(dialed.receive(Self.valid + Self.back).delivered.count == 1)
    }

    @Test("A server without the right certificate gets no stanza in where one is required")
    func wrongCertificate() {
        for certificate in [TestCertificate.missing, .untrusted, .wrongName] {
            let strict = PartnerPolicy(domain: "b.test")
            let endpoint = Self.offered(
                Script.external + Script.dialbackFeature + Self.feature,
                strict,
                by: certificate
            )
            endpoint.receive(Script.success + Self.valid + Self.back)
            #expect(endpoint.actions.delivered.isEmpty && endpoint.actions.failure != nil)
        }
    }

    @Test(
        "Only stanzas from the partner's domain to ours are taken",
        arguments: [
            ("from='y@c.test' to='x@a.test'", "invalid-from"), ("from='y@rooms.b.test' to='x@a.test'", "invalid-from"),
            ("from='y@b.test' to='x@c.test'", "host-unknown"), ("to='x@a.test'", "improper-addressing"),
            ("from='y@b.test'", "improper-addressing"), ("from='x@a.test' to='y@b.test'", "invalid-from"),
        ]
    )
    func otherDomains(addresses: String, condition: String) {
        let endpoint = Self.offered(Script.dialbackFeature + Self.feature)
        endpoint.receive(Self.valid)
        let actions = endpoint.receive("<message \(addresses)><body>hi</body></message>")
        #expect(actions.delivered.isEmpty)
        #expect(endpoint.sent().contains("<\(condition)"))
    }

    @Test("Where it was not asked for, a stanza ends the stream as ever")
    func oneDirection() {
        let endpoint = Endpoint.dialed()
        #expect(endpoint.receive(Self.back).failure != nil)
    }

    @Test("What was on its way when we ended our half still counts, and nothing of a stream that was never proved")
    func closing() {
        let endpoint = Self.offered(Script.dialbackFeature + Self.feature)
        endpoint.receive(Self.valid)
        endpoint.perform(outbound: { $0.close() })
        #expect(endpoint.receive(Self.back).delivered.count == 1)
        #expect(endpoint.receive(Script.end) == [.finish])
        let dialing = Self.offered(Script.dialbackFeature + Self.feature)
        dialing.perform(outbound: { $0.close() })
        #expect(dialing.receive(Self.back).isEmpty)
    }

    @Test("The peer may ask here about a key that we showed elsewhere, for our two domains alone")
    func verifies() {
        let endpoint = Self.offered(Script.dialbackFeature + Self.feature)
        endpoint.receive(Self.valid)
        let key = DialbackKey.test().key(receiving: "b.test", originating: "a.test", streamID: "77")
        func ask(_ key: String, from: String = "b.test", to: String = "a.test") -> String {
            _ = endpoint.sent()
            endpoint.receive("<db:verify from='\(from)' to='\(to)' id='77'>\(key)</db:verify>")
            return endpoint.sent()
        }
        #expect(ask(key).contains("type='valid'"))
        #expect(ask("abc").contains("type='invalid'"))
        #expect(ask(key, from: "c.test").contains("<item-not-found"))
        endpoint.receive("<db:result from='rooms.b.test' to='a.test'>abc</db:result>")
        #expect(endpoint.sent().contains("<policy-violation"))
        #expect(endpoint.actions.failure == nil)
        let oneWay = Endpoint.dialed()
        oneWay.receive("<db:verify from='b.test' to='a.test' id='77'>\(key)</db:verify>")
        #expect(oneWay.sent().isEmpty)
    }

    @Test("A large stanza right behind the verdict or the features is within the limits of a proven peer")
    func limits() {
        let large = Self.back.replacing("hi", with: String(repeating: "x", count: 20_000))
        let dialed = Self.offered(Script.dialbackFeature + Self.feature)
        #expect(dialed.receive(Self.valid + large).delivered.count == 1)
        let external = Self.offered(Script.external + Self.feature)
        external.receive(Script.success)
        #expect(external.receive(Script.answer() + Script.features() + large).delivered.count == 1)
    }

    // MARK: Both

    @Test("Our two machines agree on it by certificate and by dialback", arguments: [true, false])
    func duel(isExternal: Bool) {
        var duel = Duel(initiating: .open("b.test"), receiving: .open("a.test"))
        if !isExternal { (duel.initiatingCertificate, duel.receivingCertificate) = (.untrusted, .untrusted) }
        duel.run { _ in .valid }
        let authentication: Authentication = isExternal ? .external : .dialback(secured: true)
        #expect(duel.initiating.actions.established == authentication)
        #expect(Self.reversible(duel.receiving.actions) == [Self.backPair: authentication])
        #expect(duel.initiating.receive(Self.back).delivered.count == 1)
    }
}
