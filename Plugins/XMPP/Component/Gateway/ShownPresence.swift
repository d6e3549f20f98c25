package import XMPPWire

/// The latest presence of each contact's device, for each user who sees it.
///
/// A component's server keeps nothing while the component is away, so this is shown again with each new stream; and it answers
/// probes (RFC 6121 §4.3).
package struct ShownPresence: Sendable {
    /// Most presences remembered; further ones are passed on, and not repeated.
    package static let presencesMax = 20_000

    private struct Pair: Hashable {
        let contact: JID
        let user: JID
    }

    /// By pair, and then by the contact's full JID.
    private var shown: [Pair: [JID: Stanza]] = [:]
    private var count = 0

    /// Nothing yet.
    package init() {}

    /// How many are remembered.
    package var presencesCount: Int { self.count }

    /// Notes a presence that is for a user, from a contact.
    package mutating func note(_ stanza: Stanza) {
        guard let from = stanza.from, let to = stanza.to, case .presence(let type) = stanza.kind else { return }
        let pair = Pair(contact: from.bare, user: to.bare)
        switch type {
        case .available:
            let isNew = self.shown[pair]?[from] == nil
            guard !isNew || self.count < Self.presencesMax else { return }
            self.shown[pair, default: [:]][from] = stanza
            if isNew { self.count += 1 }
        case .unavailable:
            // A bare JID speaks for all devices.
            if from.isBare {
                self.forget(contact: from.bare, user: to.bare)
            } else if self.shown[pair]?.removeValue(forKey: from) != nil {
                self.count -= 1
                if self.shown[pair]?.isEmpty == true { self.shown[pair] = nil }
            }
        case .unsubscribed: self.forget(contact: from.bare, user: to.bare)
        case .subscribe, .subscribed, .unsubscribe, .probe, .error: break
        }
    }

    /// A user does not see a contact any more; both bare.
    package mutating func forget(contact: JID, user: JID) {
        self.count -= self.shown.removeValue(forKey: Pair(contact: contact, user: user))?.count ?? 0
    }

    /// The answers to a user's probe; nil if nothing is known, and the network must be asked.
    package func answers(to user: JID, about contact: JID) -> [Stanza]? {
        self.shown[Pair(contact: contact, user: user)].map { Self.sorted($0.values) }
    }

    /// All that contacts under a gateway's domain show, in a fixed order.
    package func shown(by domain: String) -> [Stanza] {
        let stanzas = self.shown.filter { $0.key.contact.domain == domain }.values.flatMap(\.values)
        return Self.sorted(stanzas)
    }

    private static func sorted(_ stanzas: some Sequence<Stanza>) -> [Stanza] {
        func key(_ stanza: Stanza) -> String { "\(stanza.from?.description ?? "") \(stanza.to?.description ?? "")" }
        return stanzas.sorted { key($0) < key($1) }
    }
}
