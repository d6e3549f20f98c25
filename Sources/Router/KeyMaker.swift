internal import HostServices

/// Makes the keys by which an envelope is known at each of its attempts, across restarts.
///
/// A key must be unique, and need not be hard to guess: it is a name and proves nothing, and whoever could make use of a
/// guess would have to be a provider, which is told the keys anyway. So it is 80 bits of chance, drawn once for each worker
/// and start, and a count of 48. Two of a million starts draw the same 80 bits with a probability of 10⁻¹², and at a million
/// messages a second the count lasts for nine years; then new bits are drawn.
struct KeyMaker {
    private var high: UInt64
    /// Chance in the upper 16 bits, the count in the others.
    private var low: UInt64

    private static let countMask: UInt64 = (1 << 48) - 1

    /// - Parameters:
    ///   - draw: gives 64 bits of chance.
    ///   - count: keys that were made before.
    init(draw: () -> UInt64 = Self.chance, count: UInt64 = 0) {
        high = draw()
        low = draw() & ~Self.countMask | count & Self.countMask
    }

    /// A key that no other envelope has, as two big-endian numbers.
    mutating func next(draw: () -> UInt64 = Self.chance) -> (high: UInt64, low: UInt64) {
        if low & Self.countMask == Self.countMask { self = KeyMaker(draw: draw) }
        low += 1
        return (high.bigEndian, low.bigEndian)
    }

    private static func chance() -> UInt64 {
        var bits: UInt64 = 0
        withUnsafeMutableBytes(of: &bits) { HostRandom.fill($0) }
        return bits
    }
}
