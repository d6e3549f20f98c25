internal import Foundation
internal import GRDB
internal import IMModel

/// How a contact stands in its table.
enum ContactRow {
    static let columns = "owner, contact, name, groups, state, approved, listed, introduction, version"

    static func read(_ row: Row, _ file: DirectoryFile) throws(DirectoryError) -> Contact {
        var contact = Contact(owner: try file.address(row[0]), address: try file.address(row[1]))
        guard let state = SubscriptionState(rawValue: row[4]),
            let groups = try? JSONDecoder().decode([String].self, from: Data((row[3] as String).utf8))
        else { throw .file(path: file.path, reason: "a contact in it cannot be read") }
        contact.name = row[2]
        contact.groups = groups
        contact.state = state
        contact.isApproved = row[5]
        contact.isListed = row[6]
        contact.introduction = row[7]
        contact.version = row[8]
        return contact
    }
}

/// The tables of contact lists, inside of a transaction.
struct ContactTables {
    let db: Database
    let file: DirectoryFile
    let limits: ContactLimits

    // MARK: Reading

    func contact(_ address: Address, of owner: Address) throws -> Contact? {
        let sql = "SELECT \(ContactRow.columns) FROM contacts WHERE owner = ? AND contact = ?"
        let arguments: StatementArguments = [owner.description, address.description]
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: arguments).map {
            try ContactRow.read($0, file)
        }
    }

    func contacts(of owner: Address, after version: Int64) throws -> [Contact] {
        let sql = "SELECT \(ContactRow.columns) FROM contacts WHERE owner = ? AND version > ? ORDER BY contact"
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [owner.description, version])
            .map { try ContactRow.read($0, file) }
    }

    func removed(of owner: Address, after version: Int64) throws -> [Address] {
        let sql = "SELECT contact FROM removed_contacts WHERE owner = ? AND version > ? ORDER BY contact"
        return try String.fetchAll(db.cachedStatement(sql: sql), arguments: [owner.description, version])
            .map { try file.address($0) }
    }

    /// A list's version, and the oldest from which changes are known.
    func version(of owner: Address) throws -> (present: Int64, oldest: Int64) {
        let statement = try db.cachedStatement(sql: "SELECT version, oldest FROM contact_lists WHERE owner = ?")
        return try Row.fetchOne(statement, arguments: [owner.description]).map { ($0[0], $0[1]) } ?? (0, 0)
    }

    // MARK: Writing

    /// Writes a contact that has changed, with the list's next version.
    func put(_ contact: inout Contact, before: Contact) throws {
        let isNew = before.version == 0
        if contact.isWorthKeeping { try checkRoom(for: contact, before: before, isNew: isNew) }
        // What was never written need not be removed.
        guard contact.isWorthKeeping || !isNew else { return }
        let (present, oldest) = try version(of: contact.owner)
        contact.version = present + 1
        try setVersion(of: contact.owner, contact.version, oldest: oldest)
        guard contact.isWorthKeeping else { return try remove(contact, wasListed: before.isListed) }
        let groups = String(decoding: try JSONEncoder().encode(contact.groups), as: UTF8.self)
        try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO contacts (\(ContactRow.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(
            arguments: [
                contact.owner.description, contact.address.description, contact.name, groups, contact.state.rawValue,
                contact.isApproved, contact.isListed, contact.introduction, contact.version,
            ]
        )
        try db.cachedStatement(sql: "DELETE FROM removed_contacts WHERE owner = ? AND contact = ?")
            .execute(arguments: [contact.owner.description, contact.address.description])
    }

    private func remove(_ contact: Contact, wasListed: Bool) throws {
        let owner = contact.owner.description
        try db.cachedStatement(sql: "DELETE FROM contacts WHERE owner = ? AND contact = ?")
            .execute(arguments: [owner, contact.address.description])
        guard wasListed else {
            // Strangers can ask and take it back without end: nothing is kept of that but that the list is to be read anew.
            return try setVersion(of: contact.owner, contact.version, oldest: contact.version)
        }
        try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO removed_contacts (owner, contact, version) VALUES (?, ?, ?)"
        ).execute(arguments: [owner, contact.address.description, contact.version])
        let count = try self.count("removed_contacts WHERE owner = ?", [owner])
        guard count > limits.removalsMax else { return }
        let first = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT MIN(version) FROM removed_contacts WHERE owner = ?"),
            arguments: [owner]
        )
        guard let first else { return }
        try db.cachedStatement(sql: "DELETE FROM removed_contacts WHERE owner = ? AND version = ?")
            .execute(arguments: [owner, first])
        // Who asks for changes since before that removal would not hear of it.
        try setVersion(of: contact.owner, contact.version, oldest: first)
    }

    private func setVersion(of owner: Address, _ version: Int64, oldest: Int64) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO contact_lists (owner, version, oldest) VALUES (?, ?, ?)")
            .execute(arguments: [owner.description, version, oldest])
    }

    private func checkRoom(for contact: Contact, before: Contact, isNew: Bool) throws {
        let owner = contact.owner.description
        if contact.isListed, !before.isListed {
            let count = try self.count("contacts WHERE owner = ? AND listed", [owner])
            guard count < limits.contactsMax else {
                throw DirectoryError.tooManyContacts(owner: contact.owner, limit: limits.contactsMax)
            }
        }
        guard isNew else { return }
        if !contact.isListed {
            let count = try self.count("contacts WHERE owner = ? AND NOT listed", [owner])
            guard count < limits.requestsMax else {
                throw DirectoryError.tooManyRequests(owner: contact.owner, limit: limits.requestsMax)
            }
        }
        let isFirst = try version(of: contact.owner).present == 0
        guard try count("contacts", []) < limits.entriesMax,
            try !isFirst || count("contact_lists", []) < limits.entriesMax
        else {
            throw DirectoryError.directoryFull(limit: limits.entriesMax)
        }
    }

    private func count(_ what: String, _ arguments: StatementArguments) throws -> Int {
        try Int.fetchOne(db.cachedStatement(sql: "SELECT COUNT(*) FROM \(what)"), arguments: arguments) ?? 0
    }

    /// Notes a step that has to be sent.
    func note(_ action: Subscription.Action, from owner: Address, to address: Address) throws -> OutgoingStep {
        let envelopeID = "s-" + String(UInt64.random(in: 0 ... .max), radix: 16)
        try db.cachedStatement(
            sql: "INSERT INTO outgoing_steps (sender, recipient, action, envelope) VALUES (?, ?, ?, ?)"
        ).execute(arguments: [owner.description, address.description, action.rawValue, envelopeID])
        return OutgoingStep(
            number: db.lastInsertedRowID,
            from: owner,
            to: address,
            action: action,
            envelopeID: envelopeID
        )
    }
}
