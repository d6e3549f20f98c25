import GRDB

/// Whether the last process that had the spool open has closed it in order.
///
/// If not, it may have handed out messages without having recorded what became of them.
enum SpoolLife {
    /// Notes that the spool is open.
    ///
    /// - Returns: the last message that may have been handed out before a crash, now or at an earlier start; 0 = none.
    static func open(_ db: Database) throws -> Int64 {
        var uncertainUpTo: Int64 = 0
        try db.inTransaction(.immediate) {
            // A message that is on disk has been in memory: which of them were handed out, the crash has taken along.
            try db.execute(
                sql: """
                    UPDATE life SET is_open = 1, uncertain_up_to = CASE is_open
                        WHEN 0 THEN uncertain_up_to
                        ELSE max(uncertain_up_to, coalesce((SELECT max(sequence) FROM messages), 0))
                    END
                    """
            )
            let mark = try PreparedSQL(db, "SELECT uncertain_up_to FROM life").first { $0.int64(0) }
            guard let mark else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "table life has no row")
            }
            uncertainUpTo = mark
            return .commit
        }
        return uncertainUpTo
    }

    /// Notes that all that was handed out and settled is recorded.
    static func close(_ db: Database) throws {
        try db.execute(sql: "UPDATE life SET is_open = 0")
    }
}
