internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// What was taken back as unknown when a link was lost is asked for when there is a link again (RFC 6121 §4.3).
///
/// A link that has something to ask for is opened again without anything to send, after the wait that it has anyway.
extension PartnerLink {
    /// Most probes that are put into the queue at once, so that they leave room for what people say.
    static let probesAtOnceMax = 50

    /// Has the presence of a partner's users asked for, as soon as that can be.
    func ask(_ probes: [Stanza]) {
        self.probes += probes
        // A stream that is to be resumed comes first.
        guard !self.probes.isEmpty, !self.isDraining, self.broken == nil else { return }
        switch self.state {
        case .down: self.connect()
        case .up: self.flush()
        case .connecting: break
        case .backingOff(let until, _):
            self.recall.set(until > self.nowMs ? until - self.nowMs : 1) { [weak self] in
                guard let self, case .backingOff = self.state, !self.isDraining else { return }
                self.connect()
            }
        }
    }

    /// Puts some probes into the queue, which is empty; false if there are none.
    func queueProbes() -> Bool {
        guard !self.probes.isEmpty else { return false }
        for stanza in self.probes.prefix(Self.probesAtOnceMax) {
            guard self.queue.append(Outgoing(stanza: stanza, delivery: nil, isProbe: true)) else { break }
        }
        self.probes.removeFirst(self.queue.count)
        return true
    }

    /// Keeps the probes among what was not sent, or not acknowledged.
    func keepProbes(_ items: [Outgoing]) {
        self.probes = items.filter(\.isProbe).map(\.stanza) + self.probes
    }
}

extension Federation {
    /// Has the links ask for the presence that these envelopes take back.
    func askAgain(_ takenBack: [Envelope]) {
        var probes: [DomainPair: [Stanza]] = [:]
        var asked: Set<[JID]> = []
        for envelope in takenBack {
            let probe = Envelope(
                from: envelope.to,
                to: envelope.from,
                content: .subscription(Subscription(.probe))
            )
            guard let stanza = try? StanzaWriter.stanza(for: probe, id: self.randomID()),
                let from = stanza.from, let to = stanza.to, asked.insert([from, to]).inserted
            else { continue }
            probes[DomainPair(sender: from.domain, target: to.domain), default: []].append(stanza)
        }
        for (pair, stanzas) in probes.sorted(by: { ($0.key.sender, $0.key.target) < ($1.key.sender, $1.key.target) }) {
            self.link(of: pair)?.ask(stanzas)
        }
    }
}
