package import IMModel

/// The home users' contact lists, as far as policy asks.
///
/// Any thread; asked only where a rule depends on it, so it may take a lock but not wait.
package protocol ContactList: Sendable {
    /// Whether a home user has put an address on their list.
    func hasAdded(owner: Address, contact: Address) -> Bool
}

/// A contact list that a function answers for.
package struct ContactLookup: ContactList {
    private let isAdded: @Sendable (Address, Address) -> Bool

    /// - Parameter isAdded: is given the owner and the contact.
    package init(_ isAdded: @escaping @Sendable (Address, Address) -> Bool) {
        self.isAdded = isAdded
    }

    package func hasAdded(owner: Address, contact: Address) -> Bool { isAdded(owner, contact) }
}
