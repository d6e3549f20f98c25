internal import XMPPWire

/// The stream in both directions (XEP-0288): the peer may send stanzas on it too, from its domain to ours.
///
/// XEP-0288 §2.2 (partial: the peer cannot add further domains to the stream by dialback).
extension OutboundStreamMachine {
    /// Asks for it where the peer offers it; TLS is up by then, if it is to be.
    mutating func askForBidi(_ features: StreamFeatures) -> [StreamAction] {
        guard features.bidi, self.partner.bidirectional, !self.isBidirectional else { return [] }
        self.isBidirectional = true
        return [.send(BidiElement.element)]
    }

    /// A stanza of the peer, which it may send when it has proved its domain, and from that to ours alone.
    mutating func stanzaReceived(_ stanza: Element) -> [StreamAction] {
        guard self.isBidirectional else {
            return self.refuse(StreamError(.notAuthorized, text: "This stream carries stanzas in one direction only."))
        }
        guard self.isPeerProven else {
            return self.refuse(StreamError(.notAuthorized, text: "Stanzas are taken after authentication only."))
        }
        do throws(ElementError) {
            let from = try stanza.requiredJID("from")
            let to = try stanza.requiredJID("to")
            guard from.domain == self.remoteDomain else {
                return self.refuse(StreamError(.invalidFrom, text: "\(from.domain) has no part in this stream."))
            }
            guard to.domain == self.localDomain else {
                return self.refuse(StreamError(.hostUnknown, text: "\(to.domain) has no part in this stream."))
            }
        } catch {
            return self.refuse(StreamError(.improperAddressing, text: error.description))
        }
        return [.deliver(stanza)]
    }

    /// A question or a key of the peer on a stream that goes both ways.
    ///
    /// The peer may ask here about a key that we showed on another stream to it. A key of its own would add a domain.
    mutating func dialbackAsked(_ key: String, by element: DialbackElement) -> [StreamAction] {
        guard self.isBidirectional, case .established = self.state else { return [] }
        let content: DialbackElement.Content
        switch element.kind {
        case .result: content = .error(StanzaError(.policyViolation, text: "No domains are added to this stream."))
        case .verify where element.from != self.remoteDomain || element.to != self.localDomain:
            content = .error(StanzaError(.itemNotFound))
        case .verify:
            let id = element.id ?? ""
            let isOurs = self.key.isValid(key, receiving: element.from, originating: element.to, streamID: id)
            content = isOurs ? .valid : .invalid
        }
        let answer = DialbackElement(element.kind, from: element.to, to: element.from, id: element.id, content: content)
        return [.send(answer.element())]
    }
}
