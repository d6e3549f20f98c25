internal import Foundation
internal import GRDB

/// Reads what can be read of a damaged spool's tables into a new spool.
struct SpoolSalvage {
    /// Keys that are tried one by one between the last row before damage and the first behind it.
    static let probesMax: Int64 = 1_000_000

    /// A table, by the name of its key.
    private struct Table {
        var name: String
        var key: String
        var columns: String
    }

    private static let messages = Table(name: "messages", key: "sequence", columns: SpoolRecord.columns)
    private static let deadLetters = Table(name: "dead_letters", key: "position", columns: DeadLetter.columns)
    private static let seen = Table(name: "seen", key: "sequence", columns: "sequence, key, seen_at")

    /// - Parameter isOwnLayout: the layout is the damaged file's own: if that has checksums, each row has one.
    static func run(
        from damaged: String,
        isOwnLayout: Bool,
        to path: String,
        _ report: inout SpoolRecovery.Report
    ) throws {
        try SpoolFile.makePrivate(path)
        let source = try DatabaseQueue(path: damaged)
        let target = try DatabaseQueue(path: path)
        try target.writeWithoutTransaction { new in
            try SpoolSchema.prepare(new, path: path)
            // Without a transaction: after damage SQLite could not end it.
            try source.unsafeRead { old in
                let salvage = SpoolSalvage(old: old, new: new, isOwnLayout: isOwnLayout)
                try new.inTransaction(.immediate) {
                    try salvage.copyAll(&report)
                    return .commit
                }
            }
        }
        try target.close()
        try source.close()
    }

    private let old: Database
    private let new: Database
    /// Every row has a checksum, if it is what was stored.
    private let hasChecksums: Bool

    private init(old: Database, new: Database, isOwnLayout: Bool) {
        self.old = old
        self.new = new
        self.hasChecksums = isOwnLayout && Self.columns(of: Self.messages, old).contains("checksum")
    }

