internal import ProviderKit
internal import XMPPComponent
internal import XMPPSession
internal import XMPPWire

/// One gateway's stream to the organisation's XMPP server: kept up, with a queue before it.
final class GatewayLink {
    enum State {
        case down
        case connecting(ComponentSession)
        case up(ComponentSession)
        /// Until a moment of the host's monotonic clock, in ms.
        case backingOff(until: UInt64, ComponentFailure)
    }

    /// Longest time that the server may take nothing, in ms.
    static let stallMaxMs: UInt64 = 60_000
    /// When an envelope that found the queue full is tried again, in ms.
    static let fullRetryMs: UInt32 = 5_000

    let gateway: ComponentSettings.Gateway
    unowned let gateways: ComponentGateways
    let roster: RosterKeeper
    private var queue: OutgoingQueue
    private var sent = SentStanzas()
    private var schedule = ReconnectSchedule()
    private var state = State.down
    private var canWrite = true
    private var isDraining = false
    private let retry: Alarm
    private let stall: Alarm
    private let ping: Alarm
    private var pingID: String?
    private var establishedAt: UInt64 = 0
    private var sentCount: UInt64 = 0
    /// Stanzas that came from the server.
    var receivedCount: UInt64 = 0
    private var since: Int64 = 0
    private var lastFailure = ""

    /// A link at rest; ``connect()`` begins.
    init(_ gateways: ComponentGateways, _ gateway: ComponentSettings.Gateway) {
        self.gateways = gateways
        self.gateway = gateway
        self.roster = RosterKeeper(gateways, domain: gateway.names.domain)
        self.queue = OutgoingQueue(max: gateways.settings.queueMax)
        self.retry = Alarm(host: gateways.host)
        self.stall = Alarm(host: gateways.host)
        self.ping = Alarm(host: gateways.host)
    }

    private var host: Host { self.gateways.host }
    private var nowMs: UInt64 { self.host.monotonicClock / 1_000_000 }

    /// Whether the server has let us in.
    var isUp: Bool { if case .up = self.state { true } else { false } }

    // MARK: Calls of the engine

    /// Connects, and again whenever the stream is lost.
    func connect() {
        let session = ComponentSession(host: self.host, settings: self.gateways.settings, gateway: self.gateway)
        session.owner = self
        self.enter(.connecting(session))
        do throws(HostError) {
            try session.connect()
        } catch {
            self.backOff(.disconnected("the connection could not be begun: \(error)"))
        }
    }

    /// Sends an envelope; completes it in any case.
    func send(_ delivery: Delivery, _ stanza: Stanza) { self.send(Outgoing(stanza: stanza, delivery: delivery)) }

    /// Sends an answer; it is dropped where there is no stream or no room.
    func send(answer stanza: Stanza) { self.send(Outgoing(stanza: stanza, delivery: nil)) }

    /// What an error of the server is about; nil if it is about nothing that was sent.
    func take(_ bounce: StanzaMeaning.Bounce) -> SentStanzas.Entry? { self.sent.take(bounce) }

    /// Notes an answer to an IQ of ours; whether it was the ping's.
    func answered(_ id: String) -> Bool {
        guard id == self.pingID else { return false }
        self.pingID = nil
        self.watchPeer()
        return true
    }

    /// Sends what waits, then ends the stream.
    func drain() {
        self.isDraining = true
        self.retry.cancel()
        switch self.state {
        case .up: self.closeIfDrained()
        case .connecting(let session):
            session.owner = nil
            session.close()
            self.enter(.down)
            self.putOffAll(ComponentFailure.disconnected("the router is stopping"), retryAfter: 0)
        case .down, .backingOff: break
        }
    }

    /// What the operator sees.
    var report: LinkReport {
        let (state, detail): (LinkReport.State, String) =
            switch self.state {
            case .down: (.down, self.lastFailure)
            case .connecting: (.connecting, self.lastFailure)
            case .up(let session): (.up, session.detail)
            case .backingOff(_, let failure): (.backingOff, failure.description)
            }
        return LinkReport(
            name: self.gateway.names.domain,
            state: state,
            detail: detail,
            sent: self.sentCount,
            received: self.receivedCount,
            waiting: UInt64(self.queue.count),
            since: self.since
        )
    }

    // MARK: The queue

    private func send(_ item: Outgoing) {
        switch self.state {
        case .backingOff(let until, let failure):
            let wait = UInt32(clamping: until - min(until, self.nowMs))
            item.delivery?.complete(Self.outcome(failure, retryAfter: wait))
            return
        case .down:
            item.delivery?.complete(.deferred(Outcome.Reason(.transient, "the router is stopping")))
            return
        case .connecting, .up: break
        }
        guard self.queue.append(item) else {
            let text = "\(self.queue.max) envelopes wait for \(self.gateway.names.domain) already"
            item.delivery?.complete(.deferred(Outcome.Reason(.transient, text, retryAfter: Self.fullRetryMs)))
            return
        }
        self.flush()
    }

