internal import HostServices
internal import Logging
internal import Policy
internal import Routing
internal import Telemetry

// Organisations that nobody has listed, and what they may send.
extension InstanceRuntime {
    /// Counts what a discovered partner sends; why it is refused, if it is.
    ///
    /// A domain is served by one provider, so that each has all of a partner's count.
    func limitPartner(_ question: RouteTable.Question) -> Refusal? {
        guard let limits = takeOverLimits() else { return nil }
        let domain = Self.domain(of: question.from)
        let answer = partnerLimiter.admit(domain, target: Self.target(question.to), nowMs: Self.nowMs)
        if case .watched(isNew: true) = answer {
            core.logger.log(
                .warning,
                "a partner that is not listed has addressed as many users as it may, and is watched",
                [.partner: domain, .provider: name, .count: "\(limits.targets)"]
            )
        }
        return Self.refusal(answer, domain)
    }

    /// Why an envelope would be refused that is counted like others; nothing is counted.
    ///
    /// On the loop.
    func wouldLimitPartner(from: UnsafeRawBufferPointer, to: UnsafeRawBufferPointer) -> Refusal? {
        guard takeOverLimits() != nil else { return nil }
        let domain = Self.domain(of: from)
        var copy = partnerLimiter
        return Self.refusal(copy.admit(domain, target: Self.target(to), nowMs: Self.nowMs), domain)
    }

    /// Takes back what ``limitPartner(_:)`` counted.
    func giveBack(_ question: RouteTable.Question) { partnerLimiter.giveBack(Self.domain(of: question.from)) }

    /// The partners that are watched: those that were, and are still not listed.
    var watchedPartners: [String] {
        guard let policy = context.table.policy else { return [] }
        return partnerLimiter.watched.filter { !policy.isListed($0) }
    }

    /// The limits that count now, which the limiter has from then on; nil if there is no policy.
    private func takeOverLimits() -> DiscoveredLimits? {
        guard let limits = context.table.policy?.rules.discovered.value else { return nil }
        if partnerLimits != limits {
            partnerLimits = limits
            partnerLimiter = PartnerLimiter(limits)
        }
        return limits
    }

    private static var nowMs: Int64 { Int64(HostClock.monotonicNs() / 1_000_000) }

    private static func domain(of address: UnsafeRawBufferPointer) -> String {
        String(decoding: RouteTable.domain(of: address), as: UTF8.self)
    }

    private static func target(_ address: UnsafeRawBufferPointer) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(bytes: address)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private static func refusal(_ answer: PartnerLimiter.Answer, _ domain: String) -> Refusal? {
        switch answer {
        case .admit: nil
        case .tooFast(let wait): .partnerTooFast(domain: domain, retryAfterMs: wait)
        case .tooManyPartners: .tooManyPartners
        case .watched: .partnerWatched(domain: domain)
        }
    }
}
