import ProviderKit

/// Envelopes with every field set, one of each kind and more.
enum Samples {
    static let romeo = address("romeo@montague.example")
    static let juliet = address("juliet@capulet.example")

    static func address(_ text: String) -> Address {
        guard let address = Address(text) else { preconditionFailure("\(text) is an address") }
        return address
    }

    /// An envelope of `content` in which no other field has its standard value.
    static func envelope(_ content: Envelope.Content) -> Envelope {
        var envelope = Envelope(from: romeo, to: juliet, id: "id-1", content: content)
        envelope.fromDevice = "orchard"
        envelope.toDevice = "balcony"
        envelope.conversation = "thread ✓"
        envelope.timestamp = 1_700_000_000_123
        envelope.expires = 1_700_000_600_456
        envelope.hops = 3
        envelope.account = "romeo.account"
        envelope.isRedelivered = true
        envelope.isDelayed = true
        envelope.vouching = .unverified
        return envelope
    }

    static let all: [Envelope] = contents.map(envelope)

    private static var contents: [Envelope.Content] {
        var result: [Envelope.Content] = [.message(message), .message(Message(text: ""))]
        result += Receipt.Kind.allCases.map { .receipt(Receipt($0, messageID: "m-1")) }
        result += Typing.allCases.map { .typing($0) }
        result += Presence.Availability.allCases.map { .presence(presence($0)) }
        result += Subscription.Action.allCases.map { .subscription(Subscription($0, name: "Romeo", text: "Let me in")) }
        result += ContactChange.Change.allCases.map {
            .contact(ContactChange($0, address: romeo, name: "Romeo", groups: ["Family", "Verona", ""]))
        }
        result.append(.contact(ContactChange(.added, address: romeo)))
        result += CallEvent.Event.allCases.map {
            .call(CallEvent($0, callID: "c-1", media: [.audio, .video], description: "v=0\r\n", reason: "busy"))
        }
        result += FailureClass.allCases.map {
            .failure(Failure($0, messageID: "m-1", reason: "nobody there", code: "404", isUncertain: true))
        }
        return result
    }

    private static var message: Message {
        var message = Message(text: "But soft! \u{1F319}")
        message.subject = "Window"
        message.language = "en-GB"
        message.replaces = "m-0"
        message.formatted = "<b>But soft!</b>"
        message.formattedType = "text/html"
        message.wantsDelivered = true
        message.wantsRead = true
        message.isAttention = true
        return message
    }

    private static func presence(_ availability: Presence.Availability) -> Presence {
        var presence = Presence(availability, status: "sighing")
        presence.priority = -128
        presence.changed = 1_700_000_000_000
        presence.abilities = [.audio]
        return presence
    }
}
