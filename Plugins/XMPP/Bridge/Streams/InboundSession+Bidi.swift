internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// The way back on a stream that a partner opened (XEP-0288): links write their stanzas to it.
extension InboundSession: StanzaCarrier {
    var target: ServerTarget? { nil }
    var isManaged: Bool { self.intake.handled != nil }
    var isOurs: Bool { false }
    var isBidirectional: Bool { true }
    var canTake: Bool { !self.isHigh }
    /// The stream has a report of its own for that.
    var receivedBack: UInt64 { 0 }
    var resumable: HandledStanzas? { self.intake.handled.flatMap { $0.id == nil ? nil : $0 } }

    /// `out on a stream of theirs, TLSv1.3, EXTERNAL, acknowledged`.
    func outDetail(_ authentication: Authentication) -> String {
        "out on a stream of theirs, \(self.channel.security), \(authentication.name)"
            + (self.isManaged ? ", acknowledged" : "")
    }

    func write(_ element: Element) -> StreamChannel.Written {
        let written = self.channel.writeStanza(element)
        if case .high = written { self.isHigh = true }
        return written
    }

    func writeBeside(_ element: Element) { self.channel.write(element) }

    func askForAcknowledgement() { self.channel.write(StreamManagementElement.request.element) }

    func abort(_ reason: EndReason) {
        self.channel.abort()
        self.endWays(reason)
    }

    /// The stream is the partner's: it stays.
    func leave() {}

    /// The links that write to the stream now, in a fixed order.
    var carried: [PartnerLink] {
        self.ways.keys.sorted { ($0.sender, $0.target) < ($1.sender, $1.target) }
            .compactMap { self.federation.links[$0] }.filter { $0.isUp(on: self) }
    }

    /// How long a peer has to ask for acknowledgements before stanzas go back without them, in ms.
    static let managementWaitMs: UInt64 = 2_000

    /// Stanzas may go back between these domains: now, or when it is known whether they will be acknowledged.
    func openWay(_ pair: DomainPair, _ authentication: Authentication) {
        self.waysToCome[pair] = authentication
        self.federation.ways[pair] = self
        guard self.machine.awaitsManagement else { return self.openWays() }
        self.managementWait.set(Self.managementWaitMs) { [weak self] in self?.openWays() }
    }

    /// Opens the ways that were waited with.
    func openWays() {
        self.managementWait.cancel()
        let pairs = self.waysToCome
        self.waysToCome = [:]
        for (pair, authentication) in pairs {
            self.ways[pair] = authentication
            self.federation.links[pair]?.wayChanged()
        }
    }

    /// Nothing goes back any more.
    func endWays(_ reason: EndReason?) {
        let carried = self.carried
        let toCome = Array(self.waysToCome.keys)
        for pair in toCome + self.ways.keys where self.federation.ways[pair] === self {
            self.federation.ways[pair] = nil
        }
        (self.ways, self.waysToCome) = ([:], [:])
        self.managementWait.cancel()
        for link in carried { link.ended(self, reason) }
        for pair in toCome { self.federation.links[pair]?.wayChanged() }
    }

    /// The peer has handled so many of our stanzas.
    func acknowledged(_ count: UInt32) {
        // What is managed has one pair of domains.
        if let link = self.carried.first { return link.acknowledged(self, count) }
        guard let handled = self.intake.handled, count != handled.back.acknowledged else { return }
        self.refuse(.handledTooMany(count, written: handled.back.acknowledged))
    }

    /// The peer goes on with an earlier stream, of which it has handled so many of our stanzas.
    func wentOn(_ handled: HandledStanzas, _ count: UInt32) {
        for (pair, authentication) in self.ways {
            self.federation.links[pair]?.wentOn(self, authentication, handled, count)
        }
        handled.back = HandledStanzas.Back(acknowledged: count, written: count)
    }
}
