import Testing
import XMPPWire

@testable import XMPPSession

/// What a peer may not do, and the error that tells it so.
@Suite struct InboundRefusalTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let script: String
        let condition: StreamError.Condition

        init(_ description: String, _ script: String, _ condition: StreamError.Condition) {
            self.testDescription = description
            self.script = script
            self.condition = condition
        }
    }

    static let headers = [
        Case("namespace of clients", Script.header(namespace: "jabber:client"), .invalidNamespace),
        Case("version that is no number", Script.header(version: "one"), .unsupportedVersion),
        Case("no to", Script.header(to: nil), .hostUnknown),
        Case("to that is not served", Script.header(to: "c.test"), .hostUnknown),
        Case("to that is a sub-domain", Script.header(to: "chat.b.test"), .hostUnknown),
        Case("to that is no domain", Script.header(to: "x@b.test"), .hostUnknown),
        Case("from that is no domain", Script.header(from: "x@a.test"), .improperAddressing),
        Case("from that is no partner", Script.header(from: "evil.test"), .policyViolation),
        Case("from that is a partner's sub-domain", Script.header(from: "chat.a.test"), .policyViolation),
        Case("from that is ours", Script.header(from: "b.test"), .policyViolation),
        Case(
            "namespace that is not the one of streams",
            "<stream:stream xmlns='jabber:server' xmlns:stream='urn:x' to='b.test' version='1.0'>",
            .invalidNamespace
        ),
        Case("no XML", "GET / HTTP/1.1\r\n\r\n", .notWellFormed),
        Case("document type", "<!DOCTYPE x []><stream:stream>", .restrictedXML),
    ]

    @Test("A header is answered before it is refused", arguments: Self.headers)
    func header(_ refused: Case) {
        let endpoint = Endpoint.inbound()
        let actions = endpoint.receive(refused.script)
        let sent = endpoint.sent()
        guard case .sentError(let error) = actions.failure else {
            Issue.record("not refused: \(actions)")
            return
        }
        #expect(error.condition == refused.condition)
        #expect(sent.hasPrefix("<?xml version='1.0'?><stream:stream "))
        #expect(sent.contains("from='b.test'"))
        #expect(sent.contains("<\(refused.condition.rawValue) "))
        #expect(sent.hasSuffix("</stream:error></stream:stream>"))
        #expect(endpoint.isFinished)
    }

    static let beforeAuthentication = [
        Case("a stanza", Script.message, .notAuthorized),
        Case("a second XML declaration", Script.header(), .notWellFormed),
        Case("a second header", "<stream:stream to='b.test'>", .badFormat),
        Case("an unknown element", "<x xmlns='urn:x'/>", .unsupportedStanzaType),
        Case("features", Script.features(), .unsupportedStanzaType),
        Case("a STARTTLS answer", Script.proceed, .unsupportedStanzaType),
        Case("a dialback answer", "<db:result from='a.test' to='b.test' type='valid'/>", .policyViolation),
        Case("a verification answer", "<db:verify id='1' from='a.test' to='b.test' type='valid'/>", .policyViolation),
        Case("a key without to", "<db:result from='a.test'>abc</db:result>", .improperAddressing),
        Case("a key from an address", "<db:result from='x@a.test' to='b.test'>abc</db:result>", .badFormat),
        Case("a question without id", "<db:verify from='a.test' to='b.test'>abc</db:verify>", .badFormat),
        Case("broken XML", "<a></b>", .notWellFormed),
        Case("a comment", "<!-- x -->", .restrictedXML),
        Case("text", "hello", .badFormat),
        Case("a stanza over the limit", "<message>" + String(repeating: "x", count: 10_000), .policyViolation),
    ]

    @Test("Before authentication, an element out of place ends the stream", arguments: Self.beforeAuthentication)
    func early(_ refused: Case) {
        let endpoint = Endpoint.inbound()
        endpoint.receive(Script.header())
        _ = endpoint.sent()
        Self.check(refused, endpoint)
    }

    static let afterAuthentication = [
        Case("from another domain", "<message from='x@evil.test' to='y@b.test'/>", .invalidFrom),
        Case("from a sub-domain", "<message from='x@chat.a.test' to='y@b.test'/>", .invalidFrom),
        Case("from our domain", "<message from='x@b.test' to='y@b.test'/>", .invalidFrom),
        Case("to a domain that is not served", "<message from='x@a.test' to='y@c.test'/>", .hostUnknown),
        Case("to a domain that was not asked for", "<message from='x@a.test' to='y@rooms.b.test'/>", .hostUnknown),
        Case("without from", "<message to='y@b.test'/>", .improperAddressing),
        Case("without to", "<presence from='x@a.test'/>", .improperAddressing),
        Case("with an empty from", "<iq from='' to='y@b.test'/>", .improperAddressing),
        Case("with a to that is no JID", "<iq from='x@a.test' to='@b.test'/>", .improperAddressing),
        Case("that is no stanza", "<presences from='x@a.test' to='y@b.test'/>", .unsupportedStanzaType),
        Case("of a client", "<message xmlns='jabber:client' from='x@a.test' to='y@b.test'/>", .unsupportedStanzaType),
        Case("of SASL", Script.auth("="), .policyViolation),
    ]

    @Test("After authentication, an element out of place ends the stream", arguments: Self.afterAuthentication)
    func late(_ refused: Case) {
        Self.check(refused, Endpoint.established())
    }

    private static func check(_ refused: Case, _ endpoint: Endpoint) {
        let actions = endpoint.receive(refused.script)
        guard case .sentError(let error) = actions.failure else {
            Issue.record("not refused: \(actions)")
            return
        }
        let sent = endpoint.sent()
        #expect(error.condition == refused.condition)
        #expect(sent.contains("<\(refused.condition.rawValue) "))
        #expect(sent.hasSuffix("</stream:error></stream:stream>"))
        #expect(actions.delivered.isEmpty)
        // After an error nothing more is taken or said.
        #expect(endpoint.receive(Script.message).isEmpty)
        #expect(endpoint.perform(inbound: { $0.close() }).isEmpty)
        #expect(endpoint.perform(inbound: { $0.connectionClosed() }).isEmpty)
    }

    @Test("Stanzas before the one that offends are delivered, those after it are not")
    func order() {
        let endpoint = Endpoint.established()
        let wrong = "<message from='x@evil.test' to='y@b.test'/>"
        let actions = endpoint.receive(Script.message + Script.message + wrong + Script.message)
        #expect(actions.delivered.count == 2)
    }
}
