import Foundation
import GRDB
import Testing

@testable import Vault

@Suite("Vault")
struct SecretVaultTests {
    let folder: TemporaryFolder
    let path: String
    let source: VaultKeySource

    init() throws {
        folder = try TemporaryFolder()
        path = "\(folder.path)/vault.db"
        source = .file("\(folder.path)/vault.key")
    }

    private func set(_ vault: SecretVault, _ name: String, _ value: String, in space: String = "aol") throws {
        let operation = StoreOperation.put(key: bytes(name), value: bytes(value), condition: .none)
        #expect(try vault.performNow(operation, in: space) == .done)
    }

    private func secret(_ vault: SecretVault, _ name: String, in space: String = "aol") throws -> String? {
        guard case .value(let value?) = try vault.performNow(.get(key: bytes(name)), in: space) else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    @Test("secrets survive a restart, and cannot be read in the files")
    func restart() throws {
        let id = try VaultRotation.initialize(path: path, source: source)
        var vault = try SecretVault.open(path: path, source: source)
        #expect(vault.keyID == id)
        try set(vault, "alice", "correct horse battery staple")
        try set(vault, "alice", "correct horse battery stapler")
        for name in ["vault.db", "vault.db-wal"] {
            #expect(folder.exists(name) && !holds(folder.contents(of: name), "battery"))
        }
        vault.close()
        vault = try SecretVault.open(path: path, source: source)
        #expect(try secret(vault, "alice") == "correct horse battery stapler")
        #expect(try secret(vault, "bob") == nil)
        vault.close()
        #expect(!holds(folder.contents(of: "vault.db"), "battery"))
        #expect(try folder.mode(of: "vault.key") == 0o600 && folder.mode(of: "vault.db") == 0o600)
    }

    private func holds(_ bytes: [UInt8], _ text: String) -> Bool { Data(bytes).range(of: Data(text.utf8)) != nil }

    @Test("one value is sealed differently each time")
    func nonces() throws {
        let key = VaultKey.random()
        let place = StorePlace(space: "aol", key: bytes("alice"))
        let sealed = try (0..<100).map { _ in try key.seal(bytes("x"), place) }
        #expect(Set(sealed.map { Array($0.prefix(12)) }).count == 100)
        #expect(sealed[0].count == 12 + 1 + 16)
    }

    @Test("a secret opens in its own place alone, with its own key, and unchanged")
    func binding() throws {
        let key = VaultKey.random()
        let place = StorePlace(space: "aol", key: bytes("alice"))
        let sealed = try key.seal(bytes("x"), place)
        #expect(try key.open(sealed, place) == bytes("x"))
        // The last has the same letters at another border.
        let others = [("yahoo", "alice"), ("aol", "bob"), ("aola", "lice")]
        for (space, name) in others {
            #expect(throws: StoreError.unsealable(space: space, name: name)) {
                try key.open(sealed, StorePlace(space: space, key: bytes(name)))
            }
        }
        #expect(throws: StoreError.unsealable(space: "aol", name: "alice")) {
            try VaultKey.random().open(sealed, place)
        }
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: StoreError.unsealable(space: "aol", name: "alice")) { try key.open(changed, place) }
        }
        for count in [0, 11, 27] {
            #expect(throws: StoreError.unsealable(space: "aol", name: "alice")) {
                try key.open(Array(sealed.prefix(count)), place)
            }
        }
    }

    @Test("a row that somebody copied to another name is refused, and the others still open")
    func copiedRow() throws {
        _ = try VaultRotation.initialize(path: path, source: source)
        var vault = try SecretVault.open(path: path, source: source)
        try set(vault, "alice", "a")
        try set(vault, "bob", "b")
        vault.close()
        let database = try DatabaseQueue(path: path)
        try database.write { db in
            try db.execute(
                sql: """
                    UPDATE entries SET value = (SELECT value FROM entries WHERE key = CAST('alice' AS BLOB))
                    WHERE key = CAST('bob' AS BLOB)
                    """
            )
        }
        try database.close()
        vault = try SecretVault.open(path: path, source: source)
        #expect(throws: StoreError.unsealable(space: "aol", name: "bob")) { try secret(vault, "bob") }
        #expect(try secret(vault, "alice") == "a")
        vault.close()
    }

    @Test("another key is refused with the ids of both")
    func wrongKey() throws {
        let id = try VaultRotation.initialize(path: path, source: source)
        let other = VaultKey.random()
        let file = try folder.write("other.key", other.text)
        #expect(throws: StoreError.wrongKey(path: path, expected: id, given: other.id)) {
            try SecretVault.open(path: path, source: .file(file))
        }
        // The lock is free again.
        try SecretVault.open(path: path, source: source).close()
    }

    @Test("what holds no key, or one that others can read, is refused without being shown")
    func keyFiles() throws {
        let key = VaultKey.random()
        for text in [
            "", "secret", key.text.dropLast(4) + "", key.text + " " + key.text, String(repeating: "g", count: 64),
        ] {
            let file = try folder.write("k", text)
            do {
                _ = try VaultKeySource.file(file).key()
                Issue.record("\(text.count) characters were taken for a key")
            } catch {
                guard case .badVaultKey(file, _) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(text.isEmpty || !"\(error)".contains(text))
            }
        }
        for mode in [0o640, 0o604, 0o660, 0o610] {
            let file = try folder.write("k", key.text, mode: mode)
            #expect(throws: StoreError.exposedKeyFile(path: file, mode: UInt32(mode))) {
                try VaultKeySource.file(file).key()
            }
        }
        let file = try folder.write("k", " \(key.text)\n", mode: 0o400)
        #expect(try VaultKeySource.file(file).key().id == key.id)
        #expect(!"\(key) \(String(reflecting: key))".contains(key.text))
        #expect(throws: StoreError.keyFile(path: folder.path, reason: "it is no file")) {
            try VaultKeySource.file(folder.path).key()
        }
    }

    @Test("a key may be written in hexadecimal digits, and come from the environment")
    func keyTexts() throws {
        let hex = try VaultKey(text: String(repeating: "0a", count: 32), source: "here")
        let base64 = try VaultKey(text: Data(repeating: 10, count: 32).base64EncodedString(), source: "here")
        #expect(hex.id == base64.id && hex.id.count == 16)
        setenv("PLUGBOARD_VAULT_TEST", hex.text, 1)
        #expect(try VaultKeySource.environment("PLUGBOARD_VAULT_TEST").key().id == hex.id)
        unsetenv("PLUGBOARD_VAULT_TEST")
        #expect(
            throws: StoreError.badVaultKey(
                source: "the environment variable PLUGBOARD_VAULT_TEST",
                reason: "it is not set"
            )
        ) { try VaultKeySource.environment("PLUGBOARD_VAULT_TEST").key() }
    }

    @Test("names and key ids can be seen without the key, also while the vault is open")
    func summary() throws {
        #expect(throws: StoreError.noVault(path: path)) { try SecretVault.summary(path: path) }
        let id = try VaultRotation.initialize(path: path, source: source)
        #expect(throws: StoreError.alreadyThere(path: path)) {
            try VaultRotation.initialize(path: path, source: source)
        }
        let vault = try SecretVault.open(path: path, source: source)
        try set(vault, "alice", "a", in: "yahoo")
        try set(vault, "bob", "b")
        let summary = try SecretVault.summary(path: path)
        #expect(summary.keyID == id)
        #expect(summary.names.map { "\($0.space) \($0.name) \($0.keyID)" } == ["aol bob \(id)", "yahoo alice \(id)"])
        vault.close()
    }
}

