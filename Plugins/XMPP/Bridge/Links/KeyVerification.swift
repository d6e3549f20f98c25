internal import ProviderKit
internal import XMPPSession

/// Asks a partner's server about a dialback key, on a stream for nothing else (XEP-0220 §2.1.2).
final class KeyVerification {
    /// Most keys of one partner that are verified at once; further ones are not.
    static let perPartnerMax = 16

    let request: DialbackRequest
    private let dialer: Dialer
    private let then: (KeyVerification, DialbackVerdict) -> Void

    /// A verification at rest; ``start()`` begins.
    ///
    /// - Parameter then: called once, later.
    init(
        _ federation: Federation,
        _ request: DialbackRequest,
        _ policy: PartnerPolicy,
        then: @escaping (KeyVerification, DialbackVerdict) -> Void
    ) {
        self.request = request
        self.dialer = Dialer(federation, purpose: .verification(request), policy: policy)
        self.then = then
    }

    /// Looks the partner's server up and asks it.
    func start() {
        self.dialer.owner = self
        self.dialer.start()
    }

    /// Gives up.
    func cancel() { self.dialer.cancel() }
}

extension KeyVerification: DialerOwner {
    /// A stream for a key is never established for stanzas.
    func dialed(_ dialer: Dialer, _ session: OutboundSession, _ authentication: Authentication) {}

    func verified(_ dialer: Dialer, _ verdict: DialbackVerdict) { self.then(self, verdict) }

    func failed(_ dialer: Dialer, _ reason: EndReason) { self.then(self, .failed(reason.dialbackFailure)) }
}
