import CPlugboard
import HostServices
import NIOConcurrencyHelpers
import Testing

@testable import PluginHost

@Suite("Linked accounts across the plugin ABI", .timeLimit(.minutes(1)))
struct AccountsTableTests {
    private func withStage(_ source: ScriptedAccounts, _ body: (Stage) async throws -> Void) async throws {
        try await Bench.with { bench in
            try await bench.withStage(
                prepare: { $0.events(AccountEvents.self) },
                services: { $0.accounts = source },
                body
            )
        }
    }

    @Test("a long list comes in parts, the last of which says so")
    func parts() async throws {
        let source = ScriptedAccounts()
        try await withStage(source) { stage in
            try await stage.on { #expect($0.provider.followAccounts() == PLUGBOARD_OK) }
            source.tell(.list((0..<600).map { AccountRecord(user: "u@home.example", name: "a\($0)") }))
            await stage.heard("linked", times: 3)
            let parts = try await stage.events.filter { $0.hasPrefix("linked") }
            #expect(parts.map { $0.split(separator: ":")[0] } == ["linked 256 0", "linked 256 0", "linked 88 1"])
            #expect(source.followed == ["raw-1"])
        }
    }

    @Test("a list of as many as one part holds is one part")
    func wholePart() async throws {
        let source = ScriptedAccounts()
        try await withStage(source) { stage in
            try await stage.on { #expect($0.provider.followAccounts() == PLUGBOARD_OK) }
            source.tell(.list((0..<256).map { AccountRecord(user: "u@home.example", name: "a\($0)") }))
            source.tell(.linked(AccountRecord(user: "u@home.example", name: "b")))
            await stage.heard("linked", times: 2)
            let parts = try await stage.events.filter { $0.hasPrefix("linked") }
            #expect(parts.map { $0.split(separator: ":")[0] } == ["linked 256 1", "linked 1 0"])
        }
    }

    @Test("a password that comes after the account was unlinked is not told")
    func unlinkedMeanwhile() async throws {
        let source = ScriptedAccounts()
        let record = AccountRecord(user: "u@home.example", name: "a")
        try await withStage(source) { stage in
            try await stage.on { #expect($0.provider.followAccounts() == PLUGBOARD_OK) }
            source.tell(.list([record]))
            await stage.heard("linked")
            try await stage.on { #expect($0.provider.askPassword() == PLUGBOARD_OK) }
            source.tell(.unlinked(record))
            source.tell(.linked(record))
            source.answer(.success(Array("secret".utf8)))
            await stage.heard("password")
            try await stage.on { stage in
                #expect(stage.provider.events.last == "password 48 \(PLUGBOARD_E_HANDLE) none")
                #expect(stage.provider.askPassword() == PLUGBOARD_OK)
            }
            source.answer(.failure(.failed("the vault is closed")))
            await stage.heard("password", times: 2)
            #expect(try await stage.events.last == "password 48 \(PLUGBOARD_E_SYSTEM) none")
            #expect(stage.bench.log.lines.contains { $0.contains("password cannot be read") })
            try await stage.on { #expect($0.provider.askPassword() == PLUGBOARD_OK) }
            source.answer(.success(Array("other".utf8)))
            await stage.heard("password", times: 3)
            #expect(try await stage.events.last == "password 48 0 other")
        }
    }

    @Test("after stop() nothing is heard, and the source is told so")
    func stopping() async throws {
        let source = ScriptedAccounts()
        try await withStage(source) { stage in
            try await stage.on { #expect($0.provider.followAccounts() == PLUGBOARD_OK) }
            source.tell(.list([]))
            await stage.heard("linked")
            try await stage.on { stage in
                stage.instance?.stop()
                #expect(stage.provider.followAccounts() == PLUGBOARD_E_SHUTDOWN)
            }
            #expect(!source.tell(.linked(AccountRecord(user: "u@home.example", name: "a"))))
            #expect(try await stage.events.last == "destroy")
        }
    }

    @Test("accounts that cannot be read are logged")
    func failure() async throws {
        let source = ScriptedAccounts()
        try await withStage(source) { stage in
            try await stage.on { #expect($0.provider.followAccounts() == PLUGBOARD_OK) }
            source.tell(.failed("the disk is gone"))
            source.tell(.linked(AccountRecord(user: "u@home.example", name: "a")))
            await stage.heard("linked")
            #expect(stage.bench.log.lines.contains { $0.contains("accounts cannot be read") })
        }
    }

    @Test("where there are no accounts, and without a table, they are not supported")
    func unsupported() async throws {
        try await Bench.with { bench in
            try await bench.withStage(prepare: { $0.events(AccountEvents.self) }) { (stage: Stage) async throws in
                try await stage.on { #expect($0.provider.followAccounts() == PLUGBOARD_E_UNSUPPORTED) }
            }
            try await bench.withStage(services: { $0.accounts = ScriptedAccounts() }) { (stage: Stage) async throws in
                try await stage.on { #expect($0.provider.followAccounts() == PLUGBOARD_E_UNSUPPORTED) }
            }
        }
    }
}

/// Accounts that a test tells of.
private final class ScriptedAccounts: AccountSource {
    private struct State {
        var followed: [String] = []
        var told: (@Sendable (AccountNews) -> Bool)?
        var asked: [@Sendable (Result<[UInt8], AccountError>) -> Void] = []
    }

    private let state = NIOLockedValueBox(State())

    var followed: [String] { state.withLockedValue { $0.followed } }

    func follow(_ instance: String, _ told: @escaping @Sendable (AccountNews) -> Bool) {
        state.withLockedValue {
            $0.followed.append(instance)
            $0.told = told
        }
    }

    func password(
        of account: AccountRecord,
        at instance: String,
        then: @escaping @Sendable (Result<[UInt8], AccountError>) -> Void
    ) {
        state.withLockedValue { $0.asked.append(then) }
    }

    @discardableResult
    func tell(_ news: AccountNews) -> Bool { state.withLockedValue { $0.told }?(news) ?? false }

    /// Answers the oldest question.
    func answer(_ result: Result<[UInt8], AccountError>) { state.withLockedValue { $0.asked.removeFirst() }(result) }
}

/// Notes what becomes of accounts.
private enum AccountEvents: RawEvents {
    static let id = PLUGBOARD_EXT_ACCOUNTS
    static var table: plugboard_accounts_events_t {
        plugboard_accounts_events_t(
            struct_size: structSize(plugboard_accounts_events_t.self),
            reserved: 0,
            linked: { pointer, accounts, count, flags in
                let provider = RawProvider.from(pointer)
                let accounts = UnsafeBufferPointer(start: accounts, count: count)
                if let last = accounts.last { provider.lastAccount = last.account }
                provider.heard("linked \(count) \(flags): \(accounts.first?.name.string ?? "none")")
            },
            changed: { RawProvider.from($0).heard("changed \($1)") },
            unlinked: { RawProvider.from($0).heard("unlinked \($1)") },
            password: { pointer, _, user, status, credentials in
                let password = credentials?.pointee.password.string ?? "none"
                RawProvider.from(pointer).heard("password \(Int(bitPattern: user)) \(status) \(password)")
            }
        )
    }
}

extension RawProvider {
    fileprivate func followAccounts() -> plugboard_status_t {
        withExtension(PLUGBOARD_EXT_ACCOUNTS, as: plugboard_accounts_t.self) { $0.follow($1) }
    }

    /// Asks for the password of the account that was linked last.
    fileprivate func askPassword() -> plugboard_status_t {
        withExtension(PLUGBOARD_EXT_ACCOUNTS, as: plugboard_accounts_t.self) { table, context in
            var request: UInt64 = 0
            return table.password(context, lastAccount, UnsafeMutableRawPointer(bitPattern: 48), &request)
        }
    }
}
