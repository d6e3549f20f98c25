import Crypto

/// Digests and message authentication codes.
///
/// MD5 and SHA-1 are broken: they are here for the old protocols that need them.
package enum Digests {
    /// 16 bytes.
    ///
    /// Source: RFC 1321.
    package static func md5(_ data: UnsafeRawBufferPointer) -> [UInt8] { hash(Insecure.MD5.self, data) }

    /// 20 bytes.
    ///
    /// Source: FIPS 180-4.
    package static func sha1(_ data: UnsafeRawBufferPointer) -> [UInt8] { hash(Insecure.SHA1.self, data) }

    /// 32 bytes.
    ///
    /// Source: FIPS 180-4.
    package static func sha256(_ data: UnsafeRawBufferPointer) -> [UInt8] { hash(SHA256.self, data) }

    /// Bytes as text: two small hexadecimal digits each.
    package static func hexadecimal(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: 2 * bytes.count) { text in
            for (index, byte) in bytes.enumerated() {
                text[2 * index] = digit(byte >> 4)
                text[2 * index + 1] = digit(byte & 15)
            }
            return 2 * bytes.count
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// 16 bytes.
    ///
    /// Source: RFC 2104.
    package static func hmacMD5(key: UnsafeRawBufferPointer, _ data: UnsafeRawBufferPointer) -> [UInt8] {
        hmac(Insecure.MD5.self, key: key, data)
    }

    /// 20 bytes.
    ///
    /// Source: RFC 2104.
    package static func hmacSHA1(key: UnsafeRawBufferPointer, _ data: UnsafeRawBufferPointer) -> [UInt8] {
        hmac(Insecure.SHA1.self, key: key, data)
    }

    /// 32 bytes.
    ///
    /// Source: RFC 2104.
    package static func hmacSHA256(key: UnsafeRawBufferPointer, _ data: UnsafeRawBufferPointer) -> [UInt8] {
        hmac(SHA256.self, key: key, data)
    }

    private static func hash<H: HashFunction>(_: H.Type, _ data: UnsafeRawBufferPointer) -> [UInt8] {
        var hasher = H()
        hasher.update(bufferPointer: data)
        return Array(hasher.finalize())
    }

    private static func hmac<H: HashFunction>(
        _: H.Type,
        key: UnsafeRawBufferPointer,
        _ data: UnsafeRawBufferPointer
    ) -> [UInt8] {
        var code = HMAC<H>(key: SymmetricKey(data: key))
        code.update(data: data)
        return Array(code.finalize())
    }
}
