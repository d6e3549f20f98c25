/// What proves the password in a login by digest.
package enum PasswordDigest: CaseIterable, Sendable {
    /// MD5 of key, password and ``trailer``.
    case plain
    /// MD5 of key, MD5 of the password and ``trailer``; AOL's later clients. Told by an empty TLV 0x4C.
    case hashed

    /// Closes what is digested.
    package static let trailer = Array("AOL Instant Messenger (SM)".utf8)
    /// Bytes of the digest.
    package static let byteCount = 16

    /// The digest.
    ///
    /// - Parameters:
    ///   - key: from the server's challenge.
    ///   - md5: RFC 1321.
    package func compute<Failure: Error>(
        key: [UInt8],
        password: [UInt8],
        md5: ([UInt8]) throws(Failure) -> [UInt8]
    ) throws(Failure) -> [UInt8] {
        let secret =
            switch self {
            case .plain: password
            case .hashed: try md5(password)
            }
        return try md5(key + secret + PasswordDigest.trailer)
    }
}
