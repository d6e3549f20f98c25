import IMModel
import Testing

@Suite("Envelopes")
struct EnvelopeTests {
    @Test("a new envelope is from now, on its first hop, for any device")
    func standardValues() throws {
        let (from, to) = (try #require(Address("a@x")), try #require(Address("b@y")))
        let envelope = Envelope(from: from, to: to, id: "1", content: .typing(.composing))
        #expect((envelope.from, envelope.to) == (from, to))
        #expect((envelope.id, envelope.fromDevice, envelope.toDevice) == ("1", "", ""))
        #expect((envelope.timestamp, envelope.expires, envelope.hops) == (0, 0, 0))
        #expect((envelope.conversation, envelope.account) == ("", ""))
        #expect((envelope.isRedelivered, envelope.isDelayed) == (false, false))
    }

    @Test("every kind has a name of its own")
    func names() throws {
        let address = try #require(Address("a@x"))
        let contents: [(Envelope.Content, String)] = [
            (.message(Message(text: "t")), "message"),
            (.receipt(Receipt(.read, messageID: "1")), "receipt"),
            (.typing(.active), "typing"),
            (.presence(Presence(.away)), "presence"),
            (.subscription(Subscription(.request)), "subscription"),
            (.contact(ContactChange(.added, address: address)), "contact"),
            (.call(CallEvent(.invite, callID: "c")), "call"),
            (.failure(Failure(.policy, messageID: "1", reason: "no")), "failure"),
        ]
        for (content, name) in contents {
            #expect(Envelope(from: address, to: address, content: content).kindName == name)
        }
    }
}
