package import XMPPSession

/// How long to wait after failures before the next connection to a partner.
///
/// Each failure in a row doubles the wait, and chance spreads it, so that partners do not all come back at once.
package struct ReconnectSchedule: Hashable, Sendable {
    /// The wait after the first failure of a kind that may pass by itself, in ms.
    package static let soonMs: UInt32 = 1_000
    /// The longest such wait, in ms.
    package static let soonMaxMs: UInt32 = 300_000
    /// The wait after the first failure that somebody has to mend, in ms.
    package static let slowlyMs: UInt32 = 60_000
    /// The longest such wait, in ms.
    package static let slowlyMaxMs: UInt32 = 3_600_000
    /// A stream that lived shorter than this, in ms, counts as a failure.
    package static let streamLifeMinMs: UInt64 = 10_000

    /// Failures since the last success.
    package private(set) var failures = 0

    /// No failure yet.
    package init() {}

    /// A stream was established, and lived long enough to count.
    package mutating func succeeded() { self.failures = 0 }

    /// The wait after one more failure, in ms: from half the full wait to all of it.
    ///
    /// - Parameter chance: uniform in all its values.
    package mutating func failed(_ retry: LinkFailure.Retry, chance: UInt32) -> UInt32 {
        let (first, max) =
            switch retry {
            case .soon: (Self.soonMs, Self.soonMaxMs)
            case .slowly: (Self.slowlyMs, Self.slowlyMaxMs)
            }
        // 2^16 times any first wait is past any longest one.
        let full = Swift.min(UInt64(first) << UInt64(Swift.min(self.failures, 16)), UInt64(max))
        self.failures += 1
        let half = full / 2
        return UInt32(half + (full - half) * UInt64(chance) / UInt64(UInt32.max))
    }
}
