internal import CPlugboard
internal import HostServices

/// The host extension `plugboard.accounts/1`.
enum AccountsTable {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = HostExtensions.immortal(
        plugboard_accounts_t(
            struct_size: UInt32(MemoryLayout<plugboard_accounts_t>.size),
            reserved: 0,
            follow: { context in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                guard instance.extras.accounts.events != nil else { return PLUGBOARD_E_UNSUPPORTED }
                return HostTable.status { () throws(ServiceError) in try instance.extras.accounts.service.follow() }
            },
            password: { context, account, user, request in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                let accounts = instance.extras.accounts
                guard accounts.events != nil else { return PLUGBOARD_E_UNSUPPORTED }
                guard let request else { return PLUGBOARD_E_INVALID }
                return HostTable.status { () throws(ServiceError) in
                    let handle = try accounts.service.askPassword(of: AccountHandle(rawValue: account))
                    accounts.users[handle] = user
                    request.pointee = handle.rawValue
                }
            }
        )
    )
}

/// An instance's accounts, and who hears of them.
///
/// Worker's loop only.
final class PluginAccounts {
    let service: AccountService
    var events: plugboard_accounts_events_t?
    var users: [AccountRequestHandle: UnsafeMutableRawPointer] = [:]

    init(_ service: AccountService) {
        self.service = service
    }

    func closeAll() {
        service.closeAll()
        users = [:]
    }
}
