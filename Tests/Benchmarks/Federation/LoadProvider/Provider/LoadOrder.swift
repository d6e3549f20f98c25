/// A line of the control connection.
///
/// | line | answer |
/// | --- | --- |
/// | `throughput COUNT WINDOW` | `done COUNT SECONDS` when the last message is acknowledged |
/// | `rate COUNT PER-SECOND` | the same |
/// | `report` | `received COUNT MISPLACED P50 P90 P99`: what came since the last run began; latencies in µs |
///
/// What goes wrong is answered with `failed` and the reason.
enum LoadOrder: Hashable {
    case send(LoadPlan)
    case report

    /// Reads a line.
    init(_ line: String) throws(LoadError) {
        let words = line.split(separator: " ")
        let numbers = words.dropFirst().map { Int($0) ?? 0 }
        switch (words.first, numbers.count) {
        case ("throughput", 2) where numbers.allSatisfy(LoadPlan.range.contains):
            self = .send(LoadPlan(count: numbers[0], pace: .window(numbers[1])))
        case ("rate", 2) where numbers.allSatisfy(LoadPlan.range.contains):
            self = .send(LoadPlan(count: numbers[0], pace: .rate(numbers[1])))
        case ("report", 0): self = .report
        default: throw .unknownOrder(line)
        }
    }
}

/// What is to be sent.
struct LoadPlan: Hashable {
    /// What limits the speed.
    enum Pace: Hashable {
        /// So many messages are on their way at most.
        case window(Int)
        /// So many messages are sent in a second.
        case rate(Int)
    }

    /// Messages in all.
    var count: Int
    var pace: Pace

    /// What any number of an order may be.
    static let range = 1...10_000_000

    /// A receipt is asked for by each so-manieth message, so that 20 share the work of moving a window on.
    var receiptInterval: Int {
        switch self.pace {
        case .window(let window): max(1, window / 20)
        case .rate(let rate): max(1, rate / 20)
        }
    }

    /// How many messages may have been sent.
    ///
    /// - Parameter elapsedNs: since the first.
    func allowed(acknowledged: Int, elapsedNs: UInt64) -> Int {
        switch self.pace {
        case .window(let window): min(self.count, acknowledged + window)
        case .rate(let rate): min(self.count, Int(elapsedNs * UInt64(rate) / 1_000_000_000) + 1)
        }
    }

    /// Milliseconds until one more message may be sent; nil if time does not bring it about.
    func wait(sent: Int, elapsedNs: UInt64) -> UInt64? {
        guard case .rate(let rate) = self.pace, sent < self.count else { return nil }
        let due = UInt64(sent) * 1_000_000_000 / UInt64(rate)
        return due > elapsedNs ? (due - elapsedNs + 999_999) / 1_000_000 : 0
    }
}
