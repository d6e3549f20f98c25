/// A message that the operator sends.
package struct SendRequest: Codable, Hashable, Sendable {
    /// An address of a home domain.
    package var from: String
    package var to: String
    package var text: String
    /// In place of a text: what the sender's keyboard is doing, such as `composing`.
    package var typing: String?

    package init(from: String, to: String, text: String, typing: String? = nil) {
        self.from = from
        self.to = to
        self.text = text
        self.typing = typing
    }
}

/// What became of a message that was sent.
package struct SendResult: Codable, Hashable, Sendable {
    /// Receipts and failures name it.
    package var id: String
    /// Whether the router has it, and will deliver it or tell the sender.
    package var accepted: Bool
    /// Why the router will not have it.
    package var reason: String?

    package init(id: String, accepted: Bool, reason: String? = nil) {
        self.id = id
        self.accepted = accepted
        self.reason = reason
    }
}

/// Which messages of home users to show.
package struct InboxRequest: Codable, Hashable, Sendable {
    /// Only those to this address; all without it.
    package var address: String?
    /// Only those with a greater sequence number.
    package var after: UInt64
    /// At most this many of those that are there already, the newest; 1 or more.
    package var limit: Int
    /// Whether to go on with those that arrive from now on.
    package var follow: Bool

    package static let limitMax = 10_000

    package init(address: String? = nil, after: UInt64 = 0, limit: Int = 1000, follow: Bool = false) {
        self.address = address
        self.after = after
        self.limit = limit
        self.follow = follow
    }
}

/// A message that arrived for a home user.
package struct InboxItem: Codable, Hashable, Sendable {
    /// The place in the inbox, from 1; later messages have greater ones.
    package var sequence: UInt64
    package var id: String
    package var from: String
    package var to: String
    /// `message`, `typing`, `presence` and the like.
    package var kind: String
    package var text: String
    /// When its author sent it, in milliseconds since 1970 began, UTC.
    package var timestamp: Int64

    package init(
        sequence: UInt64,
        id: String,
        from: String,
        to: String,
        kind: String,
        text: String,
        timestamp: Int64
    ) {
        self.sequence = sequence
        self.id = id
        self.from = from
        self.to = to
        self.kind = kind
        self.text = text
        self.timestamp = timestamp
    }
}
