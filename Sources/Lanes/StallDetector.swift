/// Tells when a lane has words waiting and its consumer takes none.
///
/// A wake-up that got lost shows as nothing but silence; this makes it show. Pure: whoever owns it samples the lane's totals now
/// and then, and the answer depends on the samples alone.
package struct StallDetector: Hashable, Sendable {
    /// What a sample changed.
    package enum Observation: Hashable, Sendable {
        /// Nothing to report.
        case unchanged
        /// Words have waited, and nothing was popped, for this long; said once a stall.
        case stalled(for: Duration)
        /// Words were popped, or none waits any more, after a stall that was reported.
        case recovered
    }

    /// How long words may wait with nothing popped; a stall is longer.
    package let threshold: Duration

    private enum State: Hashable {
        case idle
        /// Words wait and `popped` has not moved since `sinceNs`.
        case waiting(popped: UInt, sinceNs: UInt64)
        case stalled(popped: UInt)
    }

    private var state = State.idle

    /// Makes a detector of stalls longer than `threshold`, which is not negative.
    package init(threshold: Duration) {
        precondition(threshold >= .zero, "a stall's threshold is not negative, but \(threshold) was asked for")
        self.threshold = threshold
    }

    /// Takes in one sample.
    ///
    /// - Parameters:
    ///   - popped: words ever popped, modulo 2⁶⁴; read before `pushed`.
    ///   - pushed: words ever pushed, modulo 2⁶⁴.
    ///   - nowNs: the monotonic clock's time, nanoseconds. A time before an earlier sample's counts as no time passed.
    package mutating func observe(popped: UInt, pushed: UInt, nowNs: UInt64) -> Observation {
        guard Int(bitPattern: pushed &- popped) > 0 else {
            defer { self.state = .idle }
            if case .stalled = self.state { return .recovered }
            return .unchanged
        }
        switch self.state {
        case .stalled(popped):
            return .unchanged
        case .stalled:
            self.state = .waiting(popped: popped, sinceNs: nowNs)
            return .recovered
        case .waiting(popped, let sinceNs):
            let waited = Duration.nanoseconds(Int64(clamping: nowNs > sinceNs ? nowNs - sinceNs : 0))
            guard waited > self.threshold else { return .unchanged }
            self.state = .stalled(popped: popped)
            return .stalled(for: waited)
        case .idle, .waiting:
            self.state = .waiting(popped: popped, sinceNs: nowNs)
            return .unchanged
        }
    }
}
