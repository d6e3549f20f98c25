import GRDB

/// The layout of the spool's database, and how an older one becomes the current one.
enum SpoolSchema {
    /// Marks the file as a spool (`PRAGMA application_id`): "PBsp".
    static let applicationID: Int64 = 0x5042_7370

    /// The newest layout this release knows (`PRAGMA user_version`).
    static var version: Int { Self.migrations.count }

    /// The first layout with a checksum in each row.
    static let checksumVersion = 3

    /// Brings the database to the current layout, or refuses it.
    ///
    /// - Throws: ``SpoolError/notASpool(path:)``, ``SpoolError/newerSchema(path:found:supported:)`` or what SQLite says.
    static func prepare(_ db: Database, path: String) throws {
        let found = try Self.recognise(db, path: path)
        for (index, migration) in Self.migrations.enumerated().dropFirst(found) {
            try db.inTransaction(.immediate) {
                try db.execute(sql: migration)
                if index + 1 == Self.checksumVersion { try Self.addChecksums(db) }
                try db.execute(sql: "PRAGMA application_id = \(Self.applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(index + 1)")
                return .commit
            }
        }
    }

    /// The layout version of a spool this release can read; 0 for an empty database.
    static func recognise(_ db: Database, path: String) throws -> Int {
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let application = try Int64.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        let isEmpty = version == 0 && application == 0 && tables == 0
        guard isEmpty || application == Self.applicationID else { throw SpoolError.notASpool(path: path) }
        guard version <= Self.version else {
            throw SpoolError.newerSchema(path: path, found: version, supported: Self.version)
        }
        return version
    }

    /// One script a version, oldest first.
    ///
    /// A released script never changes: a new layout appends one.
    private static let migrations = [
        """
        -- AUTOINCREMENT: a sequence is never used twice, though its row is gone.
        CREATE TABLE messages (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            destination TEXT NOT NULL,
            conversation TEXT NOT NULL,
            source TEXT NOT NULL,
            remote_id TEXT,
            idempotency_key BLOB NOT NULL UNIQUE,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            next_attempt_at INTEGER NOT NULL,
            deferral_reason TEXT,
            payload BLOB NOT NULL
        ) STRICT;
        CREATE INDEX messages_by_conversation ON messages (destination, conversation);
        CREATE INDEX messages_deferred ON messages (next_attempt_at) WHERE next_attempt_at > 0;
        CREATE INDEX messages_expiring ON messages (expires_at) WHERE expires_at > 0;

        -- Outlives the message, so that a late duplicate is still recognised. In sequence order, so that the oldest is
        -- found without another index.
        CREATE TABLE seen (
            sequence INTEGER PRIMARY KEY,
            key BLOB NOT NULL UNIQUE,
            seen_at INTEGER NOT NULL
        ) STRICT;

        -- One row: the secret of the hash behind seen.key.
        CREATE TABLE duplicate_hash (secret BLOB NOT NULL) STRICT;
        INSERT INTO duplicate_hash VALUES (randomblob(16));

        CREATE TABLE dead_letters (
            position INTEGER PRIMARY KEY,
            sequence INTEGER NOT NULL UNIQUE,
            destination TEXT NOT NULL,
            conversation TEXT NOT NULL,
            source TEXT NOT NULL,
            remote_id TEXT,
            idempotency_key BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            next_attempt_at INTEGER NOT NULL,
            deferral_reason TEXT,
            payload BLOB NOT NULL,
            cause INTEGER NOT NULL,
            reason TEXT NOT NULL,
            died_at INTEGER NOT NULL
        ) STRICT;
        """,
        """
        -- One row: whether a process has the spool open, and the last message that may have been handed out by one that
        -- did not close it. An older release's spool counts as left open.
        CREATE TABLE life (is_open INTEGER NOT NULL, uncertain_up_to INTEGER NOT NULL) STRICT;
        INSERT INTO life VALUES (1, 0);

        -- What kind of failure it was, in the caller's numbers; 0 = none.
        ALTER TABLE dead_letters ADD COLUMN failure_class INTEGER NOT NULL DEFAULT 0;
        """,
        """
        -- Of all that must not change, see SpoolRecord.checksum. Behind the payload, so that it goes first if the end of a
        -- row is lost. Never NULL, though that cannot be said of a column that is added.
        ALTER TABLE messages ADD COLUMN checksum INTEGER;
        ALTER TABLE dead_letters ADD COLUMN checksum INTEGER;
        """,
    ]

    /// Takes what an older release has stored as it is: whether it changed before, nobody can tell.
    private static func addChecksums(_ db: Database) throws {
        for table in ["messages", "dead_letters"] {
            let page = try PreparedSQL(
                db,
                "SELECT \(SpoolRecord.columns) FROM \(table) WHERE sequence > ? ORDER BY sequence LIMIT 256"
            )
            let update = try PreparedSQL(db, "UPDATE \(table) SET checksum = ? WHERE sequence = ?")
            var last: Int64 = 0
            while true {
                try page.bind(last, at: 1)
                let records = try page.all { SpoolRecord($0) }
                guard let end = records.last else { break }
                last = end.sequence
                for record in records {
                    try update.bind(record.checksum, at: 1)
                    try update.bind(record.sequence, at: 2)
                    try update.run()
                }
            }
        }
    }
}
