import GRDB

/// Applies the changes of one transaction and keeps the counts in step with them.
///
/// Made inside the transaction, used on its thread, and its ``counts`` adopted only once the transaction is on disk.
struct SpoolBatch {
    /// The counts as they will be once the transaction is on disk.
    private(set) var counts: SpoolCounts
    private let db: Database
    private let limits: SpoolLimits
    private let duplicateKeys: DuplicateKeys
    /// What is run for each message of a batch: even a look into the connection's cache shows.
    private var statements = Statements()
    /// Acceptance time of the newest message of this batch, unix milliseconds.
    private var newestCreatedAt: Int64?
    /// The sequence that was given last; `nil` before the first append of this batch.
    private var lastSequence: Int64?

    /// Forgotten messages that one transaction deletes at most, so that a commit stays short.
    static let forgottenPerCommitMax = 2048

    private struct Statements {
        var insert: PreparedSQL?
        var findSeen: PreparedSQL?
        var remember: PreparedSQL?
        var remove: PreparedSQL?
    }

    init(_ db: Database, counts: SpoolCounts, limits: SpoolLimits, duplicateKeys: DuplicateKeys) {
        self.db = db
        self.counts = counts
        self.limits = limits
        self.duplicateKeys = duplicateKeys
    }

    /// Applies all changes; one result for each append.
    mutating func apply(_ operations: [SpoolOperation]) throws -> [AppendResult] {
        var results: [AppendResult] = []
        for operation in operations {
            switch operation {
            case .append(let record):
                results.append(try self.append(record))
            case .delivered(let sequence):
                try self.remove(sequence)
            case .deferred(let sequence, let attempts, let nextAttemptAt, let reason):
                try self.postpone(sequence, attempts: attempts, until: max(1, nextAttemptAt), reason: reason)
            case .failed(let sequence, let cause, let failureClass, let reason, let at):
                let attempts = cause == .damaged || cause == .newer ? 0 : 1
                let death = Death(cause: cause, failureClass: failureClass, reason: reason, attempts: attempts, at: at)
                try self.bury(sequence, death)
            case .expired(let sequence, let at):
                try self.bury(sequence, Death(cause: .expired, failureClass: 0, reason: nil, attempts: 0, at: at))
            }
        }
        try self.forget()
        return results
    }

    // MARK: Appending

    private mutating func append(_ record: SpoolRecord) throws -> AppendResult {
        if let refusal = self.sizeRefusal(record) { return refusal }
        let duplicateKey = record.remoteID.map {
            self.duplicateKeys.key(source: record.source, conversation: record.conversation, remoteID: $0)
        }
        if let duplicateKey, let first = try self.sequence(seenUnder: duplicateKey) { return .duplicate(of: first) }
        let result = try self.insert(record)
        if case .stored(let sequence) = result {
            self.newestCreatedAt = max(self.newestCreatedAt ?? record.createdAt, record.createdAt)
            if let duplicateKey { try self.remember(duplicateKey, sequence: sequence, at: record.createdAt) }
        }
        return result
    }

    private func sizeRefusal(_ record: SpoolRecord) -> AppendResult? {
        let sizes = [
            (SpoolField.payload, record.payload.count, self.limits.payloadBytesMax),
            (.remoteID, record.remoteID?.utf8.count ?? 0, self.limits.remoteIDBytesMax),
            (.conversation, record.conversation.utf8.count, self.limits.keyBytesMax),
            (.destination, record.destination.utf8.count, self.limits.keyBytesMax),
            (.source, record.source.utf8.count, self.limits.keyBytesMax),
        ]
        return sizes.first { $0.1 > $0.2 }.map { .tooLarge(field: $0.0, bytes: $0.1, max: $0.2) }
    }

    /// Inserts a message unless its idempotency key is taken or the quota is used up.
    private mutating func insert(_ record: SpoolRecord) throws -> AppendResult {
        guard self.counts.pending < self.limits.pendingMax else {
            return try self.sequence(of: record.idempotencyKey).map { .duplicate(of: $0) } ?? .full
        }
        let statement = try self.statements.insert ?? PreparedSQL(self.db, SpoolRecord.insertSQL)
        self.statements.insert = statement
        var record = record
        let last = try self.lastSequence ?? self.greatestSequence()
        record.sequence = last + 1
        guard try record.insert(with: statement) else {
            self.lastSequence = last
            return .duplicate(of: try self.sequence(of: record.idempotencyKey))
        }
        self.lastSequence = record.sequence
        self.counts.pending += 1
        self.counts.payloadBytes += record.payload.count
        if record.nextAttemptAt > 0 { self.counts.deferred += 1 }
        return .stored(sequence: record.sequence)
    }

