internal import GRDB

// The policy that was in force last, so that its changes are told also across a restart.
extension SeatStore {
    /// The most changes of one policy that are told one by one.
    package static let changesMax = 1000

    /// Takes over a policy's settings, and writes into the audit log what has changed.
    ///
    /// - Parameters:
    ///   - settings: values by name; nil: there is no policy.
    ///   - origin: where they come from, for the log.
    ///   - actor: who asked for it.
    ///   - at: in ms since 1970.
    package func apply(
        _ settings: [String: String]?,
        from origin: String,
        by actor: String,
        at: Int64
    ) throws(PolicyStoreError) {
        try perform { db in
            let before = try Self.applied(db)
            guard before != .some(settings) else { return }
            for (what, detail) in Self.changes(before, settings, origin) {
                try self.append(AuditEntry(at: at, actor: actor, what: what, detail: detail), db)
            }
            try db.execute(sql: "DELETE FROM applied")
            for (name, value) in settings ?? [Self.absent: ""] {
                try db.execute(sql: "INSERT INTO applied (name, value) VALUES (?, ?)", arguments: [name, value])
            }
        }
    }

    /// The name of the one row that stands for no policy.
    private static let absent = ""

    /// What was in force last: nil if nothing is known, and a nil inside if there was no policy.
    private static func applied(_ db: Database) throws -> [String: String]?? {
        var settings: [String: String] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT name, value FROM applied") { settings[row[0]] = row[1] }
        if settings.isEmpty { return nil }
        return .some(settings[absent] == nil ? settings : nil)
    }

    /// Entries for the log, as `what` and `detail`.
    private static func changes(
        _ before: [String: String]??,
        _ after: [String: String]?,
        _ origin: String
    ) -> [(what: String, detail: String)] {
        guard let after else {
            return [(before == nil ? "no policy" : "policy removed", "every provider is open to every home user")]
        }
        guard case .some(.some(let before)) = before else {
            return [("policy introduced", "\(after.count) settings, from \(origin)")]
        }
        let names = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
        var entries = names.prefix(changesMax).map { name in
            ("policy changed", "\(name): \(before[name] ?? "not set") → \(after[name] ?? "not set")")
        }
        if names.count > changesMax {
            entries.append(("policy changed", "\(names.count - changesMax) more settings, from \(origin)"))
        }
        return entries
    }
}
