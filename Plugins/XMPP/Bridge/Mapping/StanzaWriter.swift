package import IMModel
package import XMPPWire

/// Turns envelopes into stanzas for a partner.
///
/// It has no state; equal envelopes make equal stanzas.
package enum StanzaWriter {
    /// The stanza for an envelope.
    ///
    /// - Parameter id: the stanza's id; the envelope's own, or one made for it.
    /// - Throws: ``BridgeError/badAddress(_:_:)``, ``BridgeError/unsupportedKind(_:)``.
    package static func stanza(for envelope: Envelope, id: String) throws(BridgeError) -> Stanza {
        let from = try JID(home: envelope.from, device: envelope.fromDevice)
        let to = try JID(envelope.to, device: envelope.toDevice)
        switch envelope.content {
        case .message(let message):
            var stanza = Self.message(message, Stanza(.message(.chat), to: to, from: from, id: id))
            stanza.thread = envelope.conversation.isEmpty ? nil : Stanza.Thread(id: envelope.conversation)
            if envelope.isDelayed, envelope.timestamp > 0 {
                stanza.append(Delay(stampMs: envelope.timestamp, from: from.domainOnly))
            }
            return stanza
        case .receipt(let receipt):
            var stanza = Stanza(.message(.chat), to: to, from: from, id: id)
            switch receipt.kind {
            case .delivered: stanza.append(XMPPWire.Receipt.received(id: receipt.messageID))
            case .read: stanza.append(ChatMarker.displayed(id: receipt.messageID))
            }
            stanza.append(Hint.store)
            return stanza
        case .typing(let typing):
            var stanza = Stanza(.message(.chat), to: to, from: from, id: id)
            stanza.thread = envelope.conversation.isEmpty ? nil : Stanza.Thread(id: envelope.conversation)
            stanza.append(Self.chatState(typing))
            stanza.append(Hint.noStore)
            return stanza
        case .presence(let presence):
            return Self.presence(presence, to: to, from: from, id: id)
        case .subscription(let subscription):
            return Self.subscription(subscription, to: to.bare, from: from.bare, id: id)
        case .failure(let failure):
            let error = StanzaError(failure.failureClass, code: failure.code, text: failure.reason)
            let payload = [error.element(in: Namespace.server)]
            let failedID = failure.messageID.isEmpty ? nil : failure.messageID
            return Stanza(.message(.error), to: to, from: from, id: failedID, payload: payload)
        case .contact, .call:
            throw .unsupportedKind(envelope.kindName)
        }
    }

    private static func message(_ message: Message, _ bare: Stanza) -> Stanza {
        var stanza = bare
        stanza.lang = message.language.isEmpty ? nil : message.language
        stanza.subject = message.subject.isEmpty ? nil : message.subject
        if !message.text.isEmpty || (message.subject.isEmpty && !message.isAttention) {
            stanza.body = message.text
        }
        // Says that chat states are understood: clients send none to those who do not (XEP-0085 §5.1).
        stanza.append(ChatState.active)
        if !message.replaces.isEmpty { stanza.append(Correction(replacing: message.replaces)) }
        if message.wantsDelivered { stanza.append(XMPPWire.Receipt.request) }
        if message.wantsRead { stanza.append(ChatMarker.markable) }
        if message.isAttention { stanza.append(Attention()) }
        // Whoever gets a carbon copy of it knows it by that, whatever happened to the stanza's own id.
        // XEP-0280 (not: carbons are between a client and its server, and a copy that a partner forwards is not read).
        if let id = stanza.id { stanza.append(OriginID(id)) }
        return stanza
    }

    private static func chatState(_ typing: Typing) -> ChatState {
        switch typing {
        case .active: .active
        case .composing: .composing
        case .paused: .paused
        case .inactive: .inactive
        case .gone: .gone
        }
    }

    private static func presence(_ presence: Presence, to: JID, from: JID, id: String) -> Stanza {
        let (type, show): (Stanza.PresenceType, Stanza.Show?) =
            switch presence.availability {
            // XMPP has no word for “nobody knows”.
            case .unknown, .offline: (.unavailable, nil)
            case .available: (.available, nil)
            case .chatty: (.available, .chat)
            case .away: (.available, .away)
            case .extendedAway: (.available, .extendedAway)
            case .busy: (.available, .doNotDisturb)
            }
        var stanza = Stanza(.presence(type), to: to, from: from, id: id)
        stanza.show = show
        stanza.status = presence.status.isEmpty ? nil : presence.status
        if type == .available { stanza.priority = Int8(clamping: presence.priority) }
        if presence.changed > 0 { stanza.append(Delay(stampMs: presence.changed, from: from.domainOnly)) }
        return stanza
    }

    /// Between bare JIDs (RFC 6121 §3.1.2).
    private static func subscription(_ subscription: Subscription, to: JID, from: JID, id: String) -> Stanza {
        let type: Stanza.PresenceType =
            switch subscription.action {
            case .request: .subscribe
            case .accept: .subscribed
            case .refuse: .unsubscribed
            case .cancel: .unsubscribe
            case .probe: .probe
            }
        var stanza = Stanza(.presence(type), to: to, from: from, id: id)
        stanza.status = subscription.text.isEmpty ? nil : subscription.text
        if subscription.action == .request, !subscription.name.isEmpty { stanza.append(Nickname(subscription.name)) }
        return stanza
    }
}
