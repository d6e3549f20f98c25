package import IMModel

/// One person on a home user's contact list, or one who waits to be let on it.
package struct Contact: Hashable, Sendable {
    /// Whose list it is.
    package var owner: Address
    /// Who is on it.
    package var address: Address
    /// The name it is listed under, of at most ``nameBytesMax`` bytes.
    package var name = ""
    /// The groups it is in, at most ``groupsMax``, in the order of their bytes.
    package var groups: [String] = []
    /// Who sees whose presence.
    package var state = SubscriptionState.none
    /// Whether a request of the contact's is granted without asking (RFC 6121 §3.4).
    package var isApproved = false
    /// Whether it is on the list; if not, it has asked to see the owner's presence and no more.
    package var isListed = false
    /// What the contact said when it asked; empty if it said nothing, or has its answer.
    package var introduction = ""
    /// The list's version when this was changed.
    package var version: Int64 = 0

    /// The longest name, in bytes (RFC 6121 §2.1.2.4 sets none; other networks' names are shorter).
    package static let nameBytesMax = 1023
    /// The most groups of one contact: as many as an envelope holds.
    package static let groupsMax = ContactChange.groupsMax
    /// The longest name of a group, in bytes.
    package static let groupBytesMax = 1023
    /// The longest introduction that is kept, in bytes; a longer one is cut off.
    package static let introductionBytesMax = 1023

    package init(owner: Address, address: Address) {
        self.owner = owner
        self.address = address
    }

    /// Checks a name.
    static func check(name: String) throws(DirectoryError) {
        guard name.utf8.count <= nameBytesMax else {
            throw .nameTooLong(bytes: name.utf8.count, limit: nameBytesMax)
        }
    }

    /// Checks groups.
    static func check(groups: [String]) throws(DirectoryError) {
        guard groups.count <= groupsMax else { throw .tooManyGroups(groups.count, limit: groupsMax) }
        var seen: Set<String> = []
        for group in groups {
            guard (1...groupBytesMax).contains(group.utf8.count) else {
                throw .badGroupName(bytes: group.utf8.count, limit: groupBytesMax)
            }
            guard seen.insert(group).inserted else { throw .groupTwice(group) }
        }
    }

    /// Whether there is anything to be kept of it.
    var isWorthKeeping: Bool { isListed || isApproved || state != .none }
}

/// How much contact lists may hold.
package struct ContactLimits: Hashable, Sendable {
    /// Contacts on one list.
    package var contactsMax = 1000
    /// People who are not on a list and wait for its owner's answer: anybody can ask.
    package var requestsMax = 100
    /// Entries of all lists together, each of some 300 bytes of memory; and lists that there have ever been.
    package var entriesMax = 200_000
    /// Removals of one list that are remembered, for those who ask what has changed.
    package var removalsMax = 1000

    package init() {}
}

/// What has changed on a contact list.
package struct ContactChanges: Hashable, Sendable {
    /// The list's version now.
    package var version: Int64
    /// Whether `changed` is the whole list: what is not in it is not on the list.
    package var isWhole: Bool
    /// New and changed entries, in the order of their addresses.
    package var changed: [Contact]
    /// Entries that are gone.
    package var removed: [Address]
}

/// A step of the handshake that has to be sent, and is on disk until the router has it.
package struct OutgoingStep: Hashable, Sendable {
    /// Its number in the file, in the order of sending.
    package var number: Int64
    package var from: Address
    package var to: Address
    package var action: Subscription.Action
    /// The same each time that it is handed in.
    package var envelopeID: String
}

/// What became of a contact.
package struct ContactOutcome: Hashable, Sendable {
    /// As it is now; nil if nothing is kept of it.
    package var contact: Contact?
    /// What the handshake asks for; nil for changes that are no step of it.
    package var steps: [SubscriptionMachine.Step] = []
    /// What is to be sent, in order.
    package var outgoing: [OutgoingStep] = []

    /// Whether a step is to be shown to the owner, or sent to the contact.
    package var isPassedOn: Bool { steps.contains(where: \.isPassedOn) }
    /// What the contact is to be told of the owner's presence.
    package var notice: SubscriptionMachine.PresenceNotice? { steps.lazy.compactMap(\.notice).last }
}
