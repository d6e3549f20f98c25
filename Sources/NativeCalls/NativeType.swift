/// A type of the C language, as a signature names it.
package enum NativeType: String, Hashable, Sendable, CaseIterable {
    /// Nothing; for results only.
    case void
    /// One byte, 0 or 1: `bool`, or the ABI's `uint8_t`.
    case bool
    case i8
    case u8
    case i16
    case u16
    /// C's `int`, and enumerations.
    case i32
    case u32
    /// `int64_t`, and `long` on 64-bit Linux.
    case i64
    /// `uint64_t`, and `size_t` on 64-bit Linux.
    case u64
    /// `float`.
    case f32
    /// `double`.
    case f64
    /// `const char *`: text that ends with a zero.
    case string
    /// Any other pointer.
    case pointer

    /// Reads a type's name, or the letter that it has in `plugin.h`.
    package init?(word: String) {
        switch word {
        case "v": self = .void
        case "b": self = .bool
        case "i": self = .i64
        case "d": self = .f64
        case "s": self = .string
        default: self.init(rawValue: word)
        }
    }

    /// Whether it is a whole number, of any width.
    package var isInteger: Bool {
        switch self {
        case .i8, .u8, .i16, .u16, .i32, .u32, .i64, .u64: true
        case .void, .bool, .f32, .f64, .string, .pointer: false
        }
    }

    /// Whether it is an address.
    package var isAddress: Bool { self == .string || self == .pointer }

    /// The names of all types, for messages.
    package static let names = allCases.map(\.rawValue).joined(separator: ", ")
}
