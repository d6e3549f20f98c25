import GRDB

extension SpoolRecord {
    /// The record's columns, in the order that ``init(_:)`` reads.
    static let columns = """
        sequence, destination, conversation, source, remote_id, idempotency_key, created_at, expires_at, attempts, \
        next_attempt_at, deferral_reason, payload, checksum
        """

    /// How many there are.
    static let columnCount: Int32 = 13

    /// Where the checksum is among them.
    static let checksumColumn: Int32 = 12

    /// Reads a record from the first columns of a row, and looks whether it is what was stored.
    init(_ row: PreparedSQL.Columns) {
        let key = IdempotencyKey(bytes: row.bytes(5))
        self.init(
            sequence: row.int64(0),
            destination: row.string(1),
            conversation: row.string(2),
            source: row.string(3),
            remoteID: row.optionalString(4),
            idempotencyKey: key ?? IdempotencyKey(high: 0, low: 0),
            createdAt: row.int64(6),
            expiresAt: row.int64(7),
            attempts: row.int(8),
            nextAttemptAt: row.int64(9),
            deferralReason: row.optionalString(10),
            payload: row.bytes(11)
        )
        let isWhole = key != nil && !row.isNull(Self.checksumColumn)
        if !isWhole || row.int64(Self.checksumColumn) != self.checksum { self.damage = .altered }
    }

    /// Reads one row; `nil` when there is none, and a record that says so when it cannot be read.
    static func find(_ sequence: Int64, in db: Database, table: String = "messages") throws -> SpoolRecord? {
        do {
            let statement = try PreparedSQL(db, "SELECT \(Self.columns) FROM \(table) WHERE sequence = ?")
            try statement.bind(sequence, at: 1)
            return try statement.first { SpoolRecord($0) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            return SpoolRecord(unreadable: sequence)
        }
    }

    /// Inserts a new message, unless its idempotency key is taken: all columns, as ``columns`` has them.
    ///
    /// RETURNING would cost a table of its own for each row.
    static let insertSQL = """
        INSERT INTO messages (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (idempotency_key) DO NOTHING
        """

    /// Runs ``insertSQL`` with this record; false if its key is taken.
    func insert(with statement: PreparedSQL) throws -> Bool {
        try self.bind(to: statement) { try statement.insert() }
    }

    /// Binds ``columns`` in their order, for as long as `body` runs.
    func bind<Result>(to statement: PreparedSQL, _ body: () throws -> Result) throws -> Result {
        try statement.bind(self.sequence, at: 1)
        try statement.bind(self.destination, at: 2)
        try statement.bind(self.conversation, at: 3)
        try statement.bind(self.source, at: 4)
        try statement.bind(self.remoteID, at: 5)
        try statement.bind(self.idempotencyKey.high, self.idempotencyKey.low, at: 6)
        try statement.bind(self.createdAt, at: 7)
        try statement.bind(self.expiresAt, at: 8)
        try statement.bind(self.attempts, at: 9)
        try statement.bind(self.nextAttemptAt, at: 10)
        try statement.bind(self.deferralReason, at: 11)
        // What is not what was stored stays so.
        try statement.bind(self.damage == nil ? self.checksum : nil, at: 13)
        return try statement.withBlob(self.payload, at: 12, body)
    }
}
