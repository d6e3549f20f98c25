internal import CPlugboard

/// A home user's account on the network of an instance.
///
/// One that is unlinked and linked again is another one.
public struct LinkedAccount: Hashable, Sendable {
    let handle: plugboard_account_t
    /// Whose it is.
    public let user: Address
    /// What the network calls the user.
    public let name: String
}

/// What hears of an instance's accounts.
public protocol AccountReceiver: AnyObject {
    /// Accounts are linked, up to 256 at a time.
    ///
    /// - Parameter isListed: whether these end the list of those that there were when ``LinkedAccounts/follow(_:)`` was
    ///   called.
    func linked(_ accounts: [LinkedAccount], isListed: Bool)

    /// An account has another password.
    func passwordChanged(of account: LinkedAccount)

    /// An account is linked no longer: sign off.
    func unlinked(_ account: LinkedAccount)
}

/// The home users' accounts on the network of an instance, as its operator has linked them.
public struct LinkedAccounts {
    let host: Host

    /// Asks for the accounts that there are, and for all that becomes of them later.
    ///
    /// They come after the present call, in parts, and changes after them.
    ///
    /// - Parameter receiver: kept until the instance ends.
    /// - Throws: ``HostError/badState`` (it was called before), ``HostError/unsupported``, ``HostError/shuttingDown``.
    public func follow(_ receiver: any AccountReceiver) throws(HostError) {
        guard let table = host.accountTable else { throw .unsupported }
        try HostError.check(table.follow(host.context))
        host.pending.accounts.receiver = receiver
    }

    /// Asks for an account's password; keep it no longer than the sign-on needs it.
    ///
    /// - Parameter then: called once, later, unless the instance ends; a failure is ``HostError/unknownHandle`` (the
    ///   account was unlinked meanwhile) or ``HostError/system`` (the vault does not open it).
    /// - Throws: ``HostError/unknownHandle``, ``HostError/limitReached`` (256 requests without an answer),
    ///   ``HostError/unsupported``, ``HostError/shuttingDown``.
    public func password(
        of account: LinkedAccount,
        then: @escaping (Result<[UInt8], HostError>) -> Void
    ) throws(HostError) {
        guard let table = host.accountTable else { throw .unsupported }
        var request: plugboard_account_request_t = 0
        try HostError.check(table.password(host.context, account.handle, nil, &request))
        host.pending.accounts.passwords[request] = then
    }
}

/// Who waits to hear of accounts.
struct PendingAccounts {
    var receiver: (any AccountReceiver)?
    var known: [plugboard_account_t: LinkedAccount] = [:]
    var passwords: [plugboard_account_request_t: (Result<[UInt8], HostError>) -> Void] = [:]
}

extension Host {
    /// The home users' accounts on this instance's network.
    public var accounts: LinkedAccounts { LinkedAccounts(host: self) }

    var accountTable: plugboard_accounts_t? { extensionTable(PLUGBOARD_EXT_ACCOUNTS, as: plugboard_accounts_t.self) }

    func linked(_ accounts: [plugboard_linked_account_t], _ flags: UInt32) {
        let copies = accounts.compactMap { source in
            Address(source.user.string).map {
                LinkedAccount(handle: source.account, user: $0, name: source.name.string)
            }
        }
        for account in copies { pending.accounts.known[account.handle] = account }
        pending.accounts.receiver?.linked(copies, isListed: flags & PLUGBOARD_ACCOUNTS_LISTED != 0)
    }

    func passwordChanged(_ handle: plugboard_account_t) {
        guard let account = pending.accounts.known[handle] else { return }
        pending.accounts.receiver?.passwordChanged(of: account)
    }

    func unlinked(_ handle: plugboard_account_t) {
        guard let account = pending.accounts.known.removeValue(forKey: handle) else { return }
        pending.accounts.receiver?.unlinked(account)
    }

    func password(_ request: UInt64, _ status: plugboard_status_t, _ credentials: plugboard_credentials_t?) {
        guard let then = pending.accounts.passwords.removeValue(forKey: request) else { return }
        guard status >= 0, let password = credentials?.password else { return then(.failure(HostError(status))) }
        then(.success(Array(UnsafeBufferPointer(start: password.start, count: password.count))))
    }
}

extension InstanceBox {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let accountsTable = immortal(
        plugboard_accounts_events_t(
            struct_size: structSize(plugboard_accounts_events_t.self),
            reserved: 0,
            linked: { InstanceBox.hostOf($0).linked(elements($1, $2), $3) },
            changed: { InstanceBox.hostOf($0).passwordChanged($1) },
            unlinked: { InstanceBox.hostOf($0).unlinked($1) },
            password: { InstanceBox.hostOf($0).password($1, $3, $4?.pointee) }
        )
    )
}
