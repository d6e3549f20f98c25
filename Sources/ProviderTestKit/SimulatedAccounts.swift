internal import CPlugboard
public import ProviderKit

/// The extension `plugboard.accounts/1` of simulated hosts.
///
/// Accounts are the simulation's, by the instance's name, so that a later instance of that name finds them.
enum SimulatedAccounts {
    /// One account, as an operator has linked it.
    struct Account {
        var user: Address
        var name: String
        var password: [UInt8]
    }

    /// The most accounts that are told at once.
    static let partMax = 256
    /// Requests without an answer.
    static let pendingMax = 256

    static var table: plugboard_accounts_t {
        plugboard_accounts_t(
            struct_size: structSize(plugboard_accounts_t.self),
            reserved: 0,
            follow: { context in
                guard let instance = HostTable.enter(context, "accounts.follow", .beginning) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                return instance.followAccounts()
            },
            password: { context, account, user, request in
                guard let instance = HostTable.enter(context, "accounts.password", .beginning) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                guard instance.accountEvents != nil else { return PLUGBOARD_E_UNSUPPORTED }
                guard let request else { return PLUGBOARD_E_INVALID }
                return instance.askPassword(of: account, user, request)
            }
        )
    }
}

extension SimulatedInstance {
    // MARK: What an operator does

    /// Links an account to a home user; one that is linked gets the password.
    ///
    /// The instance hears of it after what it was told before.
    public func link(_ name: String, to user: Address, password: String) {
        var accounts = simulation.accounts[id] ?? []
        let account = SimulatedAccounts.Account(user: user, name: name, password: Array(password.utf8))
        if let place = accounts.firstIndex(where: { $0.name == name }) {
            precondition(accounts[place].user == user, "\(name) is linked to \(accounts[place].user)")
            accounts[place] = account
            simulation.accounts[id] = accounts
            tellLater { [weak self] in self?.tellChanged(name) }
        } else {
            simulation.accounts[id] = accounts + [account]
            tellLater { [weak self] in self?.tell([account], isListed: false) }
        }
    }

    /// Ends an account's link.
    public func unlink(_ name: String) {
        simulation.accounts[id]?.removeAll { $0.name == name }
        tellLater { [weak self] in self?.tellUnlinked(name) }
    }

    /// Has something told once what it waits for was told: one thing after the other, as by the real host.
    private func tellLater(_ body: @escaping () -> Void) {
        guard isFollowingAccounts else { return }
        let delay = simulation.random.pick(simulation.router.answerAfter)
        accountNewsAt = max(accountNewsAt, simulation.nowNs + delay)
        simulation.post(after: accountNewsAt - simulation.nowNs, body)
    }

    // MARK: Calls

    func followAccounts() -> plugboard_status_t {
        guard accountEvents != nil else { return PLUGBOARD_E_UNSUPPORTED }
        guard !isFollowingAccounts else { return PLUGBOARD_E_STATE }
        isFollowingAccounts = true
        simulation.note(.accountsFollowed, self)
        let list = (simulation.accounts[id] ?? []).sorted { $0.name < $1.name }
        tellLater { [weak self] in
            var rest = list[...]
            repeat {
                self?.tell(
                    Array(rest.prefix(SimulatedAccounts.partMax)),
                    isListed: rest.count <= SimulatedAccounts.partMax
                )
                rest = rest.dropFirst(SimulatedAccounts.partMax)
            } while !rest.isEmpty
        }
        return PLUGBOARD_OK
    }

    func askPassword(
        of account: plugboard_account_t,
        _ user: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<plugboard_account_request_t>
    ) -> plugboard_status_t {
        guard let name = accountNames[account] else {
            if issued[account] != .account { unknown(account, "accounts.password") }
            return PLUGBOARD_E_HANDLE
        }
        guard accountRequests < SimulatedAccounts.pendingMax else { return PLUGBOARD_E_LIMIT }
        accountRequests += 1
        let request = newHandle(.accountRequest)
        result.pointee = request
        simulation.note(.passwordAsked, self, request)
        let password = simulation.accounts[id]?.first { $0.name == name }?.password
        simulation.post(after: simulation.random.pick(simulation.router.answerAfter)) { [weak self] in
            guard let self else { return }
            accountRequests -= 1
            tellPassword(request, user, accountNames[account] == nil ? nil : password)
        }
        return PLUGBOARD_OK
    }

    // MARK: Events

    private func tell(_ accounts: [SimulatedAccounts.Account], isListed: Bool) {
        guard isActive, let linked = accountEvents?.linked else { return }
        simulation.note(.accountsLinked, self, UInt64(accounts.count), isListed ? 1 : 0)
        let handles = accounts.map { account in
            let handle = newHandle(.account)
            accountNames[handle] = account.name
            return handle
        }
        lending(accounts.flatMap { [$0.user.description, $0.name] }) { spans in
            let infos = accounts.indices.map { index in
                plugboard_linked_account_t(
                    struct_size: structSize(plugboard_linked_account_t.self),
                    reserved: 0,
                    account: handles[index],
                    user: spans[2 * index],
                    name: spans[2 * index + 1]
                )
            }
            infos.withUnsafeBufferPointer { infos in
                call { linked($1, infos.baseAddress, infos.count, isListed ? PLUGBOARD_ACCOUNTS_LISTED : 0) }
            }
        }
    }

    private func tellChanged(_ name: String) {
        guard isActive, let changed = accountEvents?.changed, let handle = accountHandle(name) else { return }
        simulation.note(.accountChanged, self, handle)
        call { changed($1, handle) }
    }

    private func tellUnlinked(_ name: String) {
        guard isActive, let unlinked = accountEvents?.unlinked, let handle = accountHandle(name) else { return }
        accountNames[handle] = nil
        simulation.note(.accountUnlinked, self, handle)
        call { unlinked($1, handle) }
    }

    private func tellPassword(_ request: UInt64, _ user: UnsafeMutableRawPointer?, _ password: [UInt8]?) {
        guard isActive, let answer = accountEvents?.password else { return }
        simulation.note(.passwordTold, self, request)
        guard let password else { return call { answer($1, request, user, PLUGBOARD_E_HANDLE, nil) } }
        password.withUnsafeBufferPointer { bytes in
            var credentials = plugboard_credentials_t()
            credentials.struct_size = structSize(plugboard_credentials_t.self)
            credentials.password = plugboard_bytes_t(start: bytes.baseAddress, count: bytes.count)
            withUnsafePointer(to: credentials) { credentials in
                call { answer($1, request, user, PLUGBOARD_OK, credentials) }
            }
        }
    }

    private func accountHandle(_ name: String) -> plugboard_account_t? {
        accountNames.first { $0.value == name }?.key
    }
}
