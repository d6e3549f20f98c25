internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// The way from one home domain to one partner domain: a queue, and a stream that is opened when there is something in
/// it (RFC 6120 §4.5).
final class PartnerLink {
    enum State {
        case down
        case connecting(Dialer)
        case up(any StanzaCarrier, Authentication)
        /// Until a moment of the host's monotonic clock, in ms.
        case backingOff(until: UInt64, EndReason)
    }

    /// Longest time that a peer may take nothing, in ms: then the link counts as dead.
    static let stallMaxMs: UInt64 = 60_000
    /// When an envelope that found the queue full is tried again, in ms.
    static let fullRetryMs: UInt32 = 5_000

    let pair: DomainPair
    let policy: PartnerPolicy
    unowned let federation: Federation
    private let stall: Alarm
    /// Rings when an acknowledgement is overdue, or, while the connection is broken, when to try again.
    let acknowledgement: Alarm
    /// Rings when it is time to find out whether the peer is there.
    let keepAlive: Alarm
    /// Rings when a link is opened again to ask for presence.
    let recall: Alarm
    /// What asks for presence and is not in the queue yet; at most `SeenPresence.pairsMax` a loss.
    var probes: [Stanza] = []
    /// Of the ping that was sent and not answered.
    var pingID: String?
    var queue: OutgoingQueue
    private var sent = SentStanzas()
    /// What was written to a managed stream and is not acknowledged (XEP-0198 §4).
    var unacked: UnackedQueue<Outgoing>
    /// Whether the stream is managed.
    var isManaged = false
    /// The peer was asked for an acknowledgement, and has not answered.
    var isAsked = false
    /// The earlier stream, while its connection is broken.
    var broken: Broken?
    private var schedule = ReconnectSchedule()
    var state = State.down
    var canWrite = true
    var isDraining = false
    /// The host's monotonic clock when the stream was established, in ms.
    var establishedAt: UInt64 = 0
    var lastError = ""
    private var sentCount: UInt64 = 0
    /// When the state began, in ms since 1970.
    private var since: Int64 = 0

    /// A link at rest.
    init(_ federation: Federation, _ pair: DomainPair, _ policy: PartnerPolicy) {
        self.federation = federation
        self.pair = pair
        self.policy = policy
        self.stall = Alarm(host: federation.host)
        self.acknowledgement = Alarm(host: federation.host)
        self.keepAlive = Alarm(host: federation.host)
        self.recall = Alarm(host: federation.host)
        self.queue = OutgoingQueue(max: federation.settings.partnerQueueMax)
        self.unacked = UnackedQueue(max: federation.settings.server.unackedMax)
    }

    var host: Host { self.federation.host }
    var nowMs: UInt64 { self.host.monotonicClock / 1_000_000 }

    // MARK: Calls of the federation

    /// Sends an envelope, now or when there is a stream; completes it in any case.
    func send(_ delivery: Delivery, _ stanza: Stanza) {
        self.send(Outgoing(stanza: stanza, delivery: delivery))
    }

    /// Sends an answer; it is dropped where there is no room for it, or no stream for some time.
    func send(answer stanza: Stanza) {
        self.send(Outgoing(stanza: stanza, delivery: nil))
    }

    /// What an error of the partner is about; nil if it is about nothing that was sent.
    func take(_ bounce: StanzaMeaning.Bounce) -> SentStanzas.Entry? { self.sent.take(bounce) }

    /// Takes nothing new that would need a stream; ends the stream when all is sent.
    func drain() {
        self.isDraining = true
        self.closeIfDrained()
    }

    /// The operator wants nothing to go to the partner any more: ends the stream, and gives up what waits.
    func block() {
        let reason = Outcome.Reason(.policy, "\(self.pair.target) is blocked by the operator", code: "not-allowed")
        for item in self.queue.removeAll() { item.delivery?.complete(.failed(reason)) }
        self.probes = []
        self.recall.cancel()
        self.stall.cancel()
        self.keepAlive.cancel()
        switch self.state {
        case .connecting(let dialer): dialer.cancel()
        case .up(let session, _):
            self.brokeOff(session, nil)
            session.leave()
            session.close()
        case .down, .backingOff: self.giveUp()
        }
        self.enter(.down)
    }

