internal import Foundation
internal import GRDB
package import IMModel

/// The home users' contact lists, on disk.
///
/// Any thread; changes take turns, each is one transaction and on disk when it returns. What has to be sent because of a
/// change is in the same transaction, so that a crash between the two loses nothing: see ``outgoing()``.
package final class ContactStore: Sendable {
    /// Who is on whose list, for questions that cannot wait for a disk.
    package let index = ContactIndex()
    let file: DirectoryFile
    let limits: ContactLimits

    /// Reads the lists of a file.
    package init(_ file: DirectoryFile, limits: ContactLimits = ContactLimits()) throws(DirectoryError) {
        self.file = file
        self.limits = limits
        let contacts = try file.read { db in
            try Row.fetchAll(db, sql: "SELECT \(ContactRow.columns) FROM contacts").map {
                try ContactRow.read($0, file)
            }
        }
        for contact in contacts { index.update(owner: contact.owner, address: contact.address, contact) }
    }

    // MARK: The list

    /// Puts somebody on a list, or names and groups them anew if they are on it.
    package func add(
        _ address: Address,
        to owner: Address,
        name: String,
        groups: [String]
    ) throws(DirectoryError) -> ContactOutcome {
        try Contact.check(name: name)
        try Contact.check(groups: groups)
        return try change(owner, address) { contact, _ in
            contact.name = name
            contact.groups = groups.sorted()
            contact.isListed = true
            return []
        }
    }

    /// Names or groups a contact anew.
    ///
    /// - Parameters:
    ///   - name: nil: as it is.
    ///   - groups: nil: as they are.
    /// - Throws: ``DirectoryError/noContact(_:owner:)`` and others.
    package func edit(
        _ address: Address,
        of owner: Address,
        name: String? = nil,
        groups: [String]? = nil
    ) throws(DirectoryError) -> ContactOutcome {
        if let name { try Contact.check(name: name) }
        if let groups { try Contact.check(groups: groups) }
        return try change(owner, address) { contact, _ throws(DirectoryError) in
            guard contact.isListed else { throw .noContact(address, owner: owner) }
            contact.name = name ?? contact.name
            contact.groups = groups?.sorted() ?? contact.groups
            return []
        }
    }

    /// Takes somebody off a list, and ends what each sees of the other.
    ///
    /// Source: RFC 6121 §2.5.2; besides, one who waits for an answer is refused.
    ///
    /// - Throws: ``DirectoryError/noContact(_:owner:)`` and others.
    package func remove(_ address: Address, from owner: Address) throws(DirectoryError) -> ContactOutcome {
        try change(owner, address) { contact, steps throws(DirectoryError) in
            guard contact.isWorthKeeping else { throw .noContact(address, owner: owner) }
            var machine = SubscriptionMachine(contact.state, isApproved: contact.isApproved)
            var actions: [Subscription.Action] = []
            for (action, isNeeded) in [
                (Subscription.Action.cancel, contact.state.seesContact || contact.state.isPendingOut),
                (.refuse, contact.state.isSeenByContact || contact.state.isPendingIn),
            ] where isNeeded {
                steps.append(machine.send(action))
                actions.append(action)
            }
            contact.state = .none
            contact.isApproved = false
            contact.isListed = false
            return actions
        }
    }

    // MARK: The handshake

    /// Takes a step of the owner's.
    package func send(
        _ action: Subscription.Action,
        to address: Address,
        from owner: Address
    ) throws(DirectoryError) -> ContactOutcome {
        try change(owner, address) { contact, steps in
            let step = Self.take(&contact) { $0.send(action) }
            steps.append(step)
            return step.isPassedOn ? [action] : []
        }
    }

    /// Takes a step of the contact's.
    package func receive(
        _ subscription: Subscription,
        from address: Address,
        to owner: Address
    ) throws(DirectoryError) -> ContactOutcome {
        try change(owner, address) { contact, steps in
            let step = Self.take(&contact) { $0.receive(subscription.action) }
            steps.append(step)
            if subscription.action == .request, step.isPassedOn {
                let words = [subscription.name, subscription.text].filter { !$0.isEmpty }.joined(separator: ": ")
                contact.introduction = words.prefix(utf8Count: Contact.introductionBytesMax)
            }
            return step.reply.map { [$0] } ?? []
        }
    }

    private static func take(
        _ contact: inout Contact,
        _ body: (inout SubscriptionMachine) -> SubscriptionMachine.Step
    ) -> SubscriptionMachine.Step {
        var machine = SubscriptionMachine(contact.state, isApproved: contact.isApproved)
        let step = body(&machine)
        contact.state = machine.state
        contact.isApproved = machine.isApproved
        // Whatever a list shows of them puts them on it (RFC 6121 §3.1.2, §3.1.5, §3.4.2).
        if contact.state.word != "none" || contact.state.isPendingOut || contact.isApproved { contact.isListed = true }
        if !contact.state.isPendingIn { contact.introduction = "" }
        return step
    }

    // MARK: Changing

    /// Changes one contact in a transaction; nothing is written if nothing changes and nothing is to be sent.
    ///
    /// - Parameter body: changes the contact, notes the steps it takes, and says what is to be sent.
    private func change(
        _ owner: Address,
        _ address: Address,
        _ body: (inout Contact, inout [SubscriptionMachine.Step]) throws(DirectoryError) -> [Subscription.Action]
    ) throws(DirectoryError) -> ContactOutcome {
        guard owner != address else { throw .oneself(owner) }
        let outcome = try file.write { db in
            let tables = ContactTables(db: db, file: file, limits: limits)
            let before = try tables.contact(address, of: owner) ?? Contact(owner: owner, address: address)
            var after = before
            var outcome = ContactOutcome(contact: nil)
            let actions = try body(&after, &outcome.steps)
            if after != before { try tables.put(&after, before: before) }
            outcome.contact = after.isWorthKeeping ? after : nil
            outcome.outgoing = try actions.map { try tables.note($0, from: owner, to: address) }
            return outcome
        }
        index.update(owner: owner, address: address, outcome.contact)
        return outcome
    }

    // MARK: What has to be sent

    /// Steps that the router has not taken yet, oldest first.
    package func outgoing() throws(DirectoryError) -> [OutgoingStep] {
        try file.read { db in
            try Row.fetchAll(db, sql: "SELECT id, sender, recipient, action, envelope FROM outgoing_steps ORDER BY id")
                .map { row in
                    OutgoingStep(
                        number: row[0],
                        from: try file.address(row[1]),
                        to: try file.address(row[2]),
                        action: Subscription.Action(rawValue: row[3]) ?? .cancel,
                        envelopeID: row[4]
                    )
                }
        }
    }

    /// Forgets steps that the router has, or will not have.
    package func forget(outgoing numbers: [Int64]) throws(DirectoryError) {
        try file.write { db in
            let statement = try db.cachedStatement(sql: "DELETE FROM outgoing_steps WHERE id = ?")
            for number in numbers { try statement.execute(arguments: [number]) }
        }
    }

    // MARK: Reading

    /// Everybody on a list, and those who wait for its owner's answer, in the order of their addresses.
    package func contacts(of owner: Address) throws(DirectoryError) -> [Contact] {
        try file.read { try ContactTables(db: $0, file: file, limits: limits).contacts(of: owner, after: 0) }
    }

    /// One of them; nil if there is nothing of that address.
    package func contact(_ address: Address, of owner: Address) throws(DirectoryError) -> Contact? {
        try file.read { try ContactTables(db: $0, file: file, limits: limits).contact(address, of: owner) }
    }

    /// What has changed on a list since a version of it; all of it, if that is not known any more.
    ///
    /// Source: the need that RFC 6121 §2.6 answers with roster versions.
    package func changes(of owner: Address, since version: Int64) throws(DirectoryError) -> ContactChanges {
        try file.read { db in
            let tables = ContactTables(db: db, file: file, limits: limits)
            let (present, oldest) = try tables.version(of: owner)
            let isWhole = version < oldest || version > present
            return ContactChanges(
                version: present,
                isWhole: isWhole,
                changed: try tables.contacts(of: owner, after: isWhole ? 0 : version),
                removed: isWhole ? [] : try tables.removed(of: owner, after: version)
            )
        }
    }
}

extension String {
    /// As many whole characters from the front as have at most so many bytes.
    func prefix(utf8Count: Int) -> String {
        guard utf8.count > utf8Count else { return self }
        var end = startIndex
        var count = 0
        while end < endIndex {
            let next = index(after: end)
            count += self[end..<next].utf8.count
            guard count <= utf8Count else { break }
            end = next
        }
        return String(self[..<end])
    }
}
