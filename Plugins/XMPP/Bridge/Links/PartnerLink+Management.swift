internal import ProviderKit
internal import XMPPSession

/// Stream management (XEP-0198): an envelope counts as delivered when the partner has acknowledged its stanza.
///
/// When the connection breaks, the stream is gone on with over another one, and what the partner did not handle is
/// written again. Where that cannot be, what was not acknowledged is put off: it comes again with the same id, by which
/// the partner may know it.
extension PartnerLink {
    /// How long a broken stream is tried to be resumed, in ms: less than the router waits for an outcome.
    static let resumptionMaxMs: UInt64 = 60_000
    /// When what was not acknowledged is tried again, in ms.
    static let unackedRetryMs: UInt32 = 1_000

    /// Asks for an acknowledgement, unless there is nothing to acknowledge, or it was asked already.
    func ask(_ session: any StanzaCarrier) {
        guard self.isManaged, !self.isAsked, !self.unacked.isEmpty else { return }
        self.isAsked = true
        session.askForAcknowledgement()
        self.watchAnswer()
    }

    /// A peer that does not take what is written cannot answer: it has its own limit.
    func watchAnswer() {
        guard self.isAsked else { return }
        let timeout = self.federation.settings.server.answerTimeout.milliseconds
        self.acknowledgement.set(timeout) { [weak self] in
            guard let self, self.canWrite, case .up(let session, _) = self.state else { return }
            session.abort(.silent(forMs: timeout))
        }
    }

    /// The peer has handled so many stanzas.
    func acknowledge(_ count: UInt32, _ session: any StanzaCarrier) {
        do throws(StreamManagementError) {
            for item in try self.unacked.acknowledge(count) { item.delivery?.complete(.delivered) }
        } catch {
            session.refuse(error)
        }
    }

    /// A stream is there: a new one, or the one that broke.
    func begin(_ session: OutboundSession) {
        self.acknowledgement.cancel()
        self.isAsked = false
        self.broken = nil
        self.isManaged = session.isManaged
        switch session.resumption {
        case .resumed(let count):
            self.acknowledge(count, session)
            return self.repeatUnacked()
        case .refused(let count?): self.acknowledge(count, session)
        case .refused(nil), nil: break
        }
        self.putOff(.unacknowledged)
    }

    /// The stream is gone: it is kept for resumption, or what was not acknowledged is put off.
    func brokeOff(_ session: any StanzaCarrier, _ reason: EndReason?) {
        self.acknowledgement.cancel()
        self.isManaged = false
        guard let handled = session.resumable, let reason, reason.isResumable, !self.isDraining
        else { return self.putOff(.unacknowledged) }
        if session.isOurs {
            handled.detach()
        } else {
            handled.back = HandledStanzas.Back(acknowledged: self.unacked.handled, written: self.unacked.written)
        }
        // A partner's stream is resumed by the partner; one of ours that goes both ways, for what it may still owe us.
        guard !self.unacked.isEmpty || (session.isOurs && session.isBidirectional) else {
            return self.putOff(.unacknowledged)
        }
        self.broken = Broken(handled: handled, until: self.nowMs + Self.resumptionMaxMs, isOurs: session.isOurs)
    }

    /// Has a broken stream resumed after a wait, or given up when its time is over.
    func resume(in wait: UInt32) {
        guard let broken = self.broken else { return }
        let left = broken.until > self.nowMs ? broken.until - self.nowMs : 0
        guard left > 0, !self.isDraining else { return self.putOff(.unacknowledged) }
        self.acknowledgement.set(broken.isOurs ? min(UInt64(wait), left) : left) { [weak self] in
            guard let self, case .backingOff(let until, _) = self.state else { return }
            if self.nowMs < until || self.nowMs >= broken.until || !broken.isOurs {
                return self.abandon()
            }
            self.resume(broken, in: broken.until - self.nowMs)
        }
    }

    /// Has a stream of ours resumed as soon as it is certain how much of it was handled here.
    private func resume(_ broken: Broken, in left: UInt64) {
        self.acknowledgement.set(left) { [weak self] in
            guard let self, case .backingOff = self.state else { return }
            broken.handled.detach()
            self.abandon()
        }
        broken.handled.whenSettled { [weak self] _ in
            guard let self, case .backingOff = self.state, self.broken?.handled === broken.handled else { return }
            self.connect()
        }
    }

    /// The time to resume a stream is over: what it carried is put off, and presence is not known any more.
    private func abandon() {
        self.putOff(.unacknowledged)
        self.federation.lost(self.pair.target)
        self.ask([])
    }

    /// Gives up the resumption of a broken stream.
    func giveUp() {
        self.acknowledgement.cancel()
        self.putOff(.unacknowledged)
    }

    /// Has what was not acknowledged written once more, before all else.
    func repeatUnacked() {
        let rest = self.unacked.takeAll().map {
            Outgoing(stanza: $0.stanza, delivery: $0.delivery, isRepeated: true, isProbe: $0.isProbe)
        }
        self.queue.prepend(rest)
    }

    func putOff(_ reason: EndReason) {
        self.broken = nil
        let items = self.unacked.takeAll()
        self.keepProbes(items)
        for item in items {
            item.delivery?.complete(reason.outcome(retryAfter: Self.unackedRetryMs, isUncertain: true))
        }
        self.unacked = UnackedQueue(max: self.unacked.max)
    }
}
