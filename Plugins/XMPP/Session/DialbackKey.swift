/// Makes and checks the keys of Server Dialback for this server's own domains (XEP-0185 §2).
///
/// A key proves that the server that opened a stream and the server that answers for its domain share a secret. The
/// digest is a function of the host: this type has no cryptography of its own.
package struct DialbackKey {
    /// HMAC-SHA256 (RFC 2104): 32 bytes from a key and data.
    package typealias HMACSHA256 = (_ key: [UInt8], _ data: [UInt8]) -> [UInt8]

    /// Most bytes of a key that a peer may present; ours have 64.
    package static let bytesMax = 1024

    private let hmacKey: [UInt8]
    private let hmacSHA256: HMACSHA256

    /// Makes a generator.
    ///
    /// - Parameters:
    ///   - secretDigest: SHA-256 of the secret, 32 bytes. All servers of the own domains must have the same one.
    ///   - hmacSHA256: the digest to use.
    package init(secretDigest: [UInt8], hmacSHA256: @escaping HMACSHA256) {
        // XEP-0185 §2 has the HMAC keyed with the hexadecimal form of the digest, not with its bytes.
        self.hmacKey = Array(Self.hexadecimal(secretDigest).utf8)
        self.hmacSHA256 = hmacSHA256
    }

    /// What is authenticated by a key: who it is shown to, who shows it, and on which stream.
    ///
    /// - Parameters:
    ///   - receiving: the domain that the stream was opened to.
    ///   - originating: the domain that opened it.
    ///   - streamID: the id that the receiving server gave to the stream.
    package static func input(receiving: String, originating: String, streamID: String) -> String {
        "\(receiving) \(originating) \(streamID)"
    }

    /// The key for a stream, as 64 lower-case hexadecimal digits.
    ///
    /// Parameters as for `input`.
    package func key(receiving: String, originating: String, streamID: String) -> String {
        let input = Self.input(receiving: receiving, originating: originating, streamID: streamID)
        return Self.hexadecimal(self.hmacSHA256(self.hmacKey, Array(input.utf8)))
    }

    /// Whether a key is the right one for a stream, in a time that does not depend on where it differs.
    package func isValid(_ key: String, receiving: String, originating: String, streamID: String) -> Bool {
        let expected = Array(self.key(receiving: receiving, originating: originating, streamID: streamID).utf8)
        let given = Array(key.utf8)
        // The length of a right key is no secret.
        guard given.count == expected.count else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(given, expected) { difference |= left ^ right }
        return difference == 0
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
