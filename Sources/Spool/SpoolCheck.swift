import GRDB

/// Looks for damage in a spool, without changing it.
enum SpoolCheck {
    /// Lines that SQLite's own check lists at most.
    static let problemsMax = 100
    /// Messages that a line names at most.
    static let namedMax = 20

    /// What is wrong: a line each, none when all is sound.
    ///
    /// - Parameter version: the layout; rows of one without checksums are not looked at.
    static func problems(_ db: Database, version: Int = SpoolSchema.version) throws -> [String] {
        let problems = try Self.structure(db)
        guard version >= SpoolSchema.checksumVersion else { return problems }
        // Of a damaged dead letter that is known.
        let known = DeadLetter.Cause.damaged.rawValue
        return try problems + Self.rows("messages", "waiting messages", db)
            + Self.rows("dead_letters", "dead letters", db, "cause <> \(known)")
    }

    /// What SQLite itself finds.
    ///
    /// Source: https://www.sqlite.org/pragma.html#pragma_integrity_check
    private static func structure(_ db: Database) throws -> [String] {
        var problems: [String] = []
        do {
            try PreparedSQL(db, "PRAGMA integrity_check(\(Self.problemsMax))").forEach { row in
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

    /// Reads all rows of a table, and compares them with their checksums.
    private static func rows(
        _ table: String,
        _ name: String,
        _ db: Database,
        _ condition: String = "true"
    ) throws -> [String] {
        var damaged: [Int64] = []
        var count = 0
        do {
            // The sequences alone first, so that a row which cannot be read hides no other.
            let sequences = try PreparedSQL(db, "SELECT sequence FROM \(table) WHERE \(condition) ORDER BY sequence")
            try sequences.forEach { row in
                count += 1
                let record = try SpoolRecord.find(row.int64(0), in: db, table: table)
                if record?.damage != nil { damaged.append(row.int64(0)) }
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            return ["table \(table) cannot be read to its end"]
        }
        guard !damaged.isEmpty else { return [] }
        return ["\(damaged.count) of \(count) \(name) are not what was stored: \(Self.list(damaged))"]
    }

    /// "3, 5, 7 and 2 more".
    static func list(_ sequences: [Int64]) -> String {
        let named = sequences.prefix(Self.namedMax).map(String.init).joined(separator: ", ")
        return sequences.count > Self.namedMax ? "\(named) and \(sequences.count - Self.namedMax) more" : named
    }
}
