import Testing

@testable import Policy

@Suite("PolicyDate")
struct PolicyDateTests {
    @Test("Every day of four centuries is written as it is read, and the next one follows")
    func roundTrip() throws {
        var last = try #require(PolicyDate("1970-01-01"))
        #expect(last.day == 0)
        while "\(last)" != "2370-01-01" {
            let next = PolicyDate(milliseconds: last.ends)
            #expect(next.day == last.day + 1 && PolicyDate("\(next)") == next && next.before == last)
            last = next
        }
        // 400 years have 97 leap days.
        #expect(last.day == 400 * 365 + 97)
    }

    @Test(
        "What is no day is refused",
        arguments: [
            "", "2014", "2014-6-30", "2014-06-31", "2013-02-29", "2014-13-01", "2014-00-01", "2014-01-00", "14-01-01",
            "2014-06-30 ", "+014-06-30", "2014/06/30", "1969-12-31", "2014-06-30-", "２014-06-30",
        ]
    )
    func refused(_ text: String) {
        #expect(PolicyDate(text) == nil)
    }

    @Test("A time falls in the day that has begun", arguments: [(0, 0), (86_399_999, 0), (86_400_000, 1), (-1, -1)])
    func days(_ time: Int64, _ day: Int64) {
        #expect(PolicyDate(milliseconds: time).day == day)
    }

    @Test(
        "Months later is the same day, or the last of a shorter month",
        arguments: [
            ("2014-01-15", 1, "2014-02-15"), ("2014-01-31", 1, "2014-02-28"), ("2016-01-31", 1, "2016-02-29"),
            ("2014-12-31", 12, "2015-12-31"), ("2014-11-30", 3, "2015-02-28"), ("2014-03-31", 1, "2014-04-30"),
        ]
    )
    func months(_ from: String, _ months: Int, _ to: String) throws {
        #expect(try #require(PolicyDate(from)).adding(months: months) == PolicyDate(to))
    }
}
