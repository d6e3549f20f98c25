package import IMModel

/// Which users of a partner are known to be there, and to whom: to take it back when the link is lost.
///
/// What was said over a link that is gone is not true any more: nobody says when it changes (RFC 6121 §4.4).
package struct SeenPresence: Hashable, Sendable {
    /// Most pairs of a device and who sees it; presence beyond that is passed on, and not taken back.
    package static let pairsMax = 10_000

    /// A device of a partner's user, and the home user who sees it.
    package struct Pair: Hashable, Sendable {
        /// Whose presence it is.
        package let from: Address
        /// Of which device; may be empty.
        package let device: String
        /// Who sees it.
        package let to: Address
    }

    private var pairs: Set<Pair> = []

    /// Nobody is known to be there.
    package init() {}

    /// Whether nobody is known to be there.
    package var isEmpty: Bool { self.pairs.isEmpty }
    /// How many pairs are remembered.
    package var count: Int { self.pairs.count }

    /// Notes what a presence says.
    package mutating func note(_ envelope: Envelope) {
        guard case .presence(let presence) = envelope.content else { return }
        let pair = Pair(from: envelope.from, device: envelope.fromDevice, to: envelope.to)
        switch presence.availability {
        case .offline, .unknown: self.pairs.remove(pair)
        case .available, .chatty, .away, .extendedAway, .busy:
            if self.pairs.count < Self.pairsMax { self.pairs.insert(pair) }
        }
    }

    /// Forgets all, and says of each that nobody knows, in a fixed order.
    package mutating func takeBack() -> [Envelope] {
        defer { self.pairs = [] }
        return self.pairs.sorted { ($0.key) < ($1.key) }.map { pair in
            var envelope = Envelope(from: pair.from, to: pair.to, content: .presence(Presence(.unknown)))
            envelope.fromDevice = pair.device
            return envelope
        }
    }
}

extension SeenPresence.Pair {
    fileprivate var key: String { "\(self.from)/\(self.device)/\(self.to)" }
}
