internal import Foundation
internal import GRDB
internal import IMModel

/// The directory's SQLite file: contact lists, the home users' last presence, and linked accounts without their secrets.
///
/// Any thread; writes take turns. What a write has changed is on disk when it returns.
package final class DirectoryFile: Sendable {
    /// Where it is.
    package let path: String
    private let database: DatabasePool

    /// Opens the file, or makes an empty one that only this user can read.
    package init(path: String) throws(DirectoryError) {
        self.path = path
        do {
            // Before SQLite makes it: its other files get the mode of this one.
            try Self.makePrivate(path)
            var configuration = GRDB.Configuration()
            configuration.label = "directory"
            database = try DatabasePool(path: path, configuration: configuration)
            // After GRDB has set its own choice, NORMAL, with which a power cut may lose the last commits.
            try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            try Self.migrator.migrate(database)
        } catch {
            throw Self.error(error, path)
        }
    }

    /// Closes the file; what is asked for later fails.
    package func close() { try? database.close() }

    /// Does something in one transaction, which is on disk when it returns.
    func write<T>(_ body: (Database) throws -> T) throws(DirectoryError) -> T {
        do {
            return try database.write(body)
        } catch {
            throw Self.error(error, path)
        }
    }

    func read<T>(_ body: (Database) throws -> T) throws(DirectoryError) -> T {
        do {
            return try database.read(body)
        } catch {
            throw Self.error(error, path)
        }
    }

    /// An address as it stands in the file.
    func address(_ text: String) throws(DirectoryError) -> Address {
        guard let address = Address(text) else { throw .file(path: path, reason: "it holds what is no address") }
        return address
    }

    private static func makePrivate(_ path: String) throws(DirectoryError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(path: path, reason: String(cString: strerror(errno))) }
        defer { _ = Foundation.close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// What an error means, without a statement's values, which are what people say.
    private static func error(_ error: any Error, _ path: String) -> DirectoryError {
        if let error = error as? DirectoryError { return error }
        let reason = (error as? DatabaseError).map {
            "\($0.message ?? "no message") (code \($0.extendedResultCode.rawValue))"
        }
        return .file(path: path, reason: reason ?? error.localizedDescription)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE contacts (
                        owner TEXT NOT NULL, contact TEXT NOT NULL, name TEXT NOT NULL, groups TEXT NOT NULL,
                        state TEXT NOT NULL, approved INTEGER NOT NULL, listed INTEGER NOT NULL,
                        introduction TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (owner, contact)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE removed_contacts (
                        owner TEXT NOT NULL, contact TEXT NOT NULL, version INTEGER NOT NULL,
                        PRIMARY KEY (owner, contact)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE contact_lists (
                        owner TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, oldest INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE outgoing_steps (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipient TEXT NOT NULL,
                        action INTEGER NOT NULL, envelope TEXT NOT NULL
                    ) STRICT;
                    CREATE TABLE home_presence (
                        user TEXT NOT NULL, device TEXT NOT NULL, availability INTEGER NOT NULL, status TEXT NOT NULL,
                        priority INTEGER NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (user, device)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE accounts (
                        provider TEXT NOT NULL, account TEXT NOT NULL, user TEXT NOT NULL, linked INTEGER NOT NULL,
                        PRIMARY KEY (provider, account)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX accounts_by_user ON accounts (user);
                    """
            )
        }
        return migrator
    }
}
