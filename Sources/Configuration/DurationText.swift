/// Durations as people write them: `250ms`, `5s`, `10m`, `48h`, `7d`.
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Longest duration: about a hundred years.
    package static let max = Duration.seconds(36_525 * 86_400)

    /// Reads a whole number followed by `ms`, `s`, `m`, `h` or `d`.
    ///
    /// - Returns: `nil` when `text` is anything else, or longer than a hundred years.
    package static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unitName = text[digits.endIndex...]
        guard let count = Int64(digits), let unit = Self.units.first(where: { $0.name == unitName }) else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow, Duration.milliseconds(milliseconds) <= Self.max else { return nil }
        return .milliseconds(milliseconds)
    }

    /// Writes `duration` with the largest unit that leaves a whole number; less than a millisecond is dropped.
    package static func format(_ duration: Duration) -> String {
        let milliseconds = Self.milliseconds(duration)
        let unit = Self.units.first { milliseconds != 0 && milliseconds % $0.milliseconds == 0 }
        guard let unit else { return "0s" }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    /// Whole milliseconds of `duration`, which is at most ``max``.
    package static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
