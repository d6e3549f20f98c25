/// A home user's account on an instance's network.
package struct AccountRecord: Hashable, Sendable {
    /// The home user's address.
    package var user: String
    /// What the network calls the user.
    package var name: String

    package init(user: String, name: String) {
        self.user = user
        self.name = name
    }
}

/// What becomes of an instance's accounts.
package enum AccountNews: Sendable {
    /// All that there are; first, and once.
    case list([AccountRecord])
    case linked(AccountRecord)
    /// It has another password.
    case changed(AccountRecord)
    case unlinked(AccountRecord)
    /// They cannot be read, and nothing follows; the reason.
    case failed(String)
}

/// Why there is no password.
package enum AccountError: Error, Hashable, Sendable {
    /// The account is not linked to this user.
    case notLinked
    /// It cannot be read; the reason.
    case failed(String)
}

/// Where the accounts of all instances are kept.
///
/// Any thread; answers come on any thread.
package protocol AccountSource: Sendable {
    /// Says which accounts an instance has, and then what becomes of them, in order.
    ///
    /// - Parameter told: answers whether it wants to hear more.
    func follow(_ instance: String, _ told: @escaping @Sendable (AccountNews) -> Bool)

    /// Gives an account's password; `then` is called once.
    func password(
        of account: AccountRecord,
        at instance: String,
        then: @escaping @Sendable (Result<[UInt8], AccountError>) -> Void
    )
}
