/// SHA-256 (FIPS 180-4) and HMAC (RFC 2104), for the tests only: the router takes both from its host.
enum SHA256 {
    private static let roundConstants: [UInt32] = fractions(of: firstPrimes(64), root: 3)
    private static let initialState: [UInt32] = fractions(of: firstPrimes(8), root: 2)

    static func hash(_ data: [UInt8]) -> [UInt8] {
        var message = data + [0x80]
        while message.count % 64 != 56 { message.append(0) }
        let bitCount = UInt64(data.count) * 8
        for shift in stride(from: 56, through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: bitCount >> shift))
        }
        var state = self.initialState
        for start in stride(from: 0, to: message.count, by: 64) {
            self.compress(message[start..<start + 64], into: &state)
        }
        return state.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
    }

    static func hmac(key: [UInt8], data: [UInt8]) -> [UInt8] {
        let key = key.count > 64 ? self.hash(key) : key
        let padded = key + [UInt8](repeating: 0, count: 64 - key.count)
        return self.hash(padded.map { $0 ^ 0x5c } + self.hash(padded.map { $0 ^ 0x36 } + data))
    }

    private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
        var words = stride(from: block.startIndex, to: block.endIndex, by: 4).map { index in
            block[index..<index + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for index in 16..<64 {
            let (old, recent) = (words[index - 15], words[index - 2])
            let small = self.rotate(old, 7) ^ self.rotate(old, 18) ^ (old >> 3)
            let large = self.rotate(recent, 17) ^ self.rotate(recent, 19) ^ (recent >> 10)
            words.append(words[index - 16] &+ small &+ words[index - 7] &+ large)
        }
        var s = state
        for index in 0..<64 {
            let sum1 = self.rotate(s[4], 6) ^ self.rotate(s[4], 11) ^ self.rotate(s[4], 25)
            let choice = (s[4] & s[5]) ^ (~s[4] & s[6])
            let first = s[7] &+ sum1 &+ choice &+ self.roundConstants[index] &+ words[index]
            let sum0 = self.rotate(s[0], 2) ^ self.rotate(s[0], 13) ^ self.rotate(s[0], 22)
            let majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])
            s = [first &+ sum0 &+ majority, s[0], s[1], s[2], s[3] &+ first, s[4], s[5], s[6]]
        }
        for index in 0..<8 { state[index] &+= s[index] }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }

    private static func firstPrimes(_ count: Int) -> [UInt64] {
        var primes: [UInt64] = []
        var candidate: UInt64 = 2
        while primes.count < count {
            if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes
    }

    /// The first 32 bits of the fractions of the roots, by which FIPS 180-4 defines its constants.
    private static func fractions(of primes: [UInt64], root: Int) -> [UInt32] {
        primes.map { prime in
            var low: UInt64 = 0
            var high: UInt64 = 1 << 36
            // The largest x with x^root <= prime * 2^(32 * root).
            while low + 1 < high {
                let middle = (low + high) / 2
                if self.power(middle, root) <= self.shifted(prime, by: 32 * root) {
                    low = middle
                } else {
                    high = middle
                }
            }
            return UInt32(truncatingIfNeeded: low)
        }
    }

    private static func power(_ base: UInt64, _ exponent: Int) -> UInt128 {
        (0..<exponent).reduce(UInt128(1)) { product, _ in product * UInt128(base) }
    }

    private static func shifted(_ value: UInt64, by count: Int) -> UInt128 { UInt128(value) << UInt128(count) }
}
