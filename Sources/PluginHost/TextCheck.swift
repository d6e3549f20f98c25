/// Checks of borrowed text, many bytes at a time: every message passes them.
enum TextCheck {
    /// Whether bytes are well-formed UTF-8.
    @inline(__always)
    static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        isASCII(UnsafeRawBufferPointer(bytes)) || (try? UTF8Span(validating: bytes.span)) != nil
    }

    /// Whether no byte is a space, a control character or DEL.
    ///
    /// - Parameter bytes: well-formed UTF-8.
    static func isVisible(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 8 else { return bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F } }
        var offset = 0
        while offset + 8 < bytes.count {
            guard isVisible(word(bytes, offset)) else { return false }
            offset += 8
        }
        return isVisible(word(bytes, bytes.count - 8))
    }

    /// The same of eight bytes.
    ///
    /// A byte is below n (n up to 0x80) where subtracting n borrows into a top bit that was clear. The borrow may run on into
    /// the byte above, but only from a byte that is below n itself: so the word as a whole is judged rightly.
    @inline(__always)
    private static func isVisible(_ word: UInt64) -> Bool {
        let (low, top) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
        let isBelow = (word &- low &* 0x21) & ~word
        let differs = word ^ (low &* 0x7F)
        let isDelete = (differs &- low) & ~differs
        return (isBelow | isDelete) & top == 0
    }

    @inline(__always)
    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        guard count >= 8 else { return bytes.allSatisfy { $0 < 0x80 } }
        var seen: UInt64 = 0
        if count >= 32, let start = bytes.baseAddress {
            var all = SIMD4<UInt64>()
            var offset = 0
            while offset + 32 < count {
                all |= (start + offset).loadUnaligned(as: SIMD4<UInt64>.self)
                offset += 32
            }
            // The last 32, some of them for the second time.
            all |= (start + count - 32).loadUnaligned(as: SIMD4<UInt64>.self)
            seen = all[0] | all[1] | all[2] | all[3]
        } else {
            var offset = 0
            while offset + 8 < count {
                seen |= word(bytes, offset)
                offset += 8
            }
            seen |= word(bytes, count - 8)
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}
