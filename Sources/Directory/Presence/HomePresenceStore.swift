internal import GRDB
package import IMModel

/// The home users' last presence, on disk.
///
/// Any thread; changes take turns, and are on disk when they return.
package final class HomePresenceStore: Sendable {
    /// One device's.
    package struct Record: Hashable, Sendable {
        package var user: Address
        package var device: String
        package var presence: Presence

        package init(user: Address, device: String, presence: Presence) {
            self.user = user
            self.device = device
            self.presence = presence
        }
    }

    private let file: DirectoryFile

    package init(_ file: DirectoryFile) {
        self.file = file
    }

    /// Stores the latest values, in one transaction.
    package func put(_ records: [Record]) throws(DirectoryError) {
        try file.write { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO home_presence (user, device, availability, status, priority, changed)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """
            )
            let outdated = try db.cachedStatement(
                sql: "DELETE FROM home_presence WHERE user = ? AND availability = ?"
            )
            for record in records {
                let presence = record.presence
                // Of the devices that are offline only the last one's words count.
                try outdated.execute(
                    arguments: [record.user.description, Presence.Availability.offline.rawValue]
                )
                try statement.execute(
                    arguments: [
                        record.user.description, record.device, presence.availability.rawValue, presence.status,
                        presence.priority, presence.changed,
                    ]
                )
            }
        }
    }

    /// All that is stored.
    package func all() throws(DirectoryError) -> [Record] {
        try file.read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT user, device, availability, status, priority, changed FROM home_presence"
            ).map { row in
                var presence = Presence(
                    Presence.Availability(rawValue: row[2]) ?? .offline,
                    status: row[3]
                )
                presence.priority = row[4]
                presence.changed = row[5]
                return Record(user: try file.address(row[0]), device: row[1], presence: presence)
            }
        }
    }
}
