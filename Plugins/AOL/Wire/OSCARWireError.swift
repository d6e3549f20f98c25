/// What was wrong with bytes that were read, or with a value that was to be written.
///
/// A name in a case says which field or list it was, in the words of the message's doc comment.
package enum OSCARWireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A frame did not begin with 0x2A.
    case badMarker(UInt8)
    /// A frame's channel is none of 1 to 5.
    case unknownChannel(UInt8)
    /// The bytes end within a field.
    case truncated(field: String, needed: Int, available: Int)
    /// A field is longer than its length can say, or than its limit.
    case tooLong(field: String, bytes: Int, max: Int)
    /// A list has more entries than its limit.
    case tooMany(list: String, count: Int, max: Int)
    /// A message lacks a TLV that it means nothing without.
    case missingTLV(tag: UInt16, message: String)
    /// A TLV is too short for what it holds.
    case shortTLV(tag: UInt16, needed: Int, actual: Int)
    /// A list's length is not a multiple of its entries'.
    case unevenList(list: String, bytes: Int, entryBytes: Int)
    /// A screen name has nothing but spaces in it.
    case emptyName
    /// A text that must be UTF-8 is not.
    case notUTF8(field: String)
    /// The first frame of a connection has another version than 1.
    case unknownVersion(UInt32)
    /// A SNAC is not the message that it was read as.
    case unexpectedMessage(expected: SNACKind, actual: SNACKind)

    package var description: String {
        switch self {
        case .badMarker(let byte):
            "A frame must begin with 0x2A, this one begins with 0x\(hex(byte)): the other side does not speak OSCAR, or lost count."
        case .unknownChannel(let channel): "A frame is on channel \(channel); there are channels 1 to 5 only."
        case .truncated(let field, let needed, let available):
            "\(field) needs \(needed) bytes, and \(available) are left: the message was cut short."
        case .tooLong(let field, let bytes, let max): "\(field) has \(bytes) bytes; \(max) are allowed: shorten it."
        case .tooMany(let list, let count, let max): "\(list) has \(count) entries; \(max) are allowed."
        case .missingTLV(let tag, let message): "\(message) lacks the TLV 0x\(hex(tag))."
        case .shortTLV(let tag, let needed, let actual):
            "The TLV 0x\(hex(tag)) has \(actual) bytes, and needs \(needed)."
        case .unevenList(let list, let bytes, let entryBytes):
            "\(list) has \(bytes) bytes, which is no multiple of \(entryBytes)."
        case .emptyName: "A screen name is empty: it needs at least one character that is no space."
        case .notUTF8(let field): "\(field) is not UTF-8."
        case .unknownVersion(let version):
            "The connection is opened with FLAP version \(version); only version 1 is spoken."
        case .unexpectedMessage(let expected, let actual): "The message is \(actual), and was read as \(expected)."
        }
    }
}

/// A number as hexadecimal digits, with leading zeros.
func hex(_ number: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, number.bitWidth / 4 - digits.count)) + digits
}
