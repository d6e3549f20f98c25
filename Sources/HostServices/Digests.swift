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
