import GRDB

extension SpoolRecord {
    /// The record's columns, in the order that ``init(_:)`` reads.
    static let columns = """
        sequence, destination, conversation, source, remote_id, idempotency_key, created_at, expires_at, attempts, \
        next_attempt_at, deferral_reason, payload
        """

    /// How many there are.
    static let columnCount: Int32 = 12

    /// Reads a record from the first columns of a row.
    init(_ row: PreparedSQL.Columns) throws {
        guard let key = IdempotencyKey(bytes: row.bytes(5)) else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT,
                message: "message \(row.int64(0)) has an idempotency key of the wrong size"
            )
        }
        self.init(
            sequence: row.int64(0),
            destination: row.string(1),
            conversation: row.string(2),
            source: row.string(3),
            remoteID: row.optionalString(4),
            idempotencyKey: key,
            createdAt: row.int64(6),
            expiresAt: row.int64(7),
            attempts: row.int(8),
            nextAttemptAt: row.int64(9),
            deferralReason: row.optionalString(10),
            payload: row.bytes(11)
        )
    }

    /// Inserts a new message, unless its idempotency key is taken: all columns but the sequence, which SQLite assigns.
    ///
    /// RETURNING would cost a table of its own for each row.
    static let insertSQL = """
        INSERT INTO messages (destination, conversation, source, remote_id, idempotency_key, created_at, expires_at,
            attempts, next_attempt_at, deferral_reason, payload)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (idempotency_key) DO NOTHING
        """

    /// Runs ``insertSQL`` with this record and gives its new sequence; nil if its key is taken.
    func insert(with statement: PreparedSQL) throws -> Int64? {
        try statement.bind(self.destination, at: 1)
        try statement.bind(self.conversation, at: 2)
        try statement.bind(self.source, at: 3)
        try statement.bind(self.remoteID, at: 4)
        try statement.bind(self.idempotencyKey.high, self.idempotencyKey.low, at: 5)
        try statement.bind(self.createdAt, at: 6)
        try statement.bind(self.expiresAt, at: 7)
        try statement.bind(self.attempts, at: 8)
        try statement.bind(self.nextAttemptAt, at: 9)
        try statement.bind(self.deferralReason, at: 10)
        return try statement.withBlob(self.payload, at: 11) { try statement.insert() }
    }
}
