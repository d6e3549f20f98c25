package import IMModel

/// Why the directory does not do what was asked.
///
/// None holds a password, or what people say of themselves.
package enum DirectoryError: Error, Hashable, Sendable {
    /// The file cannot be opened, read or written.
    case file(path: String, reason: String)
    /// The owner's list has as many contacts as it may.
    case tooManyContacts(owner: Address, limit: Int)
    /// As many people as may already wait for the owner's answer.
    case tooManyRequests(owner: Address, limit: Int)
    /// All lists together are full.
    case directoryFull(limit: Int)
    /// A contact's name is too long.
    case nameTooLong(bytes: Int, limit: Int)
    /// A contact is in too many groups.
    case tooManyGroups(Int, limit: Int)
    /// A group's name is empty or too long.
    case badGroupName(bytes: Int, limit: Int)
    /// A group's name is there twice.
    case groupTwice(String)
    /// The contact is not on the owner's list.
    case noContact(Address, owner: Address)
    /// Nobody of this address has asked the owner.
    case noRequest(Address, owner: Address)
    /// People do not subscribe to themselves.
    case oneself(Address)
    /// A status text is too long.
    case statusTooLong(bytes: Int, limit: Int)
    /// A device's name is too long.
    case deviceTooLong(bytes: Int, limit: Int)
    /// A user has presence on as many devices as they may.
    case tooManyDevices(user: Address, limit: Int)
    /// The name of a provider or account is empty, too long, or not plain text.
    case badAccount(bytes: Int, limit: Int)
    /// A user has as many linked accounts as they may.
    case tooManyAccounts(user: Address, limit: Int)
    /// A provider has as many linked accounts as it may.
    case tooManyProviderAccounts(provider: String, limit: Int)
    /// A password is empty or too long.
    case badPassword(bytes: Int, limit: Int)
    /// The account is linked already, to somebody else.
    case accountTaken(provider: String, account: String)
    /// The user has no such account.
    case noAccount(provider: String, account: String, user: Address)
    /// There is no vault to keep a password in.
    case noVault
    /// The vault did not do it; the reason.
    case vault(String)
}

extension DirectoryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file(let path, let reason):
            "the directory \(path) cannot be used: \(reason); check the file and its folder"
        case .tooManyContacts(let owner, let limit):
            "\(owner) has \(limit) contacts, and may have no more: remove some"
        case .tooManyRequests(let owner, let limit):
            "\(limit) people wait for an answer of \(owner) already: approve or deny some"
        case .directoryFull(let limit):
            "all contact lists together have \(limit) entries, and may have no more: remove some"
        case .nameTooLong(let bytes, let limit): "a contact's name has up to \(limit) bytes, not \(bytes)"
        case .tooManyGroups(let count, let limit): "a contact is in up to \(limit) groups, not \(count)"
        case .badGroupName(let bytes, let limit): "a group's name has 1 to \(limit) bytes, not \(bytes)"
        case .groupTwice(let name): "the group '\(name)' is there twice: name each group once"
        case .noContact(let contact, let owner): "\(contact) is not on the contact list of \(owner)"
        case .noRequest(let contact, let owner): "\(contact) has not asked to see the presence of \(owner)"
        case .oneself(let address): "\(address) cannot be a contact of their own"
        case .statusTooLong(let bytes, let limit): "a status text has up to \(limit) bytes, not \(bytes)"
        case .deviceTooLong(let bytes, let limit): "a device's name has up to \(limit) bytes, not \(bytes)"
        case .tooManyDevices(let user, let limit):
            "\(user) has presence on \(limit) devices, and may have it on no more: set one of them offline"
        case .badAccount(let bytes, let limit):
            "the name of a provider or account is plain text of 1 to \(limit) bytes, not \(bytes)"
        case .tooManyAccounts(let user, let limit): "\(user) has \(limit) linked accounts already: unlink one"
        case .tooManyProviderAccounts(let provider, let limit):
            "\(provider) has \(limit) linked accounts already: configure a second provider for more"
        case .badPassword(let bytes, let limit): "a password has 1 to \(limit) bytes, not \(bytes)"
        case .accountTaken(let provider, let account):
            "the account \(account) of \(provider) is linked to another user: unlink it there first"
        case .noAccount(let provider, let account, let user): "\(user) has no account \(account) of \(provider)"
        case .noVault: "a password needs the vault: set vault.key in the configuration"
        case .vault(let reason): "the vault did not keep or give the password: \(reason)"
        }
    }
}
