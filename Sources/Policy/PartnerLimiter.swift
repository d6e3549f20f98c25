/// What discovered partners may do (Lync: DiscoveredPartnerStandardRate, MaxContactsPerDiscoveredPartner).
package struct DiscoveredLimits: Hashable, Sendable {
    /// Messages that one may send within a second, 1 or more; as many at once.
    package var messagesPerSecond: Int
    /// Users that one may address before it is watched.
    package var targets: Int

    package init(messagesPerSecond: Int = 20, targets: Int = 1000) {
        self.messagesPerSecond = messagesPerSecond
        self.targets = targets
    }
}

/// Counts what discovered partners send.
///
/// A partner's domain is served by one provider, and so on one worker: each worker has a limiter of its own, and no lock is
/// needed. Pure: time is an argument. Allow-listed partners never come here.
package struct PartnerLimiter: Sendable {
    /// What is said to one message.
    package enum Answer: Hashable, Sendable {
        case admit
        /// More than the rate allows; again after so many milliseconds.
        case tooFast(retryAfterMs: Int)
        /// It has addressed as many users as it may, and this is another.
        case watched(isNew: Bool)
        /// More partners are remembered than there is room for.
        case tooManyPartners
    }

    private struct Partner {
        /// Thousandths of a message that may be sent.
        var thousandths: Int64
        var lastMs: Int64
        /// Hashes of the users it has addressed.
        var targets: Set<UInt64> = []
        var isWatched = false

        mutating func giveBack(_ limits: DiscoveredLimits) {
            thousandths = min(Int64(limits.messagesPerSecond) * 1000, thousandths + 1000)
        }

        mutating func admit(_ target: UInt64, _ limits: DiscoveredLimits, _ nowMs: Int64) -> Answer {
            let rate = Int64(limits.messagesPerSecond)
            let passed = max(0, min(nowMs - lastMs, 1000))
            thousandths = min(rate * 1000, thousandths + passed * rate)
            lastMs = max(lastMs, nowMs)
            guard thousandths >= 1000 else {
                return .tooFast(retryAfterMs: Int((1000 - thousandths + rate - 1) / rate))
            }
            if !targets.contains(target) {
                guard targets.count < limits.targets else {
                    defer { isWatched = true }
                    return .watched(isNew: !isWatched)
                }
                targets.insert(target)
            }
            thousandths -= 1000
            return .admit
        }
    }

    private var partners: [String: Partner] = [:]
    private let limits: DiscoveredLimits
    private let partnersMax: Int

    /// Partners that are remembered at a time.
    package static let partnersMax = 4096
    /// A partner that has sent nothing for so long is forgotten when room is needed, unless it is watched; in ms.
    package static let idleMs: Int64 = 3_600_000

    package init(_ limits: DiscoveredLimits, partnersMax: Int = PartnerLimiter.partnersMax) {
        self.limits = limits
        self.partnersMax = partnersMax
    }

    /// Counts a message, or what is like one.
    ///
    /// - Parameters:
    ///   - domain: the partner's.
    ///   - target: a hash of the local user's address; of two with one hash the second is not counted.
    ///   - nowMs: of a clock that does not go back.
    package mutating func admit(_ domain: String, target: UInt64, nowMs: Int64) -> Answer {
        if partners[domain] == nil {
            guard makeRoom(nowMs) else { return .tooManyPartners }
            partners[domain] = Partner(thousandths: Int64(limits.messagesPerSecond) * 1000, lastMs: nowMs)
        }
        // In its place, so that the set of targets is not copied.
        return partners[domain]?.admit(target, limits, nowMs) ?? .tooManyPartners
    }

    /// Gives back what ``admit(_:target:nowMs:)`` counted: the message could not be taken after all, and comes again.
    package mutating func giveBack(_ domain: String) { partners[domain]?.giveBack(limits) }

    /// The partners that have tried to address more users than they may, in order.
    package var watched: [String] { partners.filter(\.value.isWatched).keys.sorted() }

    /// Whether one more can be remembered, once those that are idle are forgotten.
    private mutating func makeRoom(_ nowMs: Int64) -> Bool {
        if partners.count >= partnersMax {
            partners = partners.filter { $0.value.isWatched || nowMs - $0.value.lastMs < Self.idleMs }
        }
        return partners.count < partnersMax
    }
}
