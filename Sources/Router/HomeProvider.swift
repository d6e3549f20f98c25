internal import Directory
internal import HostServices
internal import ProviderKit

/// The organisation's own users, as a provider like any other: it claims the home domains, keeps what
/// arrives in the inbox, and sends what the users write.
///
/// It is linked into the host and made by the router; apart from that it sees only what a plugin sees.
final class HomeProvider: Provider {
    static let descriptor = Descriptor(
        id: "org.plugboard.home",
        name: "Home users",
        version: "1.0.0",
        vendor: "Plugboard",
        capabilities: [
            Capability("messages"), Capability("receipts.delivered"), Capability("typing"), Capability("presence"),
        ],
        settings: []
    )

    /// Which users a home domain has.
    struct Domain: Sendable {
        var name: String
        /// Nil: any.
        var users: Set<String>?
    }

    /// What it needs of the router, beyond what a plugin is given.
    struct Surroundings {
        var domains: [Domain]
        var inbox: Inbox
        var directory: HomeDirectory
        var worker: Worker
        /// The router's own key of an envelope that was offered, by its token; the same for each attempt.
        var key: (UInt64) -> [UInt8]?
    }

    let host: Host
    /// Keeps the lines about refusals few.
    var refusalLog = HomeRefusalLog()
    private(set) var domains: [String: Domain]
    let surroundings: Surroundings
    var directory: HomeDirectory { surroundings.directory }
    /// What is known of presence.
    var book = PresenceBook()
    /// Presence that is to be handed in.
    var outbox = PresenceOutbox()
    /// What has changed will be told in this tick.
    var isSpreading = false
    /// Which networks can be reached.
    var links = LinkWatch()
    /// How long after a link was lost the presence of those behind it becomes unknown, in ms.
    var presenceGraceMs: Int64
    /// Steps of the handshake that were handed in and are not answered, by their numbers.
    var stepsUnderWay: Set<Int64> = []
    private(set) var isStopped = false
    /// Arrived in this tick, to be stored together.
    private var arrived: [Delivery] = []
    private var isDraining = false
    /// Those who wait for an answer to what they sent, by ticket.
    private var waiting: [UInt64: (Outcome) -> Void] = [:]
    private var lastTicket: UInt64 = 0
    /// To be tried again when there is room, in order.
    private(set) var unsent: [(envelope: Envelope, ticket: UInt64)] = []

    /// The most envelopes of home users that wait for room.
    static let unsentMax = 10_000

    init(host: Host, surroundings: Surroundings, presenceGraceMs: Int64) {
        self.host = host
        self.presenceGraceMs = presenceGraceMs
        self.domains = Dictionary(surroundings.domains.map { ($0.name, $0) }) { first, _ in first }
        self.surroundings = surroundings
    }

