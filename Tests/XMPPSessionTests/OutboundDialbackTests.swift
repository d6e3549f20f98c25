import Testing
import XMPPWire

@testable import XMPPSession

/// Our dialback keys, and the keys of others.
@Suite struct OutboundDialbackTests {
    private static let request = DialbackRequest(
        pair: DomainPair(sender: "b.test", target: "a.test"),
        streamID: "42",
        key: "f00d"
    )

    private static func dialing() -> Endpoint {
        let endpoint = Endpoint.connected()
        endpoint.receive(Script.answer() + Script.features(Script.dialbackFeature))
        _ = endpoint.sent()
        return endpoint
    }

    private static func verifying() -> Endpoint {
        let endpoint = Endpoint.connected(purpose: .verification(request))
        endpoint.receive(Script.answer() + Script.features(Script.dialbackFeature))
        _ = endpoint.sent()
        return endpoint
    }

    @Test("A verdict other than valid ends the stream")
    func verdicts() {
        let invalid = Self.dialing().receive("<db:result from='b.test' to='a.test' type='invalid'/>")
        #expect(invalid == [.sendStreamEnd, .finish, .failed(.dialbackInvalid)])
        let refused = Self.dialing().receive(
            "<db:result from='b.test' to='a.test' type='error'><error type='cancel'>"
                + "<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>"
        )
        #expect(refused.failure == .dialbackRefused(.policyViolation))
        let bare = Self.dialing().receive("<db:result from='b.test' to='a.test' type='error'/>")
        #expect(bare.failure == .dialbackRefused(.undefinedCondition))
    }

    @Test(
        "An answer that fits no question of ours is dropped",
        arguments: [
            "<db:result from='c.test' to='a.test' type='valid'/>",
            "<db:result from='b.test' to='c.test' type='valid'/>",
            "<db:result from='a.test' to='b.test' type='valid'/>",
            "<db:verify id='1' from='b.test' to='a.test' type='valid'/>",
            "<db:result from='b.test' to='a.test'>key</db:result>",
        ]
    )
    func unsolicited(_ answer: String) {
        let endpoint = Self.dialing()
        #expect(endpoint.receive(answer).isEmpty)
        #expect(!endpoint.isFinished)
    }

    @Test("An answer before our question is dropped")
    func tooEarly() {
        let endpoint = Endpoint.connected()
        #expect(endpoint.receive(Script.answer() + "<db:result from='b.test' to='a.test' type='valid'/>").isEmpty)
    }

    @Test("A key is asked about on a stream of its own, which ends with the answer")
    func verification() {
        let endpoint = Endpoint.connected(purpose: .verification(Self.request))
        endpoint.receive(Script.answer() + Script.features(Script.external))
        #expect(endpoint.sent() == "<db:verify from='a.test' to='b.test' id='42'>f00d</db:verify>")
        let actions = endpoint.receive("<db:verify id='42' from='b.test' to='a.test' type='valid'/>")
        #expect(actions == [.verified(Self.request, .valid), .sendStreamEnd])
        #expect(endpoint.receive(Script.end) == [.finish])
    }

    @Test("A stream for a question uses TLS where it is offered, whatever the certificate")
    func verificationOverTLS() {
        let endpoint = Endpoint.connected(purpose: .verification(Self.request))
        endpoint.receive(Script.answer() + Script.features(Script.startTLS) + Script.proceed)
        endpoint.establishTLS(with: TestCertificate.missing.identity())
        endpoint.receive(Script.answer() + Script.features())
        #expect(endpoint.sent().hasSuffix("<db:verify from='a.test' to='b.test' id='42'>f00d</db:verify>"))
    }

    @Test(
        "An answer about another key is dropped",
        arguments: [
            "<db:verify id='43' from='b.test' to='a.test' type='valid'/>",
            "<db:verify id='42' from='c.test' to='a.test' type='valid'/>",
            "<db:verify id='42' from='b.test' to='c.test' type='valid'/>",
            "<db:result from='b.test' to='a.test' type='valid'/>",
        ]
    )
    func otherAnswers(_ answer: String) {
        #expect(Self.verifying().receive(answer).isEmpty)
    }

    @Test(
        "A question has an answer whatever happens",
        arguments: [
            ("<db:verify id='42' from='b.test' to='a.test' type='invalid'/>", DialbackVerdict.invalid),
            (
                "<db:verify id='42' from='b.test' to='a.test' type='error'><error type='cancel'>"
                    + "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:verify>",
                .failed(.serverNotFound)
            ),
            ("<db:verify id='42' from='b.test' to='a.test' type='error'/>", .failed(.serverUnreachable)),
            (Script.streamError("host-unknown"), .failed(.serverNotFound)),
            (Script.streamError("host-gone"), .failed(.serverNotFound)),
            (Script.streamError("policy-violation"), .failed(.serverUnreachable)),
            (Script.end, .failed(.serverUnreachable)),
            ("<x xmlns='urn:x'/>", .failed(.serverUnreachable)),
        ]
    )
    func answered(script: String, verdict: DialbackVerdict) {
        #expect(Self.verifying().receive(script).verdict == verdict)
    }

    @Test("A question is answered once")
    func answeredOnce() {
        let endpoint = Self.verifying()
        endpoint.receive("<db:verify id='42' from='b.test' to='a.test' type='valid'/>")
        #expect(endpoint.perform(outbound: { $0.connectionClosed() }).isEmpty)
        #expect(endpoint.perform(outbound: { $0.establishmentTimedOut() }).isEmpty)
        let broken = Self.verifying()
        let actions = broken.perform(outbound: { $0.connectionClosed() })
        #expect(actions == [.verified(Self.request, .failed(.serverUnreachable)), .failed(.closedByPeer)])
    }

    @Test("A key made at one end is verified by the other over a connection back", arguments: [true, false])
    func fourMachines(sameSecret: Bool) {
        var duel = Duel(
            initiating: .outbound(.open("b.test")),
            receiving: .inbound(partners: [.open("a.test")])
        )
        duel.initiatingCertificate = .untrusted
        duel.run { request in
            let server = ServerPolicy(mainDomain: "b.test")
            let back = Endpoint(
                OutboundStreamMachine(
                    purpose: .verification(request),
                    server: server,
                    partner: .open("a.test"),
                    key: .test(secret: "of b.test")
                )
            )
            let authoritative = Endpoint.inbound(
                partners: [.open("b.test")],
                server: ServerPolicy(mainDomain: "a.test"),
                key: sameSecret ? .test() : .test(secret: "another")
            )
            var question = Duel(initiating: back, receiving: authoritative)
            question.initiatingCertificate = .untrusted
            question.receivingCertificate = .untrusted
            question.run { _ in .invalid }
            return back.actions.verdict ?? .failed(.serverUnreachable)
        }
        #expect(duel.initiatingEnd == (sameSecret ? .tlsDialback : .none))
        #expect(duel.receivingEnd == duel.initiatingEnd)
        #expect(duel.initiating.actions.failure == (sameSecret ? nil : .dialbackInvalid))
    }
}
