import GRDB
import Synchronization

import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// The spool of a single machine: one SQLite database in WAL mode, flushed to disk by every commit.
///
/// Thread-safe: commits take turns on one connection, reads run beside them on others.
package final class SQLiteSpool: SpoolStore {
    /// The database file.
    package let path: String
    /// The limits it was opened with.
    package let limits: SpoolLimits
    package let uncertainUpTo: Int64

    let pool: DatabasePool
    private let lock: SpoolLock
    private let duplicateKeys: DuplicateKeys
    /// Written only on the pool's writer connection, after a transaction is on disk.
    private let currentCounts: NIOLockedValueBox<SpoolCounts>
    /// Set on the pool's writer connection, which SQLite must not touch afterwards.
    private let isClosed = Atomic(false)
    /// What was handed out is not all recorded, so that the next opening has to doubt it.
    private let isUnsettled = Atomic(false)

    /// Connections for readers; a further one waits.
    static let readersMax = 4
    /// How long to wait for another program's lock, in seconds.
    static let busyTimeout = 5.0
    /// Pages of 4 KiB that gather in the -wal file before a commit moves them into the database: more make fewer, longer
    /// moves.
    static let walPagesMax = 4096
    /// The -wal file is cut back to this size once its content has moved into the database, in bytes.
    static let walBytesKept = 64 << 20
    /// Page cache of the writer, in KiB.
    static let writerCacheKiB = 16 << 10

    /// Opens the spool at `path`, and makes it when there is none: file mode 0600, new directories 0700.
    ///
    /// An older release's layout is brought up to date. What ``CompletedMarks`` say was delivered is deleted. Reads through the waiting messages once, to count them.
    ///
    /// - Throws: ``SpoolError``; all but its last cases can be met here.
    package init(path: String, limits: SpoolLimits = SpoolLimits()) throws(SpoolError) {
        try SpoolFile.makeDirectory(of: path)
        let lock = try SpoolLock(path: path)
        if SpoolFile.isThere(path + SpoolRecovery.recoveredSuffix), !SpoolFile.isThere(path) {
            throw .recoveryInterrupted(path: path)
        }
        // SQLite would take it for the end of the log, and drop what comes behind.
        if let damage = WriteAheadLog(path: path + "-wal")?.damage { throw .corrupt(path: path, detail: damage) }
        try SpoolFile.makePrivate(path)
        do {
            let pool = try DatabasePool(path: path, configuration: Self.configuration())
            let state = try pool.writeWithoutTransaction { db in
                // After GRDB has set its own choice, NORMAL, with which a power cut may lose the last commits.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                try db.execute(sql: "PRAGMA wal_autocheckpoint = \(Self.walPagesMax)")
                try db.execute(sql: "PRAGMA journal_size_limit = \(Self.walBytesKept)")
                try db.execute(sql: "PRAGMA cache_size = -\(Self.writerCacheKiB)")
                try SpoolSchema.prepare(db, path: path)
                try Self.forget(CompletedMarks.read(path: path + CompletedMarks.suffix), db)
                let counts = try Self.count(db)
                return (counts: counts, keys: try Self.duplicateKeys(db), uncertainUpTo: try SpoolLife.open(db))
            }
            self.pool = pool
            self.duplicateKeys = state.keys
            self.currentCounts = NIOLockedValueBox(state.counts)
            self.uncertainUpTo = state.uncertainUpTo
        } catch {
            throw SpoolError(error, path: path)
        }
        self.path = path
        self.limits = limits
        self.lock = lock
    }

    /// Closes the database once running calls have ended, and lets another process open it.
    ///
    /// Later calls throw ``SpoolError/closed(path:)``; a second close does nothing.
    package func close() throws(SpoolError) {
        let wasClosed = self.pool.writeWithoutTransaction { db in
            guard !self.isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return true }
            // When it fails, the next opening doubts more than it needs to.
            if !self.isUnsettled.load(ordering: .acquiring) { try? SpoolLife.close(db) }
            // So that the database alone is the whole spool. When it fails, because a reader is at work or the disk is
            // full, the next opening reads the -wal file: nothing is lost.
            _ = try? db.checkpoint(.truncate)
            return false
        }
        guard !wasClosed else { return }
        do {
            try self.pool.close()
        } catch {
            throw SpoolError(error, path: self.path)
        }
        self.lock.release()
    }

    package func makeCompletedMarks(writers: Int) throws(SpoolError) -> CompletedMarks? {
        try CompletedMarks(path: self.path + CompletedMarks.suffix, writers: writers)
    }

    package func leaveUnsettled() {
        self.isUnsettled.store(true, ordering: .releasing)
    }

    package func commit(_ operations: [SpoolOperation]) throws(SpoolError) -> [AppendResult] {
        guard !operations.isEmpty else { return [] }
        return try self.write { batch in try batch.apply(operations) }
    }

    package func counts() throws(SpoolError) -> SpoolCounts {
        self.currentCounts.withLockedValue { $0 }
    }

    // MARK: Access for the other files of this type

    /// Runs `body` in one transaction on the writer connection, and adopts its counts once that is on disk.
    func write<Result>(_ body: (inout SpoolBatch) throws -> Result) throws(SpoolError) -> Result {
        do {
            return try self.pool.writeWithoutTransaction { db in
                try self.checkOpen()
                let counts = self.currentCounts.withLockedValue { $0 }
                var batch = SpoolBatch(db, counts: counts, limits: self.limits, duplicateKeys: self.duplicateKeys)
                var result: Result?
                try db.inTransaction(.immediate) {
                    result = try body(&batch)
                    return .commit
                }
                self.currentCounts.withLockedValue { $0 = batch.counts }
                guard let result else {
                    throw DatabaseError(resultCode: .SQLITE_INTERNAL, message: "a transaction did not run")
                }
                return result
            }
        } catch {
            throw SpoolError(error, path: self.path)
        }
    }

    /// Runs `body` on a reader connection, on the state after the last commit.
    func read<Result>(_ body: (Database) throws -> Result) throws(SpoolError) -> Result {
        do {
            try self.checkOpen()
            return try self.pool.read(body)
        } catch {
            throw SpoolError(error, path: self.path)
        }
    }

    /// Throws `.closed` after ``close()``.
    func checkOpen() throws(SpoolError) {
        guard !self.isClosed.load(ordering: .acquiring) else { throw .closed(path: self.path) }
    }

    // MARK: Opening

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "spool"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(Self.busyTimeout)
        configuration.maximumReaderCount = Self.readersMax
        return configuration
    }

    /// Deletes what the last process had delivered, and not recorded before it died.
    private static func forget(_ marks: [CompletedMarks.Mark], _ db: Database) throws {
        guard !marks.isEmpty else { return }
        try db.inTransaction(.immediate) {
            let statement = try PreparedSQL(db, "DELETE FROM messages WHERE sequence = ? AND idempotency_key = ?")
            for mark in marks {
                try statement.bind(mark.sequence, at: 1)
                try statement.bind(mark.key.high, mark.key.low, at: 2)
                try statement.run()
            }
            return .commit
        }
    }

    private static func count(_ db: Database) throws -> SpoolCounts {
        var counts = SpoolCounts()
        let messages = try PreparedSQL(
            db,
            """
            SELECT count(*), coalesce(sum(next_attempt_at > 0), 0), coalesce(sum(length(payload)), 0),
                (SELECT count(*) FROM dead_letters), (SELECT count(*) FROM seen)
            FROM messages
            """
        )
        _ = try messages.first { row in
            counts.pending = row.int(0)
            counts.deferred = row.int(1)
            counts.payloadBytes = row.int(2)
            counts.deadLetters = row.int(3)
            counts.seen = row.int(4)
        }
        return counts
    }

    private static func duplicateKeys(_ db: Database) throws -> DuplicateKeys {
        let secret = try PreparedSQL(db, "SELECT secret FROM duplicate_hash").first { $0.bytes(0) }
        guard let secret, let hash = SipHash(key: secret) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "table duplicate_hash has no usable secret")
        }
        return DuplicateKeys(hash: hash)
    }
}
