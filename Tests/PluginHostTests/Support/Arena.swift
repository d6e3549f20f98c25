import CPlugboard

/// Memory for C structs and texts, as a plugin would hold them; freed with the arena.
final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    /// A copy of a text, as borrowed bytes.
    func text(_ text: String) -> plugboard_bytes_t { bytes(Array(text.utf8)) }

    /// A copy of a text that ends with a zero.
    func cString(_ text: String) -> UnsafePointer<CChar> {
        UnsafePointer(put(text.utf8CString.map { $0 }))
    }

    /// A copy of bytes, as borrowed bytes.
    func bytes(_ bytes: [UInt8]) -> plugboard_bytes_t {
        let memory = memory(bytes.count)
        memory.copyMemory(from: bytes, byteCount: bytes.count)
        return plugboard_bytes_t(start: memory.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    }

    /// A copy of values, one behind the other.
    func put<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
        let memory = memory(values.count * MemoryLayout<T>.stride).bindMemory(to: T.self, capacity: values.count)
        memory.initialize(from: values, count: values.count)
        return memory
    }

    /// A copy of one value.
    func put<T>(_ value: T) -> UnsafeMutablePointer<T> { put([value]) }

    /// `count` bytes, aligned to 16, full of what nobody should see.
    func memory(_ count: Int, fill: UInt8 = 0xA5) -> UnsafeMutableRawPointer {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: fill, count: max(count, 1))
        blocks.append(memory)
        return memory
    }
}

extension plugboard_bytes_1 {
    /// Bytes that cannot be: a count without a pointer.
    static var missing: plugboard_bytes_t { plugboard_bytes_t(start: nil, count: 5) }

    /// The bytes, copied.
    var copy: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }
}

/// The size of a struct as its `struct_size` field wants it.
func structSize<T>(_ type: T.Type) -> UInt32 { UInt32(MemoryLayout<T>.size) }
