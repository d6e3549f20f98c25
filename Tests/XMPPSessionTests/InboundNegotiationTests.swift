import Testing
import XMPPWire

@testable import XMPPSession

/// STARTTLS and SASL EXTERNAL, as the receiving server.
@Suite struct InboundNegotiationTests {
    // Base64 of a.test, evil.test and A.Test.
    static let ownIdentity = "YS50ZXN0"
    static let otherIdentity = "ZXZpbC50ZXN0"
    static let ownIdentityInCapitals = "QS5UZXN0"

    private static let certificateOnly = [PartnerPolicy(domain: "a.test")]

    @Test(
        "TLS is all that is offered where nothing may happen without it",
        arguments: [
            PartnerPolicy(domain: "a.test", sasl: .optional),
            PartnerPolicy(domain: "a.test", tls: .optional),
            PartnerPolicy(domain: "a.test", tls: .optional, sasl: .optional, dialback: false),
        ]
    )
    func requiredTLS(policy: PartnerPolicy) {
        let endpoint = Endpoint.inbound(partners: [policy])
        endpoint.receive(Script.header())
        let sent = endpoint.sent()
        #expect(sent.contains("<required/></starttls>"))
        #expect(!sent.contains("urn:xmpp:features:dialback"))
        #expect(!sent.contains("mechanism"))
    }

