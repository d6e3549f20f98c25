/// A message that was given up, as the operator sees it.
package struct DeadLetterReport: Hashable, Sendable {
    /// Names it, for ever: its place in the spool.
    package var id: Int64
    /// When it was given up, in ms since 1970.
    package var diedAt: Int64
    /// When the router had accepted it, in ms since 1970.
    package var acceptedAt: Int64
    package var from: String
    package var to: String
    /// `message`, `subscription` and the like; `unknown` if the stored form is damaged.
    package var kind: String
    /// The provider it came from.
    package var source: String
    /// The provider that was to deliver it.
    package var destination: String
    /// The source network's id of it; may be empty.
    package var messageID: String
    /// Deliveries that were tried.
    package var attempts: Int
    /// `refused`, `expired`, `exhausted`, `damaged` or `newer`.
    package var cause: String
    /// The class of the failure, as `transient` or `recipient`; `none` where there is none.
    package var failureClass: String
    /// Why it was given up, in words.
    package var reason: String
    /// What a message says; nil unless it was asked for, and for other kinds.
    package var text: String?
}

/// Which dead letters an operator means.
package struct DeadLetterFilter: Hashable, Sendable {
    /// Only those to addresses of this domain; all without it.
    package var toDomain: String?
    /// Only those that were given up before, in ms since 1970; all without it.
    package var diedBefore: Int64?

    package init(toDomain: String? = nil, diedBefore: Int64? = nil) {
        self.toDomain = toDomain
        self.diedBefore = diedBefore
    }

    func matches(_ report: DeadLetterReport) -> Bool {
        if let diedBefore, report.diedAt >= diedBefore { return false }
        guard let toDomain else { return true }
        return report.to.split(separator: "@").last.map(String.init) == toDomain
    }
}

/// What became of one dead letter that was to be retried or dropped.
package enum DeadLetterResult: Hashable, Sendable {
    /// It waits for delivery, under another place in the spool.
    case retried(as: Int64)
    case dropped
    /// There is no such dead letter.
    case unknown
    /// The provider that would deliver it is not in the configuration.
    case noProvider(String)
    /// It is not what was stored.
    case damaged
    /// A message with its key waits already.
    case duplicate
    /// As many messages wait as the spool takes.
    case full
}

/// Why nothing can be done about dead letters.
package enum DeadLetterError: Error, Hashable, CustomStringConvertible {
    /// The router keeps nothing on disk.
    case notStored
    /// The router is on its way down.
    case stopping
    /// The spool failed; why.
    case spool(String)

    package var description: String {
        switch self {
        case .notStored: "this router keeps no dead letters: spool.durable is false in its configuration"
        case .stopping: "the router is stopping; ask again when it runs"
        case .spool(let reason): reason
        }
    }
}
