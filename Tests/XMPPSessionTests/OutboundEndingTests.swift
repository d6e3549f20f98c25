import Testing
import XMPPWire

@testable import XMPPSession

/// How an outbound stream ends.
@Suite struct OutboundEndingTests {
    @Test("An established stream that the peer ends is reported and ended by us")
    func peerEnds() {
        #expect(Endpoint.dialed().receive(Script.end) == [.sendStreamEnd, .finish, .failed(.closedByPeer)])
    }

    @Test("Stanzas do not come on a stream that we opened")
    func stanza() {
        let endpoint = Endpoint.dialed()
        let actions = endpoint.receive("<message from='y@b.test' to='x@a.test'/>")
        #expect(actions.delivered.isEmpty)
        #expect(endpoint.sent().contains("<not-authorized "))
    }

    @Test("A stream that we end is no failure, and waits for the peer's end")
    func weEnd() {
        let endpoint = Endpoint.dialed()
        #expect(endpoint.perform(outbound: { $0.close() }) == [.sendStreamEnd])
        #expect(endpoint.perform(outbound: { $0.close() }).isEmpty)
        #expect(endpoint.receive(Script.end) == [.finish])
        #expect(endpoint.perform(outbound: { $0.connectionClosed() }).isEmpty)
    }

    @Test("A peer that does not end is not waited for for ever")
    func closeTimeout() {
        let endpoint = Endpoint.dialed()
        #expect(endpoint.perform(outbound: { $0.closeTimedOut() }).isEmpty)
        endpoint.perform(outbound: { $0.close() })
        #expect(endpoint.perform(outbound: { $0.closeTimedOut() }) == [.finish])
    }

    @Test("A stream that is not established in time is given up, an established one goes on")
    func establishment() {
        let endpoint = Endpoint.connected()
        #expect(
            endpoint.perform(outbound: { $0.establishmentTimedOut() }) == [.sendStreamEnd, .finish, .failed(.timedOut)]
        )
        #expect(Endpoint.dialed().perform(outbound: { $0.establishmentTimedOut() }).isEmpty)
        #expect(
            Endpoint.outbound().perform(outbound: { $0.establishmentTimedOut() }) == [.finish, .failed(.timedOut)]
        )
    }

    @Test("An unused stream is ended in an orderly way, and kept alive before that")
    func inactivity() {
        let endpoint = Endpoint.dialed()
        #expect(endpoint.perform(outbound: { $0.keepAliveDue() }) == [.sendWhitespace])
        #expect(endpoint.perform(outbound: { $0.inactivityTimedOut() }) == [.sendStreamEnd])
        #expect(Endpoint.connected().perform(outbound: { $0.keepAliveDue() }).isEmpty)
    }

    @Test("A connection that could not be made is reported")
    func unreachable() {
        let endpoint = Endpoint.outbound()
        let failure = LinkFailure.unreachable("connection refused")
        #expect(endpoint.perform(outbound: { $0.connectionClosed(failure) }) == [.failed(failure)])
    }

    @Test("A handshake that fails is reported without anything being written")
    func handshake() {
        let endpoint = Endpoint.connected()
        endpoint.receive(Script.answer() + Script.features(Script.startTLS) + Script.proceed)
        let failure = LinkFailure.tlsFailed("no shared cipher")
        #expect(endpoint.perform(outbound: { $0.connectionClosed(failure) }) == [.failed(failure)])
        #expect(endpoint.sent() == "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    }

    @Test("An error is worth an early attempt only if it may pass by itself", arguments: StreamError.Condition.allCases)
    func retry(_ condition: StreamError.Condition) {
        let passing: Set<StreamError.Condition> = [
            .conflict, .connectionTimeout, .internalServerError, .remoteConnectionFailed, .reset,
            .resourceConstraint, .systemShutdown, .undefinedCondition,
        ]
        let failure = LinkFailure.receivedError(StreamError(condition))
        #expect(failure.retry == (passing.contains(condition) ? .soon : .slowly))
        #expect(failure.stanzaError == (passing.contains(condition) ? .remoteServerTimeout : .remoteServerNotFound))
        #expect(failure.description.contains(condition.rawValue))
    }

    @Test("A failure says to the senders what XEP-0220 wants them to hear")
    func stanzaErrors() {
        #expect(LinkFailure.dialbackInvalid.stanzaError == .internalServerError)
        #expect(LinkFailure.dialbackRefused(.forbidden).stanzaError == .remoteServerTimeout)
        #expect(LinkFailure.tlsNotOffered.stanzaError == .remoteServerNotFound)
        #expect(LinkFailure.dialbackRefused(.remoteServerTimeout).retry == .soon)
        #expect(LinkFailure.dialbackRefused(.forbidden).retry == .slowly)
    }
}
