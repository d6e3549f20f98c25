import CPlugboard

/// Linked accounts: accounts are called `c1`, `c2`, and so on, questions for passwords `w1`, `w2`.
extension Probe {
    static func accountEvents() -> plugboard_accounts_events_t {
        var table = plugboard_accounts_events_t()
        table.struct_size = structSize(plugboard_accounts_events_t.self)
        table.linked = { pointer, accounts, count, flags in
            let probe = Probe.from(pointer)
            let texts = UnsafeBufferPointer(start: accounts, count: count).map {
                "\(probe.issue("c", $0.account)) \($0.user.text) \($0.name.text)"
            }
            probe.heard("accounts", "linked \(count) flags \(flags): \(texts.prefix(3).joined(separator: ", "))")
        }
        table.changed = { pointer, account in
            let probe = Probe.from(pointer)
            probe.heard("accounts", "changed \(probe.name("c", account))")
        }
        table.unlinked = { pointer, account in
            let probe = Probe.from(pointer)
            probe.heard("accounts", "unlinked \(probe.name("c", account))")
        }
        table.password = { pointer, request, user, status, credentials in
            let probe = Probe.from(pointer)
            let password = credentials?.pointee.password.text ?? "none"
            probe.heard(probe.name("w", request), "password \(Probe.text(user)) \(statusName(status)) \(password)")
        }
        return table
    }

    func followAccounts() {
        note("accounts.follow", withExtension(PLUGBOARD_EXT_ACCOUNTS, as: plugboard_accounts_t.self) { $0.follow($1) })
    }

    func askPassword(_ account: String) {
        var request: UInt64 = 0
        let status = withExtension(PLUGBOARD_EXT_ACCOUNTS, as: plugboard_accounts_t.self) {
            $0.password($1, handle(account), Probe.pointer("x"), &request)
        }
        note("accounts.password \(account) \(status == PLUGBOARD_OK ? issue("w", request) : "none")", status)
    }

    func change(_ changes: AccountChange...) { world.change(changes, of: self) }
}
