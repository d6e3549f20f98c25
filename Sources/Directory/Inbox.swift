internal import Dispatch
internal import Foundation
internal import GRDB
internal import Synchronization

/// What the home users have received, on disk, in order of arrival.
///
/// Any thread. Writes are gathered: what arrives while one is under way shares the next.
package final class Inbox: Sendable {
    /// One thing received.
    package struct Item: Hashable, Sendable {
        /// Its place, from 1; 0 for what is only shown to whoever is looking, such as typing.
        package var sequence: Int64
        /// The home user's address.
        package var owner: String
        package var from: String
        package var kind: String
        /// The source's id of it, or of what it is about (receipts, failures).
        package var id: String
        /// A message's text, a failure's reason, a typing state.
        package var text: String
        /// When its author sent it, in ms since 1970.
        package var timestamp: Int64

        package init(
            sequence: Int64 = 0,
            owner: String,
            from: String,
            kind: String,
            id: String,
            text: String,
            timestamp: Int64
        ) {
            self.sequence = sequence
            self.owner = owner
            self.from = from
            self.kind = kind
            self.id = id
            self.text = text
            self.timestamp = timestamp
        }
    }

    /// Why the inbox cannot be used.
    package struct InboxError: Error, Hashable, Sendable, CustomStringConvertible {
        package let path: String
        package let reason: String

        package var description: String {
            "the inbox \(path) cannot be used: \(reason); check the file and its folder, or move it away"
        }
    }

    private let database: DatabasePool
    private let path: String
    private let writing = DispatchQueue(label: "inbox")
    private let followers = Mutex<[Int: @Sendable (Item) -> Void]>([:])
    private let nextFollower = Atomic<Int>(1)

    /// The most items that one read returns.
    package static let readMax = 10_000

    /// Opens the inbox, or makes an empty one.
    package init(path: String) throws(InboxError) {
        self.path = path
        do {
            var configuration = GRDB.Configuration()
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            database = try DatabasePool(path: path, configuration: configuration)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            var migrator = DatabaseMigrator()
            migrator.registerMigration("1") { db in
                try db.execute(
                    sql: """
                        CREATE TABLE inbox (
                            sequence INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, sender TEXT NOT NULL,
                            kind TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL, timestamp INTEGER NOT NULL
                        ) STRICT;
                        CREATE INDEX inbox_by_owner ON inbox (owner, sequence);
                        """
                )
            }
            try migrator.migrate(database)
        } catch {
            throw InboxError(path: path, reason: "\(error)")
        }
    }

    /// Stores items, then calls `done` on a thread of the inbox's: nil once they are on disk, or why they are not.
    package func append(_ items: [Item], done: @escaping @Sendable (InboxError?) -> Void) {
        writing.async {
            do {
                let stored = try self.store(items)
                done(nil)
                for item in stored { self.show(item) }
            } catch {
                done(InboxError(path: self.path, reason: "\(error)"))
            }
        }
    }

    private func store(_ items: [Item]) throws -> [Item] {
        try database.write { db in
            let statement = try db.cachedStatement(
                sql: "INSERT INTO inbox (owner, sender, kind, id, text, timestamp) VALUES (?, ?, ?, ?, ?, ?)"
            )
            return try items.map { item in
                try statement.execute(
                    arguments: [item.owner, item.from, item.kind, item.id, item.text, item.timestamp]
                )
                var stored = item
                stored.sequence = db.lastInsertedRowID
                return stored
            }
        }
    }

    /// The items behind `sequence`, oldest first; of all users if `owner` is nil.
    package func items(of owner: String?, after sequence: Int64, limit: Int) throws(InboxError) -> [Item] {
        do {
            return try database.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT sequence, owner, sender, kind, id, text, timestamp FROM inbox
                        WHERE sequence > ? AND (? IS NULL OR owner = ?) ORDER BY sequence LIMIT ?
                        """,
                    arguments: [sequence, owner, owner, min(max(limit, 0), Self.readMax)]
                ).map { row in
                    Item(
                        sequence: row[0],
                        owner: row[1],
                        from: row[2],
                        kind: row[3],
                        id: row[4],
                        text: row[5],
                        timestamp: row[6]
                    )
                }
            }
        } catch {
            throw InboxError(path: path, reason: "\(error)")
        }
    }

    // MARK: Following

    /// Shows an item to whoever follows, without storing it.
    package func show(_ item: Item) {
        for follower in followers.withLock({ Array($0.values) }) { follower(item) }
    }

    /// Calls `body` for each item from now on, on a thread of the inbox's or the caller's of ``show(_:)``.
    ///
    /// - Returns: what ``unfollow(_:)`` wants.
    package func follow(_ body: @escaping @Sendable (Item) -> Void) -> Int {
        let id = nextFollower.wrappingAdd(1, ordering: .relaxed).oldValue
        followers.withLock { $0[id] = body }
        return id
    }

    /// Ends following.
    package func unfollow(_ id: Int) {
        followers.withLock { $0[id] = nil }
    }

    /// Writes what is under way, and closes the file.
    package func close() {
        writing.sync {}
        try? database.close()
    }
}
