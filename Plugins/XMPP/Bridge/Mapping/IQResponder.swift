internal import XMPPWire

/// Answers the questions of partners that need no router: what this is, and whether anybody is there.
///
/// XEP-0030 §3 (partial: of home domains only). RFC 6121 §2 (not: rosters are between clients and their server).
struct IQResponder: Hashable, Sendable {
    /// What a home domain understands (XEP-0030 §3.1).
    static let features = [Namespace.discoInfo, Namespace.discoItems, Namespace.ping]

    /// The answer to a get or a set; nil for anything else.
    func answer(to stanza: Stanza) -> Stanza? {
        guard let payload = stanza.payload.first, let to = stanza.to else { return nil }
        // Users' clients are not reached by IQ, and a bare JID has nothing of its own to tell (RFC 6121 §8.5.1).
        guard to.isDomain else { return stanza.reply(StanzaError(.serviceUnavailable)) }
        guard stanza.kind == .iq(.get) else { return stanza.reply(StanzaError(.featureNotImplemented)) }
        if Ping(payload) != nil { return stanza.result() }
        if let question = DiscoInfo(payload) {
            guard question.node == nil else { return stanza.reply(StanzaError(.itemNotFound)) }
            let identity = DiscoInfo.Identity(category: "server", type: "im", name: "Plugboard")
            return stanza.result([DiscoInfo(identities: [identity], features: Self.features).element])
        }
        if payload.isNamed("query", namespace: Namespace.discoItems) {
            return stanza.result([Element("query", namespace: Namespace.discoItems)])
        }
        return stanza.reply(StanzaError(.featureNotImplemented))
    }
}
