import Foundation
import IMModel
import Synchronization
import Testing
import Vault

@testable import Directory

@Suite("Linked accounts", .timeLimit(.minutes(1)))
struct LinkedAccountsTests {
    private let folder: DirectoryFolder
    private let file: DirectoryFile
    private let vault: SecretVault
    private let accounts: LinkedAccounts
    private let alice: Address
    private let bob: Address

    init() throws {
        folder = try DirectoryFolder()
        let keyFile = "\(folder.path)/vault.key"
        try Data(repeating: 0x61, count: 64).write(to: URL(filePath: keyFile))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile)
        file = try DirectoryFile(path: folder.file)
        vault = try SecretVault.open(path: "\(folder.path)/vault.db", source: .file(keyFile))
        accounts = LinkedAccounts(file, vault: vault)
        alice = try address("alice@home.example")
        bob = try address("bob@home.example")
    }

    private func account(_ name: String, of user: Address? = nil, at provider: String = "aol") -> LinkedAccount {
        LinkedAccount(user: user ?? alice, provider: provider, account: name, linked: 7)
    }

    @Test("A linked account is listed, and its password is in the vault and in no other file")
    func link() throws {
        let password = "correct horse battery"
        try accounts.link(account("alice1999"), password: Array(password.utf8))
        #expect(try accounts.accounts(of: alice) == [account("alice1999")])
        #expect(try accounts.accounts(at: "aol") == [account("alice1999")])
        #expect(try accounts.accounts(at: "yahoo").isEmpty)
        #expect(try accounts.owner(provider: "aol", account: "alice1999") == alice)
        #expect(try accounts.password(of: account("alice1999")) == Array(password.utf8))
        file.close()
        vault.close()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let data = try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)"))
            #expect(data.range(of: Data(password.utf8)) == nil, "\(name) holds the password")
        }
    }

    @Test("A second link of the user's own account is a new password")
    func relink() throws {
        try accounts.link(account("a"), password: [1])
        try accounts.link(account("a"), password: [2])
        #expect(try accounts.password(of: account("a")) == [2])
        #expect(try accounts.accounts(of: alice).count == 1)
    }

    @Test("An account is one user's: nobody else can link it, read its password or unlink it")
    func taken() throws {
        try accounts.link(account("a"), password: [1])
        #expect(throws: DirectoryError.accountTaken(provider: "aol", account: "a")) {
            try accounts.link(account("a", of: bob), password: [2])
        }
        let missing = DirectoryError.noAccount(provider: "aol", account: "a", user: bob)
        #expect(throws: missing) { try accounts.password(of: account("a", of: bob)) }
        #expect(throws: missing) { try accounts.unlink(user: bob, provider: "aol", account: "a") }
        #expect(try accounts.password(of: account("a")) == [1])
        // The same name at another provider is another account.
        try accounts.link(account("a", of: bob, at: "yahoo"), password: [3])
        #expect(try accounts.password(of: account("a")) == [1])
    }

    @Test("An unlinked account leaves no password")
    func unlink() throws {
        try accounts.link(account("a"), password: [1])
        try accounts.unlink(user: alice, provider: "aol", account: "a")
        #expect(try accounts.accounts(of: alice).isEmpty)
        #expect(throws: DirectoryError.noAccount(provider: "aol", account: "a", user: alice)) {
            try accounts.password(of: account("a"))
        }
        #expect(try SecretVault.summary(path: vault.path).names.isEmpty)
        try accounts.link(account("a", of: bob), password: [2])
        #expect(try accounts.owner(provider: "aol", account: "a") == bob)
    }

    @Test("Names, passwords and the number of accounts have limits")
    func limits() throws {
        let name = String(repeating: "n", count: 255)
        let password = [UInt8](repeating: 1, count: 4096)
        try accounts.link(account(name, at: name), password: password)
        #expect(try accounts.password(of: account(name, at: name)) == password)
        #expect(throws: DirectoryError.badPassword(bytes: 4097, limit: 4096)) {
            try accounts.link(account("a"), password: password + [1])
        }
        #expect(throws: DirectoryError.badPassword(bytes: 0, limit: 4096)) {
            try accounts.link(account("a"), password: [])
        }
        for bad in [name + "n", "", "a\nb"] {
            #expect(throws: DirectoryError.badAccount(bytes: bad.utf8.count, limit: 255)) {
                try accounts.link(account(bad), password: [1])
            }
            #expect(throws: DirectoryError.badAccount(bytes: bad.utf8.count, limit: 255)) {
                try accounts.link(account("a", at: bad), password: [1])
            }
        }
        for number in 2...32 { try accounts.link(account("a\(number)"), password: [1]) }
        #expect(throws: DirectoryError.tooManyAccounts(user: alice, limit: 32)) {
            try accounts.link(account("a33"), password: [1])
        }
        try accounts.link(account("a32"), password: [2])
        try accounts.link(account("b", of: bob), password: [1])
    }

    @Test("A provider has so many accounts and no more; those it has can get new passwords")
    func providerLimit() throws {
        let few = LinkedAccounts(file, vault: vault, providerAccountsMax: 2)
        try few.link(account("a"), password: [1])
        try few.link(account("b", of: bob), password: [1])
        #expect(throws: DirectoryError.tooManyProviderAccounts(provider: "aol", limit: 2)) {
            try few.link(account("c"), password: [1])
        }
        try few.link(account("a"), password: [2])
        try few.link(account("c", at: "yahoo"), password: [1])
        try few.unlink(user: alice, provider: "aol", account: "a")
        try few.link(account("c"), password: [1])
    }

    @Test("Who follows a provider's accounts hears of all that there are, then of changes, until it wants no more")
    func following() throws {
        try accounts.link(account("b"), password: [1])
        try accounts.link(account("a", of: bob), password: [1])
        try accounts.link(account("x", at: "yahoo"), password: [1])
        let heard = Heard()
        try accounts.follow("aol") { heard.note($0) }
        try accounts.link(account("c"), password: [1])
        try accounts.link(account("b"), password: [2])
        try accounts.unlink(user: bob, provider: "aol", account: "a")
        try accounts.unlink(user: alice, provider: "yahoo", account: "x")
        #expect(throws: DirectoryError.self) { try accounts.unlink(user: alice, provider: "aol", account: "a") }
        let gone = LinkedAccount(user: bob, provider: "aol", account: "a", linked: 0)
        let all: [LinkedAccounts.News] = [
            .list([account("a", of: bob), account("b")]), .linked(account("c")), .changed(account("b")),
            .unlinked(gone),
        ]
        #expect(heard.news == all)
        heard.stop()
        try accounts.link(account("d"), password: [1])
        try accounts.link(account("e"), password: [1])
        // It was told once more, answered that it wants no more, and heard nothing after that.
        #expect(heard.news == all + [.linked(account("d"))])
    }

    /// What a follower heard.
    private final class Heard: Sendable {
        private let state = Mutex<(news: [LinkedAccounts.News], wantsMore: Bool)>(([], true))

        var news: [LinkedAccounts.News] { state.withLock { $0.news } }
        func stop() { state.withLock { $0.wantsMore = false } }

        func note(_ news: LinkedAccounts.News) -> Bool {
            state.withLock {
                $0.news.append(news)
                return $0.wantsMore
            }
        }
    }

    @Test("Without a vault there is no place for a password")
    func noVault() throws {
        let without = LinkedAccounts(file, vault: nil)
        #expect(throws: DirectoryError.noVault) { try without.link(account("a"), password: [1]) }
        #expect(try without.accounts(of: alice).isEmpty)
    }
}
