/// Puts a message together.
///
/// Integers are big-endian.
package struct WireWriter {
    /// What was written.
    package private(set) var bytes: [UInt8] = []

    /// Begins with nothing.
    package init() {}

    /// Writes an integer.
    package mutating func integer<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
        var shift = T.bitWidth
        while shift > 0 {
            shift -= 8
            self.bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Writes bytes as they are.
    package mutating func append(_ bytes: some Sequence<UInt8>) { self.bytes.append(contentsOf: bytes) }

    /// Writes a length in one byte, and the bytes.
    ///
    /// - Throws: ``OSCARWireError/tooLong(field:bytes:max:)`` for more than 255.
    package mutating func lp8(_ value: [UInt8], _ field: String) throws(OSCARWireError) {
        guard let count = UInt8(exactly: value.count) else {
            throw .tooLong(field: field, bytes: value.count, max: Int(UInt8.max))
        }
        self.integer(count)
        self.append(value)
    }

    /// Writes a length in two bytes, and the bytes.
    ///
    /// - Throws: ``OSCARWireError/tooLong(field:bytes:max:)`` for more than 65,535.
    package mutating func lp16(_ value: [UInt8], _ field: String) throws(OSCARWireError) {
        self.integer(try WireWriter.count16(value.count, field))
        self.append(value)
    }

    /// Writes a screen name, in its display form, with its length in one byte.
    package mutating func name(_ name: ScreenName) throws(OSCARWireError) {
        try self.lp8(Array(name.display.utf8), "a screen name")
    }

    /// Writes screen names.
    package mutating func names(_ names: [ScreenName]) throws(OSCARWireError) {
        for name in names { try self.name(name) }
    }

    /// Writes 16-bit numbers.
    package mutating func numbers(_ numbers: [UInt16]) {
        for number in numbers { self.integer(number) }
    }

    /// A length or count as it is written in two bytes.
    static func count16(_ count: Int, _ field: String) throws(OSCARWireError) -> UInt16 {
        guard let count = UInt16(exactly: count) else {
            throw .tooLong(field: field, bytes: count, max: Int(UInt16.max))
        }
        return count
    }
}
