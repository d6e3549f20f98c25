/// How the text of a message is written.
///
/// Servers pass text on unchecked, so any bytes may come with any of these numbers.
package struct Charset: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Plain ASCII; clients send UTF-8 and Windows-1252 under it, too.
    package static let ascii = Charset(rawValue: 0x0000)
    /// UTF-16, big-endian, without a byte order mark.
    ///
    /// AOL calls it UCS-2.
    package static let utf16 = Charset(rawValue: 0x0002)
    /// ISO-8859-1, and what Windows has in the place of its control characters.
    package static let latin1 = Charset(rawValue: 0x0003)

    /// Makes text of bytes.
    ///
    /// What has no meaning becomes U+FFFD.
    package func decode(_ bytes: [UInt8]) -> String {
        switch self {
        case .utf16: Charset.utf16Text(bytes)
        case .latin1: Charset.windowsText(bytes)
        default: String(validating: bytes, as: UTF8.self) ?? Charset.windowsText(bytes)
        }
    }

    /// Makes bytes of text, in the smallest charset that every client reads: ASCII, or else UTF-16.
    package static func encode(_ text: String) -> (charset: Charset, bytes: [UInt8]) {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return (.ascii, Array(text.utf8)) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf16.count * 2)
        for unit in text.utf16 {
            bytes.append(UInt8(unit >> 8))
            bytes.append(UInt8(truncatingIfNeeded: unit))
        }
        return (.utf16, bytes)
    }

    private static func utf16Text(_ bytes: [UInt8]) -> String {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        for index in stride(from: 0, to: bytes.count - 1, by: 2) {
            units.append(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]))
        }
        let text = String(decoding: units, as: UTF16.self)
        return bytes.count.isMultiple(of: 2) ? text : text + "\u{FFFD}"
    }

    private static func windowsText(_ bytes: [UInt8]) -> String {
        var text = ""
        text.unicodeScalars.reserveCapacity(bytes.count)
        for byte in bytes {
            if let special = Charset.windows1252[byte] {
                text.unicodeScalars.append(special)
            } else {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return text
    }

    /// Where Windows-1252 differs from ISO-8859-1: clients on Windows sent one and declared the other.
    private static let windows1252: [UInt8: Unicode.Scalar] = [
        0x80: "€", 0x82: "‚", 0x83: "ƒ", 0x84: "„", 0x85: "…", 0x86: "†", 0x87: "‡", 0x88: "ˆ", 0x89: "‰", 0x8A: "Š",
        0x8B: "‹", 0x8C: "Œ", 0x8E: "Ž", 0x91: "‘", 0x92: "’", 0x93: "“", 0x94: "”", 0x95: "•", 0x96: "–", 0x97: "—",
        0x98: "˜", 0x99: "™", 0x9A: "š", 0x9B: "›", 0x9C: "œ", 0x9E: "ž", 0x9F: "Ÿ",
    ]
}