    /// What the operator sees.
    var report: LinkReport {
        let (state, detail): (LinkReport.State, String) =
            switch self.state {
            case .down: (.down, self.lastError)
            case .connecting: (.connecting, self.lastError)
            case .up(let session, let authentication): (.up, session.outDetail(authentication))
            case .backingOff(let until, let reason): (until > self.nowMs ? .backingOff : .down, reason.text)
            }
        let received: UInt64 = if case .up(let session, _) = self.state { session.receivedBack } else { 0 }
        return LinkReport(
            name: self.pair.target,
            state: state,
            detail: detail,
            sent: self.sentCount,
            received: received,
            waiting: UInt64(self.queue.count + self.unacked.count),
            since: self.since
        )
    }

    // MARK: The queue

    private func send(_ item: Outgoing) {
        if case .backingOff(let until, let reason) = self.state {
            let now = self.nowMs
            guard now >= until else {
                item.delivery?.complete(reason.outcome(retryAfter: UInt32(clamping: until - now)))
                return
            }
            self.enter(.down)
        }
        if case .down = self.state, self.isDraining {
            let reason = Outcome.Reason(.transient, "the router is stopping")
            item.delivery?.complete(.deferred(reason))
            return
        }
        guard self.queue.append(item) else {
            let text = "\(self.queue.max) envelopes wait for \(self.pair.target) already"
            let reason = Outcome.Reason(.transient, text, retryAfter: Self.fullRetryMs)
            item.delivery?.complete(.deferred(reason))
            return
        }
        switch self.state {
        case .down: self.connect()
        case .up: self.flush()
        case .connecting, .backingOff: break
        }
    }

    /// Writes what waits, as far as the peer takes it.
    func flush() {
        guard case .up(let session, _) = self.state else { return }
        repeat { self.write(to: session) } while self.queue.isEmpty && !self.isDraining && self.queueProbes()
        self.ask(session)
        self.closeIfDrained()
    }

    private func write(to session: any StanzaCarrier) {
        while self.canWrite, session.canTake, !(self.isManaged && self.unacked.isFull), let item = self.queue.first {
            switch session.write(item.stanza.element) {
            case .ok: self.written(item)
            case .high:
                self.written(item)
                self.pause()
            case .full:
                // An empty buffer that does not hold the stanza never will.
                self.queue.removeFirst()
                let text = "the stanza is larger than what can be written to \(self.pair.target)"
                item.delivery?.complete(.failed(Outcome.Reason(.content, text)))
            case .gone: self.canWrite = false
            }
        }
    }

    private func written(_ item: Outgoing) {
        self.queue.removeFirst()
        if let delivery = item.delivery, !item.isRepeated {
            self.sent.note(delivery.envelope, as: item.stanza)
            self.sentCount += 1
            if case .message = delivery.envelope.content {
                self.federation.records[self.pair.target, default: PartnerRecord()].messagesOut += 1
            }
        }
        guard self.isManaged else {
            item.delivery?.complete(.delivered)
            return
        }
        self.unacked.append(item)
    }

    private func pause() {
        self.canWrite = false
        self.stall.set(Self.stallMaxMs) { [weak self] in
            guard let self, case .up(let session, _) = self.state else { return }
            session.abort(.stalled(afterMs: Self.stallMaxMs))
        }
    }

    func closeIfDrained() {
        guard self.isDraining, self.queue.isEmpty, self.unacked.isEmpty else { return }
        switch self.state {
        case .up(let session, _): session.close()
        case .connecting(let dialer):
            dialer.cancel()
            self.enter(.down)
        case .down, .backingOff: break
        }
    }

