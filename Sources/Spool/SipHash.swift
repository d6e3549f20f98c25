/// SipHash-2-4 with 128 bits of output: a keyed hash that a peer who does not know the key cannot make collide.
///
/// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the 128-bit output as in the authors'
/// reference implementation.
struct SipHash: Sendable {
    /// Length of the key, in bytes.
    static let keyByteCount = 16

    /// The hash, as the 16 output bytes read in two little-endian halves.
    struct Digest: Hashable, Sendable {
        let first: UInt64
        let second: UInt64
    }

    private let key0: UInt64
    private let key1: UInt64

    /// Makes a hash function; `nil` unless the key has 16 bytes.
    init?(key: [UInt8]) {
        guard key.count == Self.keyByteCount else { return nil }
        self.key0 = Self.littleEndian(key[0..<8])
        self.key1 = Self.littleEndian(key[8..<16])
    }

    func digest(_ message: [UInt8]) -> Digest {
        var state = self.start()
        message.withUnsafeBytes { bytes in
            let rest = state.absorb(wordsOf: bytes)
            state.absorb(rest | UInt64(truncatingIfNeeded: message.count) << 56)
        }
        return state.finish()
    }

    /// A hash that has taken in nothing yet, for what does not lie side by side.
    func start() -> State {
        State(key0: self.key0, key1: self.key1)
    }

    private static func littleEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A hash that is being made, word by word.
    struct State {
        private var v0: UInt64
        private var v1: UInt64
        private var v2: UInt64
        private var v3: UInt64

        fileprivate init(key0: UInt64, key1: UInt64) {
            self.v0 = key0 ^ 0x736f_6d65_7073_6575
            self.v1 = key1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
            self.v2 = key0 ^ 0x6c79_6765_6e65_7261
            self.v3 = key1 ^ 0x7465_6462_7974_6573
        }

        mutating func absorb(_ word: UInt64) {
            self.v3 ^= word
            self.rounds(2)
            self.v0 ^= word
        }

        /// Takes in all whole words of `bytes`, and gives what is left over, with zeros above it.
        mutating func absorb(wordsOf bytes: UnsafeRawBufferPointer) -> UInt64 {
            var offset = 0
            while offset + 8 <= bytes.count {
                self.absorb(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                offset += 8
            }
            var rest: UInt64 = 0
            for index in offset..<bytes.count { rest |= UInt64(bytes[index]) << UInt64((index - offset) * 8) }
            return rest
        }

        mutating func finish() -> Digest {
            self.v2 ^= 0xee
            self.rounds(4)
            let first = self.v0 ^ self.v1 ^ self.v2 ^ self.v3
            self.v1 ^= 0xdd
            self.rounds(4)
            return Digest(first: first, second: self.v0 ^ self.v1 ^ self.v2 ^ self.v3)
        }

        private mutating func rounds(_ count: Int) {
            for _ in 0..<count {
                self.v0 &+= self.v1
                self.v2 &+= self.v3
                self.v1 = rotated(self.v1, 13) ^ self.v0
                self.v3 = rotated(self.v3, 16) ^ self.v2
                self.v0 = rotated(self.v0, 32)
                self.v2 &+= self.v1
                self.v0 &+= self.v3
                self.v1 = rotated(self.v1, 17) ^ self.v2
                self.v3 = rotated(self.v3, 21) ^ self.v0
                self.v2 = rotated(self.v2, 32)
            }
        }

        private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
            word << bits | word >> (64 - bits)
        }
    }
}
