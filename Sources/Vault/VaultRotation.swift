import Glibc

/// Changing the vault's key, so that a crash at any moment leaves a vault and its key.
///
/// With a key file F: a new key is written to F.new; all secrets are sealed with it in one transaction, which also notes
/// its id; F.new takes F's place, and the old key stays as F.old. Whoever opens the vault after a crash finds by the
/// noted id which of F and F.new is its key: if it is F.new, the change is finished; if it is F, it never happened.
///
/// With a key in an environment variable, the operator names the new key's source, and configures it afterwards.
package enum VaultRotation {
    /// What a change of keys came to.
    package struct Outcome: Hashable, Sendable {
        package var oldKeyID: String
        package var newKeyID: String
        /// Secrets that were sealed anew.
        package var secrets: Int
    }

    /// Where a change of keys can be cut short, for tests.
    enum Step: CaseIterable {
        case keyWritten
        case sealed
        case oldKept
    }

    /// Seals the vault with a new key.
    ///
    /// - Parameter newSource: where the new key is; nil: a new one is made, which takes the place of the old key's file.
    /// - Throws: ``StoreError/inUse(path:)`` while a router has the vault open.
    package static func rotate(
        path: String,
        source: VaultKeySource,
        newSource: VaultKeySource? = nil
    ) throws(StoreError) -> Outcome {
        try rotate(path: path, source: source, newSource: newSource) { _ in }
    }

    static func rotate(
        path: String,
        source: VaultKeySource,
        newSource: VaultKeySource?,
        after: (Step) throws(StoreError) -> Void
    ) throws(StoreError) -> Outcome {
        let old = try currentKey(path: path, source: source)
        let vault = try SecretVault(path: path, key: old)
        defer { vault.close() }
        if let newSource {
            let new = try newSource.key()
            let count = try vault.reseal(from: old, with: new)
            return Outcome(oldKeyID: old.id, newKeyID: new.id, secrets: count)
        }
        guard case .file(let file) = source else {
            throw .badVaultKey(source: "\(source)", reason: "it cannot be changed from here: name the new key's source")
        }
        let new = VaultKey.random()
        // What an earlier attempt left, before anything was sealed with it.
        unlink(newName(file))
        try VaultKeySource.write(new, to: newName(file))
        try after(.keyWritten)
        let count = try vault.reseal(from: old, with: new)
        try after(.sealed)
        try VaultKeySource.keep(file, as: oldName(file))
        try after(.oldKept)
        try VaultKeySource.move(newName(file), to: file)
        return Outcome(oldKeyID: old.id, newKeyID: new.id, secrets: count)
    }

    /// The vault's key; finishes a change of keys that a crash cut short.
    static func currentKey(path: String, source: VaultKeySource) throws(StoreError) -> VaultKey {
        let key = try source.key()
        guard case .file(let file) = source, StoreFile.exists(path), StoreFile.exists(newName(file)) else { return key }
        let expected = try SecretVault.summary(path: path).keyID
        guard expected != key.id else { return key }
        let new = try VaultKeySource.file(newName(file)).key()
        guard expected == new.id else { return key }
        try VaultKeySource.keep(file, as: oldName(file))
        try VaultKeySource.move(newName(file), to: file)
        return new
    }

    /// The key, if it opens the vault; changes nothing, so that it may be asked while a router runs.
    ///
    /// - Throws: ``StoreError/wrongKey(path:expected:given:)`` and others.
    package static func usableKey(path: String, source: VaultKeySource) throws(StoreError) -> VaultKey {
        let key = try source.key()
        let expected = try SecretVault.summary(path: path).keyID
        if expected == key.id { return key }
        if case .file(let file) = source, StoreFile.exists(newName(file)) {
            let new = try VaultKeySource.file(newName(file)).key()
            if expected == new.id { return new }
        }
        throw .wrongKey(path: path, expected: expected, given: key.id)
    }

    /// Makes a key file and an empty vault.
    ///
    /// - Returns: the new key's id.
    /// - Throws: ``StoreError/alreadyThere(path:)`` if either is there.
    package static func initialize(path: String, source: VaultKeySource) throws(StoreError) -> String {
        guard !StoreFile.exists(path) else { throw .alreadyThere(path: path) }
        if case .file(let file) = source, !StoreFile.exists(file) {
            try VaultKeySource.write(.random(), to: file)
        }
        let key = try source.key()
        try SecretVault.make(path: path, key: key)
        return key.id
    }

    private static func newName(_ file: String) -> String { file + ".new" }
    private static func oldName(_ file: String) -> String { file + ".old" }
}
