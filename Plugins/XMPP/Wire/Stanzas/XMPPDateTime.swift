/// Dates with times as XMPP writes them, `1969-07-21T02:56:15.250Z` (XEP-0082 §3.2).
package enum XMPPDateTime {
    private static let dayMs: Int64 = 86_400_000

    /// Milliseconds since 1970-01-01T00:00:00Z; nil when `text` is not in the format, or no such day or time exists.
    ///
    /// Years 0001...9999; more digits of a second than three are cut off; a leap second counts as the second before it.
    package static func milliseconds(of text: String) -> Int64? {
        var rest = Substring(text)
        guard let year = self.number(&rest, digits: 4, in: 1...9999), self.skip(&rest, "-"),
            let month = self.number(&rest, digits: 2, in: 1...12), self.skip(&rest, "-"),
            let day = self.number(&rest, digits: 2, in: 1...self.days(inMonth: month, year: year)),
            self.skip(&rest, "T"),
            let hour = self.number(&rest, digits: 2, in: 0...23), self.skip(&rest, ":"),
            let minute = self.number(&rest, digits: 2, in: 0...59), self.skip(&rest, ":"),
            let second = self.number(&rest, digits: 2, in: 0...60),
            let fraction = self.fraction(&rest),
            let offset = self.zoneMinutes(&rest),
            rest.isEmpty
        else { return nil }
        let minutes = hour * 60 + minute - offset
        let ms = Int64(minutes) * 60_000 + Int64(min(second, 59)) * 1000 + Int64(fraction)
        return self.daysSince1970(year: year, month: month, day: day) * self.dayMs + ms
    }

    /// The text of a moment in UTC, with milliseconds when there are any.
    ///
    /// Moments outside of the years 0001...9999 become the nearest one inside.
    package static func text(ofMilliseconds milliseconds: Int64) -> String {
        let earliest = self.daysSince1970(year: 1, month: 1, day: 1) * self.dayMs
        let latest = self.daysSince1970(year: 10_000, month: 1, day: 1) * self.dayMs - 1
        let milliseconds = min(max(milliseconds, earliest), latest)
        var days = milliseconds / self.dayMs
        var rest = milliseconds % self.dayMs
        if rest < 0 {
            rest += self.dayMs
            days -= 1
        }
        let (year, month, day) = self.date(daysSince1970: days)
        let date = "\(self.pad(year, 4))-\(self.pad(month, 2))-\(self.pad(day, 2))"
        let seconds = Int(rest / 1000)
        let time = "\(self.pad(seconds / 3600, 2)):\(self.pad(seconds / 60 % 60, 2)):\(self.pad(seconds % 60, 2))"
        let fraction = rest % 1000 == 0 ? "" : "." + self.pad(Int(rest % 1000), 3)
        return "\(date)T\(time)\(fraction)Z"
    }

    private static func skip(_ rest: inout Substring, _ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    private static func number(_ rest: inout Substring, digits: Int, in range: ClosedRange<Int>) -> Int? {
        let text = rest.utf8.prefix(digits)
        guard text.count == digits, text.allSatisfy(self.isDigit) else { return nil }
        let number = text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        guard range.contains(number) else { return nil }
        rest = Substring(rest.utf8.dropFirst(digits))
        return number
    }

    /// Milliseconds after an optional point; nil when a point has no digit after it.
    private static func fraction(_ rest: inout Substring) -> Int? {
        guard self.skip(&rest, ".") else { return 0 }
        let digits = Array(rest.utf8.prefix(while: self.isDigit))
        guard !digits.isEmpty else { return nil }
        rest = Substring(rest.utf8.dropFirst(digits.count))
        let padded = (digits + Array("00".utf8)).prefix(3)
        return padded.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func zoneMinutes(_ rest: inout Substring) -> Int? {
        if self.skip(&rest, "Z") { return 0 }
        let isEast = self.skip(&rest, "+")
        guard isEast || self.skip(&rest, "-"),
            let hours = self.number(&rest, digits: 2, in: 0...23), self.skip(&rest, ":"),
            let minutes = self.number(&rest, digits: 2, in: 0...59)
        else { return nil }
        return (isEast ? 1 : -1) * (hours * 60 + minutes)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }

    private static func pad(_ number: Int, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    private static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Counts in years that begin in March, so that a leap day comes last in its year.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let marchMonth = (month + 9) % 12
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        // 719 468 days lie between 0000-03-01 and 1970-01-01.
        return Int64(365 * marchYear + leapDays + dayOfYear - 719_468)
    }

    private static func date(daysSince1970 days: Int64) -> (year: Int, month: Int, day: Int) {
        // The year whose first day is not after the day: an estimate that is at most one too high or low.
        var year = Int((days + 719_528) * 400 / 146_097)
        while self.daysSince1970(year: year + 1, month: 1, day: 1) <= days { year += 1 }
        while self.daysSince1970(year: year, month: 1, day: 1) > days { year -= 1 }
        var day = Int(days - self.daysSince1970(year: year, month: 1, day: 1)) + 1
        var month = 1
        while day > self.days(inMonth: month, year: year) {
            day -= self.days(inMonth: month, year: year)
            month += 1
        }
        return (year, month, day)
    }
}