@Suite("Changing the vault's key")
struct VaultRotationTests {
    let folder: TemporaryFolder
    let path: String
    let source: VaultKeySource

    init() throws {
        folder = try TemporaryFolder()
        path = "\(folder.path)/vault.db"
        source = .file("\(folder.path)/vault.key")
        _ = try VaultRotation.initialize(path: path, source: source)
        let vault = try SecretVault.open(path: path, source: source)
        for name in ["alice", "bob"] {
            _ = try vault.performNow(.put(key: bytes(name), value: bytes(name), condition: .none), in: "aol")
        }
        vault.close()
    }

    private func expectWhole(_ source: VaultKeySource) throws {
        let vault = try SecretVault.open(path: path, source: source)
        defer { vault.close() }
        for name in ["alice", "bob"] {
            #expect(try vault.performNow(.get(key: bytes(name)), in: "aol") == .value(bytes(name)))
        }
        let summary = try SecretVault.summary(path: path)
        #expect(summary.keyID == vault.keyID && summary.names.allSatisfy { $0.keyID == vault.keyID })
    }

    @Test("everything is sealed with a new key, and the old key stays beside it")
    func rotate() throws {
        let old = folder.contents(of: "vault.key")
        let outcome = try VaultRotation.rotate(path: path, source: source)
        #expect(outcome.secrets == 2 && outcome.oldKeyID != outcome.newKeyID)
        #expect(folder.contents(of: "vault.key.old") == old)
        #expect(folder.contents(of: "vault.key") != old && !folder.exists("vault.key.new"))
        #expect(try folder.mode(of: "vault.key") == 0o600)
        try expectWhole(source)
        _ = try VaultRotation.rotate(path: path, source: source)
        try expectWhole(source)
    }

