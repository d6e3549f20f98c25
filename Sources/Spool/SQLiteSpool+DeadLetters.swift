import GRDB

extension SQLiteSpool {
    package func deadLetters(after position: Int64, limit: Int) throws(SpoolError) -> [DeadLetter] {
        try self.read { db in
            let statement = try PreparedSQL(
                db,
                "SELECT \(DeadLetter.columns) FROM dead_letters WHERE position > ? ORDER BY position LIMIT ?"
            )
            try statement.bind(position, at: 1)
            try statement.bind(self.rows(limit), at: 2)
            return try statement.all { DeadLetter($0) }
        }
    }

    package func deadLetter(sequence: Int64) throws(SpoolError) -> DeadLetter? {
        try self.read { try DeadLetter.find(sequence, in: $0) }
    }

    package func retryDeadLetters(_ sequences: [Int64], expiresAt: Int64) throws(SpoolError) -> [RetryResult] {
        try self.write { batch in try sequences.map { try batch.retryDeadLetter($0, expiresAt: expiresAt) } }
    }

    package func dropDeadLetters(_ sequences: [Int64]) throws(SpoolError) -> [Bool] {
        try self.write { batch in try sequences.map { try batch.dropDeadLetter($0) } }
    }

    package func dropOldDeadLetters(now: Int64) throws(SpoolError) -> Int {
        // A look first: most of the time there is nothing to write.
        let oldest = try self.read { db in
            try PreparedSQL(db, "SELECT died_at FROM dead_letters ORDER BY position LIMIT 1").first { $0.int64(0) }
        }
        guard let oldest, oldest < now - self.limits.deadLettersAgeMaxMs else { return 0 }
        return try self.write { batch in try batch.dropDeadLetters(before: now - self.limits.deadLettersAgeMaxMs) }
    }
}

extension DeadLetter {
    /// The columns that ``init(_:)`` reads.
    static let columns = "\(SpoolRecord.columns), position, cause, reason, died_at, failure_class"

    init(_ row: PreparedSQL.Columns) {
        let next = SpoolRecord.columnCount
        self.init(
            position: row.int64(next),
            record: SpoolRecord(row),
            // A cause that nobody wrote is damage itself; the others are to be seen nevertheless.
            cause: Cause(rawValue: row.int64(next + 1)) ?? .damaged,
            failureClass: UInt16(clamping: row.int64(next + 4)),
            reason: row.string(next + 2),
            at: row.int64(next + 3)
        )
    }

    /// Inserts it as it is with a statement of ``columns``; false if it is there already.
    func insert(with statement: PreparedSQL) throws -> Bool {
        let next = SpoolRecord.columnCount + 1
        try statement.bind(self.position, at: next)
        try statement.bind(self.cause.rawValue, at: next + 1)
        try statement.bind(self.reason, at: next + 2)
        try statement.bind(self.at, at: next + 3)
        try statement.bind(Int(self.failureClass), at: next + 4)
        return try self.record.bind(to: statement) { try statement.insert() }
    }

    /// The dead letter of one message; `nil` when there is none.
    static func find(_ sequence: Int64, in db: Database) throws -> DeadLetter? {
        let statement = try PreparedSQL(db, "SELECT \(Self.columns) FROM dead_letters WHERE sequence = ?")
        try statement.bind(sequence, at: 1)
        return try statement.first { DeadLetter($0) }
    }
}
