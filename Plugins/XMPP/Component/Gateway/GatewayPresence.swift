package import XMPPWire

/// What a gateway itself says when a user's presence or subscription is addressed to it (XEP-0100 §4.1).
package enum GatewayPresence {
    /// The answers to a stanza for the gateway's own JID.
    ///
    /// - Parameter isUp: whether the network can be reached for the user.
    package static func answers(to stanza: Stanza, isUp: Bool) -> [Stanza] {
        switch stanza.kind {
        case .presence(.subscribe):
            return [self.presence(.subscribed, for: stanza, toBare: true), self.presence(isUp, for: stanza)]
        case .presence(.unsubscribe): return [self.presence(.unsubscribed, for: stanza, toBare: true)]
        case .presence(.available), .presence(.probe): return [self.presence(isUp, for: stanza)]
        case .presence(.unavailable), .presence(.subscribed), .presence(.unsubscribed), .presence(.error): return []
        case .message:
            let text = "This is a gateway. Write to somebody there: their name, then @\(stanza.to?.domain ?? "")."
            return stanza.reply(StanzaError(.serviceUnavailable, text: text)).map { [$0] } ?? []
        case .iq: return []
        }
    }

    private static func presence(_ isUp: Bool, for stanza: Stanza) -> Stanza {
        self.presence(isUp ? .available : .unavailable, for: stanza, toBare: false)
    }

    private static func presence(_ type: Stanza.PresenceType, for stanza: Stanza, toBare: Bool) -> Stanza {
        Stanza(.presence(type), to: toBare ? stanza.from?.bare : stanza.from, from: stanza.to?.domainOnly)
    }
}
