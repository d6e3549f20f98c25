import Spool
import Testing

@Suite struct RetryScheduleTests {
    static let plain = RetrySchedule(
        firstDelayMs: 1000,
        delayMaxMs: 60_000,
        factor: 2,
        jitterFraction: 0,
        attemptsMax: 10
    )

    @Test(
        "Without jitter the delay doubles up to its limit, and then the attempts end",
        arguments: [(1, 1000), (2, 2000), (3, 4000), (6, 32_000), (7, 60_000), (8, 60_000), (9, 60_000)]
            as [(Int, Int64)]
    )
    func growth(attempts: Int, delay: Int64) {
        let verdict = Self.plain.verdict(afterAttempts: attempts, now: testTime, random: 0.5)
        #expect(verdict == .retry(at: testTime + delay))
    }

    @Test("The attempts end at their limit", arguments: [10, 11, Int.max])
    func attemptsUsedUp(_ attempts: Int) {
        #expect(Self.plain.verdict(afterAttempts: attempts, now: testTime, random: 0) == .exhausted)
    }

    @Test(
        "Jitter takes away up to its share",
        arguments: [(0.0, 4000), (0.5, 3000), (0.9999999, 2000), (-1, 4000), (2, 2000)] as [(Double, Int64)]
    )
    func jitter(random: Double, delay: Int64) {
        let schedule = RetrySchedule(firstDelayMs: 4000, delayMaxMs: 60_000, factor: 2, jitterFraction: 0.5)
        #expect(schedule.verdict(afterAttempts: 1, now: testTime, random: random) == .retry(at: testTime + delay))
    }

    @Test(
        "A provider's retry-after is honoured up to a day",
        arguments: [
            (0, 1000),
            (-5, 1000),
            (999, 1000),
            (1001, 1001),
            (86_400_000, 86_400_000),
            (86_400_001, 86_400_000),
            (.max, 86_400_000),
        ] as [(Int64, Int64)]
    )
    func retryAfter(asked: Int64, delay: Int64) {
        let verdict = Self.plain.verdict(afterAttempts: 1, now: testTime, retryAfterMs: asked, random: 0.5)
        #expect(verdict == .retry(at: testTime + delay))
    }

    @Test func messagesToldTheSameRetryAfterComeBackSpread() {
        let schedule = RetrySchedule(firstDelayMs: 1000, delayMaxMs: 60_000, factor: 2, jitterFraction: 0.5)
        func retry(_ random: Double) -> RetrySchedule.Verdict {
            schedule.verdict(afterAttempts: 1, now: testTime, retryAfterMs: 5000, random: random)
        }
        #expect(retry(0) == .retry(at: testTime + 5000))
        #expect(retry(0.5) == .retry(at: testTime + 5250))
    }

    @Test(
        "A retry that would come after the expiry is not made",
        arguments: [(1000, false), (1001, true), (0, true)] as [(Int64, Bool)]
    )
    func expiry(expiresIn: Int64, retries: Bool) {
        let expiresAt = expiresIn == 0 ? 0 : testTime + expiresIn
        let verdict = Self.plain.verdict(afterAttempts: 1, now: testTime, expiresAt: expiresAt, random: 0)
        #expect(verdict == (retries ? .retry(at: testTime + 1000) : .tooLate))
    }

    @Test(
        "Whatever the schedule, a delay stays within its bounds and does not shrink",
        arguments: [1.0, 1.0000001, 1.5, 2, 10, 1e300],
        [0.0, 0.2, 1]
    )
    func bounds(factor: Double, jitterFraction: Double) throws {
        let schedule = RetrySchedule(
            firstDelayMs: 7,
            delayMaxMs: RetrySchedule.delayLimitMs,
            factor: factor,
            jitterFraction: jitterFraction,
            attemptsMax: 5000
        )
        var previous: Int64 = 0
        for attempts in 1..<schedule.attemptsMax {
            let least = try self.delay(schedule, attempts, random: 1)
            let most = try self.delay(schedule, attempts, random: 0)
            #expect(least >= 1 && least <= most && most <= RetrySchedule.delayLimitMs)
            #expect(Double(least) >= (Double(most) * (1 - jitterFraction)).rounded(.down) - 1)
            #expect(most >= previous)
            previous = most
        }
    }

    private func delay(_ schedule: RetrySchedule, _ attempts: Int, random: Double) throws -> Int64 {
        let verdict = schedule.verdict(afterAttempts: attempts, now: 0, random: random)
        guard case .retry(let time) = verdict else { throw GaveUp(attempts: attempts) }
        return time
    }

    private struct GaveUp: Error {
        let attempts: Int
    }

    @Test func aScheduleOutOfItsRangesTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = RetrySchedule(firstDelayMs: 0)
        }
    }
}
