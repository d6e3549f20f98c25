import Testing
import XMPPWire

@testable import XMPPSession

/// How an inbound stream ends other than by a fault of its elements.
@Suite struct InboundEndingTests {
    @Test("The peer's end is answered with ours")
    func peerEnds() {
        let endpoint = Endpoint.established()
        let actions = endpoint.receive(Script.end)
        #expect(actions == [.sendStreamEnd, .finish])
    }

    @Test("After our end, stanzas are taken until the peer ends too")
    func weEnd() {
        let endpoint = Endpoint.established()
        #expect(endpoint.perform(inbound: { $0.close() }) == [.sendStreamEnd])
        #expect(endpoint.receive(Script.message).delivered.count == 1)
        #expect(endpoint.receive(Script.key(from: "a.test", to: "rooms.b.test")).isEmpty)
        #expect(endpoint.receive(Script.end) == [.finish])
        #expect(endpoint.perform(inbound: { $0.closeTimedOut() }).isEmpty)
    }

    @Test("After our end, a stanza that offends closes the connection without a word")
    func offenceAfterEnd() {
        let endpoint = Endpoint.established()
        endpoint.perform(inbound: { $0.close() })
        _ = endpoint.sent()
        endpoint.receive("<message from='x@evil.test' to='y@b.test'/>")
        #expect(endpoint.sent() == "")
        #expect(endpoint.isFinished)
    }

    @Test("A peer that does not end is not waited for for ever")
    func closeTimeout() {
        let endpoint = Endpoint.established()
        #expect(endpoint.perform(inbound: { $0.closeTimedOut() }).isEmpty)
        endpoint.perform(inbound: { $0.close() })
        #expect(endpoint.perform(inbound: { $0.closeTimedOut() }) == [.finish])
    }

    @Test("A stream that is not authenticated in time ends with an error, an authenticated one goes on")
    func establishment() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        _ = endpoint.sent()
        endpoint.perform(inbound: { $0.establishmentTimedOut() })
        #expect(endpoint.sent().contains("<connection-timeout "))
        #expect(endpoint.isFinished)
        #expect(Endpoint.established().perform(inbound: { $0.establishmentTimedOut() }).isEmpty)
    }

    @Test("A connection on which nobody spoke is closed without a word")
    func silence() {
        let endpoint = Endpoint.inbound()
        #expect(endpoint.perform(inbound: { $0.establishmentTimedOut() }) == [.finish, .failed(.timedOut)])
    }

    @Test("A stream that was opened to verify keys ends without an error")
    func verifyOnly() {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header() + "<db:verify id='1' from='a.test' to='b.test'>abc</db:verify>")
        #expect(endpoint.perform(inbound: { $0.establishmentTimedOut() }) == [.sendStreamEnd])
    }

    @Test("A silent stream is closed in an orderly way, and kept alive before that")
    func inactivity() {
        let endpoint = Endpoint.established()
        #expect(endpoint.perform(inbound: { $0.keepAliveDue() }) == [.sendWhitespace])
        #expect(endpoint.perform(inbound: { $0.inactivityTimedOut() }) == [.sendStreamEnd])
        let unauthenticated = Endpoint.inbound()
        #expect(unauthenticated.perform(inbound: { $0.keepAliveDue() }).isEmpty)
    }

    @Test("An error of the peer is reported and answered with our end")
    func peerError() {
        let actions = Endpoint.established().receive(Script.streamError("system-shutdown") + Script.message)
        #expect(actions == [.sendStreamEnd, .finish, .failed(.receivedError(StreamError(.systemShutdown)))])
    }

    @Test("A connection that breaks is reported once")
    func broken() {
        let endpoint = Endpoint.established()
        #expect(endpoint.perform(inbound: { $0.connectionClosed() }) == [.failed(.closedByPeer)])
        #expect(endpoint.perform(inbound: { $0.connectionClosed() }).isEmpty)
    }
}
