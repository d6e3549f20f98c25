/// Why a string is no JID (RFC 7622 §3).
package enum JIDError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A part of a JID.
    package enum Part: String, Hashable, Sendable {
        /// Before the `@`.
        case local
        /// Between the `@` and the `/`.
        case domain
        /// After the first `/`.
        case resource
    }

    /// A separator without the part that it announces, or no domain.
    case emptyPart(Part)
    /// A part is longer than ``JID/partBytesMax``, before or after it was prepared.
    case partTooLong(Part, bytes: Int)
    /// A part has a character that its string profile forbids, or mixes writing directions.
    case forbiddenCharacters(Part, String)
    /// The domain is neither a host name nor an IP literal.
    case badDomain(String)

    package var description: String {
        switch self {
        case .emptyPart(let part):
            "The JID has an empty \(part.rawValue) part: write local@domain/resource, leaving out unused separators."
        case .partTooLong(let part, let bytes):
            "The JID's \(part.rawValue) part has \(bytes) bytes; at most \(JID.partBytesMax) are allowed."
        case .forbiddenCharacters(let part, let value):
            "The JID's \(part.rawValue) part “\(value)” has characters that are not allowed there: remove them."
        case .badDomain(let value):
            "The JID's domain “\(value)” is neither a host name nor an IP address: use letters, digits, hyphens, dots."
        }
    }
}
