/// Reads integers, bytes and names from a message, front to back.
///
/// A read that fails throws and leaves the position where it was. Integers are big-endian.
package struct WireReader {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    /// Reads all of `bytes`.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.position = 0
        self.end = bytes.count
    }

    private init(_ bytes: [UInt8], from position: Int, to end: Int) {
        self.bytes = bytes
        self.position = position
        self.end = end
    }

    /// Bytes not read yet.
    package var remaining: Int { self.end - self.position }

    /// Whether everything has been read.
    package var isAtEnd: Bool { self.position == self.end }

    private func require(_ count: Int, _ field: String) throws(OSCARWireError) {
        guard self.remaining >= count else {
            throw .truncated(field: field, needed: count, available: self.remaining)
        }
    }

    /// Reads an integer.
    package mutating func integer<T: FixedWidthInteger & UnsignedInteger>(
        _ field: String,
        as type: T.Type = T.self
    ) throws(OSCARWireError) -> T {
        let size = T.bitWidth / 8
        try self.require(size, field)
        var value: T = 0
        for byte in self.bytes[self.position..<self.position + size] { value = value << 8 | T(byte) }
        self.position += size
        return value
    }

    /// Reads `count` bytes.
    package mutating func bytes(_ count: Int, _ field: String) throws(OSCARWireError) -> [UInt8] {
        try self.require(count, field)
        defer { self.position += count }
        return Array(self.bytes[self.position..<self.position + count])
    }

    /// Reads what is left.
    package mutating func rest() -> [UInt8] {
        defer { self.position = self.end }
        return Array(self.bytes[self.position..<self.end])
    }

    /// Reads a length in one byte, and that many bytes.
    package mutating func lp8(_ field: String) throws(OSCARWireError) -> [UInt8] {
        var copy = self
        let count = try Int(copy.integer(field, as: UInt8.self))
        let value = try copy.bytes(count, field)
        self = copy
        return value
    }

    /// Reads a length in two bytes, and that many bytes.
    package mutating func lp16(_ field: String) throws(OSCARWireError) -> [UInt8] {
        var copy = self
        let count = try Int(copy.integer(field, as: UInt16.self))
        let value = try copy.bytes(count, field)
        self = copy
        return value
    }

    /// Hands out the next `count` bytes as a reader of their own, and goes past them.
    package mutating func part(_ count: Int, _ field: String) throws(OSCARWireError) -> WireReader {
        try self.require(count, field)
        defer { self.position += count }
        return WireReader(self.bytes, from: self.position, to: self.position + count)
    }

    /// Reads a screen name with its length in one byte.
    package mutating func name(_ field: String = "a screen name") throws(OSCARWireError) -> ScreenName {
        try ScreenName(bytes: self.lp8(field))
    }

    /// Reads 16-bit numbers to the end.
    package mutating func numbers(_ list: String) throws(OSCARWireError) -> [UInt16] {
        guard self.remaining.isMultiple(of: 2) else {
            throw .unevenList(list: list, bytes: self.remaining, entryBytes: 2)
        }
        var numbers: [UInt16] = []
        numbers.reserveCapacity(self.remaining / 2)
        while !self.isAtEnd { numbers.append(try self.integer(list)) }
        return numbers
    }

    /// Reads screen names to the end.
    package mutating func names(_ list: String) throws(OSCARWireError) -> [ScreenName] {
        var names: [ScreenName] = []
        while !self.isAtEnd { names.append(try self.name(list)) }
        return names
    }
}
