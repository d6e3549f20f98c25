internal import XMPPWire

/// The stream in both directions (XEP-0288): what we say on it goes to whom the peer has proved to be, and to nobody
/// before.
extension InboundStreamMachine {
    /// The peer asks for it, which must be before it has proved a domain.
    ///
    /// Asking again changes nothing.
    mutating func bidiReceived(_ open: Open) -> [StreamAction] {
        guard open.offersBidi, open.pairs.isEmpty else {
            return self.refuse(StreamError(.policyViolation, text: "A stream in both directions is not offered here."))
        }
        self.isBidirectional = true
        return []
    }

    /// The peer has proved the sender domain of a pair: what it may do from now on, and what we may.
    func letIn(_ pair: DomainPair, _ authentication: Authentication) -> [StreamAction] {
        let admission = StreamAction.authenticated(pair, authentication)
        // A stream of which the sender was not named is offered both directions if any partner may have them.
        guard self.isBidirectional, self.partners.policy(for: pair.sender)?.bidirectional == true else {
            return [admission]
        }
        let back = DomainPair(sender: pair.target, target: pair.sender)
        return [admission, .reversible(back, authentication)]
    }
}
