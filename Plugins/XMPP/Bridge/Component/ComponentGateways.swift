internal import ProviderKit
internal import XMPPComponent
internal import XMPPSession
internal import XMPPWire

/// All gateways of an instance: the organisation's XMPP server has the home users, and each gateway stands for a network.
///
/// What home users write to a gateway's JIDs goes to the router from their own addresses; what the router has for them goes to
/// the server from the JID that stands for its author.
final class ComponentGateways: Engine {
    let host: Host
    let settings: ComponentSettings
    let reader = StanzaReader()
    /// Home domains whose users the XMPP server has; known once it has started.
    private(set) var homeDomains: [String] = []
    private var links: [GatewayLink] = []
    /// The latest presence of each contact for each home user who sees it.
    var presences = ShownPresence()
    /// Sessions that hold back what the router had no room for, the longest waiting first.
    private var waiting: [(session: ComponentSession, submissions: ArraySlice<Submission>)] = []

    let isReady = true

    /// Bytes of an id: enough that nobody guesses one.
    private static let idBytes = 16

    /// Gateways at rest.
    init(host: Host, settings: ComponentSettings) {
        self.host = host
        self.settings = settings
    }

    var reports: [LinkReport] { self.links.map(\.report) }

    // MARK: Life

    /// Claims the home domains that the configuration leaves to this instance, and connects.
    func start() throws(ProviderError) {
        for domain in self.settings.homeDomains {
            do throws(HostError) {
                try self.host.claim(domain: domain)
                self.homeDomains.append(domain)
            } catch {
                // Another provider's, or the router's own.
                guard error == .conflict else { throw ProviderError("\(domain) cannot be claimed: \(error)") }
            }
        }
        guard !self.homeDomains.isEmpty else {
            throw ProviderError(
                "no home domain is left to this provider: write its name as served_by of one, under home.domains"
            )
        }
        self.links = self.settings.gateways.map { GatewayLink(self, $0) }
        for link in self.links { link.connect() }
    }

    func drain() { for link in self.links { link.drain() } }

    func stop() {
        self.links = []
        self.waiting = []
    }

    func room() {
        let waiting = self.waiting
        self.waiting = []
        for (index, item) in waiting.enumerated() {
            guard self.submit(item.submissions, item.session), item.session.resume() else {
                self.waiting += waiting[(index + 1)...]
                return
            }
        }
    }

    /// A gateway is connected: shows the server what has changed while it was not.
    func established(_ link: GatewayLink) {
        for stanza in self.presences.shown(by: link.gateway.names.domain) { link.send(answer: stanza) }
    }

    /// A gateway has lost its stream.
    func lost(_ link: GatewayLink) { link.roster.lost() }

    // MARK: To the XMPP server

    func send(_ delivery: Delivery) {
        let envelope = delivery.envelope
        guard self.homeDomains.contains(envelope.to.domain) else {
            return delivery.complete(
                .failed(Outcome.Reason(.recipient, "\(envelope.to) is no user of the XMPP server"))
            )
        }
        if case .contact(let change) = envelope.content { return self.send(change, delivery) }
        guard let link = self.link(for: envelope.from),
            let from = link.gateway.names.address(standingFor: envelope.from)
        else {
            let text = "no gateway stands for \(envelope.from.domain): add one under component.gateways"
            return delivery.complete(.failed(Outcome.Reason(.policy, text, code: "not-allowed")))
        }
        var standing = envelope
        standing.from = from
        let key = delivery.idempotencyKey
        let id = envelope.id.isEmpty ? "\(String(key.high, radix: 16))-\(String(key.low, radix: 16))" : envelope.id
        do throws(BridgeError) {
            let stanza = try StanzaWriter.stanza(for: standing, id: id)
            self.presences.note(stanza)
            guard case .presence = envelope.content else { return link.send(delivery, stanza) }
            // Of the moment: it was noted, and is shown whenever there is a stream.
            if link.isUp { link.send(delivery, stanza) } else { delivery.complete(.delivered) }
        } catch {
            delivery.complete(.failed(Outcome.Reason(.content, error.description)))
        }
    }

    /// Brings a change of a contact list into the user's roster.
    private func send(_ change: ContactChange, _ delivery: Delivery) {
        guard let link = self.link(for: change.address), let jid = link.gateway.names.jid(of: change.address),
            let user = try? JID(delivery.envelope.to)
        else {
            let text = "no gateway stands for \(change.address): add one under component.gateways"
            return delivery.complete(.failed(Outcome.Reason(.policy, text, code: "not-allowed")))
        }
        link.roster.change(change, delivery, user: user, jid: jid, on: link)
    }

    /// The gateway for an address: its network's own before one for all.
    private func link(for address: Address) -> GatewayLink? {
        let own = self.links.first { $0.gateway.names.network == address.domain }
        return own ?? self.links.first { $0.gateway.names.network == nil }
    }

    /// The gateway with this domain.
    func link(named domain: String) -> GatewayLink? { self.links.first { $0.gateway.names.domain == domain } }

    /// Unpredictable, new at each call; hexadecimal.
    func randomID() -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = self.host.randomBytes(Self.idBytes)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    // MARK: To the router

    /// Hands envelopes to the router; false if it had no room, and the rest is held.
    func submit(_ submissions: ArraySlice<Submission>, _ session: ComponentSession) -> Bool {
        for (index, submission) in zip(submissions.indices, submissions) where !self.submit(submission) {
            self.waiting.append((session, submissions[index...]))
            return false
        }
        return true
    }

    /// False if there is no room.
    private func submit(_ submission: Submission) -> Bool {
        do throws(HostError) {
            let result = try self.host.submit(submission.envelope) { [weak self] outcome in
                guard case .failed(let reason) = outcome else { return }
                self?.refused(submission, because: reason.text, with: submission.refusal(reason))
            }
            return result == .taken
        } catch {
            self.refused(submission, because: "\(error)", with: submission.refusal(error))
            return true
        }
    }

    private func refused(_ submission: Submission, because reason: String, with answer: Stanza?) {
        let envelope = submission.envelope
        self.host.log(
            .info,
            "a stanza was refused by the router",
            [
                .kind: envelope.kindName, .from: "\(envelope.from)", .to: "\(envelope.to)", .messageID: envelope.id,
                .reason: reason,
            ]
        )
        guard let answer, let gateway = answer.from?.domain else { return }
        self.link(named: gateway)?.send(answer: answer)
    }
}
