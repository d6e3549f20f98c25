import IMModel
import Testing
import XMPPBridge
import XMPPWire

@Suite struct StanzaWriterTests {
    static let head = "<message from='alice@a.test' to='bob@b.test' id='m1' type='chat'"
    static let active = "<active xmlns='http://jabber.org/protocol/chatstates'/>"

    @Test("A text becomes a chat message that says that chat states are understood")
    func text() {
        #expect(
            xml(toBob(.message(Message(text: "1 < 2")))) == Self.head
                + "><body>1 &lt; 2</body>\(Self.active)<origin-id xmlns='urn:xmpp:sid:0' id='m1'/></message>"
        )
    }

    @Test("All that a message has becomes part of the stanza")
    func everything() {
        var message = Message(text: "x")
        message.subject = "s"
        message.language = "de"
        message.replaces = "m0"
        message.wantsDelivered = true
        message.wantsRead = true
        message.isAttention = true
        var envelope = toBob(.message(message))
        envelope.fromDevice = "laptop"
        envelope.toDevice = "phone"
        envelope.conversation = "t1"
        envelope.isDelayed = true
        envelope.timestamp = 1_031_699_305_000
        let written = xml(envelope)
        #expect(
            written.hasPrefix(
                "<message from='alice@a.test/laptop' to='bob@b.test/phone' id='m1' type='chat' xml:lang='de'>"
            )
        )
        for part in [
            "<subject>s</subject>", "<body>x</body>", "<thread>t1</thread>",
            "<replace xmlns='urn:xmpp:message-correct:0' id='m0'/>", "<request xmlns='urn:xmpp:receipts'/>",
            "<markable xmlns='urn:xmpp:chat-markers:0'/>", "<attention xmlns='urn:xmpp:attention:0'/>",
            "<delay xmlns='urn:xmpp:delay' from='a.test' stamp='2002-09-10T23:08:25Z'/>",
        ] {
            #expect(written.contains(part), "\(part) is missing in \(written)")
        }
    }

    @Test("What a message became is read as the same message")
    func roundTrip() throws {
        var message = Message(text: "two\nlines \u{1F469}\u{200D}\u{1F680} & <b>]]>")
        message.subject = "s"
        message.replaces = "m0"
        message.wantsDelivered = true
        message.wantsRead = true
        message.isAttention = true
        var envelope = toBob(.message(message))
        (envelope.fromDevice, envelope.toDevice, envelope.conversation) = ("laptop", "phone", "t1")
        envelope.isDelayed = true
        envelope.timestamp = 1_031_699_305_123
        let read = envelopes(try StanzaWriter.stanza(for: envelope, id: "m1"))
        #expect(read.first == envelope)
    }

    @Test("An empty text stays a text, unless a subject or a nudge says enough")
    func emptyText() {
        #expect(xml(toBob(.message(Message(text: "")))).contains("<body/>"))
        var nudge = Message(text: "")
        nudge.isAttention = true
        #expect(!xml(toBob(.message(nudge))).contains("<body"))
    }

    @Test("Receipts name their message, and ask for none")
    func receipts() {
        #expect(
            xml(toBob(.receipt(Receipt(.delivered, messageID: "m0")))) == Self.head
                + "><received xmlns='urn:xmpp:receipts' id='m0'/><store xmlns='urn:xmpp:hints'/></message>"
        )
        #expect(
            xml(toBob(.receipt(Receipt(.read, messageID: "m0")))).contains(
                "<displayed xmlns='urn:xmpp:chat-markers:0' id='m0'/>"
            )
        )
    }

    @Test("Typing becomes a chat state that is not kept", arguments: Typing.allCases)
    func typing(typing: Typing) {
        let written = xml(toBob(.typing(typing)))
        #expect(
            written == Self.head + "><\(typing) xmlns='http://jabber.org/protocol/chatstates'/>"
                + "<no-store xmlns='urn:xmpp:hints'/></message>"
        )
    }

    @Test("A failure becomes an error under the id of the message that failed")
    func failure() {
        let failure = Failure(.recipient, messageID: "m0", reason: "nobody here")
        #expect(
            xml(toBob(.failure(failure))) == "<message from='alice@a.test' to='bob@b.test' id='m0' type='error'>"
                + "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                + "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>nobody here</text></error></message>"
        )
    }

    @Test("Contact changes, calls and addresses that are none are refused with a sentence")
    func refused() {
        let change = ContactChange(.added, address: address("c@c.test"))
        #expect(xml(toBob(.contact(change))) == "XMPP federation does not carry envelopes of the kind contact")
        #expect(xml(toBob(.call(CallEvent(.invite, callID: "1")))).contains("kind call"))
        var envelope = toBob(.message(Message(text: "x")))
        envelope.to = address("a/b@b.test")
        #expect(xml(envelope).hasPrefix("a/b@b.test is no XMPP address"))
    }
}
