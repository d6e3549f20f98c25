internal import CMemory

/// Checks of borrowed text, many bytes at a time: every message passes them.
enum TextCheck {
    /// Whether bytes are well-formed UTF-8.
    @inline(__always)
    static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = bytes.baseAddress, memory_is_ascii(start, bytes.count) == 0 else { return true }
        return (try? UTF8Span(validating: bytes.span)) != nil
    }

    /// Whether no byte is a space, a control character or DEL.
    ///
    /// - Parameter bytes: well-formed UTF-8.
    @inline(__always)
    static func isVisible(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        return memory_is_visible(start, bytes.count) != 0
    }
}