    private func flush() {
        guard case .up(let session) = self.state else { return }
        while self.canWrite, let item = self.queue.first {
            switch session.write(item.stanza) {
            case .ok: self.written(item)
            case .high:
                self.written(item)
                self.pause(session)
            case .full:
                self.queue.removeFirst()
                let text = "the stanza is larger than what can be written to the XMPP server"
                item.delivery?.complete(.failed(Outcome.Reason(.content, text)))
            case .gone: self.canWrite = false
            }
        }
        self.closeIfDrained()
    }

    private func written(_ item: Outgoing) {
        self.queue.removeFirst()
        guard let delivery = item.delivery else { return }
        self.sent.note(delivery.envelope, as: item.stanza)
        self.sentCount += 1
        delivery.complete(.delivered)
    }

    private func pause(_ session: ComponentSession) {
        self.canWrite = false
        self.stall.set(Self.stallMaxMs) { [weak session] in session?.abort(.stalled) }
    }

    private func closeIfDrained() {
        guard self.isDraining, self.queue.isEmpty, case .up(let session) = self.state else { return }
        session.close()
    }

    private func putOffAll(_ failure: ComponentFailure, retryAfter: UInt32) {
        for item in self.queue.removeAll() { item.delivery?.complete(Self.outcome(failure, retryAfter: retryAfter)) }
    }

    private static func outcome(_ failure: ComponentFailure, retryAfter: UInt32) -> Outcome {
        .deferred(Outcome.Reason(.unavailable, failure.description, code: failure.code, retryAfter: retryAfter))
    }

    // MARK: The stream

    private func enter(_ state: State) {
        self.state = state
        self.since = self.host.wallClock
    }

    private func backOff(_ failure: ComponentFailure) {
        let chance = self.host.randomBytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let wait = self.schedule.failed(.soon, chance: chance)
        self.lastFailure = failure.description
        self.enter(.backingOff(until: self.nowMs + UInt64(wait), failure))
        self.host.log(
            .warning,
            "a gateway has no stream to the XMPP server",
            [
                .partner: self.gateway.names.domain, .reason: failure.description, .code: failure.code,
                .retryInMs: "\(wait)", .count: "\(self.queue.count)",
            ]
        )
        self.putOffAll(failure, retryAfter: wait)
        self.retry.set(UInt64(wait)) { [weak self] in self?.connect() }
    }

    /// Asks the server whether it is there, when it has been silent for some time (XEP-0199 §4.1).
    private func watchPeer() {
        self.ping.set(self.gateways.settings.pingIntervalMs) { [weak self] in self?.askIfSilent() }
    }

    private func askIfSilent() {
        guard case .up(let session) = self.state else { return }
        let silence = (self.host.monotonicClock - session.receivedAt) / 1_000_000
        guard silence >= self.gateways.settings.pingIntervalMs, let home = self.gateways.homeDomains.first,
            let to = try? JID(local: nil, domain: home),
            let from = try? JID(local: nil, domain: self.gateway.names.domain)
        else { return self.watchPeer() }
        let id = self.gateways.randomID()
        self.pingID = id
        _ = session.write(Stanza(.iq(.get), to: to, from: from, id: id, payload: [Ping().element]))
        self.ping.set(self.gateways.settings.pingTimeoutMs) { [weak self, weak session] in
            guard let self, let session, self.pingID != nil else { return }
            session.abort(.silent)
        }
    }
}

extension GatewayLink: ComponentSessionOwner {
    func established(_ session: ComponentSession) {
        guard case .connecting(let current) = self.state, current === session else { return }
        self.establishedAt = self.nowMs
        self.canWrite = true
        self.lastFailure = ""
        self.enter(.up(session))
        self.host.log(
            .info,
            "a gateway is connected to the XMPP server",
            [.partner: self.gateway.names.domain, "security": session.detail]
        )
        self.watchPeer()
        self.gateways.established(self)
        self.flush()
    }

    func received(_ element: Element, on session: ComponentSession) -> Bool {
        self.receivedCount += 1
        return self.gateways.received(element, on: self, session)
    }

    func writable(_ session: ComponentSession) {
        self.stall.cancel()
        self.canWrite = true
        self.flush()
    }

    func ended(_ session: ComponentSession, _ failure: ComponentFailure?) {
        switch self.state {
        case .up(let current) where current === session, .connecting(let current) where current === session: break
        case .up, .connecting, .down, .backingOff: return
        }
        self.stall.cancel()
        self.ping.cancel()
        self.pingID = nil
        if self.isUp, self.nowMs - self.establishedAt >= ReconnectSchedule.streamLifeMinMs { self.schedule.succeeded() }
        self.gateways.lost(self)
        guard !self.isDraining, let failure else {
            self.enter(.down)
            self.putOffAll(failure ?? .closedByServer, retryAfter: 0)
            return
        }
        self.backOff(failure)
    }
}
