internal import CPlugboard
package import HostServices
internal import Logging
internal import Telemetry

// What becomes of accounts, turned into calls of the provider's table of `plugboard.accounts/1`.

extension Instance: AccountDelegate {
    package func linked(_ accounts: [(handle: AccountHandle, record: AccountRecord)], isListed: Bool) {
        tellAccounts { events in
            withByteRuns(accounts.flatMap { [Array($0.record.user.utf8), Array($0.record.name.utf8)] }) { runs in
                let infos = accounts.indices.map { index in
                    plugboard_linked_account_t(
                        struct_size: UInt32(MemoryLayout<plugboard_linked_account_t>.size),
                        reserved: 0,
                        account: accounts[index].handle.rawValue,
                        user: runs[2 * index],
                        name: runs[2 * index + 1]
                    )
                }
                infos.withUnsafeBufferPointer {
                    events.linked(calls.pointer, $0.baseAddress, $0.count, isListed ? PLUGBOARD_ACCOUNTS_LISTED : 0)
                }
            }
        }
    }

    package func changed(_ account: AccountHandle) {
        tellAccounts { $0.changed(calls.pointer, account.rawValue) }
    }

    package func unlinked(_ account: AccountHandle) {
        tellAccounts { $0.unlinked(calls.pointer, account.rawValue) }
    }

    package func accountsFailed(_ reason: String) {
        logger.log(.error, "the linked accounts cannot be read: none is signed on", [.reason: reason])
    }

    package func password(_ request: AccountRequestHandle, _ result: Result<[UInt8], AccountError>) {
        let user = extras.accounts.users.removeValue(forKey: request)
        tellAccounts { events in
            switch result {
            case .success(var password):
                password.withUnsafeMutableBufferPointer { bytes in
                    var credentials = plugboard_credentials_t()
                    credentials.struct_size = UInt32(MemoryLayout<plugboard_credentials_t>.size)
                    credentials.password = plugboard_bytes_t(start: bytes.baseAddress, count: bytes.count)
                    events.password(calls.pointer, request.rawValue, user, PLUGBOARD_OK, &credentials)
                    bytes.update(repeating: 0)
                }
            case .failure(.notLinked):
                events.password(calls.pointer, request.rawValue, user, PLUGBOARD_E_HANDLE, nil)
            case .failure(.failed(let reason)):
                logger.log(.error, "a linked account's password cannot be read", [.reason: reason])
                events.password(calls.pointer, request.rawValue, user, PLUGBOARD_E_SYSTEM, nil)
            }
        }
    }

    private func tellAccounts(_ body: (plugboard_accounts_events_t) -> Void) {
        guard isActive, let events = extras.accounts.events else { return }
        watch.enter(.accounts, index)
        defer { watch.leave() }
        body(events)
    }
}
