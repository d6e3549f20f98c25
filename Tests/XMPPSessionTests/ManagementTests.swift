import Testing
import XMPPWire

@testable import XMPPSession

/// Stream management (XEP-0198): counting, acknowledging, resuming.
@Suite struct ManagementTests {
    private static let feature = "<sm xmlns='urn:xmpp:sm:3'/>"

    /// An inbound end that has authenticated a.test by certificate and offered what it offers.
    private static func authenticated(_ partner: PartnerPolicy = .open("a.test")) -> Endpoint {
        let endpoint = Endpoint.secured(partners: [partner])
        endpoint.receive(Script.auth("="))
        endpoint.receive(Script.header())
        return endpoint
    }

    /// An outbound end that has authenticated and is offered stream management.
    private static func offered(
        _ partner: PartnerPolicy = .open("b.test"),
        resumption: Resumption? = nil
    ) -> (Endpoint, [StreamAction]) {
        let endpoint = Endpoint.outbound(partner, resumption: resumption)
        endpoint.establishTLS(with: TestCertificate.valid.identity(of: "b.test"))
        endpoint.receive(Script.answer() + Script.features(Script.external))
        endpoint.receive(Script.success)
        _ = endpoint.sent()
        return (endpoint, endpoint.receive(Script.answer() + Script.features(Self.feature)))
    }

    // MARK: Inbound

