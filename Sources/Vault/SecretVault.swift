internal import Foundation
internal import GRDB

/// Secrets of many name spaces, each sealed with AES-256-GCM, in one SQLite file.
///
/// Any thread. Names, sizes and the key's id can be read in the file; values cannot, and one that is moved to another
/// name or name space, or changed, is not opened.
package final class SecretVault: KeyValueBackend {
    private let store: KeyValueStore
    /// Which key seals it.
    package let keyID: String

    package var limits: StoreLimits { store.limits }
    /// The database file.
    package var path: String { store.path }

    /// Makes an empty vault.
    ///
    /// - Throws: ``StoreError/alreadyThere(path:)`` and what ``init(path:key:)`` throws.
    package static func make(path: String, key: VaultKey) throws(StoreError) {
        guard !StoreFile.exists(path) else { throw .alreadyThere(path: path) }
        let store = try KeyValueStore(path: path, limits: .secrets, seal: key)
        defer { store.close() }
        do {
            try store.database.write { db in
                try db.execute(sql: "INSERT INTO vault (id, key_id) VALUES (1, ?)", arguments: [key.id])
            }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Opens a vault.
    ///
    /// - Throws: ``StoreError/noVault(path:)``, ``StoreError/wrongKey(path:expected:given:)``, ``StoreError/inUse(path:)``
    ///   and others.
    package init(path: String, key: VaultKey, limits: StoreLimits = .secrets) throws(StoreError) {
        guard StoreFile.exists(path) else { throw .noVault(path: path) }
        store = try KeyValueStore(path: path, limits: limits, seal: key)
        keyID = key.id
        do throws(StoreError) {
            try Self.check(store, key)
        } catch {
            store.close()
            throw error
        }
    }

    /// Opens the vault with the key from its source, and makes it if there is none.
    ///
    /// A change of keys that a crash cut short is finished first: see ``rotate(path:source:)``.
    package static func open(path: String, source: VaultKeySource) throws(StoreError) -> SecretVault {
        let key = try VaultRotation.currentKey(path: path, source: source)
        if !StoreFile.exists(path) { try make(path: path, key: key) }
        return try SecretVault(path: path, key: key)
    }

    private static func check(_ store: KeyValueStore, _ key: VaultKey) throws(StoreError) {
        guard let expected = try Self.keyID(of: store.database, path: store.path) else {
            throw .corrupt(path: store.path, detail: "it does not say which key it is sealed with")
        }
        guard expected == key.id else { throw .wrongKey(path: store.path, expected: expected, given: key.id) }
    }

    package func perform(
        _ operation: StoreOperation,
        in space: String,
        done: @escaping @Sendable (Result<StoreAnswer, StoreError>) -> Void
    ) {
        store.perform(operation, in: space, done: done)
    }

    /// The same for whoever can wait.
    package func performNow(_ operation: StoreOperation, in space: String) throws(StoreError) -> StoreAnswer {
        try store.performNow(operation, in: space)
    }

    /// Does what was asked for, and closes the file.
    package func close() { store.close() }

    // MARK: What can be seen without a key

    /// A secret's name and where it is; never its value.
    package struct Name: Hashable, Sendable {
        package var space: String
        package var name: String
        /// The key that seals it.
        package var keyID: String
    }

    /// What a vault holds, also while a router has it open.
    package struct Summary: Hashable, Sendable {
        /// The key that seals it.
        package var keyID: String
        package var names: [Name]
    }

    /// Reads names, in the order of name spaces and names.
    package static func summary(path: String) throws(StoreError) -> Summary {
        guard StoreFile.exists(path) else { throw .noVault(path: path) }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let database = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? database.close() }
            let names = try database.read { db in
                try Row.fetchAll(db, sql: "SELECT space, key, key_id FROM entries ORDER BY space, key").map { row in
                    Name(space: row[0], name: String(decoding: row[1] as Data, as: UTF8.self), keyID: row[2])
                }
            }
            return Summary(keyID: try keyID(of: database, path: path) ?? "", names: names)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    static func keyID(of database: DatabaseQueue, path: String) throws(StoreError) -> String? {
        do {
            return try database.read { try String.fetchOne($0, sql: "SELECT key_id FROM vault") }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Seals everything with another key, in one transaction.
    ///
    /// - Returns: how many secrets there are.
    func reseal(from old: VaultKey, with key: VaultKey) throws(StoreError) -> Int {
        do {
            return try store.database.write { db in
                let rows = try Row.fetchAll(db, sql: "SELECT space, key, value FROM entries")
                for row in rows {
                    let place = StorePlace(space: row[0], key: Array(row[1] as Data))
                    let value = try old.open(Array(row[2] as Data), place)
                    try db.execute(
                        sql: "UPDATE entries SET value = ?, key_id = ? WHERE space = ? AND key = ?",
                        arguments: [Data(try key.seal(value, place)), key.id, place.space, Data(place.key)]
                    )
                }
                try db.execute(sql: "UPDATE vault SET key_id = ?", arguments: [key.id])
                return rows.count
            }
        } catch {
            throw StoreError(error, path: store.path)
        }
    }
}
