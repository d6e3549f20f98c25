// For timespec: the C headers are read by way of this module first, and it then owns the type.
internal import CCares
internal import Glibc
import NIOCore

/// The clocks that plugins may read.
package enum HostClock {
    /// Milliseconds since 1970-01-01 UTC; may jump when the system's clock is set.
    package static func wallMs() -> Int64 { read(CLOCK_REALTIME) }

    /// The same, some milliseconds behind: as the kernel noted it at its last tick, 1 to 10 ms ago.
    ///
    /// Reading it takes a sixth of the time.
    package static func coarseWallMs() -> Int64 { read(CLOCK_REALTIME_COARSE) }

    /// Nanoseconds since some moment in the past; never goes back.
    package static func monotonicNs() -> UInt64 {
        NIODeadline.now().uptimeNanoseconds
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // It fails for an unknown clock alone; both are there since Linux 2.6.32.
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