    @Test("It is offered to who has a certificate, and to nobody by dialback or against the policy")
    func offer() {
        #expect(Self.authenticated().sent().contains("<sm xmlns='urn:xmpp:sm:3'/>"))
        var policy = PartnerPolicy.open("a.test")
        policy.streamManagement = false
        let without = Self.authenticated(policy)
        #expect(!without.sent().contains("urn:xmpp:sm:3"))
        without.receive("<enable xmlns='urn:xmpp:sm:3'/>")
        #expect(without.sent().contains("<unexpected-request"))
        let dialback = Endpoint.established()
        dialback.receive("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        #expect(dialback.sent().contains("<unexpected-request"))
    }

    @Test("Whoever enables it gets an id to resume by if they want one, once")
    func enable() {
        let endpoint = Self.authenticated()
        _ = endpoint.sent()
        let actions = endpoint.receive("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        let sent = endpoint.sent()
        #expect(sent.contains("resume='true' max='300'"))
        guard case .management(.enabled(let id?))? = actions.last else {
            Issue.record("no id in \(actions)")
            return
        }
        #expect(sent.contains("id='\(id)'"))
        endpoint.receive("<enable xmlns='urn:xmpp:sm:3'/>")
        #expect(endpoint.sent().contains("<unexpected-request"))
        let other = Self.authenticated()
        _ = other.sent()
        #expect(other.receive("<enable xmlns='urn:xmpp:sm:3'/>").last == .management(.enabled(id: nil)))
        #expect(other.sent() == "<enabled xmlns='urn:xmpp:sm:3'/>")
    }

    @Test("Questions and answers are passed on once it is enabled, and refused before")
    func acknowledgements() {
        let endpoint = Self.authenticated()
        _ = endpoint.sent()
        endpoint.receive("<r xmlns='urn:xmpp:sm:3'/>")
        #expect(endpoint.sent().contains("<unexpected-request"))
        endpoint.receive("<enable xmlns='urn:xmpp:sm:3'/>")
        #expect(endpoint.receive("<r xmlns='urn:xmpp:sm:3'/>") == [.management(.acknowledgementAsked)])
        let answer = endpoint.receive("<a xmlns='urn:xmpp:sm:3' h='4294967295'/>")
        #expect(answer == [.management(.acknowledged(.max))])
        #expect(endpoint.receive("<a xmlns='urn:xmpp:sm:3' h='4294967296'/>").failure != nil)
    }

    @Test("A resumption is answered with what was handled, or refused, after which it may be enabled anew")
    func resumption() {
        let endpoint = Self.authenticated()
        _ = endpoint.sent()
        let resume = "<resume xmlns='urn:xmpp:sm:3' previd='some-long-sm-id' h='3'/>"
        #expect(endpoint.receive(resume) == [.management(.resumptionAsked(id: "some-long-sm-id", handled: 3))])
        endpoint.receive(resume)
        #expect(endpoint.sent().contains("<unexpected-request"))
        endpoint.perform(inbound: { $0.resumptionAnswered(nil) })
        #expect(
            endpoint.sent()
                == "<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>"
        )
        endpoint.receive(resume)
        endpoint.perform(inbound: { $0.resumptionAnswered(7) })
        #expect(endpoint.sent() == "<resumed xmlns='urn:xmpp:sm:3' previd='some-long-sm-id' h='7'/>")
        #expect(endpoint.receive("<r xmlns='urn:xmpp:sm:3'/>") == [.management(.acknowledgementAsked)])
    }

    // MARK: Outbound

    @Test("Where it is offered it is enabled, and stanzas wait for the answer")
    func enabling() {
        let (endpoint, actions) = Self.offered()
        #expect(endpoint.sent() == "<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        #expect(actions.established == nil)
        let enabled = endpoint.receive("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='1' max='60'/>")
        #expect(enabled.first == .management(.enabled(id: "x")))
        #expect(enabled.established == .external)
        #expect(endpoint.receive("<r xmlns='urn:xmpp:sm:3'/>") == [.management(.acknowledgementAsked)])
        #expect(endpoint.receive("<a xmlns='urn:xmpp:sm:3' h='2'/>") == [.management(.acknowledged(2))])
    }

    @Test("Where it is refused, not offered or against the policy, the stream goes without")
    func without() {
        let (refused, _) = Self.offered()
        #expect(refused.receive("<failed xmlns='urn:xmpp:sm:3'/>").established == .external)
        var policy = PartnerPolicy.open("b.test")
        policy.streamManagement = false
        #expect(Self.offered(policy).1.established == .external)
    }

    @Test("An earlier stream goes on, or is given up with what the peer still knows of it")
    func resuming() {
        let resumption = Resumption(id: "old", handled: 0)
        let (endpoint, _) = Self.offered(resumption: resumption)
        #expect(endpoint.sent() == "<resume xmlns='urn:xmpp:sm:3' previd='old' h='0'/>")
        let resumed = endpoint.receive("<resumed xmlns='urn:xmpp:sm:3' previd='old' h='4'/>")
        #expect(resumed.first == .management(.resumed(handled: 4)))
        #expect(resumed.established == .external)

        let (other, _) = Self.offered(resumption: resumption)
        _ = other.sent()
        let failed = other.receive("<failed xmlns='urn:xmpp:sm:3' h='2'><item-not-found/></failed>")
        #expect(failed.first == .management(.notResumed(handled: 2)))
        #expect(other.sent() == "<enable xmlns='urn:xmpp:sm:3' resume='true'/>")

        let (wrong, _) = Self.offered(resumption: resumption)
        #expect(wrong.receive("<resumed xmlns='urn:xmpp:sm:3' previd='new' h='4'/>").failure != nil)
    }
}

/// The counts of stream management.
@Suite struct ManagementCountTests {
    @Test("What is acknowledged is settled in order; what was never sent cannot be")
    func unacked() throws {
        var queue = UnackedQueue<Int>(max: 3)
        for item in 1...3 { queue.append(item) }
        #expect(queue.isFull)
        #expect(try queue.acknowledge(2) == [1, 2])
        #expect(try queue.acknowledge(2) == [])
        #expect(throws: StreamManagementError.handledTooMany(4, written: 3)) { try queue.acknowledge(4) }
        #expect(throws: StreamManagementError.handledTooMany(1, written: 3)) { try queue.acknowledge(1) }
        #expect(try queue.acknowledge(3) == [3])
        #expect(queue.isEmpty)
    }

    @Test("The count goes on behind 2^32 with 0")
    func wrapping() throws {
        var queue = UnackedQueue<Int>(max: 4, handled: .max - 1)
        for item in 1...4 { queue.append(item) }
        #expect(try queue.acknowledge(.max) == [1])
        #expect(try queue.acknowledge(1) == [2, 3])
        #expect(queue.written == 2)
        var counter = HandledCounter()
        let tickets = (0..<3).map { _ in counter.receive() }
        for ticket in tickets { counter.settle(ticket) }
        #expect(counter.handled == 3)
    }

    @Test("Only what is settled without a gap counts as handled")
    func gaps() {
        var counter = HandledCounter()
        let tickets = (0..<3).map { _ in counter.receive() }
        counter.settle(tickets[2])
        counter.settle(tickets[1])
        #expect(counter.handled == 0)
        #expect(!counter.isComplete)
        counter.settle(tickets[0])
        counter.settle(tickets[0])
        #expect(counter.handled == 3)
        #expect(counter.isComplete)
        #expect(counter.hasSettled(3))
        #expect(!counter.hasSettled(4))
    }
}
