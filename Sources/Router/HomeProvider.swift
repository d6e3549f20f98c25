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
        capabilities: [Capability("messages"), Capability("receipts.delivered"), Capability("typing")],
        settings: []
    )

    /// Which users a home domain has.
    struct Domain: Sendable {
        var name: String
        /// Nil: any.
        var users: Set<String>?
    }

    private let host: Host
    private let domains: [String: Domain]
    private let inbox: Inbox
    private let worker: Worker
    /// Arrived in this tick, to be stored together.
    private var arrived: [Delivery] = []
    /// To be tried again when there is room.
    private var unsent: [() -> Void] = []

    /// The most envelopes of home users that wait for room.
    static let unsentMax = 10_000

    init(host: Host, domains: [Domain], inbox: Inbox, worker: Worker) {
        self.host = host
        self.domains = Dictionary(domains.map { ($0.name, $0) }) { first, _ in first }
        self.inbox = inbox
        self.worker = worker
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
    }

    /// Whether an address is a home user's.
    func serves(_ address: Address) -> Bool {
        guard let domain = domains[address.domain], !address.user.isEmpty else { return false }
        return domain.users?.contains(address.user) ?? true
    }

    // MARK: To the users

    func deliver(_ delivery: Delivery) -> Bool {
        guard serves(delivery.envelope.to) else {
            delivery.complete(
                .failed(Outcome.Reason(.recipient, "there is no user \(delivery.envelope.to)", code: "item-not-found"))
            )
            return true
        }
        let item = Inbox.Item(delivery.envelope)
        if case .typing = delivery.envelope.content {
            inbox.show(item)
            delivery.complete(.delivered)
            return true
        }
        arrived.append(delivery)
        if arrived.count == 1 { worker.enqueue { [weak self] in self?.store() } }
        return true
    }

    private func store() {
        let deliveries = arrived
        arrived = []
        let items = deliveries.map { Inbox.Item($0.envelope) }
        let back = LoopBound(value: (self, deliveries))
        let worker = worker
        inbox.append(items) { error in
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
        do {
            if unsent.isEmpty, try host.submit(envelope, then: then) == .taken { return }
        } catch {
            then(.failed(Outcome.Reason(.internal, "the router did not take it: \(error)")))
            return
        }
        guard unsent.count < Self.unsentMax else {
            then(.failed(Outcome.Reason(.throttled, "too many messages are waiting; try again later")))
            return
        }
        unsent.append { [weak self] in self?.submit(envelope, then: then) }
    }

    func room() {
        let waiting = unsent
        unsent = []
        for attempt in waiting { attempt() }
        host.ready()
    }

    /// A new id for an envelope of a home user.
    func newID() -> String {
        let digits = Array("0123456789abcdef")
        return String(host.randomBytes(12).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
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
