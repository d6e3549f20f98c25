import Testing
import XMPPWire

@Suite struct StanzaTests {
    static let kinds: [Stanza.Kind] =
        Stanza.MessageType.allCases.map { .message($0) } + Stanza.PresenceType.allCases.map { .presence($0) }
        + Stanza.IQType.allCases.map { .iq($0) }

    @Test("A stanza of every type survives being written and read", arguments: kinds)
    func roundTrips(kind: Stanza.Kind) throws {
        let stanza = Stanza(
            kind,
            to: try JID("b@b.example"),
            from: try JID("a@a.example/<r>"),
            id: "1 & 2",
            lang: "de",
            payload: [Element("x", namespace: "urn:x", text: "y")]
        )
        let element = try #require(roundTrip(stanza.element))
        #expect(Stanza.isStanza(element, namespace: Namespace.server))
        #expect(try Stanza(element) == stanza)
    }

    @Test("The types that need no attribute have none")
    func defaultTypes() throws {
        #expect(Stanza(.message(.normal), to: nil, from: nil).element.attributes.isEmpty)
        #expect(Stanza(.presence(.available), to: nil, from: nil).element.attributes.isEmpty)
        let odd = Element("message", namespace: Namespace.server, attributes: ["type": "shout"])
        #expect(try Stanza(odd).kind == .message(.normal))
    }

    static let bad: [(String, ElementError, StanzaError.Condition)] = [
        ("<presence type='available'/>", .badAttribute("type", value: "available"), .badRequest),
        ("<presence type='x'/>", .badAttribute("type", value: "x"), .badRequest),
        ("<iq id='1'><x/></iq>", .missingAttribute("type", element: "iq"), .badRequest),
        ("<iq id='1' type='x'><x/></iq>", .badAttribute("type", value: "x"), .badRequest),
        ("<iq type='get'><x/></iq>", .missingAttribute("id", element: "iq"), .badRequest),
        ("<iq type='get' id='1'/>", .wrongChildCount(0, element: "iq"), .badRequest),
        ("<iq type='set' id='1'><x/><y/></iq>", .wrongChildCount(2, element: "iq"), .badRequest),
        ("<iq type='result' id='1'><x/><y/></iq>", .wrongChildCount(2, element: "iq"), .badRequest),
        ("<message to='@'/>", .badAddress(attribute: "to", .emptyPart(.local)), .jidMalformed),
        (
            "<message from='a@b c'/>", .badAddress(attribute: "from", .badDomain("b c")),
            .jidMalformed
        ),
        ("<other/>", .unexpectedElement(name: "other", namespace: Namespace.server), .badRequest),
    ]

    @Test("What is no stanza is refused with its stanza error", arguments: bad)
    func refused(xml: String, error: ElementError, condition: StanzaError.Condition) throws {
        let element = try #require(parsed(xml))
        #expect(throws: error) { try Stanza(element) }
        #expect(error.stanzaError == condition)
    }

    @Test("A request is answered to its sender with its id, and an answer is not answered")
    func replies() throws {
        let (a, b) = (try JID("a@a.example/1"), try JID("b@b.example"))
        for kind in Self.kinds {
            let stanza = Stanza(kind, to: b, from: a, id: "7", payload: [Ping().element])
            let reply = stanza.reply(StanzaError(.serviceUnavailable, text: "no"))
            switch kind {
            case .message(.error), .presence(.error), .iq(.error), .iq(.result):
                #expect(reply == nil)
            case .message, .presence, .iq:
                #expect(reply?.to == a)
                #expect(reply?.from == b)
                #expect(reply?.id == "7")
                #expect(reply?.isError == true)
                #expect(reply?.error == StanzaError(.serviceUnavailable, text: "no"))
            }
            let isRequest = kind == .iq(.get) || kind == .iq(.set)
            #expect((stanza.result() != nil) == isRequest)
            if let result = stanza.result() {
                #expect(result == Stanza(.iq(.result), to: a, from: b, id: "7"))
            }
        }
    }

    @Test("A stanza moved to another stream takes its own children along, and leaves foreign ones")
    func moved() {
        var stanza = Stanza(.message(.chat), to: nil, from: nil)
        stanza.body = "hi"
        stanza.append(ChatState.active)
        let moved = stanza.moved(to: Namespace.component)
        #expect(moved.body == "hi")
        #expect(moved.first(ChatState.self) == .active)
        #expect(moved.element.elements.map(\.namespace) == [Namespace.component, Namespace.chatStates])
        #expect(moved.moved(to: Namespace.server) == stanza)
    }

    @Test("Body, subject and thread are set, replaced and removed")
    func messageText() throws {
        var stanza = Stanza(.message(.chat), to: nil, from: nil)
        #expect(stanza.body == nil)
        #expect(stanza.thread == nil)
        stanza.body = "one"
        stanza.subject = ""
        stanza.thread = Stanza.Thread(id: "t", parent: "p")
        stanza.body = "two"
        #expect(stanza.element.elements.map(\.name) == ["body", "subject", "thread"])
        let read = try Stanza(try #require(roundTrip(stanza.element)))
        #expect(read.body == "two")
        #expect(read.subject?.isEmpty == true)
        #expect(read.thread == Stanza.Thread(id: "t", parent: "p"))
        stanza.body = nil
        stanza.subject = nil
        stanza.thread = nil
        #expect(stanza.payload.isEmpty)
    }

    @Test("Of several languages the stanza's own is read")
    func languages() throws {
        let bodies = "<body xml:lang='fr'>oui</body><body xml:lang='de'>ja</body><body xml:lang='cs'>ano</body>"
        func body(_ start: String) throws -> String? {
            try Stanza(try #require(parsed(start + bodies + "</message>"))).body
        }
        #expect(try body("<message xml:lang='de'>") == "ja")
        #expect(try body("<message>") == "oui")
        #expect(try body("<message xml:lang='it'><body>s\u{EC}</body>") == "s\u{EC}")
        // The text of an extension with the same name is not the message's.
        let foreign = try #require(parsed("<message><body xmlns='http://www.w3.org/1999/xhtml'>x</body></message>"))
        #expect(try Stanza(foreign).body == nil)
    }

    @Test("Show, status and priority are read and written")
    func presenceText() throws {
        var stanza = Stanza(.presence(.available), to: nil, from: nil)
        #expect(stanza.show == nil)
        #expect(stanza.priority == 0)
        for show in Stanza.Show.allCases {
            stanza.show = show
            stanza.status = "st\u{E4}tus"
            stanza.priority = -128
            let read = try Stanza(try #require(roundTrip(stanza.element)))
            #expect(read.show == show)
            #expect(read.status == "st\u{E4}tus")
            #expect(read.priority == -128)
        }
        stanza.show = nil
        stanza.status = nil
        stanza.priority = 0
        #expect(stanza.payload.isEmpty)
        let odd = try Stanza(
            try #require(parsed("<presence><show>busy</show><priority>128</priority></presence>"))
        )
        #expect(odd.show == nil)
        #expect(odd.priority == 0)
    }
}
