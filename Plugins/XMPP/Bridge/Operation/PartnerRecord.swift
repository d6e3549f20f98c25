/// What is remembered of one partner domain, for the operator.
struct PartnerRecord {
    /// Most attempts that are remembered.
    static let attemptsMax = 3

    /// One attempt to reach the partner's server, or the end of a link that stood.
    struct Attempt {
        /// In ms since 1970.
        let at: Int64
        /// The server, where one was connected to.
        let target: String
        /// Nil: it succeeded.
        let failure: EndReason?
    }

    /// The latest ones, the last one last.
    private(set) var attempts: [Attempt] = []
    /// Messages that were handed to the partner, and that came from it.
    var messagesOut: Int64 = 0
    var messagesIn: Int64 = 0

    /// Remembers an attempt in place of the oldest.
    mutating func note(_ attempt: Attempt) {
        if self.attempts.count >= Self.attemptsMax { self.attempts.removeFirst() }
        self.attempts.append(attempt)
    }
}

extension PartnerRecord.Attempt {
    /// For the report.
    var json: JSONText {
        var members: [(String, JSONText)] = [
            ("at", .number(self.at)), ("target", .text(self.target)), ("succeeded", .truth(self.failure == nil)),
        ]
        if let failure = self.failure {
            members += [("error", .text(failure.raw)), ("meaning", .text(failure.text))]
        }
        return .object(members)
    }
}
