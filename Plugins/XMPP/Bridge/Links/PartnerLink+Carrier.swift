internal import ProviderKit
internal import XMPPSession

extension PartnerLink {
    /// A stream whose connection broke, and which is to be gone on with over another one (XEP-0198 §5).
    struct Broken {
        /// What came on it.
        let handled: HandledStanzas
        /// How long it can be gone on with, by the host's monotonic clock in ms.
        let until: UInt64
        /// Whether we resume it, or the partner does.
        let isOurs: Bool
    }

    /// Whether the link's stanzas go on this stream.
    func isUp(on carrier: any StanzaCarrier) -> Bool {
        if case .up(let current, _) = self.state { current === carrier } else { false }
    }

    /// Stanzas go on this stream from now on.
    func rise(_ carrier: any StanzaCarrier, _ authentication: Authentication) {
        self.establishedAt = self.nowMs
        self.canWrite = true
        self.lastError = ""
        self.enter(.up(carrier, authentication))
        self.watchPeer()
        self.host.log(
            .info,
            "a stream out is established",
            [
                .partner: self.pair.target, .from: self.pair.sender, .to: self.pair.target,
                .peer: carrier.target.map { "\($0)" } ?? "", "security": carrier.outDetail(authentication),
            ]
        )
        self.flush()
    }
}

/// A partner's stream that goes both ways (XEP-0288) is taken where there is one, instead of opening one more.
extension PartnerLink {
    /// The partner opened one, or one that was waited for has come to nothing.
    ///
    /// What failed before need not be waited out. A stream that is being opened is let be: the partner might do the same
    /// at the same moment, and both give way.
    func wayChanged() {
        if case .backingOff = self.state, self.broken == nil { self.enter(.down) }
        if case .down = self.state, !self.queue.isEmpty || !self.probes.isEmpty { self.connect() }
    }

    /// Takes the partner's stream, or waits for it, if there is one and no stream of ours is to be resumed.
    func takeWay() -> Bool {
        guard self.broken?.isOurs != true, let carrier = self.federation.ways[self.pair] else { return false }
        guard let authentication = carrier.ways[self.pair] else {
            self.enter(.down)
            return true
        }
        self.acknowledgement.cancel()
        self.isAsked = false
        self.putOff(.unacknowledged)
        let handled = carrier.intake.handled?.back.acknowledged ?? 0
        self.unacked = UnackedQueue(max: self.federation.settings.server.unackedMax, handled: handled)
        self.isManaged = carrier.isManaged
        self.rise(carrier, authentication)
        return true
    }

    /// The partner has its stream managed: what is written from now on is acknowledged.
    func managementBegan(_ carrier: any StanzaCarrier) {
        guard self.isUp(on: carrier) else { return }
        self.isManaged = true
    }

    /// The partner goes on with a stream of its own that broke, and has handled so many of our stanzas on it.
    func wentOn(
        _ carrier: InboundSession,
        _ authentication: Authentication,
        _ handled: HandledStanzas,
        _ count: UInt32
    ) {
        guard self.broken?.handled === handled else { return }
        self.acknowledgement.cancel()
        self.isAsked = false
        self.broken = nil
        self.acknowledge(count, carrier)
        self.repeatUnacked()
        switch self.state {
        case .down, .backingOff:
            self.isManaged = true
            self.rise(carrier, authentication)
        // It found another way meanwhile, or will.
        case .connecting, .up: self.unacked = UnackedQueue(max: self.unacked.max)
        }
    }
}
