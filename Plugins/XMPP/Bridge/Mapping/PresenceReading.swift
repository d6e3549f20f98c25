internal import IMModel
internal import XMPPWire

extension StanzaReader {
    /// The envelope of a presence stanza (RFC 6121 §3, §4); nil for one that came back.
    static func presence(_ type: Stanza.PresenceType, _ stanza: Stanza, nowMs: Int64) -> Envelope? {
        switch type {
        case .available, .unavailable:
            return Envelope(
                stanza,
                id: stanza.id ?? "",
                content: .presence(Self.presence(stanza, isAvailable: type == .available, nowMs: nowMs))
            )
        case .subscribe: return Self.subscription(.request, stanza)
        case .subscribed: return Self.subscription(.accept, stanza)
        case .unsubscribe: return Self.subscription(.cancel, stanza)
        case .unsubscribed: return Self.subscription(.refuse, stanza)
        case .probe: return Self.subscription(.probe, stanza)
        case .error: return nil
        }
    }

    private static func presence(_ stanza: Stanza, isAvailable: Bool, nowMs: Int64) -> Presence {
        var presence = Presence(isAvailable ? Self.availability(stanza.show) : .offline, status: stanza.status ?? "")
        presence.priority = Int32(stanza.priority)
        if let delay = stanza.first(Delay.self), delay.stampMs > 0, delay.stampMs <= nowMs {
            presence.changed = delay.stampMs
        }
        return presence
    }

    private static func availability(_ show: Stanza.Show?) -> Presence.Availability {
        switch show {
        case nil: .available
        case .chat: .chatty
        case .away: .away
        case .extendedAway: .extendedAway
        case .doNotDisturb: .busy
        }
    }

    private static func subscription(_ action: Subscription.Action, _ stanza: Stanza) -> Envelope? {
        let name = action == .request ? stanza.first(Nickname.self)?.name ?? "" : ""
        let subscription = Subscription(action, name: name, text: stanza.status ?? "")
        return Envelope(stanza, id: stanza.id ?? "", content: .subscription(subscription))
    }
}
