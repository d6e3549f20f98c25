/// The text of a message: when it was sent, its run and its number, each in hexadecimal digits, then letters.
struct LoadText: Hashable {
    /// Nanoseconds of the system's monotonic clock.
    var sentAt: UInt64
    /// Chosen by chance for each run.
    var run: UInt32
    /// From 0.
    var number: UInt32

    /// The digits of the three numbers.
    static let bytesMin = 32
    /// Small enough for every network.
    static let bytesMax = 4096

    init(sentAt: UInt64, run: UInt32, number: UInt32) {
        self.sentAt = sentAt
        self.run = run
        self.number = number
    }

    /// Nil if it is no such text.
    init?(_ text: String) {
        let digits = text.utf8.prefix(Self.bytesMin)
        guard digits.count == Self.bytesMin, let sentAt = Self.value(digits.prefix(16)),
            let run = Self.value(digits.dropFirst(16).prefix(8)), let number = Self.value(digits.dropFirst(24))
        else { return nil }
        self.init(sentAt: sentAt, run: UInt32(run), number: UInt32(number))
    }

    /// The text, of `bytes` ASCII characters.
    func text(bytes: Int) -> String {
        String(unsafeUninitializedCapacity: bytes) { buffer in
            Self.write(self.sentAt, digits: 16, to: buffer, at: 0)
            Self.write(UInt64(self.run), digits: 8, to: buffer, at: 16)
            Self.write(UInt64(self.number), digits: 8, to: buffer, at: 24)
            for index in Self.bytesMin..<bytes { buffer[index] = UInt8(ascii: "a") + UInt8(index % 26) }
            return bytes
        }
    }

    private static func write(_ value: UInt64, digits: Int, to buffer: UnsafeMutableBufferPointer<UInt8>, at: Int) {
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(4 * (digits - 1 - index))) & 15
            buffer[at + index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }

    private static func value(_ digits: Substring.UTF8View) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}
