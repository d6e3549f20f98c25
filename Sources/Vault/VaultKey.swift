internal import Crypto
internal import FoundationEssentials

/// A key of 256 bits that seals secrets with AES-256-GCM.
///
/// It prints as its ``id``.
package struct VaultKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// Which key it is: 16 hexadecimal digits of a digest, that say nothing of the key.
    package let id: String
    private let key: SymmetricKey

    /// Length of a key, in bytes.
    package static let bytes = 32

    /// A new key.
    package static func random() -> VaultKey { VaultKey(SymmetricKey(size: .bits256)) }

    /// Reads a key: 32 bytes in base64, or 64 hexadecimal digits.
    ///
    /// - Parameter source: where the text is from, for messages.
    package init(text: String, source: String) throws(StoreError) {
        let text = text.trimmingPrefix { $0.isWhitespace }
        let word = String(text.prefix { !$0.isWhitespace })
        guard text.dropFirst(word.count).allSatisfy(\.isWhitespace), let bytes = Self.bytes(of: word) else {
            throw .badVaultKey(source: source, reason: "a key is 32 bytes in base64, or 64 hexadecimal digits")
        }
        self.init(SymmetricKey(data: bytes))
    }

    private init(_ key: SymmetricKey) {
        self.key = key
        var hash = SHA256()
        hash.update(data: Array("plugboard vault key id\0".utf8))
        key.withUnsafeBytes { hash.update(bufferPointer: $0) }
        id = hash.finalize().prefix(8).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    private static func bytes(of word: String) -> [UInt8]? {
        if word.utf8.count == 2 * bytes {
            let digits = word.compactMap(\.hexDigitValue)
            guard digits.count == 2 * bytes else { return nil }
            return (0..<bytes).map { UInt8(digits[2 * $0] << 4 | digits[2 * $0 + 1]) }
        }
        guard let data = Data(base64Encoded: word), data.count == bytes else { return nil }
        return Array(data)
    }

    /// The key as text, for its file alone.
    var text: String { key.withUnsafeBytes { Data($0) }.base64EncodedString() }

    package var description: String { id }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

extension VaultKey: ValueSeal {
    package var keyID: String { id }

    /// Nonce (12 random bytes), cipher text and tag (16 bytes).
    ///
    /// Source: NIST SP 800-38D.
    func seal(_ value: [UInt8], _ place: StorePlace) throws(StoreError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(value, using: key, authenticating: authenticated(place))
            guard let combined = box.combined else { throw StoreError.unsealable(space: place.space, name: place.name) }
            return Array(combined)
        } catch {
            throw .unsealable(space: place.space, name: place.name)
        }
    }

    func open(_ kept: [UInt8], _ place: StorePlace) throws(StoreError) -> [UInt8] {
        do {
            let box = try AES.GCM.SealedBox(combined: kept)
            return Array(try AES.GCM.open(box, using: key, authenticating: authenticated(place)))
        } catch {
            throw .unsealable(space: place.space, name: place.name)
        }
    }

    /// What binds a secret to its place: one that is copied to another row cannot be opened there.
    private func authenticated(_ place: StorePlace) -> [UInt8] {
        let space = Array(place.space.utf8)
        let length = withUnsafeBytes(of: UInt32(space.count).bigEndian) { Array($0) }
        return Array("plugboard vault 1\0".utf8) + Array(id.utf8) + length + space + place.key
    }
}

extension StorePlace {
    /// The key as text, for messages.
    var name: String { String(decoding: key, as: UTF8.self) }
}
