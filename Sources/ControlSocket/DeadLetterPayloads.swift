/// Which dead letters to list.
package struct DeadLetterQuery: Codable, Hashable, Sendable {
    /// Only those to addresses of this domain; all without it.
    package var toDomain: String?
    /// Only those that were given up at least so long ago, in ms; all without it.
    package var olderThanMs: Int64?
    /// Only those that were given up after this one; all without it.
    package var after: Int64?
    /// At most so many, the oldest; 1 to ``limitMax``.
    package var limit: Int

    package static let limitMax = 10_000

    package init(toDomain: String? = nil, olderThanMs: Int64? = nil, after: Int64? = nil, limit: Int = 100) {
        self.toDomain = toDomain
        self.olderThanMs = olderThanMs
        self.after = after
        self.limit = limit
    }
}

/// Which dead letters a request is about.
package struct DeadLetterChoice: Codable, Hashable, Sendable {
    /// Their ids, at most ``idsMax``.
    package var ids: [Int64]
    /// Whether to say what a message says.
    package var withText: Bool

    /// So that a request stays short; a command asks again for more.
    package static let idsMax = 256

    package init(ids: [Int64], withText: Bool = false) {
        self.ids = ids
        self.withText = withText
    }
}

/// A message that was given up.
///
/// Times are in milliseconds since 1970 began, UTC.
package struct DeadLetterItem: Codable, Hashable, Sendable {
    package var id: Int64
    package var diedAt: Int64
    package var acceptedAt: Int64
    package var from: String
    package var to: String
    package var kind: String
    /// The provider it came from.
    package var source: String
    /// The provider that was to deliver it.
    package var destination: String
    /// The source network's id of it.
    package var messageID: String
    package var attempts: Int
    /// `refused`, `expired`, `exhausted`, `damaged` or `newer`.
    package var cause: String
    /// The class of the failure, such as `recipient`.
    package var failureClass: String
    package var reason: String
    /// What the message says, if it was asked for.
    package var text: String?

    package init(
        id: Int64,
        diedAt: Int64,
        acceptedAt: Int64,
        from: String,
        to: String,
        kind: String,
        source: String,
        destination: String,
        messageID: String,
        attempts: Int,
        cause: String,
        failureClass: String,
        reason: String,
        text: String? = nil
    ) {
        self.id = id
        self.diedAt = diedAt
        self.acceptedAt = acceptedAt
        self.from = from
        self.to = to
        self.kind = kind
        self.source = source
        self.destination = destination
        self.messageID = messageID
        self.attempts = attempts
        self.cause = cause
        self.failureClass = failureClass
        self.reason = reason
        self.text = text
    }
}

/// What became of one dead letter that was to be retried or dropped.
package struct DeadLetterChange: Codable, Hashable, Sendable {
    package var id: Int64
    /// Whether what was asked for was done.
    package var isDone: Bool
    /// Why not; or what it is called now.
    package var detail: String

    package init(id: Int64, isDone: Bool, detail: String) {
        self.id = id
        self.isDone = isDone
        self.detail = detail
    }
}
