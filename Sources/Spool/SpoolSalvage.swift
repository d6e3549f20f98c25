internal import Foundation
internal import GRDB

/// Reads what can be read of a damaged spool's tables into a new spool.
enum SpoolSalvage {
    /// Keys that are tried one by one between the last row before damage and the first behind it.
    static let probesMax: Int64 = 1_000_000

    /// A table, by the name of its key.
    private struct Table {
        var name: String
        var key: String
        var columns: String
        var columnCount: Int
    }

    private static let messages = Table(
        name: "messages",
        key: "sequence",
        columns: SpoolRecord.columns,
        columnCount: Int(SpoolRecord.columnCount)
    )
    private static let deadLetters = Table(
        name: "dead_letters",
        key: "position",
        columns: "position, \(SpoolRecord.columns), cause, reason, died_at, failure_class",
        columnCount: Int(SpoolRecord.columnCount) + 5
    )
    private static let seen = Table(name: "seen", key: "sequence", columns: "sequence, key, seen_at", columnCount: 3)

    static func run(from damaged: String, to path: String, _ report: inout SpoolRecovery.Report) throws {
        try SpoolFile.makePrivate(path)
        let source = try DatabaseQueue(path: damaged)
        let target = try DatabaseQueue(path: path)
        try target.writeWithoutTransaction { new in
            try SpoolSchema.prepare(new, path: path)
            // Without a transaction: after damage SQLite could not end it.
            try source.unsafeRead { old in
                try new.inTransaction(.immediate) {
                    try Self.copyAll(old, new, &report)
                    return .commit
                }
            }
        }
        try target.close()
        try source.close()
    }

    private static func copyAll(_ old: Database, _ new: Database, _ report: inout SpoolRecovery.Report) throws {
        let last = (try? Int64.fetchOne(old, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'messages'")) ?? nil
        let found = try Self.copy(Self.messages, old, new, upTo: last, &report)
        report.messages = found.count
        report.messagesLost = Self.listed(old).subtracting(found).count
        report.deadLetters = try Self.copy(Self.deadLetters, old, new, upTo: last, &report).count
        // Without the secret of their hash the remembered ids say nothing.
        if let secret = (try? Row.fetchOne(old, sql: "SELECT secret FROM duplicate_hash")).flatMap({
            $0?["secret"] as Data?
        }) {
            try new.execute(sql: "UPDATE duplicate_hash SET secret = ?", arguments: [secret])
            report.seen = try Self.copy(Self.seen, old, new, upTo: last, &report).count
        } else {
            report.problems.append(
                "the ids of delivered messages cannot be read: one that comes again is not recognised"
            )
        }
        // A sequence is never used twice; and the new spool counts as one that was not closed.
        let greatest = max(last ?? 0, found.max() ?? 0)
        try new.execute(sql: "DELETE FROM sqlite_sequence WHERE name = 'messages'")
        try new.execute(sql: "INSERT INTO sqlite_sequence (name, seq) VALUES ('messages', ?)", arguments: [greatest])
    }

    /// Copies the rows of a table; the keys of those that are copied.
    ///
    /// From the front to the damage, from the back to the damage, then each key in between by itself.
    private static func copy(
        _ table: Table,
        _ old: Database,
        _ new: Database,
        upTo last: Int64?,
        _ report: inout SpoolRecovery.Report
    ) throws -> Set<Int64> {
        var keys: Set<Int64> = []
        let marks = Array(repeating: "?", count: table.columnCount).joined(separator: ", ")
        let insert = try new.makeStatement(
            sql: "INSERT OR IGNORE INTO \(table.name) (\(table.columns)) VALUES (\(marks))"
        )
        func take(_ row: Row) throws {
            guard let key = row[table.key] as Int64? else { return }
            try insert.execute(arguments: StatementArguments(row.map(\.1)))
            if new.changesCount > 0 { keys.insert(key) }
        }
        /// True if it came to the end.
        func scan(_ condition: String) throws -> Bool {
            let rows: RowCursor
            do {
                rows = try Row.fetchCursor(old, sql: "SELECT \(table.columns) FROM \(table.name) \(condition)")
                while let row = try rows.next() { try take(row) }
                return true
            } catch let error as DatabaseError where error.resultCode.isDamage {
                return false
            }
        }
        if try scan("ORDER BY \(table.key)") { return keys }
        let front = keys.max() ?? 0
        _ = try scan("WHERE \(table.key) > \(front) ORDER BY \(table.key) DESC")
        let back = keys.filter { $0 > front }.min() ?? ((last ?? front + Self.probesMax) + 1)
        for key in stride(from: front + 1, to: min(back, front + Self.probesMax), by: 1) {
            _ = try scan("WHERE \(table.key) = \(key)")
        }
        report.problems.append("table \(table.name) is damaged between its rows \(front) and \(back)")
        return keys
    }

    /// The messages that an index knows, which need not be damaged where the table is.
    private static func listed(_ old: Database) -> Set<Int64> {
        var found: Set<Int64> = []
        for index in ["messages_by_conversation", "messages_expiring"] {
            let column = index == "messages_expiring" ? "expires_at" : "destination"
            let sql =
                "SELECT sequence FROM messages INDEXED BY \(index) WHERE \(column) > \(column == "destination" ? "''" : "0")"
            guard let cursor = try? Int64.fetchCursor(old, sql: sql) else { continue }
            while let sequence = (try? cursor.next()) ?? nil { found.insert(sequence) }
        }
        return found
    }
}

extension ResultCode {
    /// Whether it tells of damage in the file.
    fileprivate var isDamage: Bool { self == .SQLITE_CORRUPT || self == .SQLITE_NOTADB || self == .SQLITE_IOERR }
}
