internal import CPlugboard
internal import HostServices
internal import Logging
internal import Policy
internal import Routing

// Organisations that nobody has listed, and what they may send.
extension InstanceRuntime {
    /// Counts what a discovered partner sends; why it is refused, if it is.
    ///
    /// A domain is served by one provider, so that each has all of a partner's count.
    func limitPartner(_ question: RouteTable.Question) -> Refusal? {
        guard let limits = context.table.policy?.rules.discovered else { return nil }
        if partnerLimits != limits {
            partnerLimits = limits
            partnerLimiter = PartnerLimiter(limits)
        }
        let domain = String(decoding: RouteTable.domain(of: question.from), as: UTF8.self)
        var hasher = Hasher()
        hasher.combine(bytes: question.to)
        let target = UInt64(bitPattern: Int64(hasher.finalize()))
        let now = Int64(HostClock.monotonicNs() / 1_000_000)
        switch partnerLimiter.admit(domain, target: target, nowMs: now) {
        case .admit: return nil
        case .tooFast(let wait): return .partnerTooFast(domain: domain, retryAfterMs: wait)
        case .tooManyPartners: return .tooManyPartners
        case .watched(let isNew):
            if isNew {
                core.logger.warning(
                    "a partner that is not listed has addressed as many users as it may, and is watched",
                    metadata: ["partner": "\(domain)", "instance": "\(name)", "limit": "\(limits.targets)"]
                )
            }
            return .partnerWatched(domain: domain)
        }
    }

    /// The partners that are watched: those that were, and are still not listed.
    var watchedPartners: [String] {
        guard let policy = context.table.policy else { return [] }
        return partnerLimiter.watched.filter { !policy.isListed($0) }
    }
}

extension PolicyQuestion.Kind {
    /// What a kind of envelope is in the eyes of policy.
    init(_ kind: UInt16) {
        switch kind {
        case PLUGBOARD_PRESENCE, PLUGBOARD_SUBSCRIPTION, PLUGBOARD_CONTACT: self = .presence
        case PLUGBOARD_CALL: self = .call
        default: self = .message
        }
    }
}

extension PolicyQuestion.Vouching {
    /// What an envelope's flags say of its sender; both at once count as not known.
    init(_ flags: UInt16) {
        if flags & PLUGBOARD_ENVELOPE_UNVERIFIED != 0 {
            self = .unverified
        } else {
            self = flags & PLUGBOARD_ENVELOPE_VERIFIED != 0 ? .verified : .absent
        }
    }
}
