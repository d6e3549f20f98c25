package import Policy

/// Why the router does not take an envelope.
///
/// Each becomes a sentence that its sender is told.
package enum Refusal: Hashable, Sendable {
    /// Nobody serves the recipient's domain.
    case noRoute(domain: String)
    /// The sender's address is not one of the network that handed it in.
    case foreignSender(address: String, provider: String)
    /// Neither the sender nor the recipient is one of the organisation's.
    case neitherSideHome
    /// It would go back to the network it came from.
    case loop(provider: String)
    /// It has crossed as many routers as it may.
    case hopLimit(UInt32)
    /// It was worthless before it arrived.
    case expired
    /// A recipient has more waiting than the spool keeps for one.
    case spoolFull
    /// The spool cannot write.
    case spoolFailed(String)
    /// A field is over a limit of the spool.
    case tooLarge
    /// Policy does not allow it.
    case policy(PolicyRefusal)
    /// An organisation that nobody has listed sends faster than it may.
    case partnerTooFast(domain: String, retryAfterMs: Int)
    /// An organisation that nobody has listed has addressed as many users as it may.
    case partnerWatched(domain: String)
    /// More organisations that nobody has listed are there than the router can watch.
    case tooManyPartners
}

extension Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noRoute(let domain):
            "no provider serves \(domain)"
        case .foreignSender(let address, let provider):
            "\(address) is not an address of the provider \(provider)"
        case .neitherSideHome:
            "neither the sender nor the recipient belongs to a home domain"
        case .loop(let provider):
            "it would go back to \(provider), where it came from"
        case .hopLimit(let hops):
            "it has crossed \(hops) routers, which is the limit"
        case .expired:
            "it expired on the way"
        case .spoolFull:
            "too many messages are waiting; try again later"
        case .spoolFailed(let reason):
            "the router cannot store it: \(reason)"
        case .tooLarge:
            "it is too large to be stored"
        case .policy(let refusal):
            refusal.sentence
        case .partnerTooFast(let domain, _):
            "\(domain) sends faster than an organisation may that is not listed here; try again later"
        case .partnerWatched(let domain):
            "\(domain) has addressed as many users as an organisation may that is not listed here"
        case .tooManyPartners:
            "too many organisations that are not listed here send at once; try again later"
        }
    }

    /// A short name for logs and machines.
    package var code: String {
        switch self {
        case .noRoute: "no-route"
        case .foreignSender: "foreign-sender"
        case .neitherSideHome: "neither-side-home"
        case .loop: "loop"
        case .hopLimit: "hop-limit"
        case .expired: "expired"
        case .spoolFull: "spool-full"
        case .spoolFailed: "spool-failed"
        case .tooLarge: "too-large"
        case .policy(let refusal): refusal.code
        case .partnerTooFast: "partner-too-fast"
        case .partnerWatched: "partner-watched"
        case .tooManyPartners: "too-many-partners"
        }
    }
}
