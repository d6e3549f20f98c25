internal import Dispatch
internal import Foundation
internal import GRDB
internal import NIOConcurrencyHelpers

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
        /// The same each time that one and the same thing is handed in, so that it is kept once; nil: not known.
        ///
        /// Only for handing in; nil in what is read.
        package var deliveryKey: [UInt8]?

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

    /// Items that one call handed in.
    private struct Batch: Sendable {
        var items: [Item]
        var done: @Sendable (InboxError?) -> Void
    }

    private struct State {
        /// Handed in and not yet written.
        var batches: [Batch] = []
        var followers: [Int: @Sendable (Item) -> Void] = [:]
        var lastFollower = 0
    }

    private let database: DatabasePool
    private let path: String
    private let itemsMax: Int
    private let writing = DispatchQueue(label: "inbox")
    private let state = NIOLockedValueBox(State())

    /// The most items that one read returns.
    package static let readMax = 10_000
    /// The most items that are kept, of all users together.
    package static let itemsMax = 1_000_000

    /// Opens the inbox, or makes an empty one that only this user can read.
    ///
    /// - Parameter itemsMax: the most items that are kept; past it the oldest are dropped.
    package init(path: String, itemsMax: Int = Inbox.itemsMax) throws(InboxError) {
        self.path = path
        self.itemsMax = itemsMax
        do {
            // Before SQLite makes it: its other files get the mode of this one.
            try Self.makePrivate(path)
            var configuration = GRDB.Configuration()
            configuration.label = "inbox"
            database = try DatabasePool(path: path, configuration: configuration)
            // After GRDB has set its own choice, NORMAL, with which a power cut may lose the last commits.
            try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            try Self.migrator.migrate(database)
        } catch {
            throw Self.error(error, path)
        }
    }

    private static func makePrivate(_ path: String) throws(InboxError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw InboxError(path: path, reason: String(cString: strerror(errno))) }
        defer { _ = Foundation.close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw InboxError(path: path, reason: String(cString: strerror(errno)))
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE inbox (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, sender TEXT NOT NULL,
                        kind TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL, timestamp INTEGER NOT NULL,
                        delivery_key BLOB UNIQUE
                    ) STRICT;
                    CREATE INDEX inbox_by_owner ON inbox (owner, sequence);
                    """
            )
        }
        return migrator
    }

    /// What an error means, without a statement's values, which are what people write to each other.
    private static func error(_ error: any Error, _ path: String) -> InboxError {
        if let error = error as? InboxError { return error }
        let reason = (error as? DatabaseError).map {
            "\($0.message ?? "no message") (code \($0.extendedResultCode.rawValue))"
        }
        return InboxError(path: path, reason: reason ?? error.localizedDescription)
    }

    // MARK: Writing

    /// Stores items, then calls `done` on a thread of the inbox's: nil once they are on disk, or why they are not.
    ///
    /// An item whose ``Item/deliveryKey`` is known is left out: it is there already.
    package func append(_ items: [Item], done: @escaping @Sendable (InboxError?) -> Void) {
        let isFirst = state.withLockedValue { state in
            state.batches.append(Batch(items: items, done: done))
            return state.batches.count == 1
        }
        if isFirst { writing.async { self.writeGathered() } }
    }

    private func writeGathered() {
        let batches = state.withLockedValue { state in
            defer { state.batches = [] }
            return state.batches
        }
        guard !batches.isEmpty else { return }
        let stored: [Item]
        do {
            stored = try store(batches.flatMap(\.items))
        } catch {
            let error = Self.error(error, path)
            for batch in batches { batch.done(error) }
            return
        }
        for batch in batches { batch.done(nil) }
        for item in stored { show(item) }
    }

    /// Writes items in one transaction; says which are new, with their places.
    private func store(_ items: [Item]) throws -> [Item] {
        try database.write { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO inbox (owner, sender, kind, id, text, timestamp, delivery_key)
                    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (delivery_key) DO NOTHING
                    """
            )
            var stored: [Item] = []
            for var item in items {
                let key = item.deliveryKey.map { Data($0) }
                try statement.execute(
                    arguments: [item.owner, item.from, item.kind, item.id, item.text, item.timestamp, key]
                )
                guard db.changesCount == 1 else { continue }
                item.sequence = db.lastInsertedRowID
                item.deliveryKey = nil
                stored.append(item)
            }
            if let last = stored.last { try dropOldest(upTo: last.sequence, db) }
            return stored
        }
    }

    /// Drops what is past the limit.
    ///
    /// Places have no gaps but at the front, so the last one tells how many there are.
    private func dropOldest(upTo last: Int64, _ db: Database) throws {
        guard last > itemsMax else { return }
        try db.execute(sql: "DELETE FROM inbox WHERE sequence <= ?", arguments: [last - Int64(itemsMax)])
    }

    // MARK: Reading

    /// The newest `limit` items behind `sequence`, oldest first; of all users if `owner` is nil.
    ///
    /// - Parameter limit: more than ``readMax`` count as so many.
    package func items(of owner: String?, after sequence: Int64, limit: Int) throws(InboxError) -> [Item] {
        do {
            return try database.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT sequence, owner, sender, kind, id, text, timestamp FROM inbox
                        WHERE sequence > :sequence \(owner == nil ? "" : "AND owner = :owner")
                        ORDER BY sequence DESC LIMIT :limit
                        """,
                    arguments: Self.arguments(owner, sequence, min(max(limit, 0), Self.readMax))
                ).reversed().map { row in
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
            throw Self.error(error, path)
        }
    }

    private static func arguments(_ owner: String?, _ sequence: Int64, _ limit: Int) -> StatementArguments {
        guard let owner else { return ["sequence": sequence, "limit": limit] }
        return ["sequence": sequence, "owner": owner, "limit": limit]
    }

    // MARK: Following

    /// Shows an item to whoever follows, without storing it.
    package func show(_ item: Item) {
        for follower in state.withLockedValue({ Array($0.followers.values) }) { follower(item) }
    }

    /// Calls `body` for each item from now on, on a thread of the inbox's or the caller's of ``show(_:)``.
    ///
    /// - Returns: what ``unfollow(_:)`` wants.
    package func follow(_ body: @escaping @Sendable (Item) -> Void) -> Int {
        state.withLockedValue { state in
            state.lastFollower += 1
            state.followers[state.lastFollower] = body
            return state.lastFollower
        }
    }

    /// Ends following.
    ///
    /// A call that is under way may still end after it.
    package func unfollow(_ id: Int) {
        state.withLockedValue { $0.followers[id] = nil }
    }

    /// Writes what is under way, and closes the file.
    ///
    /// What is handed in later is not stored, and its giver told.
    package func close() {
        writing.sync {}
        try? database.close()
    }
}
