internal import Foundation
internal import GRDB

/// How values are kept: as they are, or sealed.
protocol ValueSeal: Sendable {
    /// The name of the key that ``seal(_:_:)`` uses; empty: none.
    var keyID: String { get }
    /// What is kept in place of `value`.
    func seal(_ value: [UInt8], _ place: StorePlace) throws(StoreError) -> [UInt8]
    /// What ``seal(_:_:)`` was given.
    func open(_ kept: [UInt8], _ place: StorePlace) throws(StoreError) -> [UInt8]
}

/// Where a value is kept.
struct StorePlace: Hashable, Sendable {
    var space: String
    var key: [UInt8]
}

/// Keeps values as they are.
struct PlainValues: ValueSeal {
    let keyID = ""
    func seal(_ value: [UInt8], _ place: StorePlace) throws(StoreError) -> [UInt8] { value }
    func open(_ kept: [UInt8], _ place: StorePlace) throws(StoreError) -> [UInt8] { kept }
}

/// The tables of a store, inside of a transaction.
///
/// `spaces` has what each name space holds, so that a limit costs no count of rows.
struct StoreTables {
    let db: Database
    let limits: StoreLimits
    let seal: any ValueSeal

    static func migrate(_ database: DatabaseQueue) throws {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE entries (
                        space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, key_id TEXT NOT NULL,
                        size INTEGER NOT NULL, PRIMARY KEY (space, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE spaces (
                        space TEXT NOT NULL PRIMARY KEY, entries INTEGER NOT NULL, bytes INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE vault (id INTEGER PRIMARY KEY CHECK (id = 1), key_id TEXT NOT NULL) STRICT;
                    """
            )
        }
        try migrator.migrate(database)
    }

    func perform(_ operation: StoreOperation, in space: String) throws -> StoreAnswer {
        switch operation {
        case .get(let key): return .value(try value(try place(space, key)))
        case .put(let key, let value, let condition): return try put(try place(space, key), value, condition)
        case .remove(let key):
            try remove(try place(space, key))
            return .done
        case .list(let prefix, let after, let limit): return .keys(try list(space, prefix, after, limit))
        }
    }

    private func place(_ space: String, _ key: [UInt8]) throws(StoreError) -> StorePlace {
        guard (1...limits.keyBytesMax).contains(key.count) else {
            throw .badKey(bytes: key.count, limit: limits.keyBytesMax)
        }
        return StorePlace(space: space, key: key)
    }

    private func value(_ place: StorePlace) throws -> [UInt8]? {
        let statement = try db.cachedStatement(sql: "SELECT value FROM entries WHERE space = ? AND key = ?")
        guard let kept = try Data.fetchOne(statement, arguments: [place.space, Data(place.key)]) else { return nil }
        return try seal.open(Array(kept), place)
    }

    private func put(_ place: StorePlace, _ value: [UInt8], _ condition: StoreCondition) throws -> StoreAnswer {
        guard value.count <= limits.valueBytesMax else {
            throw StoreError.valueTooLarge(bytes: value.count, limit: limits.valueBytesMax)
        }
        if condition != .none {
            let present = try self.value(place)
            let holds: Bool =
                switch condition {
                case .none: true
                case .absent: present == nil
                case .equals(let expected): present == expected
                }
            guard holds else { return .conflict(present) }
        }
        let size = place.key.count + value.count
        let oldSize = try self.size(of: place)
        let (entries, bytes) = try usage(of: place.space)
        if oldSize == nil, entries >= limits.entriesMax { throw StoreError.tooManyEntries(limit: limits.entriesMax) }
        let newBytes = bytes - (oldSize ?? 0) + size
        guard newBytes <= limits.totalBytesMax else { throw StoreError.tooManyBytes(limit: limits.totalBytesMax) }
        try db.cachedStatement(
            sql: """
                INSERT INTO entries (space, key, value, key_id, size) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (space, key) DO UPDATE
                SET value = excluded.value, key_id = excluded.key_id, size = excluded.size
                """
        ).execute(
            arguments: [place.space, Data(place.key), Data(try seal.seal(value, place)), seal.keyID, size]
        )
        try setUsage(of: place.space, entries: entries + (oldSize == nil ? 1 : 0), bytes: newBytes)
        return .done
    }

    private func remove(_ place: StorePlace) throws {
        guard let size = try self.size(of: place) else { return }
        let (entries, bytes) = try usage(of: place.space)
        try db.cachedStatement(sql: "DELETE FROM entries WHERE space = ? AND key = ?")
            .execute(arguments: [place.space, Data(place.key)])
        try setUsage(of: place.space, entries: entries - 1, bytes: bytes - size)
    }

    private func list(_ space: String, _ prefix: [UInt8], _ after: [UInt8], _ limit: Int) throws -> [[UInt8]] {
        guard (1...limits.listMax).contains(limit) else { throw StoreError.badListLimit(limit, limit: limits.listMax) }
        let end = Self.end(of: prefix)
        let sql = """
            SELECT key FROM entries WHERE space = ? AND key >= ? AND key > ? \(end == nil ? "" : "AND key < ?")
            ORDER BY key LIMIT ?
            """
        var arguments: StatementArguments = [space, Data(prefix), Data(after)]
        if let end { arguments += [Data(end)] }
        arguments += [limit]
        return try Data.fetchAll(try db.cachedStatement(sql: sql), arguments: arguments).map { Array($0) }
    }

    /// The first bytes that come after everything that begins with `prefix`; nil if there are none.
    private static func end(of prefix: [UInt8]) -> [UInt8]? {
        var end = prefix
        while let last = end.popLast() {
            guard last == .max else { return end + [last + 1] }
        }
        return nil
    }

    private func size(of place: StorePlace) throws -> Int? {
        let statement = try db.cachedStatement(sql: "SELECT size FROM entries WHERE space = ? AND key = ?")
        return try Int.fetchOne(statement, arguments: [place.space, Data(place.key)])
    }

    /// What a name space holds.
    private func usage(of space: String) throws -> (entries: Int, bytes: Int) {
        let statement = try db.cachedStatement(sql: "SELECT entries, bytes FROM spaces WHERE space = ?")
        return try Row.fetchOne(statement, arguments: [space]).map { ($0[0], $0[1]) } ?? (0, 0)
    }

    private func setUsage(of space: String, entries: Int, bytes: Int) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO spaces (space, entries, bytes) VALUES (?, ?, ?)
                ON CONFLICT (space) DO UPDATE SET entries = excluded.entries, bytes = excluded.bytes
                """
        ).execute(arguments: [space, entries, bytes])
    }
}
