import GRDB

extension SQLiteSpool {
    package func load(
        conversation: String,
        destination: String,
        after sequence: Int64,
        limit: Int
    ) throws(SpoolError) -> [SpoolRecord] {
        try self.read { db in
            let statement = try PreparedSQL(
                db,
                """
                SELECT \(SpoolRecord.columns) FROM messages
                WHERE destination = ? AND conversation = ? AND sequence > ? ORDER BY sequence LIMIT ?
                """
            )
            try statement.bind(destination, at: 1)
            try statement.bind(conversation, at: 2)
            try statement.bind(sequence, at: 3)
            try statement.bind(self.rows(limit), at: 4)
            return try statement.all { try SpoolRecord($0) }
        }
    }

    package func loadPending(after sequence: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord] {
        try self.read { db in
            let statement = try PreparedSQL(
                db,
                "SELECT \(SpoolRecord.columns) FROM messages WHERE sequence > ? ORDER BY sequence LIMIT ?"
            )
            try statement.bind(sequence, at: 1)
            try statement.bind(self.rows(limit), at: 2)
            return try statement.all { try SpoolRecord($0) }
        }
    }

    package func loadPending(
        destination: String,
        after sequence: Int64,
        limit: Int
    ) throws(SpoolError) -> [SpoolRecord] {
        try self.read { db in
            // The plus keeps SQLite from the index by destination, which would make it sort all of its rows.
            let statement = try PreparedSQL(
                db,
                """
                SELECT \(SpoolRecord.columns) FROM messages
                WHERE sequence > ? AND +destination = ? ORDER BY sequence LIMIT ?
                """
            )
            try statement.bind(sequence, at: 1)
            try statement.bind(destination, at: 2)
            try statement.bind(self.rows(limit), at: 3)
            return try statement.all { try SpoolRecord($0) }
        }
    }

    package func dueConversations(before now: Int64, limit: Int) throws(SpoolError) -> [DueConversation] {
        try self.read { db in
            let statement = try PreparedSQL(
                db,
                """
                SELECT destination, conversation, sequence, next_attempt_at FROM messages AS message
                WHERE next_attempt_at > 0 AND next_attempt_at <= ? AND \(Self.isFirst)
                ORDER BY next_attempt_at, sequence LIMIT ?
                """
            )
            try statement.bind(now, at: 1)
            try statement.bind(self.rows(limit), at: 2)
            return try statement.all { row in
                DueConversation(
                    destination: row.string(0),
                    conversation: row.string(1),
                    sequence: row.int64(2),
                    dueAt: row.int64(3)
                )
            }
        }
    }

    package func nextDue() throws(SpoolError) -> Int64? {
        try self.read { db in
            try PreparedSQL(
                db,
                """
                SELECT next_attempt_at FROM messages AS message
                WHERE next_attempt_at > 0 AND \(Self.isFirst) ORDER BY next_attempt_at LIMIT 1
                """
            ).first { $0.int64(0) }
        }
    }

    package func expired(before now: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord] {
        try self.read { db in
            let statement = try PreparedSQL(
                db,
                """
                SELECT \(SpoolRecord.columns) FROM messages
                WHERE expires_at > 0 AND expires_at <= ? ORDER BY expires_at, sequence LIMIT ?
                """
            )
            try statement.bind(now, at: 1)
            try statement.bind(self.rows(limit), at: 2)
            return try statement.all { try SpoolRecord($0) }
        }
    }

    /// Looks for damage in the database: one line each, none when it is sound.
    ///
    /// Reads the whole file, beside running commits. Source: https://www.sqlite.org/pragma.html#pragma_quick_check
    package func check() throws(SpoolError) -> [String] {
        do {
            try self.checkOpen()
            // Without a transaction: after damage SQLite could not end it.
            return try self.pool.unsafeRead { try Self.quickCheck($0) }
        } catch {
            throw SpoolError(error, path: self.path)
        }
    }

    /// The same for a spool that this process has not opened, whether a router has or not.
    ///
    /// Changes nothing in it.
    package static func check(path: String) throws(SpoolError) -> [String] {
        if SpoolFile.isThere(path + SpoolRecovery.recoveredSuffix), !SpoolFile.isThere(path) {
            throw .recoveryInterrupted(path: path)
        }
        if let damage = WriteAheadLog(path: path + "-wal")?.damage { return [damage] }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(Self.busyTimeout)
        do {
            return try DatabaseQueue(path: path, configuration: configuration).inDatabase { db in
                _ = try SpoolSchema.recognise(db, path: path)
                return try Self.quickCheck(db)
            }
        } catch {
            throw SpoolError(error, path: path)
        }
    }

    private static func quickCheck(_ db: Database) throws -> [String] {
        var problems: [String] = []
        do {
            try PreparedSQL(db, "PRAGMA quick_check(\(Self.problemsMax))").forEach { row in
                // One row can hold many lines, and a heading.
                let lines = row.string(0).split(separator: "\n").filter { $0 != "ok" && !$0.hasPrefix("***") }
                problems += lines.map { String($0) }
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            // Damage so bad that the check itself stumbled over it.
            problems.insert(error.message ?? "the database is malformed", at: 0)
        }
        return Array(problems.prefix(Self.problemsMax))
    }

    /// Lines of damage that a check lists at most.
    static let problemsMax = 100

    /// True for a message with no earlier one in its conversation and destination.
    private static let isFirst = """
        NOT EXISTS (
            SELECT 1 FROM messages AS earlier
            WHERE earlier.destination = message.destination AND earlier.conversation = message.conversation
                AND earlier.sequence < message.sequence
        )
        """

    /// The limit asked for, within what one read may return.
    func rows(_ limit: Int) -> Int {
        min(max(limit, 0), self.limits.rowsPerReadMax)
    }
}
