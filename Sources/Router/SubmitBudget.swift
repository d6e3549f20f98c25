/// How much one provider may hand in: so many envelopes a second, and some at once.
///
/// Pure. A bucket of tokens in units of one envelope times a second, so that no part of one is lost.
struct SubmitBudget: Hashable, Sendable {
    /// Envelopes a second; at least 1.
    let rate: UInt64
    /// Envelopes at once; at least 1.
    let burst: UInt64
    private var units: UInt64
    private var lastNs: UInt64

    private static let second: UInt64 = 1_000_000_000

    /// A full bucket.
    init(rate: Int, burst: Int, nowNs: UInt64) {
        self.rate = UInt64(max(rate, 1))
        self.burst = UInt64(max(burst, 1))
        units = self.burst * Self.second
        lastNs = nowNs
    }

    /// Takes one envelope's worth; false if there is none.
    mutating func take(nowNs: UInt64) -> Bool {
        fill(nowNs)
        guard units >= Self.second else { return false }
        units -= Self.second
        return true
    }

    /// How long until some can be taken again: a tenth of the burst, but one at least; in ns.
    func pauseNs() -> UInt64 {
        let wanted = max(burst / 10, 1) * Self.second
        return wanted > units ? (wanted - units) / rate + 1 : 0
    }

    private mutating func fill(_ nowNs: UInt64) {
        guard nowNs > lastNs else { return }
        // A longer pause fills the bucket anyway, and could not be multiplied.
        let passed = min(nowNs - lastNs, burst * Self.second / rate + Self.second)
        units = min(units + passed * rate, burst * Self.second)
        lastNs = nowNs
    }
}
