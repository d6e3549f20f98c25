import Testing
import XMPPWire

@Suite struct ErrorElementTests {
    @Test("Every stream error survives being written and read", arguments: StreamError.Condition.allCases)
    func streamErrors(condition: StreamError.Condition) {
        for text in [nil, "", "why & how"] as [String?] {
            let error = StreamError(condition, text: text)
            #expect(roundTrip(error.element).flatMap(StreamError.init) == error)
        }
        #expect(
            StreamError(condition).element.xml(inheriting: Namespace.server)
                == "<stream:error><\(condition.rawValue) xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        )
    }

    @Test("A stream error that is not listed reads as undefined, one about another host tells which")
    func oddStreamErrors() {
        let unknown = Element(
            "error",
            namespace: Namespace.streams,
            children: [
                Element("escape-your-data", namespace: "urn:app"),
                Element("brand-new", namespace: Namespace.streamErrors),
            ]
        )
        #expect(StreamError(unknown) == StreamError(.undefinedCondition))
        #expect(StreamError(Element("error", namespace: Namespace.streams)) == StreamError(.undefinedCondition))
        #expect(StreamError(Element("error", namespace: Namespace.server)) == nil)
        let moved = StreamError(.seeOtherHost, otherHost: "[2001:db8::1]:5269")
        #expect(roundTrip(moved.element).flatMap(StreamError.init) == moved)
    }

    @Test("Every stanza error survives being written and read", arguments: StanzaError.Condition.allCases)
    func stanzaErrors(condition: StanzaError.Condition) {
        #expect(StanzaError(condition).kind == condition.defaultKind)
        for kind in StanzaError.Kind.allCases {
            let error = StanzaError(condition, kind: kind, text: "<why>", by: "b.example")
            #expect(roundTrip(error.element(in: Namespace.server)).flatMap(StanzaError.init) == error)
        }
    }

    @Test("A stanza error that says too little is completed")
    func oddStanzaErrors() {
        func error(_ type: String?, _ condition: String) -> StanzaError? {
            StanzaError(
                Element(
                    "error",
                    namespace: Namespace.server,
                    attributes: ["type": type],
                    children: [Element(condition, namespace: Namespace.stanzaErrors)]
                )
            )
        }
        #expect(error(nil, "forbidden") == StanzaError(.forbidden, kind: .auth))
        #expect(error("nonsense", "forbidden") == StanzaError(.forbidden, kind: .auth))
        #expect(error("wait", "payment-required") == StanzaError(.undefinedCondition, kind: .wait))
        #expect(StanzaError(Element("error", namespace: "")) == StanzaError(.undefinedCondition))
        #expect(StanzaError(Element("body", namespace: "")) == nil)
        let gone = StanzaError(.gone, newAddress: "xmpp:new@b.example")
        #expect(roundTrip(gone.element(in: Namespace.server)).flatMap(StanzaError.init) == gone)
    }
}
