/// What is looked at in a file before the dynamic linker is let at it.
///
/// The linker trusts files: of one that was cut short, as by a copy that is still under way, it maps pages that are not
/// there, and the process dies of it.
///
/// Source: System V ABI, "ELF Header" and "Program Header".
struct SharedObject {
    private let bytes: UnsafeRawBufferPointer

    private static let headerSize = 64
    private static let segmentSize = 56
    /// `PT_LOAD`.
    private static let loadedSegment: UInt32 = 1

    /// Takes the contents of a file; nil if they do not begin like a shared object: ELF, 64 bits, little-endian, type DYN.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > Self.headerSize, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]),
            bytes[16] == 3, bytes[17] == 0
        else { return nil }
        self.bytes = bytes
    }

    /// Whether the file has all the bytes that the linker will map.
    var isWhole: Bool {
        let offset: UInt64 = read(at: 32)
        let size: UInt16 = read(at: 54)
        let count: UInt16 = read(at: 56)
        let total = UInt64(size) * UInt64(count)
        guard size >= Self.segmentSize, holds(offset, total) else { return false }
        return (0..<Int(count)).allSatisfy { isWhole(segmentAt: Int(offset) + $0 * Int(size)) }
    }

    private func isWhole(segmentAt start: Int) -> Bool {
        let type: UInt32 = read(at: start)
        return type != Self.loadedSegment || holds(read(at: start + 8), read(at: start + 32))
    }

    /// Whether `count` bytes from `offset` are in the file.
    private func holds(_ offset: UInt64, _ count: UInt64) -> Bool {
        let size = UInt64(bytes.count)
        return offset <= size && count <= size - offset
    }

    private func read<T: FixedWidthInteger>(at offset: Int) -> T {
        T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}