    convenience init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        throw ProviderError("the home users are part of the router and cannot be configured as a plugin")
    }

    func start() throws(ProviderError) {
        for domain in domains.keys {
            do {
                try host.claim(domain: domain)
            } catch {
                throw ProviderError("the home domain \(domain) cannot be claimed: \(error)")
            }
        }
        try beginPresence()
    }

    /// Serves other domains and users from now on.
    ///
    /// - Returns: what cannot be served, a sentence each.
    func serve(_ domains: [Domain]) -> [String] {
        var refused: [String] = []
        self.domains = Dictionary(domains.map { ($0.name, $0) }) { first, _ in first }
        for domain in domains {
            do {
                try host.claim(domain: domain.name)
            } catch {
                refused.append("the home domain \(domain.name) cannot be claimed: \(error)")
            }
        }
        return refused
    }

    /// Whether an address is a home user's.
    func serves(_ address: Address) -> Bool {
        guard let domain = domains[address.domain], !address.user.isEmpty else { return false }
        return domain.users?.contains(address.user) ?? true
    }

    /// Whether all that was sent is answered.
    var hasAnswered: Bool { waiting.isEmpty }

    func drain() {
        isDraining = true
    }

    func stop() {
        isStopped = true
        unsent = []
        outbox = PresenceOutbox()
        let unanswered = waiting
        waiting = [:]
        let reason = Outcome.Reason(.unavailable, "the router stopped before it answered", isUncertain: true)
        for then in unanswered.values { then(.failed(reason)) }
    }

    // MARK: To the users

    func deliver(_ delivery: Delivery) -> Bool {
        guard !isDraining else { return false }
        guard serves(delivery.envelope.to) else {
            delivery.complete(
                .failed(Outcome.Reason(.recipient, "there is no user \(delivery.envelope.to)", code: "item-not-found"))
            )
            return true
        }
        switch delivery.envelope.content {
        case .typing:
            // Of the moment: worthless to whoever is not looking.
            surroundings.inbox.show(Inbox.Item(delivery.envelope))
            delivery.complete(.delivered)
        case .presence(let presence):
            heard(presence, delivery)
        case .subscription(let subscription) where subscription.action == .probe:
            probed(delivery)
        case .subscription(let subscription):
            received(subscription, delivery)
        case .message, .receipt, .contact, .call, .failure:
            keep(delivery)
        }
        return true
    }

    /// Stores something in the inbox, with what else arrives in this tick.
    func keep(_ delivery: Delivery) {
        arrived.append(delivery)
        if arrived.count == 1 { surroundings.worker.enqueue { [weak self] in self?.store() } }
    }

    private func store() {
        let deliveries = arrived
        arrived = []
        let items = deliveries.map { delivery in
            var item = Inbox.Item(delivery.envelope)
            item.deliveryKey = surroundings.key(delivery.token)
            return item
        }
        let back = LoopBound(value: (self, deliveries))
        let worker = surroundings.worker
        surroundings.inbox.append(items) { error in
            worker.run { back.value.0.stored(back.value.1, error) }
        }
    }

    private func stored(_ deliveries: [Delivery], _ error: Inbox.InboxError?) {
        for delivery in deliveries {
            if let error {
                delivery.complete(.deferred(Outcome.Reason(.internal, error.description)))
                continue
            }
            acknowledge(delivery.envelope)
            delivery.complete(.delivered)
        }
    }

    /// Tells the author that the message has arrived, where they asked for it.
    private func acknowledge(_ envelope: Envelope) {
        guard case .message(let message) = envelope.content, message.wantsDelivered, !envelope.id.isEmpty else {
            return
        }
        var receipt = Envelope(
            from: envelope.to,
            to: envelope.from,
            id: newID(),
            content: .receipt(Receipt(.delivered, messageID: envelope.id))
        )
        receipt.toDevice = envelope.fromDevice
        submit(receipt) { _ in }
    }

    // MARK: From the users

    /// Hands in what a home user has written.
    ///
    /// - Parameter then: called once, with `accepted` or `failed`.
    func submit(_ envelope: Envelope, then: @escaping (Outcome) -> Void) {
        guard !isStopped else { return then(HomeHolder.notRunning) }
        lastTicket += 1
        waiting[lastTicket] = then
        attempt(envelope, lastTicket)
    }

    private func attempt(_ envelope: Envelope, _ ticket: UInt64) {
        do {
            // What waits already is not overtaken.
            if unsent.isEmpty {
                let submission = try host.submit(envelope) { [weak self] in self?.answer(ticket, $0) }
                if submission == .taken { return }
            }
        } catch {
            answer(ticket, .failed(Self.reason(error)))
            return
        }
        guard unsent.count < Self.unsentMax else {
            let reason = Outcome.Reason(.throttled, "too many messages are waiting; try again later")
            answer(ticket, refusal(of: envelope, reason, .tooManyWaiting))
            return
        }
        unsent.append((envelope, ticket))
    }

    private func answer(_ ticket: UInt64, _ outcome: Outcome) {
        waiting.removeValue(forKey: ticket)?(outcome)
    }

    func room() {
        let again = unsent
        unsent = []
        for (envelope, ticket) in again { attempt(envelope, ticket) }
        sendPresence()
    }

    private static func reason(_ error: HostError) -> Outcome.Reason {
        switch error {
        case .invalidArgument: Outcome.Reason(.content, "the message is malformed")
        case .limitReached: Outcome.Reason(.content, "the message is too large")
        case .shuttingDown: Outcome.Reason(.unavailable, "the router is stopping")
        default: Outcome.Reason(.internal, "the router did not take it: \(error)")
        }
    }

    /// A new id for an envelope of a home user.
    func newID() -> String { Digests.hexadecimal(host.randomBytes(12)) }
}

/// Carries a loop's own value through a thread that does not touch it.
///
/// Safe to share: it is unpacked on the loop that packed it.
struct LoopBound<Value>: @unchecked Sendable {
    let value: Value
}

extension Inbox.Item {
    /// What a home user sees of an envelope.
    init(_ envelope: Envelope) {
        let (id, text) =
            switch envelope.content {
            case .message(let message): (envelope.id, message.text)
            case .receipt(let receipt): (receipt.messageID, "\(receipt.kind)")
            case .typing(let typing): (envelope.id, "\(typing)")
            case .failure(let failure): (failure.messageID, failure.reason)
            case .presence(let presence): (envelope.id, "\(presence.availability)")
            case .subscription(let subscription): (envelope.id, "\(subscription.action)")
            case .contact(let contact): (envelope.id, "\(contact.change) \(contact.address)")
            case .call(let call): (call.callID, "\(call.event)")
            }
        self.init(
            owner: envelope.to.description,
            from: envelope.from.description,
            kind: envelope.kindName,
            id: id,
            text: text,
            timestamp: envelope.timestamp
        )
    }
}
