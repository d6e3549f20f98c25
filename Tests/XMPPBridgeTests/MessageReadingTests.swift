import IMModel
import Testing
import XMPPBridge
import XMPPWire

@Suite struct MessageReadingTests {
    @Test("A message keeps its text, subject, language, thread, id, addresses and devices")
    func everything() throws {
        let read = envelopes(
            fromBob(
                "message",
                "type='chat' id='m1' xml:lang='de'",
                "<subject>s</subject><body>hallo &lt;b&gt;\u{1F469}</body><thread>t1</thread>"
            )
        )
        let envelope = try #require(read.first)
        #expect(read.count == 1)
        #expect(envelope.from == address("bob@b.test"))
        #expect(envelope.fromDevice == "phone")
        #expect(envelope.to == address("alice@a.test"))
        #expect(envelope.toDevice.isEmpty)
        #expect(envelope.id == "m1")
        #expect(envelope.conversation == "t1")
        #expect(!envelope.isDelayed)
        #expect(envelope.timestamp == 0)
        var message = Message(text: "hallo <b>\u{1F469}")
        message.subject = "s"
        message.language = "de"
        #expect(envelope.content == .message(message))
    }

    @Test(
        "Normal messages, chats, headlines and unknown types are messages",
        arguments: ["normal", "chat", "headline", "x"]
    )
    func types(type: String) {
        #expect(envelopes(fromBob("message", "type='\(type)'", "<body>x</body>")).count == 1)
    }

    @Test("A message may have a subject or a nudge instead of a text")
    func withoutText() {
        for contents in ["<subject>s</subject>", "<attention xmlns='urn:xmpp:attention:0'/>", "<body/>"] {
            #expect(envelopes(fromBob("message", "", contents)).count == 1, "\(contents)")
        }
        #expect(envelopes(fromBob("message", "", "<subject/>")).isEmpty)
    }

    @Test("A stanza that carries nothing known is dropped, not answered")
    func nothing() {
        for contents in ["", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>", "<x xmlns='urn:none'/>"] {
            let meaning = StanzaReader().meaning(of: fromBob("message", "id='1'", contents), nowMs: nowMs)
            guard case .nothing = meaning else {
                Issue.record("\(contents) means \(meaning)")
                continue
            }
        }
    }

    @Test("Requests for receipts are kept where the message has an id to name in them")
    func requests() throws {
        let contents =
            "<body>x</body><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>"
        let named = try #require(envelopes(fromBob("message", "id='m1'", contents)).first)
        guard case .message(let message) = named.content else { Issue.record("no message"); return }
        #expect(message.wantsDelivered && message.wantsRead)
        let nameless = try #require(envelopes(fromBob("message", "", contents)).first)
        guard case .message(let message) = nameless.content else { Issue.record("no message"); return }
        #expect(!message.wantsDelivered && !message.wantsRead)
    }

    @Test("A correction names the message that it replaces")
    func correction() throws {
        let contents = "<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='m0'/>"
        guard case .message(let message)? = envelopes(fromBob("message", "id='m1'", contents)).first?.content else {
            Issue.record("no message")
            return
        }
        #expect(message.replaces == "m0")
    }

    @Test("Receipts of both kinds are receipts")
    func receipts() {
        let delivered = fromBob("message", "id='r1'", "<received xmlns='urn:xmpp:receipts' id='m1'/>")
        #expect(envelopes(delivered).map(\.content) == [.receipt(Receipt(.delivered, messageID: "m1"))])
        #expect(envelopes(delivered).map(\.id) == ["r1"])
        let read = fromBob("message", "id='r1'", "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>")
        #expect(envelopes(read).map(\.content) == [.receipt(Receipt(.read, messageID: "m1"))])
    }

    @Test("No more receipts than the limit are read from one stanza", arguments: [32, 33])
    func receiptLimit(count: Int) {
        let contents = (0..<count).map { "<received xmlns='urn:xmpp:receipts' id='\($0)'/>" }.joined()
        #expect(envelopes(fromBob("message", "", contents)).count == 32)
    }

    @Test(
        "Chat states are typing, alone and beside a text",
        arguments: [
            ("active", Typing.active), ("composing", .composing), ("paused", .paused), ("inactive", .inactive),
            ("gone", .gone),
        ]
    )
    func chatStates(name: String, typing: Typing) {
        let state = "<\(name) xmlns='http://jabber.org/protocol/chatstates'/>"
        #expect(envelopes(fromBob("message", "id='1'", state)).map(\.content) == [.typing(typing)])
        let both = envelopes(fromBob("message", "id='1'", "<body>x</body>" + state))
        guard typing != .active else {
            #expect(both.map(\.content) == [.message(Message(text: "x"))], "the text itself says so")
            return
        }
        #expect(both.map(\.content) == [.message(Message(text: "x")), .typing(typing)])
        #expect(both.map(\.id) == ["1", ""], "two envelopes of one author must not have one id")
    }

    @Test("A delay makes the message one of then; a delay in the future is not believed")
    func delays() {
        func read(_ stamp: String) -> Envelope? {
            let contents = "<body>x</body><delay xmlns='urn:xmpp:delay' stamp='\(stamp)'/>"
            return envelopes(fromBob("message", "", contents)).first
        }
        #expect(read("2002-09-10T23:08:25Z")?.isDelayed == true)
        #expect(read("2002-09-10T23:08:25Z")?.timestamp == 1_031_699_305_000)
        #expect(read("2033-05-18T03:33:20Z")?.isDelayed == true, "the present itself")
        #expect(read("2033-05-18T03:33:20.001Z")?.isDelayed == false, "one past it")
        #expect(read("1969-12-31T23:59:59Z")?.isDelayed == false)
        #expect(read("yesterday")?.isDelayed == false)
    }

    @Test("A message to a room is refused, and its error is not")
    func rooms() {
        let reader = StanzaReader()
        guard
            case .answer(let answer) = reader.meaning(
                of: fromBob("message", "type='groupchat' id='1'", "<body>x</body>"),
                nowMs: nowMs
            )
        else { Issue.record("no answer"); return }
        #expect(answer.kind == .message(.error))
        #expect(answer.error?.condition == .serviceUnavailable)
        #expect(answer.to == jid("bob@b.test/phone"))
        #expect(answer.from == jid("alice@a.test"))
        #expect(answer.id == "1")
    }

    @Test("An error is about an earlier message, and is never answered")
    func errors() {
        let contents =
            "<body>x</body><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
        guard
            case .bounce(let bounce) = StanzaReader().meaning(
                of: fromBob("message", "type='error' id='m1'", contents),
                nowMs: nowMs
            )
        else { Issue.record("no bounce"); return }
        #expect(bounce.id == "m1")
        #expect(bounce.error.condition == .itemNotFound)
        guard case .nothing = StanzaReader().meaning(of: fromBob("message", "type='error'", contents), nowMs: nowMs)
        else { Issue.record("an error without an id means something"); return }
    }
}
