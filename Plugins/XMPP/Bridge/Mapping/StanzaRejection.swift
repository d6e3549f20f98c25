package import XMPPWire

/// The answer to an element that is no proper stanza, although its name says so.
package enum StanzaRejection {
    /// The stanza error for it; nil for one that must not be answered, or cannot be.
    package static func answer(to element: Element, _ error: ElementError) -> Stanza? {
        guard let from = try? element.jid("from"), let to = try? element.jid("to"),
            element["type"] != "error", element["type"] != "result"
        else { return nil }
        let kind: Stanza.Kind
        switch element.name {
        case "message": kind = .message(.error)
        case "presence": kind = .presence(.error)
        // Without an id nobody knows what the answer is about.
        case "iq" where element["id"] != nil: kind = .iq(.error)
        default: return nil
        }
        let reason = StanzaError(error.stanzaError, text: error.description)
        return Stanza(kind, to: from, from: to, id: element["id"], payload: [reason.element(in: Namespace.server)])
    }
}
