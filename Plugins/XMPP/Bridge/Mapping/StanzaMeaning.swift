package import IMModel
package import XMPPWire

/// What a stanza from a partner means here.
package enum StanzaMeaning: Hashable, Sendable {
    /// To be submitted to the router, in this order.
    case envelopes([Envelope])
    /// A stanza of ours came back.
    case bounce(Bounce)
    /// To be answered without the router.
    case answer(Stanza)
    /// An answer, of whichever kind, to a request of ours between domains.
    case answered(id: String, from: JID, to: JID)
    /// Nothing; why, for the log.
    case nothing(String)

    /// A message of ours that a partner could not deliver.
    package struct Bounce: Hashable, Sendable {
        /// Id of the stanza that failed.
        package var id: String
        /// Who says so: the addressee, or their server.
        package var from: JID
        /// Who wrote it.
        package var to: JID
        /// What went wrong.
        package var error: StanzaError
    }
}

/// Reads the stanzas of partners.
///
/// It has no state; equal stanzas mean the same.
package struct StanzaReader: Hashable, Sendable {
    private let iq = IQResponder()

    /// A reader.
    package init() {}

    /// What a stanza means.
    ///
    /// - Parameters:
    ///   - stanza: from an authenticated stream, with both addresses; without one it means nothing.
    ///   - nowMs: the present, in ms since 1970.
    package func meaning(of stanza: Stanza, nowMs: Int64) -> StanzaMeaning {
        guard stanza.from?.address != nil, stanza.to?.address != nil else {
            return .nothing("it lacks an address")
        }
        switch stanza.kind {
        case .message(.error): return self.bounce(stanza)
        case .message(.groupchat): return Self.refuseRoom(stanza)
        case .message(.normal), .message(.chat), .message(.headline):
            let envelopes = MessageReading(stanza, nowMs: nowMs).envelopes
            return envelopes.isEmpty ? .nothing("it carries nothing that is known here") : .envelopes(envelopes)
        case .presence(let type):
            return Self.presence(type, stanza, nowMs: nowMs).map { .envelopes([$0]) }
                ?? .nothing("a presence came back")
        case .iq(.get), .iq(.set):
            return self.iq.answer(to: stanza).map(StanzaMeaning.answer) ?? .nothing("it cannot be answered")
        case .iq(.result), .iq(.error):
            guard let id = stanza.id, let from = stanza.from, let to = stanza.to, from.isDomain, to.isDomain else {
                return .nothing("it answers nothing that was asked")
            }
            return .answered(id: id, from: from, to: to)
        }
    }

    private func bounce(_ stanza: Stanza) -> StanzaMeaning {
        guard let id = stanza.id, let from = stanza.from, let to = stanza.to else {
            return .nothing("an error without an id")
        }
        let error = stanza.error ?? StanzaError(.undefinedCondition)
        return .bounce(StanzaMeaning.Bounce(id: id, from: from, to: to, error: error))
    }

    /// There are no rooms here.
    ///
    /// XEP-0045 (not: what is sent to a room is refused).
    private static func refuseRoom(_ stanza: Stanza) -> StanzaMeaning {
        let error = StanzaError(.serviceUnavailable, text: "There are no group chats at this address.")
        return stanza.reply(error).map(StanzaMeaning.answer) ?? .nothing("it cannot be answered")
    }
}
