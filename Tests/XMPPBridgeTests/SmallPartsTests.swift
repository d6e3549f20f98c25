import IMModel
import Testing
import XMPPWire

@testable import XMPPBridge

@Suite struct SentStanzasTests {
    private func bounce(_ id: String, from: String = "bob@b.test/phone", to: String = "alice@a.test")
        -> StanzaMeaning.Bounce
    {
        StanzaMeaning.Bounce(id: id, from: jid(from), to: jid(to), error: StanzaError(.itemNotFound, text: "no bob"))
    }

    private static func take(_ sent: inout SentStanzas, _ bounce: StanzaMeaning.Bounce) -> SentStanzas.Entry? {
        sent.take(bounce)
    }

    private func note(_ sent: inout SentStanzas, _ envelope: Envelope, id: String) throws {
        sent.note(envelope, as: try StanzaWriter.stanza(for: envelope, id: id))
    }

    @Test("An error about a message becomes a failure of it, once")
    func failure() throws {
        var sent = SentStanzas()
        try self.note(&sent, toBob(.message(Message(text: "x")), id: ""), id: "made-up")
        let entry = try #require(Self.take(&sent, self.bounce("made-up")))
        let envelope = try #require(self.bounce("made-up").envelope(about: entry))
        #expect(envelope.from == address("bob@b.test"))
        #expect(envelope.to == address("alice@a.test"))
        #expect(
            envelope.content
                == .failure(Failure(.recipient, messageID: "", reason: "no bob", code: "item-not-found"))
        )
        #expect(Self.take(&sent, self.bounce("made-up")) == nil)
    }

    @Test("The addressee or their server may report an error, nobody else")
    func reporters() throws {
        for (from, isBelieved) in [
            ("bob@b.test", true), ("b.test", true), ("carol@b.test", false), ("b.test/x", false), ("bob@c.test", false),
        ] {
            var sent = SentStanzas()
            try self.note(&sent, toBob(.message(Message(text: "x"))), id: "m1")
            #expect((Self.take(&sent, self.bounce("m1", from: from)) != nil) == isBelieved, "\(from)")
        }
        var sent = SentStanzas()
        try self.note(&sent, toBob(.message(Message(text: "x"))), id: "m1")
        #expect(Self.take(&sent, self.bounce("m1", to: "dave@a.test")) == nil)
    }

    @Test("The failure of a receipt or of typing is told to nobody")
    func notMessages() throws {
        var sent = SentStanzas()
        try self.note(&sent, toBob(.typing(.composing)), id: "m1")
        let entry = try #require(Self.take(&sent, self.bounce("m1")))
        #expect(self.bounce("m1").envelope(about: entry) == nil)
    }

    @Test("The limit is remembered, and one past it forgets the oldest")
    func limit() throws {
        var sent = SentStanzas()
        let message = Envelope.Content.message(Message(text: "x"))
        for number in 0..<SentStanzas.entriesMax {
            try self.note(&sent, toBob(message, id: "\(number)"), id: "\(number)")
        }
        #expect(sent.count == SentStanzas.entriesMax)
        var copy = sent
        #expect(Self.take(&copy, self.bounce("0")) != nil)
        try self.note(&sent, toBob(message, id: "new"), id: "new")
        #expect(sent.count == SentStanzas.entriesMax)
        #expect(Self.take(&sent, self.bounce("0")) == nil)
        #expect(Self.take(&sent, self.bounce("1")) != nil)
        #expect(Self.take(&sent, self.bounce("new")) != nil)
    }

    @Test("An id that was used again is remembered as long as the later use")
    func reused() throws {
        var sent = SentStanzas()
        let message = Envelope.Content.message(Message(text: "x"))
        try self.note(&sent, toBob(message, id: "again"), id: "again")
        try self.note(&sent, toBob(message, id: "again"), id: "again")
        for number in 0..<(SentStanzas.entriesMax - 1) {
            try self.note(&sent, toBob(message, id: "\(number)"), id: "\(number)")
        }
        #expect(Self.take(&sent, self.bounce("again")) != nil)
    }
}

@Suite struct IQTests {
    private func answer(_ attributes: String, to: String, _ payload: String) -> String {
        let question = stanza("<iq from='bob@b.test/phone' to='\(to)' id='1' \(attributes)>\(payload)</iq>")
        guard case .answer(let answer) = StanzaReader().meaning(of: question, nowMs: nowMs) else { return "" }
        return answer.element.xml(inheriting: Namespace.server)
    }

    static let head = "<iq from='a.test' to='bob@b.test/phone' id='1' type='result'"

    @Test("A home domain answers pings and says what it is")
    func domain() {
        #expect(self.answer("type='get'", to: "a.test", "<ping xmlns='urn:xmpp:ping'/>") == Self.head + "/>")
        let info = "http://jabber.org/protocol/disco#info"
        let features = [info, "http://jabber.org/protocol/disco#items", "urn:xmpp:ping"]
        #expect(
            self.answer("type='get'", to: "a.test", "<query xmlns='\(info)'/>") == Self.head
                + "><query xmlns='\(info)'><identity category='server' type='im' name='Plugboard'/>"
                + features.map { "<feature var='\($0)'/>" }.joined() + "</query></iq>"
        )
        #expect(
            self.answer("type='get'", to: "a.test", "<query xmlns='http://jabber.org/protocol/disco#items'/>")
                == Self.head + "><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
        )
    }

    @Test("Other requests are refused, by the domain and for its users")
    func refused() {
        let unknown = "<x xmlns='urn:none'/>"
        #expect(self.answer("type='get'", to: "a.test", unknown).contains("<feature-not-implemented"))
        #expect(self.answer("type='set'", to: "a.test", "<ping xmlns='urn:xmpp:ping'/>").contains("<feature-not-"))
        #expect(
            self.answer("type='get'", to: "a.test", "<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>")
                .contains("<item-not-found")
        )
        for user in ["alice@a.test", "alice@a.test/laptop"] {
            #expect(self.answer("type='get'", to: user, unknown).contains("<service-unavailable"))
            #expect(self.answer("type='get'", to: user, "<ping xmlns='urn:xmpp:ping'/>").contains("<service-unav"))
        }
    }

    @Test("Results and errors are not answered", arguments: ["result", "error"])
    func answers(type: String) {
        #expect(self.answer("type='\(type)'", to: "a.test", "").isEmpty)
    }
}

@Suite struct StanzaRejectionTests {
    private func answer(_ xml: String) -> String? {
        let element = element(xml)
        do {
            _ = try Stanza(element)
            return "it is a proper stanza"
        } catch {
            return StanzaRejection.answer(to: element, error)?.element.xml(inheriting: Namespace.server)
        }
    }

    @Test("A request that is none is answered with bad-request")
    func rejected() throws {
        let answer = try #require(self.answer("<iq from='bob@b.test' to='a.test' id='1' type='get'/>"))
        #expect(
            answer.hasPrefix("<iq from='a.test' to='bob@b.test' id='1' type='error'><error type='modify'><bad-request")
        )
        let presence = try #require(self.answer("<presence from='bob@b.test' to='a.test' type='x'/>"))
        #expect(presence.contains("type='error'"))
    }

    @Test("What is an answer itself, or has no id or address to answer to, is not answered")
    func silent() {
        for xml in [
            "<iq from='bob@b.test' to='a.test' type='get'/>", "<iq from='bob@b.test' to='a.test' type='result'/>",
            "<iq to='a.test' id='1' type='get'/>", "<other from='bob@b.test' to='a.test'/>",
        ] {
            #expect(self.answer(xml) == nil, "\(xml)")
        }
    }
}