    private func copyAll(_ report: inout SpoolRecovery.Report) throws {
        let last =
            (try? Int64.fetchOne(self.old, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'messages'")) ?? nil
        let found = try self.copyMessages(upTo: last, &report)
        try self.copyDeadLetters(upTo: last, &report)
        // Without the secret of their hash the remembered ids say nothing.
        if let secret = try? PreparedSQL(self.old, "SELECT secret FROM duplicate_hash").first({ $0.bytes(0) }),
            secret.count == SipHash.keyByteCount
        {
            try self.new.execute(sql: "UPDATE duplicate_hash SET secret = ?", arguments: [Data(secret)])
            try self.copySeen(upTo: last, &report)
        } else {
            report.problems.append(
                "the ids of delivered messages cannot be read: one that comes again is not recognised"
            )
        }
        // A sequence is never used twice; and the new spool counts as one that was not closed.
        let greatest = max(last ?? 0, found.max() ?? 0, try self.greatestCopied())
        try self.new.execute(sql: "DELETE FROM sqlite_sequence WHERE name = 'messages'")
        try self.new.execute(
            sql: "INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', ?)",
            arguments: [greatest]
        )
    }

    /// The greatest sequence in any table of the new spool: what is settled already has had one, too.
    private func greatestCopied() throws -> Int64 {
        let tables = [Self.messages, Self.deadLetters, Self.seen].map { "SELECT sequence FROM \($0.name)" }
        let all = tables.joined(separator: " UNION ALL ")
        return try Int64.fetchOne(self.new, sql: "SELECT max(sequence) FROM (\(all))") ?? 0
    }

    /// Copies what waits and is what was stored; the sequences of all that was met.
    private func copyMessages(upTo last: Int64?, _ report: inout SpoolRecovery.Report) throws -> Set<Int64> {
        let insert = try PreparedSQL(self.new, SpoolRecord.insertSQL)
        var altered: [Int64] = []
        let found = try self.readAll(Self.messages, upTo: last, &report) { row, report in
            let record = self.record(of: row)
            if record.damage != nil {
                altered.append(record.sequence)
            } else if try record.insert(with: insert) {
                report.messages += 1
            }
            return record.sequence
        }
        report.messagesLost = self.listed().subtracting(found).count
        report.messagesAltered = altered.count
        Self.tell(of: altered, "waiting messages", &report)
        return found
    }

    private func copyDeadLetters(upTo last: Int64?, _ report: inout SpoolRecovery.Report) throws {
        let marks = Array(repeating: "?", count: Int(SpoolRecord.columnCount) + 5).joined(separator: ", ")
        let insert = try PreparedSQL(
            self.new,
            "INSERT OR IGNORE INTO dead_letters (\(DeadLetter.columns)) VALUES (\(marks))"
        )
        var altered: [Int64] = []
        _ = try self.readAll(Self.deadLetters, upTo: last, &report) { row, report in
            var letter = DeadLetter(row)
            letter.record = self.record(of: row)
            // Of one that died of its damage that is known.
            if letter.cause != .damaged, letter.record.damage != nil {
                altered.append(letter.record.sequence)
            } else if try letter.insert(with: insert) {
                report.deadLetters += 1
            }
            return letter.position
        }
        report.deadLettersAltered = altered.count
        Self.tell(of: altered, "dead letters", &report)
    }

    private func copySeen(upTo last: Int64?, _ report: inout SpoolRecovery.Report) throws {
        let insert = try PreparedSQL(self.new, "INSERT OR IGNORE INTO seen (\(Self.seen.columns)) VALUES (?, ?, ?)")
        _ = try self.readAll(Self.seen, upTo: last, &report) { row, report in
            try insert.bind(row.int64(0), at: 1)
            try insert.bind(row.int64(2), at: 3)
            if try insert.withBlob(row.bytes(1), at: 2, { try insert.insert() }) { report.seen += 1 }
            return row.int64(0)
        }
    }

    /// Reads a row.
    ///
    /// An older release wrote no checksums: its rows are taken as they are.
    private func record(of row: PreparedSQL.Columns) -> SpoolRecord {
        var record = SpoolRecord(row)
        if row.isNull(SpoolRecord.checksumColumn), !self.hasChecksums { record.damage = nil }
        return record
    }

    private static func tell(of altered: [Int64], _ name: String, _ report: inout SpoolRecovery.Report) {
        guard !altered.isEmpty else { return }
        report.problems.append(
            "\(altered.count) \(name) are not what was stored, and are left out: \(SpoolCheck.list(altered))"
        )
    }

    /// Reads the rows of a table; the keys of those that can be read.
    ///
    /// From the front to the damage, from the back to the damage, then each key in between by itself.
    private func readAll(
        _ table: Table,
        upTo last: Int64?,
        _ report: inout SpoolRecovery.Report,
        _ take: (PreparedSQL.Columns, inout SpoolRecovery.Report) throws -> Int64
    ) throws -> Set<Int64> {
        var keys: Set<Int64> = []
        let columns = self.readable(table)
        /// True if it came to the end.
        func scan(_ condition: String, _ key: Int64? = nil) throws -> Bool {
            do {
                let rows = try PreparedSQL(self.old, "SELECT \(columns) FROM \(table.name) \(condition)")
                if let key { try rows.bind(key, at: 1) }
                try rows.forEach { keys.insert(try take($0, &report)) }
                return true
            } catch let error as DatabaseError where error.resultCode.isDamage {
                return false
            }
        }
        if try scan("ORDER BY \(table.key)") { return keys }
        let front = keys.max() ?? 0
        _ = try scan("WHERE \(table.key) > ? ORDER BY \(table.key) DESC", front)
        let back = keys.filter { $0 > front }.min() ?? ((last ?? front + Self.probesMax) + 1)
        for key in stride(from: front + 1, to: min(back, front + Self.probesMax), by: 1) {
            _ = try scan("WHERE \(table.key) = ?", key)
        }
        report.problems.append("table \(table.name) is damaged between its rows \(front) and \(back)")
        return keys
    }

    /// The table's columns in their order, with NULL for those that an older layout lacks.
    private func readable(_ table: Table) -> String {
        let existing = Self.columns(of: table, self.old)
        return table.columns.split(separator: ", ").map { existing.contains(String($0)) ? String($0) : "NULL" }
            .joined(separator: ", ")
    }

    private static func columns(of table: Table, _ db: Database) -> Set<String> {
        let names = try? PreparedSQL(db, "SELECT name FROM pragma_table_info('\(table.name)')").all { $0.string(0) }
        return Set(names ?? [])
    }

    /// The messages that an index knows, which need not be damaged where the table is.
    private func listed() -> Set<Int64> {
        var found: Set<Int64> = []
        for index in ["messages_by_conversation", "messages_expiring"] {
            let column = index == "messages_expiring" ? "expires_at" : "destination"
            let sql =
                "SELECT sequence FROM messages INDEXED BY \(index) WHERE \(column) > \(column == "destination" ? "''" : "0")"
            guard let cursor = try? Int64.fetchCursor(self.old, sql: sql) else { continue }
            while let sequence = (try? cursor.next()) ?? nil { found.insert(sequence) }
        }
        return found
    }
}

extension ResultCode {
    /// Whether it tells of damage in the file.
    fileprivate var isDamage: Bool { self == .SQLITE_CORRUPT || self == .SQLITE_NOTADB || self == .SQLITE_IOERR }
}
