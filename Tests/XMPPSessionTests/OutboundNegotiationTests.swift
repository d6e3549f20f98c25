import Testing
import XMPPWire

@testable import XMPPSession

/// Our side of the negotiation with a partner's server.
@Suite struct OutboundNegotiationTests {
    static let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>YS50ZXN0</auth>"

    private static func secured(
        by certificate: TestCertificate = .valid,
        _ partner: PartnerPolicy = .open("b.test")
    ) -> Endpoint {
        let endpoint = Endpoint.outbound(partner)
        endpoint.establishTLS(with: certificate.identity(of: "b.test"))
        _ = endpoint.sent()
        endpoint.receive(Script.answer())
        return endpoint
    }

    @Test("Our header names both domains, and dialback only where the policy allows it")
    func header() {
        let endpoint = Endpoint.outbound()
        endpoint.perform(outbound: { $0.connected() })
        let sent = endpoint.sent()
        #expect(sent.contains("from='a.test' to='b.test' version='1.0'"))
        #expect(sent.contains("xmlns:db='jabber:server:dialback'"))
        let strict = Endpoint.outbound(PartnerPolicy(domain: "b.test"))
        strict.perform(outbound: { $0.connected() })
        #expect(!strict.sent().contains("dialback"))
    }

    @Test("TLS is used where it is offered, and what was learned before it is forgotten")
    func startTLS() {
        let endpoint = Endpoint.connected()
        endpoint.receive(Script.answer(id: "1") + Script.features(Script.startTLS + Script.dialbackFeature))
        #expect(endpoint.sent() == "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        #expect(endpoint.receive(Script.proceed).contains(.startTLS))
        endpoint.establishTLS(with: TestCertificate.untrusted.identity())
        #expect(endpoint.sent().hasPrefix("<?xml version='1.0'?><stream:stream "))
        endpoint.receive(Script.answer(id: "2") + Script.features(Script.dialbackFeature))
        let key = DialbackKey.test().key(receiving: "b.test", originating: "a.test", streamID: "2")
        #expect(endpoint.sent() == "<db:result from='a.test' to='b.test'>\(key)</db:result>")
    }

    @Test("On a connection that began with TLS, an offer of STARTTLS is not taken")
    func directTLS() {
        let endpoint = Self.secured()
        endpoint.receive(Script.features(Script.startTLS + Script.external))
        #expect(endpoint.sent() == Self.auth)
    }

    @Test("A connection without TLS is refused where only direct TLS is allowed")
    func directTLSRequired() {
        let endpoint = Endpoint.outbound(PartnerPolicy(domain: "b.test", directTLS: .required))
        #expect(endpoint.perform(outbound: { $0.connected() }) == [.finish, .failed(.directTLSRequired)])
    }

    @Test("EXTERNAL restarts the stream, and then stanzas may be sent")
    func external() {
        let endpoint = Self.secured(by: .valid, PartnerPolicy(domain: "b.test"))
        endpoint.receive(Script.features(Script.external))
        #expect(endpoint.sent() == Self.auth)
        endpoint.receive(Script.success)
        #expect(endpoint.sent().contains("<stream:stream "))
        #expect(endpoint.receive(Script.answer()).established == nil)
        let actions = endpoint.receive(Script.features("<x xmlns='urn:x'/>"))
        #expect(actions.established == .external)
    }

    @Test("EXTERNAL that was offered and then refused is followed by dialback on the same stream")
    func externalRefused() {
        let endpoint = Self.secured()
        endpoint.receive(Script.features(Script.external + Script.dialbackFeature))
        #expect(endpoint.sent() == Self.auth)
        let key = DialbackKey.test()
            .key(receiving: "b.test", originating: "a.test", streamID: "12345678901234567890")
        endpoint.receive(Script.saslFailure)
        #expect(endpoint.sent() == "<db:result from='a.test' to='b.test'>\(key)</db:result>")
        let actions = endpoint.receive("<db:result from='b.test' to='a.test' type='valid'/>")
        #expect(actions.established == .dialback(secured: true))
    }

    @Test("EXTERNAL that was refused is the end where dialback is not allowed")
    func externalRefusedForGood() {
        let endpoint = Self.secured(by: .valid, PartnerPolicy(domain: "b.test"))
        endpoint.receive(Script.features(Script.external + Script.dialbackFeature))
        #expect(endpoint.receive(Script.saslFailure).failure == .saslRefused(.notAuthorized))
    }

    @Test("A peer that asks for our identity again is told once")
    func challenge() {
        let endpoint = Self.secured()
        endpoint.receive(Script.features(Script.external))
        _ = endpoint.sent()
        let challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
        endpoint.receive(challenge)
        #expect(endpoint.sent() == "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>YS50ZXN0</response>")
        endpoint.receive(challenge)
        #expect(endpoint.sent().contains("<bad-format "))
    }

    @Test(
        "Where a certificate is required, the peer's must prove its domain",
        arguments: [
            (TestCertificate.missing, CertificateObjection.missing), (.untrusted, .untrusted),
            (.wrongName, .wrongName),
        ]
    )
    func peerCertificate(certificate: TestCertificate, objection: CertificateObjection) {
        let endpoint = Self.secured(by: certificate, PartnerPolicy(domain: "b.test"))
        let actions = endpoint.receive(Script.features(Script.external + Script.dialbackFeature))
        #expect(actions.failure == .certificateRejected(objection, domain: "b.test"))
        #expect(endpoint.sent() == "</stream:stream>")
    }

