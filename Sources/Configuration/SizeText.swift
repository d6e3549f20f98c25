/// Sizes in bytes as people write them: `512`, `256KiB`, `10MiB`, `2GiB`.
package enum SizeText {
    private static let units: [(name: String, bytes: Int64)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1),
    ]

    /// Reads a whole number followed by nothing, `B`, `KiB`, `MiB` or `GiB`.
    ///
    /// - Returns: bytes; `nil` when `text` is anything else, or past what 63 bits hold.
    package static func parse(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unitName = text[digits.endIndex...]
        guard let count = Int64(digits), let unit = Self.units.first(where: { $0.name == unitName }) else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }

    /// Writes `bytes` with the largest unit that leaves a whole number.
    package static func format(_ bytes: Int64) -> String {
        let unit = Self.units.first { bytes != 0 && bytes % $0.bytes == 0 }
        guard let unit else { return "0B" }
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}
