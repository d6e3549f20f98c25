/// Writes names of other networks as local parts of JIDs, and reads them back (XEP-0106 §4).
///
/// Only names of the own domains are escaped and read back: what stands in a partner's JID is the partner's own affair
/// (XEP-0106 §5.1).
package enum LocalPartEscaping {
    private static let codes: [(character: UInt8, code: String)] = [
        (0x20, "20"), (0x22, "22"), (0x26, "26"), (0x27, "27"), (0x2F, "2f"), (0x3A, "3a"), (0x3C, "3c"),
        (0x3E, "3e"), (0x40, "40"), (0x5C, "5c"),
    ]

    /// The name as a local part.
    ///
    /// A backslash stays as it is unless what follows would be read as an escaped character.
    package static func escape(_ name: String) -> String {
        var escaped: [UInt8] = []
        let bytes = Array(name.utf8)
        for (index, byte) in bytes.enumerated() {
            let isPlainBackslash = byte == 0x5C && Self.decoded(bytes[(index + 1)...]) == nil
            if !isPlainBackslash, let entry = Self.codes.first(where: { $0.character == byte }) {
                escaped.append(0x5C)
                escaped += Array(entry.code.utf8)
            } else {
                escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    /// The name that a local part stands for.
    package static func unescape(_ local: String) -> String {
        var name: [UInt8] = []
        let bytes = Array(local.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x5C, let character = Self.decoded(bytes[(index + 1)...]) {
                name.append(character)
                index += 3
            } else {
                name.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// The character whose code these bytes begin with; nil if it is none that is escaped.
    private static func decoded(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        let code = String(decoding: bytes.prefix(2), as: UTF8.self)
        return Self.codes.first { $0.code == code }?.character
    }
}
