internal import Glibc

/// Names and addresses of machines in text form, as the real host reads them.
enum HostName {
    /// A name in small letters without a final dot; nil if it is none: labels of 1 to 63 letters, digits, "-" and "_", at
    /// most 253 characters in all.
    static func normalised(_ text: String) -> String? {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= 253 else { return nil }
        for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count), label.allSatisfy(isNameByte) else { return nil }
        }
        return String(decoding: bytes, as: UTF8.self).lowercased()
    }

    /// Whether a text is an IPv4 or IPv6 address, without brackets and zone.
    static func isAddress(_ text: String) -> Bool { isIPv4(text) || parses(text, AF_INET6) }

    /// Whether a text is an IPv4 address.
    static func isIPv4(_ text: String) -> Bool { parses(text, AF_INET) }

    /// Whether an address means the machine itself, whichever it is.
    static func isOfEveryMachine(_ address: String) -> Bool { ["127.0.0.1", "::1", "0.0.0.0", "::"].contains(address) }

    private static func parses(_ text: String, _ family: Int32) -> Bool {
        var bytes: (UInt64, UInt64) = (0, 0)
        return inet_pton(family, text, &bytes) == 1
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
