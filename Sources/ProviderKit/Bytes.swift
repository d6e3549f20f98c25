internal import CPlugboard

extension plugboard_bytes_1 {
    /// Its own copy as text; bytes that are no UTF-8 become U+FFFD.
    var string: String {
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}

/// Lends the UTF-8 of a string for the duration of a call.
func withBytes<R>(_ string: String, _ body: (plugboard_bytes_t) -> R) -> R {
    var string = string
    return string.withUTF8 { body(plugboard_bytes_t(start: $0.baseAddress, count: $0.count)) }
}

/// Lends an array of bytes for the duration of a call.
func withBytes<R>(_ bytes: [UInt8], _ body: (plugboard_bytes_t) -> R) -> R {
    bytes.withUnsafeBufferPointer { body(plugboard_bytes_t(start: $0.baseAddress, count: $0.count)) }
}

/// The size of a struct as its `struct_size` field wants it.
func structSize<T>(_ type: T.Type) -> UInt32 {
    UInt32(MemoryLayout<T>.size)
}

/// Visits an array of structs that each begin with their own size.
///
/// A host of a later minor version has longer structs: their own size is the distance between them.
func forEachElement<T>(_ start: UnsafePointer<T>?, _ count: Int, _ body: (T) -> Void) {
    guard count > 0, let start else { return }
    let first = UnsafeRawPointer(start)
    let stride = max(Int(first.load(as: UInt32.self)), MemoryLayout<T>.stride)
    for index in 0..<count { body(first.load(fromByteOffset: index * stride, as: T.self)) }
}

/// Copies an array of structs that each begin with their own size.
func elements<T>(_ start: UnsafePointer<T>?, _ count: Int) -> [T] {
    var all: [T] = []
    forEachElement(start, count) { all.append($0) }
    return all
}

/// A text field, in up to three parts that are lent as one: an address has them.
typealias TextParts = (String, String, String)

/// Lends many texts together, without allocating for short ones.
///
/// An envelope has a dozen text fields: two passes over them, of which the second copies them side by side.
///
/// - Parameters:
///   - count: how many texts `visit` visits.
///   - visit: calls its argument with each text in order, the same each time.
///   - body: is lent a span for each text.
func withSpans<R>(
    count: Int,
    of visit: ((TextParts) -> Void) -> Void,
    _ body: (UnsafeBufferPointer<plugboard_bytes_t>) -> R
) -> R {
    var byteCount = 0
    visit { byteCount += $0.0.utf8.count + $0.1.utf8.count + $0.2.utf8.count }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(1, byteCount)) { bytes in
        withUnsafeTemporaryAllocation(of: plugboard_bytes_t.self, capacity: max(1, count)) { spans in
            var (end, index) = (0, 0)
            func append(_ part: String) {
                let length = part.utf8.count
                guard length > 0 else { return }
                _ = UnsafeMutableBufferPointer(rebasing: bytes[end..<end + length]).initialize(from: part.utf8)
                end += length
            }
            visit { parts in
                let begin = end
                append(parts.0)
                append(parts.1)
                append(parts.2)
                let start = bytes.baseAddress.map { UnsafePointer($0 + begin) }
                spans.initializeElement(at: index, to: plugboard_bytes_t(start: start, count: end - begin))
                index += 1
            }
            return body(UnsafeBufferPointer(rebasing: spans[..<index]))
        }
    }
}

/// Many strings laid out in one block, lent together.
///
/// An envelope has a dozen text fields; one block costs one allocation, and one call lends them all.
struct StringBlock {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// Appends one string; ``withSpans(_:)`` gives it back at the same position.
    mutating func append(_ string: String) {
        bytes.append(contentsOf: string.utf8)
        ends.append(bytes.count)
    }

    /// Calls `body` with a span for each string, in the order of appending.
    func withSpans<R>(_ body: (UnsafeBufferPointer<plugboard_bytes_t>) -> R) -> R {
        bytes.withUnsafeBufferPointer { block in
            withUnsafeTemporaryAllocation(of: plugboard_bytes_t.self, capacity: ends.count) { spans in
                var start = 0
                for (index, end) in ends.enumerated() {
                    let address = block.baseAddress.map { $0 + start }
                    spans.initializeElement(at: index, to: plugboard_bytes_t(start: address, count: end - start))
                    start = end
                }
                return body(UnsafeBufferPointer(spans))
            }
        }
    }
}
