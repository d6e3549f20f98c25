/// Base64 with the standard alphabet and padding (RFC 4648 §4), as SASL carries its data (RFC 6120 §6.3.8).
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    /// The text for `bytes`.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            bits <<= 8 * UInt32(3 - group.count)
            for place in 0..<4 {
                let sextet = bits >> (18 - 6 * UInt32(place)) & 0x3F
                text.append(place <= group.count ? self.alphabet[Int(sextet)] : self.padding)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that `text` stands for; nil when it has other characters, white space included, or is cut short.
    package static func decode(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3)
        for start in stride(from: 0, to: digits.count, by: 4) {
            let isLast = start + 4 == digits.count
            let paddingCount = isLast ? digits[start...].reversed().prefix { $0 == self.padding }.count : 0
            guard paddingCount <= 2 else { return nil }
            var bits: UInt32 = 0
            for digit in digits[start..<(start + 4 - paddingCount)] {
                guard let value = self.value(of: digit) else { return nil }
                bits = bits << 6 | value
            }
            bits <<= 6 * UInt32(paddingCount)
            // Bits that belong to no byte must be zero, or two texts would stand for the same bytes.
            guard bits & (paddingCount == 2 ? 0xFFFF : paddingCount == 1 ? 0xFF : 0) == 0 else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
            if paddingCount < 2 { bytes.append(UInt8(truncatingIfNeeded: bits >> 8)) }
            if paddingCount < 1 { bytes.append(UInt8(truncatingIfNeeded: bits)) }
        }
        return bytes
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
