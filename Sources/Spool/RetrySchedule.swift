/// When to try a deferred message again: exponential back-off with jitter.
///
/// The delay before the next attempt is `firstDelayMs` after the first failure and grows by `factor` up to
/// `delayMaxMs`; jitter then takes away up to `jitterFraction` of it, so that messages deferred together do not return
/// together. Pure: time and randomness are arguments.
package struct RetrySchedule: Hashable, Sendable {
    /// What to do after a failed attempt.
    package enum Verdict: Hashable, Sendable {
        /// Try again at this time, unix milliseconds.
        case retry(at: Int64)
        /// The attempts are used up.
        case exhausted
        /// The next attempt would come after the message has expired.
        case tooLate
    }

    /// Longest wait that a provider's "retry after" is honoured for, in milliseconds: one day.
    package static let retryAfterMaxMs: Int64 = 24 * 60 * 60 * 1000

    /// Longest ``delayMaxMs``, in milliseconds: 30 days.
    package static let delayLimitMs: Int64 = 30 * 24 * 60 * 60 * 1000

    /// Delay after the first failure, in milliseconds, 1 or more.
    package let firstDelayMs: Int64
    /// Longest delay before jitter, in milliseconds, `firstDelayMs`...``delayLimitMs``.
    package let delayMaxMs: Int64
    /// Growth from one delay to the next, 1 or more.
    package let factor: Double
    /// Share of a delay that jitter may take away, 0...1.
    package let jitterFraction: Double
    /// Attempts altogether, the first one included, 1 or more.
    package let attemptsMax: Int

    /// Makes a schedule.
    ///
    /// Values out of their ranges trap: the configuration has checked them.
    package init(
        firstDelayMs: Int64 = 5000,
        delayMaxMs: Int64 = 15 * 60 * 1000,
        factor: Double = 2,
        jitterFraction: Double = 0.2,
        attemptsMax: Int = 100
    ) {
        precondition(firstDelayMs >= 1 && firstDelayMs <= delayMaxMs && delayMaxMs <= Self.delayLimitMs)
        precondition(factor >= 1 && factor.isFinite)
        precondition((0...1).contains(jitterFraction))
        precondition(attemptsMax >= 1)
        self.firstDelayMs = firstDelayMs
        self.delayMaxMs = delayMaxMs
        self.factor = factor
        self.jitterFraction = jitterFraction
        self.attemptsMax = attemptsMax
    }

    /// Decides what follows a failed attempt.
    ///
    /// - Parameters:
    ///   - attempts: attempts made, the one that failed included, 1 or more.
    ///   - now: unix milliseconds.
    ///   - expiresAt: the message's expiry, unix milliseconds; 0 = never.
    ///   - retryAfterMs: how long the provider asked us to stay away, in milliseconds. It is honoured up to
    ///     ``retryAfterMaxMs``: the retry comes no earlier, spread by the delay's jitter.
    ///   - random: evenly distributed over 0..<1.
    package func verdict(
        afterAttempts attempts: Int,
        now: Int64,
        expiresAt: Int64 = 0,
        retryAfterMs: Int64? = nil,
        random: Double
    ) -> Verdict {
        guard attempts < self.attemptsMax else { return .exhausted }
        let delay = self.delayMs(afterAttempts: attempts)
        let jitter = delay * self.jitterFraction * min(max(random, 0), 1)
        var wait = max(1, Int64(delay - jitter))
        if let retryAfterMs {
            wait = max(wait, min(max(retryAfterMs, 0), Self.retryAfterMaxMs) + Int64(jitter))
        }
        let retryAt = now + wait
        guard expiresAt == 0 || retryAt < expiresAt else { return .tooLate }
        return .retry(at: retryAt)
    }

    /// The delay before jitter, in milliseconds.
    private func delayMs(afterAttempts attempts: Int) -> Double {
        let limit = Double(self.delayMaxMs)
        var delay = Double(self.firstDelayMs)
        guard self.factor > 1 else { return delay }
        var remaining = attempts - 1
        while remaining > 0 && delay < limit {
            delay *= self.factor
            remaining -= 1
        }
        return min(delay, limit)
    }
}
