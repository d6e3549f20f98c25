internal import CIDN

/// Prepares the domain part of a JID (RFC 7622 §3.2).
enum DomainName {
    /// Most bytes of one label (RFC 1035 §2.3.4), in its ASCII form.
    static let labelBytesMax = 63

    /// The domain in lower case, without a dot at its end, with international labels in Unicode.
    ///
    /// - Throws: ``JIDError`` when it is neither a host name, nor an IPv4 address, nor an IPv6 address in brackets.
    static func prepare(_ value: String) throws(JIDError) -> String {
        guard !value.isEmpty else { throw .emptyPart(.domain) }
        guard value.utf8.count <= JID.partBytesMax else { throw .partTooLong(.domain, bytes: value.utf8.count) }
        if self.isPlain(value) { return value }
        if value.utf8.first == UInt8(ascii: "[") {
            guard IPv6Literal.isValid(value) else { throw .badDomain(value) }
            return value.lowercased()
        }
        return try self.prepareLabels(value)
    }

    /// Whether a domain is of a kind that ``prepareLabels(_:)`` returns unchanged.
    ///
    /// True for nearly all: small letters, digits, dots and single hyphens, in their right places.
    static func isPlain(_ domain: String) -> Bool {
        let (dot, hyphen) = (UInt8(ascii: "."), UInt8(ascii: "-"))
        var length = 0
        var previous = dot
        for byte in domain.utf8 {
            switch byte {
            case dot, hyphen:
                guard previous != dot, previous != hyphen else { return false }
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                break
            default:
                return false
            }
            length = byte == dot ? 0 : length + 1
            guard length <= self.labelBytesMax else { return false }
            previous = byte
        }
        return previous != dot && previous != hyphen
    }

    /// Prepares each label on its own, as the rules for writing directions need it (RFC 3490 §3.1, §4).
    static func prepareLabels(_ domain: String) throws(JIDError) -> String {
        var labels = domain.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: self.isDot)
        if labels.count > 1, labels[labels.count - 1].isEmpty {
            labels.removeLast()
        }
        guard labels.count > 1 || !labels[0].isEmpty else { throw .emptyPart(.domain) }
        var prepared = ""
        for label in labels {
            guard !label.isEmpty else { throw .badDomain(domain) }
            let label = try StringPrep.prepare(String(label), part: .domain)
            guard self.isValid(label) else { throw .badDomain(domain) }
            if !prepared.isEmpty { prepared += "." }
            prepared += self.isEncoded(label) ? self.decode(label) : label
        }
        guard prepared.utf8.count <= JID.partBytesMax else {
            throw .partTooLong(.domain, bytes: prepared.utf8.count)
        }
        return prepared
    }

    /// The four full stops that separate labels (RFC 3490 §3.1).
    private static func isDot(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "\u{3002}" || scalar == "\u{FF0E}" || scalar == "\u{FF61}"
    }

    /// Whether a prepared label is letters, digits and inner hyphens, or becomes that in IDNA (RFC 3490 §4.1).
    private static func isValid(_ label: String) -> Bool {
        let bytes = label.utf8
        guard bytes.allSatisfy({ $0 < 0x80 }) else { return self.isEncodable(label) }
        let hyphen = UInt8(ascii: "-")
        return 1...self.labelBytesMax ~= bytes.count
            && bytes.first != hyphen && bytes.last != hyphen
            && bytes.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                    || byte == hyphen
            }
    }

    private static let flags = CInt(IDNA_ALLOW_UNASSIGNED.rawValue | IDNA_USE_STD3_ASCII_RULES.rawValue)

    private static func isEncodable(_ label: String) -> Bool {
        let codePoints = label.unicodeScalars.map(\.value)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: self.labelBytesMax + 1) { ascii in
            idna_to_ascii_4i(codePoints, codePoints.count, ascii.baseAddress, self.flags) == CInt(IDNA_SUCCESS.rawValue)
        }
    }

    /// Whether a label begins with `xn--`, as the ASCII form of an international one does (RFC 5890 §2.3.2.1).
    private static func isEncoded(_ label: String) -> Bool {
        label.utf8.starts(with: "xn--".utf8)
    }

    /// The international label in Unicode; the label itself when it is not a proper encoding of one.
    private static func decode(_ label: String) -> String {
        let codePoints = label.utf8.map { UInt32($0) }
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: self.labelBytesMax + 1) { unicode in
            var count = unicode.count
            let status = idna_to_unicode_44i(codePoints, codePoints.count, unicode.baseAddress, &count, self.flags)
            guard status == CInt(IDNA_SUCCESS.rawValue), count <= unicode.count else { return label }
            return StringPrep.string(unicode[..<count])
        }
    }
}