    private struct Crash: Error {}

    @Test("a crash at any moment leaves a vault that opens", arguments: VaultRotation.Step.allCases)
    func crash(step: VaultRotation.Step) throws {
        let crash = StoreError.ioFailure(path: path, detail: "the machine stopped")
        let old = try source.key().id
        #expect(throws: crash) {
            try VaultRotation.rotate(path: path, source: source, newSource: nil) { done throws(StoreError) in
                if done == step { throw crash }
            }
        }
        #expect(folder.exists("vault.key.new"))
        try expectWhole(source)
        #expect((try source.key().id == old) == (step == .keyWritten))
        _ = try VaultRotation.rotate(path: path, source: source)
        try expectWhole(source)
    }

    @Test("a key from elsewhere can take its place")
    func newSource() throws {
        let key = VaultKey.random()
        let other = VaultKeySource.file(try folder.write("other.key", key.text))
        let outcome = try VaultRotation.rotate(path: path, source: source, newSource: other)
        #expect(outcome.newKeyID == key.id)
        try expectWhole(other)
        #expect(throws: StoreError.wrongKey(path: path, expected: key.id, given: outcome.oldKeyID)) {
            try SecretVault.open(path: path, source: source)
        }
    }

    @Test("the key of an open vault is not changed, nor one in the environment without a new one")
    func refusals() throws {
        let vault = try SecretVault.open(path: path, source: source)
        #expect(throws: StoreError.inUse(path: path)) { try VaultRotation.rotate(path: path, source: source) }
        vault.close()
        let key = try source.key()
        setenv("PLUGBOARD_ROTATION_TEST", key.text, 1)
        defer { unsetenv("PLUGBOARD_ROTATION_TEST") }
        let environment = VaultKeySource.environment("PLUGBOARD_ROTATION_TEST")
        do {
            _ = try VaultRotation.rotate(path: path, source: environment)
            Issue.record("an environment variable was changed")
        } catch {
            guard case .badVaultKey = error else {
                Issue.record("\(error)")
                return
            }
        }
        try expectWhole(source)
    }

    @Test("a secret that cannot be opened stops the change, and nothing is changed")
    func damaged() throws {
        let database = try DatabaseQueue(path: path)
        try database.write { try $0.execute(sql: "UPDATE entries SET value = x'00' WHERE key = CAST('bob' AS BLOB)") }
        try database.close()
        let before = try SecretVault.summary(path: path)
        #expect(throws: StoreError.unsealable(space: "aol", name: "bob")) {
            try VaultRotation.rotate(path: path, source: source)
        }
        #expect(try SecretVault.summary(path: path) == before)
    }
}
