internal import GRDB
package import IMModel
internal import NIOConcurrencyHelpers
package import Vault

/// A home user's login on a public network; never its password.
package struct LinkedAccount: Hashable, Sendable {
    /// Whose it is.
    package var user: Address
    /// The provider's name in the configuration.
    package var provider: String
    /// What the network calls the user.
    package var account: String
    /// When it was linked, in ms since 1970.
    package var linked: Int64

    package init(user: Address, provider: String, account: String, linked: Int64) {
        self.user = user
        self.provider = provider
        self.account = account
        self.linked = linked
    }
}

/// Which home user has which accounts on public networks, with their passwords in the vault.
///
/// Any thread; changes take turns, and are on disk when they return. One account belongs to one user. A password is kept
/// under the provider's and the account's name in the name space ``space``; nothing here shows it but ``password(of:)``.
package final class LinkedAccounts: Sendable {
    /// The vault's name space.
    ///
    /// It is no name that a provider's instance can have.
    package static let space = "directory/accounts"
    /// The most accounts of one user.
    package static let accountsMax = 32
    /// The most accounts of one provider.
    package static let providerAccountsMax = 10_000
    /// The longest name of a provider or account, in bytes.
    package static let nameBytesMax = 255
    /// The longest password, in bytes.
    package static let passwordBytesMax = 4096

    private let file: DirectoryFile
    private let vault: SecretVault?
    private let providerAccountsMax: Int
    /// Changes take turns, so that followers hear of them in order.
    private let turns = NIOLock()
    /// Those who hear of a provider's accounts, by its name.
    private let followers = NIOLockedValueBox<[String: [@Sendable (News) -> Bool]]>([:])

    /// What becomes of one provider's accounts.
    package enum News: Hashable, Sendable {
        /// All that there are, in the order of accounts; first, and once.
        case list([LinkedAccount])
        case linked(LinkedAccount)
        /// It has another password.
        case changed(LinkedAccount)
        case unlinked(LinkedAccount)
    }

    /// - Parameter vault: nil: there is none, and nothing can be linked.
    package init(_ file: DirectoryFile, vault: SecretVault?, providerAccountsMax: Int = providerAccountsMax) {
        self.file = file
        self.vault = vault
        self.providerAccountsMax = providerAccountsMax
    }

    /// Links an account to a user; one that is the user's already gets the new password.
    ///
    /// The password is in the vault before the account is in the directory: a crash between the two leaves a password that
    /// the next link of that account replaces.
    package func link(_ account: LinkedAccount, password: [UInt8]) throws(DirectoryError) {
        try Self.check(account.provider)
        try Self.check(account.account)
        guard (1...Self.passwordBytesMax).contains(password.count) else {
            throw .badPassword(bytes: password.count, limit: Self.passwordBytesMax)
        }
        guard let vault else { throw .noVault }
        turns.lock()
        defer { turns.unlock() }
        // In the file's turn, so that two who link one account do not swap passwords.
        let isNew = try file.write { db in
            let owner = try String.fetchOne(
                db,
                sql: "SELECT user FROM accounts WHERE provider = ? AND account = ?",
                arguments: [account.provider, account.account]
            )
            guard owner == nil || owner == account.user.description else {
                throw DirectoryError.accountTaken(provider: account.provider, account: account.account)
            }
            let count =
                try Int.fetchOne(
                    db,
                    sql: "SELECT COUNT(*) FROM accounts WHERE user = ?",
                    arguments: [account.user.description]
                ) ?? 0
            guard owner != nil || count < Self.accountsMax else {
                throw DirectoryError.tooManyAccounts(user: account.user, limit: Self.accountsMax)
            }
            let atProvider =
                try Int.fetchOne(
                    db,
                    sql: "SELECT COUNT(*) FROM accounts WHERE provider = ?",
                    arguments: [account.provider]
                ) ?? 0
            guard owner != nil || atProvider < providerAccountsMax else {
                throw DirectoryError.tooManyProviderAccounts(provider: account.provider, limit: providerAccountsMax)
            }
            try Self.perform(.put(key: Self.key(account), value: password, condition: .none), vault)
            try db.execute(
                sql: "INSERT OR REPLACE INTO accounts (provider, account, user, linked) VALUES (?, ?, ?, ?)",
                arguments: [account.provider, account.account, account.user.description, account.linked]
            )
            return owner == nil
        }
        tell(account.provider, isNew ? .linked(account) : .changed(account))
    }

    /// Ends a link, and removes the password.
    package func unlink(user: Address, provider: String, account: String) throws(DirectoryError) {
        turns.lock()
        defer { turns.unlock() }
        let removed = LinkedAccount(user: user, provider: provider, account: account, linked: 0)
        try file.write { db in
            try db.execute(
                sql: "DELETE FROM accounts WHERE provider = ? AND account = ? AND user = ?",
                arguments: [provider, account, user.description]
            )
            guard db.changesCount == 1 else {
                throw DirectoryError.noAccount(provider: provider, account: account, user: user)
            }
            // Without a vault there is no password that could be used either.
            if let vault { try Self.perform(.remove(key: Self.key(removed)), vault) }
        }
        tell(provider, .unlinked(removed))
    }

    // MARK: Following

    /// Says which accounts a provider has, and then what becomes of them, in order.
    ///
    /// - Parameter told: called before this returns, and later on any thread, in which it must not come back here; answers
    ///   whether it wants to hear more.
    package func follow(_ provider: String, _ told: @escaping @Sendable (News) -> Bool) throws(DirectoryError) {
        turns.lock()
        defer { turns.unlock() }
        let present = try accounts(at: provider)
        followers.withLockedValue { if told(.list(present)) { $0[provider, default: []].append(told) } }
    }

    private func tell(_ provider: String, _ news: News) {
        followers.withLockedValue { followers in followers[provider]?.removeAll { !$0(news) } }
    }

    // MARK: Reading

    /// A user's accounts, in the order of providers and accounts.
    package func accounts(of user: Address) throws(DirectoryError) -> [LinkedAccount] {
        try list("user = ?", user.description)
    }

    /// A provider's accounts, in the order of accounts.
    package func accounts(at provider: String) throws(DirectoryError) -> [LinkedAccount] {
        try list("provider = ?", provider)
    }

    /// Whose an account is; nil: nobody's.
    package func owner(provider: String, account: String) throws(DirectoryError) -> Address? {
        try file.read { db in
            try String.fetchOne(
                db,
                sql: "SELECT user FROM accounts WHERE provider = ? AND account = ?",
                arguments: [provider, account]
            ).map { try file.address($0) }
        }
    }

    /// The password of an account: for its provider, and nobody else.
    ///
    /// - Throws: ``DirectoryError/noAccount(provider:account:user:)``, ``DirectoryError/vault(_:)`` and others.
    package func password(of account: LinkedAccount) throws(DirectoryError) -> [UInt8] {
        guard let vault else { throw .noVault }
        guard try owner(provider: account.provider, account: account.account) == account.user,
            case .value(let password?) = try Self.perform(.get(key: Self.key(account)), vault)
        else { throw .noAccount(provider: account.provider, account: account.account, user: account.user) }
        return password
    }

    // MARK: Helpers

    private func list(_ condition: String, _ value: String) throws(DirectoryError) -> [LinkedAccount] {
        try file.read { db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT user, provider, account, linked FROM accounts WHERE \(condition) ORDER BY provider, account",
                arguments: [value]
            ).map { row in
                LinkedAccount(user: try file.address(row[0]), provider: row[1], account: row[2], linked: row[3])
            }
        }
    }

    private static func check(_ name: String) throws(DirectoryError) {
        let isPlain = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard (1...nameBytesMax).contains(name.utf8.count), isPlain else {
            throw .badAccount(bytes: name.utf8.count, limit: nameBytesMax)
        }
    }

    /// No name has a line break, so it separates.
    private static func key(_ account: LinkedAccount) -> [UInt8] {
        Array("\(account.provider)\n\(account.account)".utf8)
    }

    @discardableResult
    private static func perform(_ operation: StoreOperation, _ vault: SecretVault) throws(DirectoryError) -> StoreAnswer
    {
        do throws(StoreError) {
            return try vault.performNow(operation, in: space)
        } catch {
            throw .vault("\(error)")
        }
    }
}
