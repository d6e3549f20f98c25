internal import CPlugboard

/// One link to a network, as its provider reports it.
package struct InstanceLink: Hashable, Sendable {
    /// How it stands.
    package enum State: UInt32, Sendable {
        case down = 0
        case connecting = 1
        case up = 2
        case backingOff = 3
    }

    package var name: String
    package var state: State
    package var detail: String
    /// Envelopes handed to the peer since start.
    package var sent: UInt64
    /// Envelopes that came from it since start.
    package var received: UInt64
    /// Envelopes queued for it.
    package var waiting: UInt64
    /// When it came into this state, in ms since 1970.
    package var since: Int64
}

/// Receives links during one call of the status extension.
final class LinkSink {
    private(set) var links: [InstanceLink] = []

    /// The most links of one instance that are shown.
    static let linksMax = 10_000

    func append(_ link: plugboard_link_t) {
        guard links.count < Self.linksMax, link.struct_size >= ABISize.link else { return }
        links.append(
            InstanceLink(
                name: link.name.string,
                state: InstanceLink.State(rawValue: link.state) ?? .down,
                detail: link.detail.string,
                sent: link.sent,
                received: link.received,
                waiting: link.waiting,
                since: link.since_ms
            )
        )
    }
}
