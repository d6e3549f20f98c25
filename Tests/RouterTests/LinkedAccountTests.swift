import Directory
import Foundation
import IMModel
import ProviderKit
import Testing

@testable import Router

/// An operator's linking of accounts, as a provider hears of it.
@Suite("Linked accounts of a provider", .timeLimit(.minutes(1)))
struct LinkedAccountTests {
    @Test("A provider hears of the accounts under its name, and is given their passwords")
    func provider() async throws {
        let alice = try #require(Address("alice@home.example"))
        let folder = try TemporaryFolder()
        try Data(repeating: 0x61, count: 64).write(to: URL(filePath: "\(folder.path)/vault.key"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder.path)/vault.key")
        var setup = Setup()
        setup.topLevel = "vault: {key: \"file:\(folder.path)/vault.key\"}"
        let heard = Recorder<String>()
        let (one, two) = (Script("one", claims: []), Script("two", claims: []))
        one.onStart = { provider in
            let receiver = Receiver(heard, provider.host)
            // A refusal is missed below.
            try? provider.host.accounts.follow(receiver)
        }
        try await Rig.with(setup, [one, two], in: folder) { rig in
            try await heard.first { $0 == "linked  true" }
            for provider in ["two", "one"] {
                let account = Directory.LinkedAccount(user: alice, provider: provider, account: "al", linked: 1)
                try await rig.router.accounts(of: alice) { accounts throws(DirectoryError) in
                    try accounts.link(account, password: Array("pass of \(provider)".utf8))
                }
            }
            try await heard.first { $0 == "pass of one" }
            try await rig.router.accounts(of: alice) { accounts throws(DirectoryError) in
                try accounts.unlink(user: alice, provider: "one", account: "al")
            }
            try await heard.first { $0 == "unlinked al" }
            #expect(
                heard.all == ["linked  true", "linked alice@home.example al false", "pass of one", "unlinked al"]
            )
            #expect(rig.log.lines.all.allSatisfy { !$0.contains("pass of one") })
        }
    }

    /// Asks for each account's password.
    private final class Receiver: AccountReceiver {
        let heard: Recorder<String>
        let host: ProviderKit.Host

        init(_ heard: Recorder<String>, _ host: ProviderKit.Host) {
            self.heard = heard
            self.host = host
        }

        func linked(_ accounts: [ProviderKit.LinkedAccount], isListed: Bool) {
            heard.append("linked \(accounts.map { "\($0.user) \($0.name)" }.joined(separator: ",")) \(isListed)")
            for account in accounts {
                try? host.accounts.password(of: account) { [heard] result in
                    heard.append((try? result.get()).map { String(decoding: $0, as: UTF8.self) } ?? "\(result)")
                }
            }
        }

        func passwordChanged(of account: ProviderKit.LinkedAccount) { heard.append("changed \(account.name)") }
        func unlinked(_ account: ProviderKit.LinkedAccount) { heard.append("unlinked \(account.name)") }
    }
}
