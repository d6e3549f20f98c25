import GRDBSQLite
import Spool

/// The least that stores the same rows as durably: prepared statements on one connection, one transaction a batch.
///
/// The file is one that the spool has made, so that tables and indexes are the same; what is inserted are the spool's two
/// rows a message, the message and the memory of its id. It does not look whether it has a message already.
final class RawSQLite {
    private let database: OpaquePointer
    private let message: OpaquePointer
    private let seen: OpaquePointer
    private var sequence: Int64 = 0

    struct Failure: Error {
        var what: String
    }

    init(path: String) throws {
        try SQLiteSpool(path: path).close()
        var handle: OpaquePointer?
        guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else { throw Failure(what: "open") }
        database = handle
        for pragma in [
            "journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4096", "journal_size_limit = 67108864",
            "cache_size = -16384",
        ] {
            guard sqlite3_exec(handle, "PRAGMA \(pragma)", nil, nil, nil) == SQLITE_OK else {
                throw Failure(what: pragma)
            }
        }
        message = try Self.prepare(
            """
            INSERT INTO messages (sequence, destination, conversation, source, remote_id, idempotency_key, created_at,
                expires_at, attempts, next_attempt_at, deferral_reason, payload, checksum)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, NULL, ?, ?)
            """,
            handle
        )
        seen = try Self.prepare("INSERT INTO seen (sequence, key, seen_at) VALUES (?, ?, ?)", handle)
    }

    func close() {
        sqlite3_finalize(message)
        sqlite3_finalize(seen)
        sqlite3_close(database)
    }

    func store(_ records: [SpoolRecord]) throws {
        try run("BEGIN IMMEDIATE")
        for record in records { try insert(record) }
        try run("COMMIT")
    }

    private func insert(_ record: SpoolRecord) throws {
        sequence += 1
        sqlite3_bind_int64(message, 1, sequence)
        bind(record.destination, 2)
        bind(record.conversation, 3)
        bind(record.source, 4)
        bind(record.remoteID ?? "", 5)
        bind(record.idempotencyKey.bytes, 6, of: message)
        sqlite3_bind_int64(message, 7, record.createdAt)
        sqlite3_bind_int64(message, 8, record.expiresAt)
        // As random as a checksum, and as long.
        sqlite3_bind_int64(message, 10, Int64(bitPattern: record.idempotencyKey.high))
        try record.payload.withUnsafeBytes { payload in
            sqlite3_bind_blob(message, 9, payload.baseAddress, Int32(payload.count), nil)
            guard sqlite3_step(message) == SQLITE_DONE else { throw failure("a message") }
            sqlite3_reset(message)
        }
        sqlite3_bind_int64(seen, 1, sequence)
        // As random as a hash of the id, and as long.
        bind(record.idempotencyKey.bytes, 2, of: seen)
        sqlite3_bind_int64(seen, 3, record.createdAt)
        guard sqlite3_step(seen) == SQLITE_DONE else { throw failure("an id") }
        sqlite3_reset(seen)
    }

    private func bind(_ text: String, _ index: Int32) {
        var text = text
        _ = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                sqlite3_bind_text(message, index, $0.baseAddress, Int32($0.count), Self.copied)
            }
        }
    }

    private func bind(_ bytes: [UInt8], _ index: Int32, of statement: OpaquePointer) {
        _ = bytes.withUnsafeBytes {
            sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), Self.copied)
        }
    }

    private func run(_ sql: String) throws {
        guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    private func failure(_ what: String) -> Failure {
        Failure(what: "\(what): \(String(cString: sqlite3_errmsg(database)))")
    }

    private static func prepare(_ sql: String, _ database: OpaquePointer) throws -> OpaquePointer {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw Failure(what: String(cString: sqlite3_errmsg(database)))
        }
        return statement
    }

    /// SQLITE_TRANSIENT: SQLite makes its own copy.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}
