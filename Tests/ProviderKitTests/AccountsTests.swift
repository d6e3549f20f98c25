import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Linked accounts in Swift")
struct AccountsTests {
    private final class Ear: AccountReceiver {
        var events: [String] = []
        var accounts: [LinkedAccount] = []

        func linked(_ accounts: [LinkedAccount], isListed: Bool) {
            self.accounts += accounts
            events.append("linked \(accounts.map { "\($0.user) \($0.name)" }) \(isListed)")
        }

        func passwordChanged(of account: LinkedAccount) { events.append("changed \(account.name)") }
        func unlinked(_ account: LinkedAccount) { events.append("unlinked \(account.name)") }
    }

    private func lab() -> Lab {
        let lab = Lab()
        lab.fake.extensions[PLUGBOARD_EXT_ACCOUNTS] = UnsafeRawPointer(FakeAccounts.table)
        return lab
    }

    @Test("what becomes of accounts is heard as long as they are linked")
    func following() throws {
        let lab = lab()
        let ear = Ear()
        try lab.host.accounts.follow(ear)
        FakeAccounts.linked(lab.fake, [(1, "alice@home.example", "alice99"), (2, "bob@home.example", "b")], 1)
        FakeAccounts.linked(lab.fake, [], 0)
        for handle in [2 as UInt64, 3] { FakeAccounts.events(lab.fake) { $0.changed($1, handle) } }
        for _ in 0..<2 { FakeAccounts.events(lab.fake) { $0.unlinked($1, 2) } }
        #expect(
            ear.events == [
                "linked [\"alice@home.example alice99\", \"bob@home.example b\"] true", "linked [] false", "changed b",
                "unlinked b",
            ]
        )
        #expect(lab.fake.calls == ["follow"])
    }

    @Test("a password comes once, to the one who asked")
    func passwords() throws {
        let lab = lab()
        let ear = Ear()
        try lab.host.accounts.follow(ear)
        FakeAccounts.linked(lab.fake, [(9, "alice@home.example", "a")], 1)
        let account = try #require(ear.accounts.first)
        var answers: [Result<[UInt8], HostError>] = []
        for _ in 0..<3 { try lab.host.accounts.password(of: account) { answers.append($0) } }
        FakeAccounts.password(lab.fake, 2, PLUGBOARD_OK, "pass")
        FakeAccounts.password(lab.fake, 2, PLUGBOARD_OK, "again")
        FakeAccounts.password(lab.fake, 1, PLUGBOARD_E_HANDLE, nil)
        FakeAccounts.password(lab.fake, 3, PLUGBOARD_E_SYSTEM, nil)
        #expect(answers == [.success(Array("pass".utf8)), .failure(.unknownHandle), .failure(.system)])
        #expect(lab.fake.calls == ["follow", "password 9", "password 9", "password 9"])
    }

    @Test("a refusal is told, and a host without accounts says so")
    func refusals() throws {
        let lab = lab()
        lab.fake.status = PLUGBOARD_E_STATE
        #expect(throws: HostError.badState) { try lab.host.accounts.follow(Ear()) }
        lab.fake.status = PLUGBOARD_OK
        lab.fake.extensions = [:]
        #expect(throws: HostError.unsupported) { try lab.host.accounts.follow(Ear()) }
    }
}

/// A host's accounts that note what they are asked.
enum FakeAccounts {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = InstanceBox.immortal(
        plugboard_accounts_t(
            struct_size: structSize(plugboard_accounts_t.self),
            reserved: 0,
            follow: { FakeHost.from($0).noted("follow") },
            password: { context, account, _, request in
                let host = FakeHost.from(context)
                request?.pointee = host.newHandle()
                return host.noted("password \(account)")
            }
        )
    )

    static func events(_ host: FakeHost, _ body: (plugboard_accounts_events_t, UnsafeMutableRawPointer?) -> Void) {
        host.events(PLUGBOARD_EXT_ACCOUNTS, plugboard_accounts_events_t.self, body)
    }

    static func linked(_ host: FakeHost, _ accounts: [(UInt64, String, String)], _ flags: UInt32) {
        var strings = StringBlock()
        for (_, user, name) in accounts {
            strings.append(user)
            strings.append(name)
        }
        strings.withSpans { spans in
            let infos = accounts.indices.map { index in
                plugboard_linked_account_t(
                    struct_size: structSize(plugboard_linked_account_t.self),
                    reserved: 0,
                    account: accounts[index].0,
                    user: spans[2 * index],
                    name: spans[2 * index + 1]
                )
            }
            events(host) { $0.linked($1, infos, infos.count, flags) }
        }
    }

    static func password(_ host: FakeHost, _ request: UInt64, _ status: plugboard_status_t, _ password: String?) {
        withBytes(password ?? "") { bytes in
            var credentials = plugboard_credentials_t()
            credentials.struct_size = structSize(plugboard_credentials_t.self)
            credentials.password = bytes
            withUnsafePointer(to: credentials) { credentials in
                events(host) { $0.password($1, request, nil, status, password == nil ? nil : credentials) }
            }
        }
    }
}
