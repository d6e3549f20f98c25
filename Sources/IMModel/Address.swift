/// Who sends or receives: `user@domain`, or a bare `domain` for a service.
///
/// The router compares addresses byte by byte; a provider normalises them at its edge
/// (case, Unicode forms) before it hands them over.
///
/// Source: RFC 3860 §3 and RFC 3859 §3 (what follows `im:` and `pres:`).
public struct Address: Hashable, Sendable, LosslessStringConvertible {
    /// What stands before the last `@`; empty for the address of a service.
    public let user: String
    /// What stands after the last `@`; never empty.
    public let domain: String

    /// The most bytes of UTF-8 in either part.
    public static let partBytesMax = 1023

    /// Fails unless the domain has 1...1023 bytes, the user 0...1023, and neither a space or control character.
    public init?(user: String, domain: String) {
        guard (1...Self.partBytesMax).contains(domain.utf8.count), user.utf8.count <= Self.partBytesMax,
            Self.isClean(domain), Self.isClean(user), !domain.utf8.contains(UInt8(ascii: "@"))
        else { return nil }
        self.user = user
        self.domain = domain
    }

    /// Reads `user@domain` or `domain`; the last `@` separates.
    public init?(_ description: String) {
        guard let at = description.utf8.lastIndex(of: UInt8(ascii: "@")) else {
            self.init(user: "", domain: description)
            return
        }
        let user = description[..<at]
        guard !user.isEmpty else { return nil }
        self.init(user: String(user), domain: String(description[description.utf8.index(after: at)...]))
    }

    /// `user@domain`, or `domain` alone.
    public var description: String { user.isEmpty ? domain : "\(user)@\(domain)" }

    private static func isClean(_ part: String) -> Bool {
        part.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }
}
