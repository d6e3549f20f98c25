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
        }
    }
}
