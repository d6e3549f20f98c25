/// One instant message.
public struct Message: Hashable, Sendable {
    /// What the author wrote, as plain text.
    public var text: String
    /// May be empty.
    public var subject: String
    /// BCP 47 language tag; may be empty.
    public var language: String
    /// The id of the message that this one corrects; may be empty.
    public var replaces: String
    /// The text with markup; may be empty.
    public var formatted: String
    /// The media type of `formatted`, such as `text/html`.
    public var formattedType: String
    /// The author asks to be told when it was delivered.
    public var wantsDelivered: Bool
    /// The author asks to be told when it was read.
    public var wantsRead: Bool
    /// A nudge or buzz; the text may be empty.
    public var isAttention: Bool

    /// A message of plain text.
    public init(text: String) {
        self.text = text
        self.subject = ""
        self.language = ""
        self.replaces = ""
        self.formatted = ""
        self.formattedType = ""
        self.wantsDelivered = false
        self.wantsRead = false
        self.isAttention = false
    }
}

/// Tells the author that a message was delivered, or read.
public struct Receipt: Hashable, Sendable {
    /// How far the message came.
    public enum Kind: UInt32, Sendable, CaseIterable {
        case delivered = 1
        case read = 2
    }

    /// How far it came.
    public var kind: Kind
    /// The id of the message it is about.
    public var messageID: String

    /// A receipt for one message.
    public init(_ kind: Kind, messageID: String) {
        self.kind = kind
        self.messageID = messageID
    }
}

/// What the other side is doing with its keyboard.
///
/// The latest value wins.
public enum Typing: UInt32, Hashable, Sendable, CaseIterable {
    /// Attentive, not typing.
    case active = 1
    /// Writing.
    case composing = 2
    /// Stopped in the middle.
    case paused = 3
    /// Not attentive for a while.
    case inactive = 4
    /// Left the conversation.
    case gone = 5
}

/// Tells the author that an envelope was not delivered after all.
public struct Failure: Hashable, Sendable {
    /// Why.
    public var failureClass: FailureClass
    /// It may have arrived nevertheless.
    public var isUncertain: Bool
    /// The id of the envelope that failed.
    public var messageID: String
    /// A sentence for people.
    public var reason: String
    /// The network's own code; may be empty.
    public var code: String

    /// The failure of one envelope.
    public init(
        _ failureClass: FailureClass,
        messageID: String,
        reason: String,
        code: String = "",
        isUncertain: Bool = false
    ) {
        self.failureClass = failureClass
        self.isUncertain = isUncertain
        self.messageID = messageID
        self.reason = reason
        self.code = code
    }
}
