internal import Foundation
internal import GRDB
package import Policy

/// The seats that operators have assigned, and the audit log, in one SQLite file.
///
/// Any thread. A change and its entry in the log are one transaction.
package final class SeatStore: Sendable {
    let database: DatabaseQueue
    /// The file.
    package let path: String
    private let auditMax: Int
    private let seatsMax: Int

    /// The most seats that are kept.
    package static let seatsMax = 1_000_000
    /// The most entries of the audit log; past it the oldest are dropped.
    package static let auditMax = 100_000
    /// The most entries or seats that one read returns.
    package static let readMax = 10_000

    /// Opens the file, or makes one that only this user can read.
    package init(
        path: String,
        seatsMax: Int = SeatStore.seatsMax,
        auditMax: Int = SeatStore.auditMax
    ) throws(PolicyStoreError) {
        self.path = path
        self.seatsMax = seatsMax
        self.auditMax = auditMax
        do {
            // Before SQLite makes it: its other files get the mode of this one.
            try Self.makePrivate(path)
            var configuration = GRDB.Configuration()
            configuration.label = "policy"
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            }
            database = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrator.migrate(database)
        } catch {
            throw PolicyStoreError(error, path)
        }
    }

    private static func makePrivate(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw PolicyStoreError.unusable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { _ = Foundation.close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw PolicyStoreError.unusable(path: path, reason: String(cString: strerror(errno)))
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(
                sql: """
                    CREATE TABLE seats (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, licence TEXT NOT NULL,
                        first_day TEXT NOT NULL, last_day TEXT
                    ) STRICT;
                    CREATE INDEX seats_by_user ON seats (user);
                    CREATE TABLE audit (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL,
                        what TEXT NOT NULL, detail TEXT NOT NULL
                    ) STRICT;
                    """
            )
        }
        migrator.registerMigration("2") { db in
            try db.execute(sql: "CREATE TABLE applied (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT")
        }
        return migrator
    }

    // MARK: Seats

    /// All assigned seats, in the order in which they were assigned.
    package func seats() throws(PolicyStoreError) -> [AssignedSeat] {
        try perform { db in try Self.seats(db) }
    }

    /// Assigns a seat.
    ///
    /// - Parameters:
    ///   - actor: who asked for it.
    ///   - at: in ms since 1970.
    /// - Returns: the seat's number.
    package func assign(
        user: String,
        licence: String,
        from: PolicyDate,
        until: PolicyDate?,
        by actor: String,
        at: Int64
    ) throws(PolicyStoreError) -> Int64 {
        try perform { db in
            let own = try Self.seats(db, of: user).filter { $0.licence == licence }
            if let other = own.first(where: { $0.overlaps(from, until) }) {
                throw PolicyStoreError.overlaps(user: user, licence: licence, seat: other.id)
            }
            let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM seats") ?? 0
            guard count < self.seatsMax else { throw PolicyStoreError.full(limit: self.seatsMax) }
            try db.execute(
                sql: "INSERT INTO seats (user, licence, first_day, last_day) VALUES (?, ?, ?, ?)",
                arguments: [user, licence, "\(from)", until.map { "\($0)" }]
            )
            let id = db.lastInsertedRowID
            let period = "from \(from)" + (until.map { " until \($0)" } ?? "")
            let detail = "seat \(id) of the licence '\(licence)' for \(user), \(period)"
            try self.append(AuditEntry(at: at, actor: actor, what: "seat assigned", detail: detail), db)
            return id
        }
    }

    /// Takes a seat away.
    ///
    /// - Returns: what it was; nil if there is none of that number.
    package func revoke(_ id: Int64, by actor: String, at: Int64) throws(PolicyStoreError) -> AssignedSeat? {
        try perform { db in
            guard let seat = try Self.seats(db, id: id).first else { return nil }
            try db.execute(sql: "DELETE FROM seats WHERE id = ?", arguments: [id])
            let detail = "seat \(id) of the licence '\(seat.licence)' for \(seat.user)"
            try self.append(AuditEntry(at: at, actor: actor, what: "seat revoked", detail: detail), db)
            return seat
        }
    }

    /// Seats in the order of their numbers: all, one user's, or one.
    private static func seats(_ db: Database, of user: String? = nil, id: Int64? = nil) throws -> [AssignedSeat] {
        let choice = user != nil ? "WHERE user = ?" : id != nil ? "WHERE id = ?" : ""
        let arguments: StatementArguments = user.map { [$0] } ?? id.map { [$0] } ?? []
        let sql = "SELECT id, user, licence, first_day, last_day FROM seats \(choice) ORDER BY id"
        return try Row.fetchAll(db, sql: sql, arguments: arguments).compactMap { row in
            let last: String? = row[4]
            guard let from = PolicyDate(row[3]) else { return nil }
            return AssignedSeat(
                id: row[0],
                user: row[1],
                licence: row[2],
                from: from,
                until: last.flatMap(PolicyDate.init)
            )
        }
    }

    // MARK: Audit

    /// Writes entries; waits for the disk.
    package func append(_ entries: [AuditEntry]) throws(PolicyStoreError) {
        try perform { db in
            for entry in entries { try self.append(entry, db) }
        }
    }

    /// The newest entries, the newest last.
    ///
    /// - Parameter limit: 1 to ``readMax``.
    package func audit(limit: Int) throws(PolicyStoreError) -> [AuditEntry] {
        try perform { db in
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT at, actor, what, detail FROM audit ORDER BY id DESC LIMIT ?",
                arguments: [max(1, min(limit, Self.readMax))]
            )
            return rows.reversed().map { AuditEntry(at: $0[0], actor: $0[1], what: $0[2], detail: $0[3]) }
        }
    }

    func append(_ entry: AuditEntry, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO audit (at, actor, what, detail) VALUES (?, ?, ?, ?)",
            arguments: [entry.at, entry.actor, entry.what, entry.detail]
        )
        try db.execute(sql: "DELETE FROM audit WHERE id <= ?", arguments: [db.lastInsertedRowID - Int64(auditMax)])
    }

    func perform<T>(_ body: (Database) throws -> T) throws(PolicyStoreError) -> T {
        do {
            return try database.write(body)
        } catch {
            throw PolicyStoreError(error, path)
        }
    }
}