    /// The greatest sequence that was ever given: what SQLite would go on from by itself.
    ///
    /// The checksum of a row has to know
    /// its sequence before.
    private func greatestSequence() throws -> Int64 {
        let statement = try PreparedSQL(
            self.db,
            """
            SELECT max(
                coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0),
                coalesce((SELECT max(sequence) FROM messages), 0)
            )
            """
        )
        return try statement.first { $0.int64(0) } ?? 0
    }

    private func sequence(of key: IdempotencyKey) throws -> Int64? {
        let statement = try PreparedSQL(self.db, "SELECT sequence FROM messages WHERE idempotency_key = ?")
        try statement.bind(key.high, key.low, at: 1)
        return try statement.first { $0.int64(0) }
    }

    private mutating func sequence(seenUnder key: SipHash.Digest) throws -> Int64? {
        let statement =
            try self.statements.findSeen ?? PreparedSQL(self.db, "SELECT sequence FROM seen WHERE key = ?")
        self.statements.findSeen = statement
        try statement.bind(key.first, key.second, at: 1)
        return try statement.first { $0.int64(0) }
    }

    private mutating func remember(_ key: SipHash.Digest, sequence: Int64, at time: Int64) throws {
        let statement =
            try self.statements.remember
            ?? PreparedSQL(self.db, "INSERT INTO seen (sequence, key, seen_at) VALUES (?, ?, ?)")
        self.statements.remember = statement
        try statement.bind(sequence, at: 1)
        try statement.bind(key.first, key.second, at: 2)
        try statement.bind(time, at: 3)
        try statement.run()
        self.counts.seen += 1
    }

    // MARK: Settling

    /// Deletes a waiting message; one that is not there is no error.
    private mutating func remove(_ sequence: Int64) throws {
        let statement =
            try self.statements.remove
            ?? PreparedSQL(
                self.db,
                "DELETE FROM messages WHERE sequence = ? RETURNING length(payload), next_attempt_at"
            )
        self.statements.remove = statement
        try statement.bind(sequence, at: 1)
        let removed = try statement.first { (payloadBytes: $0.int(0), isDeferred: $0.int64(1) > 0) }
        guard let removed else { return }
        self.counts.pending -= 1
        self.counts.payloadBytes -= removed.payloadBytes
        if removed.isDeferred { self.counts.deferred -= 1 }
    }

    private mutating func postpone(_ sequence: Int64, attempts: Int, until time: Int64, reason: String) throws {
        let current = try PreparedSQL(self.db, "SELECT next_attempt_at FROM messages WHERE sequence = ?")
        try current.bind(sequence, at: 1)
        guard let previous = try current.first({ $0.int64(0) }) else { return }

        let update = try PreparedSQL(
            self.db,
            "UPDATE messages SET attempts = ?, next_attempt_at = ?, deferral_reason = ? WHERE sequence = ?"
        )
        try update.bind(attempts, at: 1)
        try update.bind(time, at: 2)
        try update.bind(self.cut(reason), at: 3)
        try update.bind(sequence, at: 4)
        try update.run()
        if previous == 0 { self.counts.deferred += 1 }
    }

    /// How a message came to be a dead letter.
    private struct Death {
        var cause: DeadLetter.Cause
        var failureClass: UInt16
        /// Without one, that of its last deferral stands.
        var reason: String?
        /// Attempts that the waiting message had not counted.
        var attempts: Int
        /// Unix milliseconds.
        var at: Int64
    }

    /// Moves a waiting message to the dead letters.
    private mutating func bury(_ sequence: Int64, _ death: Death) throws {
        let copy = try PreparedSQL(
            self.db,
            """
            INSERT INTO dead_letters (\(SpoolRecord.columns), cause, failure_class, reason, died_at)
            SELECT \(SpoolRecord.columns), ?, ?, coalesce(?, deferral_reason, ''), ? FROM messages WHERE sequence = ?
            RETURNING position
            """
        )
        try copy.bind(death.cause.rawValue, at: 1)
        try copy.bind(Int(death.failureClass), at: 2)
        try copy.bind(death.reason.map { self.cut($0) }, at: 3)
        try copy.bind(death.at, at: 4)
        try copy.bind(sequence, at: 5)
        guard let position = try copy.first({ $0.int64(0) }) else { return }
        if death.attempts > 0 {
            let count = try PreparedSQL(self.db, "UPDATE dead_letters SET attempts = attempts + ? WHERE position = ?")
            try count.bind(death.attempts, at: 1)
            try count.bind(position, at: 2)
            try count.run()
        }
        try self.remove(sequence)
        self.counts.deadLetters += 1
        try self.dropOldestDeadLetters()
    }