    @Test("TLS and dialback are offered where both are allowed")
    func optionalTLS() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        let sent = endpoint.sent()
        #expect(sent.contains("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
        #expect(sent.contains("<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"))
        #expect(sent.contains("id='id-1'"))
        #expect(sent.contains("to='a.test'"))
    }

    @Test("A peer that does not say who it is is offered what any partner may use")
    func anonymous() {
        let endpoint = Endpoint.inbound(partners: [.open("a.test"), PartnerPolicy(domain: "c.test")])
        endpoint.receive(Script.header(from: nil))
        let sent = endpoint.sent()
        #expect(sent.contains("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
        #expect(sent.contains("dialback"))
        #expect(endpoint.receive(Script.key()).request != nil)
    }

    @Test("A peer that does not say who it is cannot use EXTERNAL")
    func anonymousExternal() {
        let endpoint = Endpoint.secured(header: Script.header(from: nil))
        #expect(!endpoint.sent().contains("EXTERNAL"))
        endpoint.receive(Script.auth(Self.ownIdentity))
        #expect(endpoint.sent().contains("<not-authorized/>"))
    }

    @Test("STARTTLS is answered, and the stream begins again with another id")
    func startTLS() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        _ = endpoint.sent()
        let actions = endpoint.receive(Script.startTLS)
        #expect(endpoint.sent() == "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        #expect(actions.contains(.startTLS))
        endpoint.establishTLS(with: TestCertificate.valid.identity(of: "a.test"))
        endpoint.receive(Script.header())
        let sent = endpoint.sent()
        #expect(sent.contains("id='id-2'"))
        #expect(sent.contains("<mechanism>EXTERNAL</mechanism>"))
        #expect(!sent.contains("starttls"))
    }

    @Test("STARTTLS that was not offered fails and ends the stream", arguments: [true, false])
    func unofferedTLS(isSecured: Bool) {
        let withoutTLS = PartnerPolicy(domain: "a.test", tls: .notSupported, sasl: .notSupported)
        let endpoint = isSecured ? Endpoint.secured() : Endpoint.inbound(partners: [withoutTLS])
        if !isSecured { endpoint.receive(Script.header()) }
        _ = endpoint.sent()
        endpoint.receive(Script.startTLS)
        #expect(endpoint.sent() == "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")
        #expect(endpoint.isFinished)
    }

    @Test("STARTTLS comes before authentication or not at all")
    func lateTLS() {
        let endpoint = Endpoint.established()
        endpoint.receive(Script.startTLS)
        #expect(endpoint.sent() == "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")
    }

    @Test("A server older than XMPP 1.0 gets a header without version and features")
    func legacy() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header(version: nil))
        let sent = endpoint.sent()
        #expect(!sent.contains("version='1.0'>"))
        #expect(!sent.contains("features"))
        endpoint.authenticate()
        #expect(endpoint.receive(Script.message).delivered.count == 1)
    }

    @Test("A server older than XMPP 1.0 is refused where TLS is required")
    func legacyWithoutTLS() {
        let endpoint = Endpoint.inbound(partners: Self.certificateOnly)
        let actions = endpoint.receive(Script.header(version: nil))
        #expect(
            actions.failure
                == .sentError(StreamError(.policyViolation, text: "a.test may be authenticated over TLS only."))
        )
    }

    @Test(
        "A peer with a certificate that proves nothing is told so",
        arguments: [
            (TestCertificate.missing, "No certificate was presented."),
            (.untrusted, "The certificate is not trusted here."),
            (.wrongName, "The certificate is not for a.test."),
        ]
    )
    func badCertificate(certificate: TestCertificate, text: String) {
        let endpoint = Endpoint.secured(by: certificate, partners: Self.certificateOnly)
        #expect(endpoint.actions.failure == .sentError(StreamError(.notAuthorized, text: text)))
    }

    @Test(
        "EXTERNAL succeeds with the identity of the header, or none",
        arguments: [ownIdentity, ownIdentityInCapitals, "="]
    )
    func external(identity: String) {
        let endpoint = Endpoint.secured(partners: Self.certificateOnly)
        _ = endpoint.sent()
        endpoint.receive(Script.auth(identity))
        #expect(endpoint.sent() == "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        let actions = endpoint.receive(Script.header())
        #expect(actions.authenticated == [DomainPair(sender: "a.test", target: "b.test"): .external])
        #expect(endpoint.sent().hasSuffix("<stream:features><sm xmlns='urn:xmpp:sm:3'/></stream:features>"))
        #expect(endpoint.receive(Script.message).delivered.count == 1)
    }

    @Test("EXTERNAL without initial response is asked for one")
    func challenge() {
        let endpoint = Endpoint.secured()
        _ = endpoint.sent()
        endpoint.receive(Script.auth(""))
        #expect(endpoint.sent() == "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        endpoint.receive("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        #expect(endpoint.sent().contains("<success "))
    }

    @Test(
        "EXTERNAL fails with the condition that fits",
        arguments: [
            (Script.auth(otherIdentity), TestCertificate.valid, "invalid-authzid"),
            (Script.auth("%%%"), .valid, "incorrect-encoding"),
            (Script.auth("/w=="), .valid, "invalid-authzid"),
            (Script.auth("=", mechanism: "PLAIN"), .valid, "invalid-mechanism"),
            (Script.auth("="), .untrusted, "not-authorized"),
            (Script.auth("="), .wrongName, "not-authorized"),
            ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", .valid, "malformed-request"),
            ("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", .valid, "aborted"),
            ("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>", .valid, "malformed-request"),
            (Script.success, .valid, "malformed-request"),
        ]
    )
    func externalFails(script: String, certificate: TestCertificate, condition: String) {
        let endpoint = Endpoint.secured(by: certificate)
        _ = endpoint.sent()
        endpoint.receive(script)
        #expect(endpoint.sent() == "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><\(condition)/></failure>")
        // The stream is still good for dialback.
        #expect(endpoint.receive(Script.key()).request != nil)
    }

    @Test("EXTERNAL in the clear is told that it needs TLS")
    func externalInTheClear() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        _ = endpoint.sent()
        endpoint.receive(Script.auth("="))
        #expect(endpoint.sent().contains("<encryption-required/>"))
    }

    @Test("The last SASL attempt that is allowed ends the stream if it fails, the one before does not")
    func attempts() {
        let endpoint = Endpoint.secured(by: .untrusted)
        for _ in 1..<ServerPolicy(mainDomain: "b.test").saslAttemptsMax { endpoint.receive(Script.auth("=")) }
        #expect(!endpoint.isFinished)
        _ = endpoint.sent()
        endpoint.receive(Script.auth("="))
        #expect(endpoint.sent().contains("</failure><stream:error><policy-violation "))
        #expect(endpoint.isFinished)
    }

    @Test("After EXTERNAL the peer cannot become another domain")
    func otherFromAfterExternal() {
        let endpoint = Endpoint.secured(partners: [.open("a.test"), .open("c.test")])
        endpoint.receive(Script.auth("="))
        let failure = endpoint.receive(Script.header(from: "c.test")).failure
        #expect(failure == .sentError(StreamError(.invalidFrom, text: "The certificate was accepted for a.test.")))
    }

    @Test("What follows an element that restarts the stream is read as a new stream")
    func pipelined() {
        let endpoint = Endpoint.secured(partners: Self.certificateOnly)
        let actions = endpoint.receive(Script.auth("=") + " \n" + Script.header() + Script.message)
        #expect(actions.delivered.count == 1)
    }
}
