internal import CPlugboard
internal import HostServices

/// The host extension `plugboard.digest/1`.
enum DigestTable {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table: UnsafePointer<plugboard_digest_t> = {
        let table = UnsafeMutablePointer<plugboard_digest_t>.allocate(capacity: 1)
        table.initialize(
            to: plugboard_digest_t(
                struct_size: UInt32(MemoryLayout<plugboard_digest_t>.size),
                reserved: 0,
                hash: { _, algorithm, data, output in
                    guard data.isWellFormed else { return PLUGBOARD_E_INVALID }
                    switch algorithm {
                    case PLUGBOARD_DIGEST_MD5: return DigestTable.write(Digests.md5(data.bytes), output)
                    case PLUGBOARD_DIGEST_SHA1: return DigestTable.write(Digests.sha1(data.bytes), output)
                    case PLUGBOARD_DIGEST_SHA256: return DigestTable.write(Digests.sha256(data.bytes), output)
                    default: return PLUGBOARD_E_INVALID
                    }
                },
                hmac: { _, algorithm, key, data, output in
                    guard key.isWellFormed, data.isWellFormed else { return PLUGBOARD_E_INVALID }
                    switch algorithm {
                    case PLUGBOARD_DIGEST_MD5:
                        return DigestTable.write(Digests.hmacMD5(key: key.bytes, data.bytes), output)
                    case PLUGBOARD_DIGEST_SHA1:
                        return DigestTable.write(Digests.hmacSHA1(key: key.bytes, data.bytes), output)
                    case PLUGBOARD_DIGEST_SHA256:
                        return DigestTable.write(Digests.hmacSHA256(key: key.bytes, data.bytes), output)
                    default: return PLUGBOARD_E_INVALID
                    }
                }
            )
        )
        return UnsafePointer(table)
    }()

    private static func write(_ digest: [UInt8], _ output: UnsafeMutablePointer<UInt8>?) -> plugboard_status_t {
        guard let output else { return PLUGBOARD_E_INVALID }
        for (index, byte) in digest.enumerated() { output[index] = byte }
        return plugboard_status_t(digest.count)
    }
}