    private func cut(_ reason: String) -> String {
        guard reason.utf8.count > self.limits.reasonBytesMax else { return reason }
        var end = reason.utf8.index(reason.startIndex, offsetBy: self.limits.reasonBytesMax)
        while end.samePosition(in: reason.unicodeScalars) == nil { end = reason.utf8.index(before: end) }
        return String(reason[..<end])
    }

    // MARK: Dead letters

    private mutating func dropOldestDeadLetters() throws {
        let excess = self.counts.deadLetters - self.limits.deadLettersMax
        guard excess > 0 else { return }
        let statement = try PreparedSQL(
            self.db,
            """
            DELETE FROM dead_letters
            WHERE position IN (SELECT position FROM dead_letters ORDER BY position LIMIT ?)
            """
        )
        try statement.bind(excess, at: 1)
        try statement.run()
        self.counts.deadLetters -= excess
        self.counts.deadLettersDropped += excess
    }

    /// Deletes the oldest dead letters up to the first that died at `time` (unix milliseconds) or later; how many.
    mutating func dropDeadLetters(before time: Int64) throws -> Int {
        let statement = try PreparedSQL(
            self.db,
            """
            DELETE FROM dead_letters WHERE died_at < ?1 AND position IN (
                SELECT position FROM dead_letters ORDER BY position LIMIT ?2
            )
            """
        )
        try statement.bind(time, at: 1)
        try statement.bind(self.limits.deadLettersPerCommitMax, at: 2)
        try statement.run()
        let count = self.db.changesCount
        self.counts.deadLetters -= count
        self.counts.deadLettersDropped += count
        return count
    }

    /// Deletes a dead letter; false when there is none.
    mutating func dropDeadLetter(_ sequence: Int64) throws -> Bool {
        let statement = try PreparedSQL(
            self.db,
            "DELETE FROM dead_letters WHERE sequence = ? RETURNING position"
        )
        try statement.bind(sequence, at: 1)
        guard try statement.first({ $0.int64(0) }) != nil else { return false }
        self.counts.deadLetters -= 1
        return true
    }

    /// Appends a dead letter's message anew, and deletes the dead letter if that worked.
    mutating func retryDeadLetter(_ sequence: Int64, expiresAt: Int64) throws -> RetryResult {
        guard var record = try DeadLetter.find(sequence, in: self.db)?.record else { return .unknown }
        // A new row would have a new checksum, and what was altered would count as sound.
        guard record.damage == nil else { return .damaged }
        record.attempts = min(record.attempts, 1)
        record.nextAttemptAt = 0
        record.expiresAt = expiresAt
        switch try self.insert(record) {
        case .stored(let new):
            _ = try self.dropDeadLetter(sequence)
            return .stored(sequence: new)
        case .duplicate(let first):
            return .duplicate(of: first ?? sequence)
        case .full, .tooLarge:
            return .full
        }
    }

    // MARK: Forgetting

    /// Forgets the oldest messages past the limits of number and age, as of the newest message of this batch.
    private mutating func forget() throws {
        guard let newestCreatedAt else { return }
        let cutoff = newestCreatedAt - self.limits.seenAgeMaxMs
        let excess = self.counts.seen - self.limits.seenMax
        let oldest = try PreparedSQL(self.db, "SELECT seen_at FROM seen ORDER BY sequence LIMIT 1")
        guard let oldestAt = try oldest.first({ $0.int64(0) }), oldestAt < cutoff || excess > 0 else { return }

        // Oldest first up to the first one to keep: those too many, then those too old.
        let statement = try PreparedSQL(
            self.db,
            """
            DELETE FROM seen WHERE sequence IN (
                SELECT sequence FROM (
                    SELECT sequence, seen_at, row_number() OVER (ORDER BY sequence) AS place
                    FROM (SELECT sequence, seen_at FROM seen ORDER BY sequence LIMIT ?1)
                ) WHERE place <= ?2 OR seen_at < ?3
            )
            """
        )
        try statement.bind(Self.forgottenPerCommitMax, at: 1)
        try statement.bind(excess, at: 2)
        try statement.bind(cutoff, at: 3)
        try statement.run()
        self.counts.seen -= self.db.changesCount
    }
}
