import FoundationEssentials
import NIOCore

/// The clocks that plugins may read.
package enum HostClock {
    /// Milliseconds since 1970-01-01 UTC; may jump when the system's clock is set.
    package static func wallMs() -> Int64 {
        Int64(Date().timeIntervalSince1970 * 1000)
    }

    /// Nanoseconds since some moment in the past; never goes back.
    package static func monotonicNs() -> UInt64 {
        NIODeadline.now().uptimeNanoseconds
    }
}
