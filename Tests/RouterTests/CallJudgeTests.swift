import PluginHost
import Telemetry
import Testing

@testable import Router

@Suite("How long calls into plugins take")
struct CallJudgeTests {
    private typealias Present = CallWatch.Present
    private static let limits = CallJudge.Limits(slow: 100, stuck: 1000)

    private func call(_ number: UInt64, _ call: ProviderCall = .deliver, instance: Int = 1) -> Present {
        Present(number: number, instance: instance, call: call)
    }

    /// What is said at each look.
    private func events(_ looks: [(Present?, UInt64)], lookMaxNs: UInt64 = 1_000_000) -> [[CallJudge.Event]] {
        var judge = CallJudge(lookMaxNs: lookMaxNs)
        return looks.map { present, passed in
            judge.look(at: present, passedNs: passed) { _ in Self.limits }.map(\.event)
        }
    }

    @Test("Calls that differ are never slow, however many there are")
    func quick() {
        let looks = (0..<100).map { (call(UInt64($0)) as Present?, UInt64(90)) }
        #expect(events(looks) == Array(repeating: [], count: 100))
    }

    @Test("A call is slow at its limit, stuck at the next, lost at twice that, each told once")
    func limits() {
        let looks: [(Present?, UInt64)] = [
            (call(7), 5000), (call(7), 99), (call(7), 1), (call(7), 899), (call(7), 1), (call(7), 999), (call(7), 1),
            (call(7), 5000), (nil, 1), (nil, 1),
        ]
        #expect(events(looks) == [[], [], [.slow], [], [.stuck], [], [.lost], [], [.returned], []])
    }

    @Test("One that took long and returns is no news, one that was stuck is")
    func returned() {
        #expect(events([(call(1), 0), (call(1), 500), (nil, 1)]) == [[], [.slow], []])
        #expect(events([(call(1), 0), (call(1), 1500), (call(2), 1)]) == [[], [.slow, .stuck], [.returned]])
    }

    @Test("A process that was stopped for a long time condemns nobody")
    func stopped() {
        #expect(events([(call(1), 0), (call(1), .max), (call(1), .max)], lookMaxNs: 50) == [[], [], [.slow]])
    }

    @Test("The verdict names the call and how long it has been seen")
    func verdict() {
        var judge = CallJudge(lookMaxNs: 10_000)
        _ = judge.look(at: call(3, .received, instance: 5), passedNs: 0) { _ in Self.limits }
        let verdicts = judge.look(at: call(3, .received, instance: 5), passedNs: 150) { _ in Self.limits }
        #expect(verdicts == [.init(event: .slow, call: call(3, .received, instance: 5), durationNs: 150)])
    }
}

@Suite("What a provider may hand in")
struct SubmitBudgetTests {
    private static let second: UInt64 = 1_000_000_000

    /// How many of `tries` at a moment are let through.
    private func taken(_ tries: Int, at nowNs: UInt64, of budget: inout SubmitBudget) -> Int {
        var count = 0
        for _ in 0..<tries where budget.take(nowNs: nowNs) { count += 1 }
        return count
    }

    @Test("The burst at once, and one more is too much", arguments: [1, 10, 1000])
    func burst(count: Int) {
        var budget = SubmitBudget(rate: 10, burst: count, nowNs: 5)
        let atOnce = taken(count + 1, at: 5, of: &budget)
        #expect(atOnce == count)
    }

    @Test("Then as many a second as the rate, exactly", arguments: [1, 3, 10, 999])
    func rate(rate: Int) {
        var budget = SubmitBudget(rate: rate, burst: 2, nowNs: 0)
        var count = 0
        // Looks at odd moments, over ten seconds.
        for step in 0...100_000 { count += taken(1, at: UInt64(step) * Self.second / 10_000, of: &budget) }
        #expect((rate * 10 + 1...rate * 10 + 2).contains(count))
    }

    @Test("A long pause fills the bucket and no more; time that stands still or goes back fills nothing")
    func pause() {
        var budget = SubmitBudget(rate: 1000, burst: 2, nowNs: 0)
        let after = taken(3, at: .max / 2, of: &budget)
        #expect(after == 2)
        let back = taken(1, at: 1, of: &budget)
        #expect(back == 0)
    }

    @Test("When it says that it can go on, it can")
    func again() {
        var budget = SubmitBudget(rate: 7, burst: 30, nowNs: 0)
        let all = taken(31, at: 0, of: &budget)
        #expect(all == 30)
        let pause = budget.pauseNs()
        #expect(pause > 0)
        let more = taken(4, at: pause, of: &budget)
        #expect(more == 3)
    }
}

@Suite("Lines that come too often")
struct LogLimitTests {
    @Test("One in a while of each kind, with how many were held back")
    func limit() {
        var limit = LogLimit<String>(pauseNs: 10)
        let asked: [(String, UInt64)] = [("a", 0), ("a", 9), ("b", 9), ("a", 9), ("a", 10), ("a", 20)]
        let held = asked.map { limit.admit($0, nowNs: $1) }
        #expect(held == [0, nil, 0, nil, 2, 0])
    }

    @Test("So many in a while as there is room for, and not one more")
    func several() {
        var limit = LogLimit<String>(pauseNs: 10, linesMax: 3)
        let held = [0, 1, 2, 3, 9, 10, 11].map { limit.admit("a", nowNs: $0) }
        #expect(held == [0, 0, 0, nil, nil, 2, 0])
    }
}
