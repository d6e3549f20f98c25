/// A day of the Gregorian calendar; it begins and ends at midnight UTC.
package struct PolicyDate: Hashable, Sendable, Comparable, LosslessStringConvertible {
    /// Days since 1 January 1970; negative before.
    package let day: Int64

    /// The first and the last day that can be written.
    package static let range = PolicyDate(year: 1970, month: 1, day: 1)...PolicyDate(year: 9999, month: 12, day: 31)

    private static let millisecondsPerDay: Int64 = 86_400_000

    /// The day in which a time falls.
    ///
    /// - Parameter milliseconds: since 1970.
    package init(milliseconds: Int64) {
        var day = milliseconds / Self.millisecondsPerDay
        if milliseconds % Self.millisecondsPerDay < 0 { day -= 1 }
        self.day = day
    }

    /// Days from the civil date, with years that begin in March, so that the leap day is the last.
    private init(year: Int64, month: Int64, day: Int64) {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.day = era * 146_097 + dayOfEra - 719_468
    }

    /// Reads `2014-06-30`; fails for any other form, and for a day that there is not.
    package init?(_ description: String) {
        let parts = description.split(separator: "-", omittingEmptySubsequences: false)
        let isNumeric = parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard parts.map(\.utf8.count) == [4, 2, 2], isNumeric, let year = Int64(parts[0]), let month = Int64(parts[1]),
            let day = Int64(parts[2]), (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        self.init(year: year, month: month, day: day)
        // 30 February is counted as 2 March.
        guard civil == (year, month, day) else { return nil }
    }

    /// When the day begins, in ms since 1970.
    package var begins: Int64 { day * Self.millisecondsPerDay }
    /// When the next day begins, in ms since 1970.
    package var ends: Int64 { begins + Self.millisecondsPerDay }

    /// The same day some months later, or the last day of that month if it is shorter.
    package func adding(months: Int) -> PolicyDate {
        let (year, month, day) = civil
        let count = year * 12 + month - 1 + Int64(months)
        let target = (year: count / 12, month: count % 12 + 1)
        let next = (year: (count + 1) / 12, month: (count + 1) % 12 + 1)
        let last = PolicyDate(year: next.year, month: next.month, day: 1).day
        return PolicyDate(day: min(PolicyDate(year: target.year, month: target.month, day: day).day, last - 1))
    }

    /// The day before.
    package var before: PolicyDate { PolicyDate(day: day - 1) }

    private init(day: Int64) { self.day = day }

    private var civil: (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    package var description: String {
        let (year, month, day) = civil
        let padded = { (number: Int64, count: Int) in
            String(repeating: "0", count: max(0, count - "\(number)".count)) + "\(number)"
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    package static func < (left: PolicyDate, right: PolicyDate) -> Bool { left.day < right.day }
}