/// A seat that an operator assigned.
package struct AssignedSeat: Hashable, Sendable {
    /// Its number, from 1.
    package var id: Int64
    package var user: String
    package var licence: String
    package var from: PolicyDate
    /// The last day; nil: it has none.
    package var until: PolicyDate?

    func overlaps(_ first: PolicyDate, _ last: PolicyDate?) -> Bool {
        let endsBefore = until.map { $0 < first } ?? false
        let beginsAfter = last.map { $0 < from } ?? false
        return !endsBefore && !beginsAfter
    }
}

/// One line of the audit log.
package struct AuditEntry: Hashable, Sendable {
    /// In ms since 1970.
    package var at: Int64
    /// A user of this machine, or a provider.
    package var actor: String
    /// Such as `seat assigned` or `refused`.
    package var what: String
    /// A sentence; never what a message says.
    package var detail: String

    package init(at: Int64, actor: String, what: String, detail: String) {
        self.at = at
        self.actor = actor
        self.what = what
        self.detail = detail
    }
}

/// Why the store does not do what it was asked.
package enum PolicyStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    case unusable(path: String, reason: String)
    case overlaps(user: String, licence: String, seat: Int64)
    case full(limit: Int)
    case unknown(seat: Int64)

    init(_ error: any Error, _ path: String) {
        if let error = error as? PolicyStoreError {
            self = error
        } else {
            let reason = (error as? DatabaseError).map {
                "\($0.message ?? "no message") (code \($0.extendedResultCode.rawValue))"
            }
            self = .unusable(path: path, reason: reason ?? error.localizedDescription)
        }
    }

    package var description: String {
        switch self {
        case .unusable(let path, let reason):
            "the seats and the audit log in \(path) cannot be used: \(reason); check the file and its folder"
        case .overlaps(let user, let licence, let seat):
            "\(user) has the licence '\(licence)' in that time already, by seat \(seat); revoke it first"
        case .unknown(let seat):
            "there is no assigned seat \(seat): 'plugboard licences list' shows those that there are"
        case .full(let limit):
            "there are \(limit) seats, which is the limit; revoke some that have ended"
        }
    }
}
