import GRDB

extension SQLiteSpool {
    package func load(
        conversation: String,
        destination: String,
        after sequence: Int64,
        limit: Int
    ) throws(SpoolError) -> [SpoolRecord] {
        try self.records(where: "destination = ?2 AND conversation = ?3 AND sequence > ?4 ORDER BY sequence", limit) {
            try $0.bind(destination, at: 2)
            try $0.bind(conversation, at: 3)
            try $0.bind(sequence, at: 4)
        }
    }

    package func loadPending(after sequence: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord] {
        try self.records(where: "sequence > ?2 ORDER BY sequence", limit) { try $0.bind(sequence, at: 2) }
    }

    package func loadPending(
        destination: String,
        after sequence: Int64,
        limit: Int
    ) throws(SpoolError) -> [SpoolRecord] {
        // The plus keeps SQLite from the index by destination, which would make it sort all of its rows.
        try self.records(where: "sequence > ?2 AND +destination = ?3 ORDER BY sequence", limit) {
            try $0.bind(sequence, at: 2)
            try $0.bind(destination, at: 3)
        }
    }

    package func expired(before now: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord] {
        try self.records(where: "expires_at > 0 AND expires_at <= ?2 ORDER BY expires_at, sequence", limit) {
            try $0.bind(now, at: 2)
        }
    }

    /// The waiting messages that fulfil a condition whose parameters, from 2 on, `bind` sets.
    private func records(
        where condition: String,
        _ limit: Int,
        _ bind: (PreparedSQL) throws -> Void
    ) throws(SpoolError) -> [SpoolRecord] {
        func run<Result>(_ columns: String, _ db: Database, _ row: (PreparedSQL.Columns) -> Result) throws -> [Result] {
            let statement = try PreparedSQL(db, "SELECT \(columns) FROM messages WHERE \(condition) LIMIT ?1")
            try statement.bind(self.rows(limit), at: 1)
            try bind(statement)
            return try statement.all(row)
        }
        do {
            return try self.read { db in try run(SpoolRecord.columns, db) { SpoolRecord($0) } }
        } catch {
            guard case .corrupt = error else { throw error }
        }
        // One of them cannot be read, such as a long one with a page of it gone. The others can be, each by itself.
        do {
            // Without a transaction: after damage SQLite could not end it.
            return try self.pool.unsafeRead { db in
                try run("sequence", db) { $0.int64(0) }.compactMap { try SpoolRecord.find($0, in: db) }
            }
        } catch {
            throw SpoolError(error, path: self.path)
        }
    }

    /// Looks for damage in the database and in each message: a line each, none when all is sound.
    ///
    /// Reads the whole file, beside running commits.
    package func check() throws(SpoolError) -> [String] {
        do {
            try self.checkOpen()
            // Without a transaction: after damage SQLite could not end it.
            return try self.pool.unsafeRead { try SpoolCheck.problems($0) }
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
                let version = try SpoolSchema.recognise(db, path: path)
                return try SpoolCheck.problems(db, version: version)
            }
        } catch {
            throw SpoolError(error, path: path)
        }
    }

    /// The limit asked for, within what one read may return.
    func rows(_ limit: Int) -> Int {
        min(max(limit, 0), self.limits.rowsPerReadMax)
    }
}
