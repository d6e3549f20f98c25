import CPlugboard

/// Memory for C structs and texts, as a plugin would hold them; freed with the arena.
final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    /// A copy of a text, as borrowed bytes.
    func text(_ text: String) -> plugboard_bytes_t { bytes(Array(text.utf8)) }

    /// A copy of bytes, as borrowed bytes.
    func bytes(_ bytes: [UInt8]) -> plugboard_bytes_t {
        plugboard_bytes_t(start: UnsafePointer(put(bytes)), count: bytes.count)
    }

    /// A copy of values, one behind the other.
    func put<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(values.count * MemoryLayout<T>.stride, 1),
            alignment: 16
        )
        blocks.append(memory)
        let bound = memory.bindMemory(to: T.self, capacity: values.count)
        bound.initialize(from: values, count: values.count)
        return bound
    }

    /// A copy of one value.
    func put<T>(_ value: T) -> UnsafeMutablePointer<T> { put([value]) }
}

extension plugboard_bytes_1 {
    /// Bytes that cannot be: a count without a pointer.
    static var missing: plugboard_bytes_t { plugboard_bytes_t(start: nil, count: 5) }

    /// No bytes.
    static var none: plugboard_bytes_t { plugboard_bytes_t(start: nil, count: 0) }

    /// The bytes as text.
    var text: String { String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self) }
}

/// The size of a struct as its `struct_size` field wants it.
func structSize<T>(_ type: T.Type) -> UInt32 { UInt32(MemoryLayout<T>.size) }
