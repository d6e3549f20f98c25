/// Chance that is the same for the same seed.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (SplitMix64).
public struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    /// A generator whose every number follows from `seed`.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True once in `count` times; never for 0.
    mutating func oneIn(_ count: Int) -> Bool {
        count > 0 && next() % UInt64(count) == 0
    }

    /// A number in a range; the range's only one costs no chance.
    mutating func pick(_ range: ClosedRange<UInt64>) -> UInt64 {
        let width = range.upperBound - range.lowerBound
        return width == 0 ? range.lowerBound : range.lowerBound + next() % (width &+ 1 == 0 ? .max : width + 1)
    }

    /// A number in a range.
    mutating func pick(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(pick(0...UInt64(range.upperBound - range.lowerBound)))
    }

    /// A duration in a range, in nanoseconds.
    mutating func pick(_ range: ClosedRange<Duration>) -> UInt64 {
        pick(range.lowerBound.nanoseconds...range.upperBound.nanoseconds)
    }
}

extension Duration {
    /// Whole nanoseconds; 0 for what is negative.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) &* 1_000_000_000 &+ UInt64(attoseconds / 1_000_000_000)
    }
}
