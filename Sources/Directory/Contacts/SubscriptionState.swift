/// Who of two people sees the other's presence, and who has asked to: from the side of one of them, the owner of the
/// contact list.
///
/// Source: RFC 6121 §A.1.
package enum SubscriptionState: String, Hashable, Sendable, CaseIterable {
    /// Neither sees the other's presence.
    case none
    /// The owner has asked.
    case nonePendingOut = "none+out"
    /// The contact has asked.
    case nonePendingIn = "none+in"
    /// Both have asked.
    case nonePendingOutIn = "none+out+in"
    /// The owner sees the contact's presence.
    case to
    /// The owner sees the contact's, and the contact has asked.
    case toPendingIn = "to+in"
    /// The contact sees the owner's presence.
    case from
    /// The contact sees the owner's, and the owner has asked.
    case fromPendingOut = "from+out"
    /// Each sees the other's presence.
    case both

    /// Whether the owner sees the contact's presence.
    package var seesContact: Bool {
        switch self {
        case .to, .toPendingIn, .both: true
        case .none, .nonePendingOut, .nonePendingIn, .nonePendingOutIn, .from, .fromPendingOut: false
        }
    }

    /// Whether the contact sees the owner's presence.
    package var isSeenByContact: Bool {
        switch self {
        case .from, .fromPendingOut, .both: true
        case .none, .nonePendingOut, .nonePendingIn, .nonePendingOutIn, .to, .toPendingIn: false
        }
    }

    /// Whether the owner waits for the contact's answer.
    package var isPendingOut: Bool {
        switch self {
        case .nonePendingOut, .nonePendingOutIn, .fromPendingOut: true
        case .none, .nonePendingIn, .to, .toPendingIn, .from, .both: false
        }
    }

    /// Whether the contact waits for the owner's answer.
    package var isPendingIn: Bool {
        switch self {
        case .nonePendingIn, .nonePendingOutIn, .toPendingIn: true
        case .none, .nonePendingOut, .to, .from, .fromPendingOut, .both: false
        }
    }

    /// What a contact list shows: `none`, `to`, `from` or `both`.
    ///
    /// Source: RFC 6121 §2.1.2.5.
    package var word: String {
        switch (seesContact, isSeenByContact) {
        case (false, false): "none"
        case (true, false): "to"
        case (false, true): "from"
        case (true, true): "both"
        }
    }
}