    // MARK: The stream

    /// Takes a stream of the partner's that goes both ways, or opens one.
    func connect() {
        if self.takeWay() { return }
        let dialer = Dialer(
            self.federation,
            purpose: .stanzas(self.pair),
            policy: self.policy,
            earlier: self.broken.flatMap { $0.isOurs ? $0.handled : nil }
        )
        dialer.owner = self
        self.enter(.connecting(dialer))
        dialer.start()
    }

    func enter(_ state: State) {
        self.state = state
        self.since = self.host.wallClock
    }

    private func backOff(_ reason: EndReason) {
        let chance = self.host.randomBytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let wait = self.schedule.failed(reason.retry, chance: chance)
        self.lastError = reason.text
        self.enter(.backingOff(until: self.nowMs + UInt64(wait), reason))
        let waiting = self.queue.removeAll()
        self.keepProbes(waiting)
        self.host.log(
            // A partner that closes a stream in order, with nothing to send on it, is nobody's trouble.
            reason.isOrderly && waiting.isEmpty ? .info : .warning,
            "there is no stream out: what waits for it is put off",
            [
                .partner: self.pair.target, .from: self.pair.sender, .to: self.pair.target, .reason: reason.text,
                .code: reason.condition.rawValue, .retryInMs: "\(wait)", .count: "\(waiting.count)",
            ]
        )
        for item in waiting { item.delivery?.complete(reason.outcome(retryAfter: wait, isUncertain: item.isRepeated)) }
        self.resume(in: wait)
        // A stream that is resumed has lost nothing, and one that was closed in order neither.
        if self.broken == nil, !reason.isOrderly { self.federation.lost(self.pair.target) }
        self.ask([])
    }
}

extension PartnerLink: DialerOwner {
    func dialed(_ dialer: Dialer, _ session: OutboundSession, _ authentication: Authentication) {
        session.owner = self
        self.federation.note(self.pair.target, target: session.server, nil)
        self.begin(session)
        self.rise(session, authentication)
    }

    func verified(_ dialer: Dialer, _ verdict: DialbackVerdict) {}

    func failed(_ dialer: Dialer, _ reason: EndReason) {
        self.federation.note(self.pair.target, target: dialer.target, reason)
        if self.takeWay() { return }
        self.backOff(reason)
    }
}

extension PartnerLink: OutboundSessionOwner {
    func established(_ session: OutboundSession, _ authentication: Authentication) {}

    func verified(_ session: OutboundSession, _ verdict: DialbackVerdict) {}

    func acknowledged(_ session: any StanzaCarrier, _ count: UInt32) {
        guard self.isUp(on: session) else { return }
        self.acknowledgement.cancel()
        self.isAsked = false
        self.acknowledge(count, session)
        self.flush()
    }

    func writable(_ session: any StanzaCarrier) {
        guard self.isUp(on: session) else { return }
        self.stall.cancel()
        self.canWrite = true
        self.watchAnswer()
        self.flush()
    }

    func ended(_ session: any StanzaCarrier, _ reason: EndReason?) {
        guard self.isUp(on: session) else { return }
        self.stall.cancel()
        self.keepAlive.cancel()
        self.pingID = nil
        self.brokeOff(session, reason)
        let lived = self.nowMs - self.establishedAt >= ReconnectSchedule.streamLifeMinMs
        if lived { self.schedule.succeeded() }
        guard let reason, !(reason.isOrderly && lived && self.queue.isEmpty) else {
            self.host.log(
                .info,
                "a stream out was closed",
                [
                    .partner: self.pair.target, .from: self.pair.sender, .to: self.pair.target,
                    .reason: reason?.text ?? "all was sent, or nothing was for some time",
                ]
            )
            self.enter(.down)
            if !self.queue.isEmpty { self.connect() }
            return
        }
        self.federation.note(self.pair.target, target: session.target, reason)
        self.backOff(reason)
    }
}
