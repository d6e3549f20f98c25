package import CPlugboard

extension plugboard_bytes_1 {
    /// Its own copy as text; bytes that are no UTF-8 become U+FFFD.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    /// The borrowed bytes themselves; none if the pointer does not fit the count.
    package var bytes: UnsafeRawBufferPointer {
        isWellFormed ? UnsafeRawBufferPointer(start: start, count: count) : UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Whether the pointer fits the count.
    package var isWellFormed: Bool { count == 0 || (start != nil && count > 0) }
}

/// Lends the UTF-8 of texts, in one block, for the duration of `body`.
package func withTexts<R>(_ texts: [String], _ body: ([plugboard_bytes_t]) -> R) -> R {
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
