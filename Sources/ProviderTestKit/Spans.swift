internal import CPlugboard

extension plugboard_bytes_1 {
    /// Whether the pointer fits the count.
    var isWellFormed: Bool { count == 0 || (start != nil && count > 0) }

    /// The borrowed bytes; none if the pointer does not fit the count.
    var bytes: UnsafeRawBufferPointer {
        isWellFormed ? UnsafeRawBufferPointer(start: start, count: count) : UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Its own copy as text; bytes that are no UTF-8 become U+FFFD.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// The size of a struct as its `struct_size` field wants it.
func structSize<T>(_ type: T.Type) -> UInt32 { UInt32(MemoryLayout<T>.size) }

/// Lends the UTF-8 of a text for the duration of a call.
func lending<R>(_ text: String, _ body: (plugboard_bytes_t) -> R) -> R {
    var text = text
    return text.withUTF8 { body(plugboard_bytes_t(start: $0.baseAddress, count: $0.count)) }
}

/// Lends the UTF-8 of many texts, in one block, for the duration of a call.
func lending<R>(_ texts: [String], _ body: ([plugboard_bytes_t]) -> R) -> R {
    var block: [UInt8] = []
    var ends: [Int] = []
    for text in texts {
        block.append(contentsOf: text.utf8)
        ends.append(block.count)
    }
    return block.withUnsafeBufferPointer { block in
        var spans: [plugboard_bytes_t] = []
        var start = 0
        for end in ends {
            spans.append(plugboard_bytes_t(start: block.baseAddress.map { $0 + start }, count: end - start))
            start = end
        }
        return body(spans)
    }
}
