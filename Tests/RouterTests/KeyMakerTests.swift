import Testing

@testable import Router

@Suite("Keys of envelopes")
struct KeyMakerTests {
    /// Gives 1, 2, 3… in place of chance.
    private final class Draws {
        var last: UInt64 = 0
        func next() -> UInt64 {
            last += 1
            return last << 48 | 0xFFFF
        }
    }

    @Test("Keys of one maker differ in the count alone")
    func count() {
        let draws = Draws()
        var keys = KeyMaker(draw: draws.next)
        let made = (0..<3).map { _ in keys.next(draw: draws.next) }
        #expect(made.map { $0.high.bigEndian } == [1 << 48 | 0xFFFF, 1 << 48 | 0xFFFF, 1 << 48 | 0xFFFF])
        #expect(made.map { $0.low.bigEndian } == [2 << 48 | 1, 2 << 48 | 2, 2 << 48 | 3])
        #expect(draws.last == 2)
    }

    @Test("When the count is used up, new bits are drawn, and no key comes twice")
    func wrap() {
        let draws = Draws()
        var keys = KeyMaker(draw: draws.next, count: (1 << 48) - 2)
        let made = (0..<3).map { _ in keys.next(draw: draws.next) }
        #expect(made.map { $0.low.bigEndian & 0xFFFF_FFFF_FFFF } == [(1 << 48) - 1, 1, 2])
        #expect(made.map { $0.high.bigEndian >> 48 } == [1, 3, 3])
        #expect(draws.last == 4)
    }

    @Test("Two makers have no key in common")
    func makers() {
        var (one, other) = (KeyMaker(), KeyMaker())
        let keys = (0..<100).flatMap { _ in [one.next(), other.next()] }
        #expect(Set(keys.map { "\($0.high)-\($0.low)" }).count == 200)
    }
}
