/// The commands about home users, with their arguments and what the router sends in return.
package enum DirectoryCommand: String, CaseIterable, Sendable {
    /// A ``UserQuery``; one ``UserItem`` each.
    case users
    /// A ``PresenceRequest``; no event.
    case setPresence = "set-presence"
    /// A ``UserQuery`` of one address; one ``ContactItem`` each.
    case contacts
    /// A ``ContactChangeRequest``; one ``ContactChangeResult``.
    case changeContact = "change-contact"
    /// A ``UserQuery`` of one address; one ``AccountItem`` each.
    case accounts
    /// An ``AccountRequest`` with a password; no event.
    case linkAccount = "link-account"
    /// An ``AccountRequest``; no event.
    case unlinkAccount = "unlink-account"
}

/// Which home users are meant.
package struct UserQuery: Codable, Hashable, Sendable {
    /// This one; all without it.
    package var user: String?

    package init(user: String? = nil) {
        self.user = user
    }
}

/// A presence, as people and programs read it.
package struct PresenceItem: Codable, Hashable, Sendable {
    /// `available`, `chatty`, `away`, `extendedAway`, `busy`, `offline` or `unknown`.
    package var availability: String
    /// In the user's own words; may be empty.
    package var status: String
    /// The device's rank, -128...127.
    package var priority: Int
    /// When it last changed, in ms since 1970 began, UTC; 0: not known.
    package var changed: Int64

    package init(availability: String, status: String, priority: Int, changed: Int64) {
        self.availability = availability
        self.status = status
        self.priority = priority
        self.changed = changed
    }
}

/// A home user.
package struct UserItem: Codable, Hashable, Sendable {
    package var address: String
    /// Of all devices together.
    package var presence: PresenceItem
    /// Those that can be reached.
    package var devices: [Device]
    /// How many are on the contact list.
    package var contacts: Int
    /// How many wait for an answer.
    package var requests: Int

    package struct Device: Codable, Hashable, Sendable {
        package var name: String
        package var presence: PresenceItem

        package init(name: String, presence: PresenceItem) {
            self.name = name
            self.presence = presence
        }
    }

    package init(address: String, presence: PresenceItem, devices: [Device], contacts: Int, requests: Int) {
        self.address = address
        self.presence = presence
        self.devices = devices
        self.contacts = contacts
        self.requests = requests
    }
}

/// A presence to be taken over.
package struct PresenceRequest: Codable, Hashable, Sendable {
    package var user: String
    package var device: String
    package var availability: String
    package var status: String
    package var priority: Int

    package init(user: String, device: String, availability: String, status: String, priority: Int) {
        self.user = user
        self.device = device
        self.availability = availability
        self.status = status
        self.priority = priority
    }
}

/// Somebody on a contact list, or who waits to be let on it.
package struct ContactItem: Codable, Hashable, Sendable {
    package var address: String
    package var name: String
    package var groups: [String]
    /// Who sees whose presence: `none`, `to`, `from` or `both`.
    package var subscription: String
    /// Whether the user waits for the contact's answer.
    package var asked: Bool
    /// Whether the contact waits for the user's answer.
    package var requests: Bool
    /// Whether the contact is let in without being asked about.
    package var approved: Bool
    /// Whether it is on the list; if not, it has only asked.
    package var listed: Bool
    /// What it said when it asked; empty if nothing.
    package var introduction: String
    /// What was last heard of it; nil: nothing, or it is not to be seen.
    package var presence: PresenceItem?

    package init(
        address: String,
        name: String,
        groups: [String],
        subscription: String,
        asked: Bool,
        requests: Bool,
        approved: Bool,
        listed: Bool,
        introduction: String,
        presence: PresenceItem?
    ) {
        self.address = address
        self.name = name
        self.groups = groups
        self.subscription = subscription
        self.asked = asked
        self.requests = requests
        self.approved = approved
        self.listed = listed
        self.introduction = introduction
        self.presence = presence
    }
}

/// A change of a home user's contact list.
package struct ContactChangeRequest: Codable, Hashable, Sendable {
    package enum Change: String, Codable, Sendable {
        case add, edit, remove, approve, deny
    }

    package var user: String
    package var contact: String
    package var change: Change
    /// For `add` and `edit`; nil: as it is.
    package var name: String?
    /// For `add` and `edit`; nil: as they are.
    package var groups: [String]?
    /// For `add`: whether to ask for the contact's presence.
    package var asks: Bool

    package init(
        user: String,
        contact: String,
        change: Change,
        name: String? = nil,
        groups: [String]? = nil,
        asks: Bool = false
    ) {
        self.user = user
        self.contact = contact
        self.change = change
        self.name = name
        self.groups = groups
        self.asks = asks
    }
}

/// What came of it.
package struct ContactChangeResult: Codable, Hashable, Sendable {
    /// As it is now; nil: it is not there any more.
    package var contact: ContactItem?
    /// Why what had to be sent was not taken; nil: it was, or nothing had to be.
    package var refusal: String?

    package init(contact: ContactItem?, refusal: String?) {
        self.contact = contact
        self.refusal = refusal
    }
}

/// A user's account on a public network; never its password.
package struct AccountItem: Codable, Hashable, Sendable {
    package var provider: String
    package var account: String
    /// When it was linked, in ms since 1970 began, UTC.
    package var linked: Int64

    package init(provider: String, account: String, linked: Int64) {
        self.provider = provider
        self.account = account
        self.linked = linked
    }
}

/// An account to be linked or unlinked.
package struct AccountRequest: Codable, Hashable, Sendable, CustomStringConvertible {
    package var user: String
    package var provider: String
    package var account: String
    /// To link it.
    package var password: String?

    package init(user: String, provider: String, account: String, password: String? = nil) {
        self.user = user
        self.provider = provider
        self.account = account
        self.password = password
    }

    /// Without the password.
    package var description: String { "\(account) of \(provider) for \(user)" }
}