    @Test("A server older than XMPP 1.0 is met with dialback at once, for it sends no features")
    func legacy() {
        let endpoint = Endpoint.connected()
        endpoint.receive(Script.answer(version: nil))
        #expect(endpoint.sent().hasPrefix("<db:result from='a.test' to='b.test'>"))
        let actions = endpoint.receive("<db:result from='b.test' to='a.test' type='valid'/>")
        #expect(actions.established == .dialback(secured: false))
    }

    @Test("A header of XMPP 1.0 is followed by features, which are waited for")
    func waitsForFeatures() {
        let endpoint = Endpoint.connected()
        #expect(endpoint.receive(Script.answer()).isEmpty)
        #expect(endpoint.sent() == "")
    }

    struct Failing: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let policy: PartnerPolicy
        let script: String
        let failure: LinkFailure
    }

    static let tlsOff = PartnerPolicy(domain: "b.test", tls: .notSupported, sasl: .notSupported)

    static let failing = [
        Failing(
            testDescription: "no TLS, which is required",
            policy: PartnerPolicy(domain: "b.test", sasl: .optional),
            script: Script.answer() + Script.features(Script.dialbackFeature),
            failure: .tlsNotOffered
        ),
        Failing(
            testDescription: "no TLS, which a certificate needs",
            policy: PartnerPolicy(domain: "b.test", tls: .optional),
            script: Script.answer() + Script.features(Script.external + Script.dialbackFeature),
            failure: .tlsNotOffered
        ),
        Failing(
            testDescription: "no version, where TLS is required",
            policy: PartnerPolicy(domain: "b.test", sasl: .optional),
            script: Script.answer(version: nil),
            failure: .tlsNotOffered
        ),
        Failing(
            testDescription: "TLS required, which is off",
            policy: tlsOff,
            script: Script.answer()
                + Script.features("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"),
            failure: .tlsDemanded
        ),
        Failing(
            testDescription: "TLS offered and refused",
            policy: .open("b.test"),
            script: Script.answer() + Script.features(Script.startTLS)
                + "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            failure: .tlsRefused
        ),
        Failing(
            testDescription: "nothing offered",
            policy: .open("b.test"),
            script: Script.answer(dialback: false) + Script.features(),
            failure: .noCommonAuthentication
        ),
        Failing(
            testDescription: "dialback only, which is off",
            policy: PartnerPolicy(domain: "b.test", tls: .optional, sasl: .optional, dialback: false),
            script: Script.answer() + Script.features(Script.dialbackFeature),
            failure: .noCommonAuthentication
        ),
        Failing(
            testDescription: "no stream id",
            policy: tlsOff,
            script: Script.answer(id: nil) + Script.features(Script.dialbackFeature),
            failure: .streamIDMissing
        ),
        Failing(
            testDescription: "another host",
            policy: .open("b.test"),
            script: Script.answer()
                + "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>evil.test"
                + "</see-other-host></stream:error>",
            failure: .redirected(to: "evil.test")
        ),
        Failing(
            testDescription: "an error",
            policy: .open("b.test"),
            script: Script.answer() + Script.streamError("host-unknown") + Script.end,
            failure: .receivedError(StreamError(.hostUnknown))
        ),
        Failing(
            testDescription: "an end",
            policy: .open("b.test"),
            script: Script.answer() + Script.end,
            failure: .closedByPeer
        ),
        Failing(
            testDescription: "no XML",
            policy: .open("b.test"),
            script: Script.answer() + "<a></b>",
            failure: .sentError(
                StreamError(
                    .notWellFormed,
                    text: StreamParserError.notWellFormed("mismatched tag", line: 1).description
                )
            )
        ),
        Failing(
            testDescription: "the namespace of clients",
            policy: .open("b.test"),
            script: "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1'>",
            failure: .sentError(StreamError(.invalidNamespace, text: "Only jabber:server is spoken here."))
        ),
        Failing(
            testDescription: "a version that is no number",
            policy: .open("b.test"),
            script: Script.answer(version: "new"),
            failure: .sentError(StreamError(.unsupportedVersion, text: "The version must be 1.0."))
        ),
        Failing(
            testDescription: "SASL before it was begun",
            policy: .open("b.test"),
            script: Script.answer() + Script.success,
            failure: .sentError(StreamError(.unsupportedStanzaType))
        ),
    ]

    @Test("What makes a stream impossible is reported, once, and the stream is ended", arguments: Self.failing)
    func fails(_ failing: Failing) {
        let endpoint = Endpoint.connected(failing.policy)
        #expect(endpoint.receive(failing.script).failure == failing.failure)
        #expect(endpoint.sent().hasSuffix("</stream:stream>"))
        #expect(endpoint.isFinished)
        #expect(endpoint.receive(Script.features(Script.dialbackFeature)).isEmpty)
        #expect(endpoint.perform(outbound: { $0.connectionClosed() }).isEmpty)
        #expect(endpoint.perform(outbound: { $0.establishmentTimedOut() }).isEmpty)
    }
}
