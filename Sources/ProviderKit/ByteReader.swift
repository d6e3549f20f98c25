/// Reads integers, bytes and text from borrowed memory, front to back.
///
/// A read either succeeds whole and moves on, or returns `nil` and leaves the position alone. It is
/// valid only inside the call that handed it out.
public struct ByteReader {
    /// All the bytes, read or not.
    public let bytes: UnsafeRawBufferPointer
    /// How many have been read.
    public private(set) var position = 0

    /// Reads from `bytes`, which must stay valid as long as the reader is used.
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Bytes not read yet.
    public var remaining: Int { bytes.count - position }

    /// The bytes not read yet, without reading them.
    public var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[position...]) }

    /// Reads a big-endian (network order) integer.
    public mutating func readInteger<T: FixedWidthInteger>(as type: T.Type = T.self) -> T? {
        guard remaining >= MemoryLayout<T>.size else { return nil }
        let value = bytes.loadUnaligned(fromByteOffset: position, as: T.self)
        position += MemoryLayout<T>.size
        return T(bigEndian: value)
    }

    /// Reads a little-endian integer.
    public mutating func readLittleEndian<T: FixedWidthInteger>(as type: T.Type = T.self) -> T? {
        readInteger(as: type)?.byteSwapped
    }

    /// Reads `count` bytes without copying them.
    public mutating func readBytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, remaining >= count else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// Reads `count` bytes as UTF-8; `nil` also if they are none.
    public mutating func readString(_ count: Int) -> String? {
        guard count >= 0, remaining >= count else { return nil }
        guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else { return nil }
        position += count
        return text
    }

    /// Reads up to and including the next `delimiter`; the delimiter is not part of the result.
    public mutating func readBytes(through delimiter: UInt8) -> UnsafeRawBufferPointer? {
        guard let end = bytes[position...].firstIndex(of: delimiter) else { return nil }
        defer { position = end + 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }

    /// Skips `count` bytes; false, and nothing skipped, if there are fewer.
    public mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, remaining >= count else { return false }
        position += count
        return true
    }

    /// Goes back to a position that was read before.
    ///
    /// - Precondition: `0...position`.
    public mutating func rewind(to position: Int) {
        precondition((0...self.position).contains(position), "a reader can only be rewound")
        self.position = position
    }
}
