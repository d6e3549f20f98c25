internal import XMPPWire

extension InboundStreamMachine {
    /// Whether an element is a stanza of a server-to-server stream (RFC 6120 §8).
    static func isStanza(_ element: Element) -> Bool {
        guard element.namespace == Namespace.server else { return false }
        return element.name == "message" || element.name == "presence" || element.name == "iq"
    }

    /// Delivers a stanza of an authenticated domain pair, and ends the stream of a peer that sends another
    /// (RFC 6120 §8.1.1.2, §8.1.2.2).
    mutating func stanzaReceived(_ stanza: Element, _ open: Open) -> [StreamAction] {
        guard !open.pairs.isEmpty else {
            return self.refuse(StreamError(.notAuthorized, text: "Stanzas are taken after authentication only."))
        }
        let pair: DomainPair
        do throws(ElementError) {
            let from = try stanza.requiredJID("from")
            let to = try stanza.requiredJID("to")
            pair = DomainPair(sender: from.domain, target: to.domain)
        } catch {
            return self.refuse(StreamError(.improperAddressing, text: error.description))
        }
        if open.pairs.contains(pair) { return [.deliver(stanza)] }
        guard open.pairs.contains(where: { $0.sender == pair.sender }) else {
            return self.refuse(StreamError(.invalidFrom, text: "\(pair.sender) is not authenticated on this stream."))
        }
        return self.refuse(StreamError(.hostUnknown, text: "\(pair.target) was not asked for on this stream."))
    }
}
