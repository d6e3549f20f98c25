import ProviderKit

/// The deliveries of a small network that are not settled, in order, and whether the host waits for room.
struct Outbox {
    private let host: Host
    private(set) var deliveries: [Delivery] = []
    private var isBlocked = false

    static let countMax = 8

    init(host: Host) {
        self.host = host
    }

    /// The first message that is not settled, with its text.
    var first: (delivery: Delivery, text: String)? {
        guard let delivery = deliveries.first, case .message(let message) = delivery.envelope.content else {
            return nil
        }
        return (delivery, message.text)
    }

    var isEmpty: Bool { deliveries.isEmpty }

    /// Takes a message in, and refuses what is none.
    ///
    /// - Returns: false if there is no room.
    mutating func take(_ delivery: Delivery) -> Bool {
        guard case .message = delivery.envelope.content else {
            delivery.complete(.failed(Outcome.Reason(.content, "only messages can be sent")))
            return true
        }
        guard deliveries.count < Self.countMax else {
            isBlocked = true
            return false
        }
        deliveries.append(delivery)
        return true
    }

    /// Takes the first one out, and asks for more once half is empty.
    mutating func removeFirst() -> Delivery {
        let first = deliveries.removeFirst()
        if isBlocked, deliveries.count < Self.countMax / 2 {
            isBlocked = false
            host.ready()
        }
        return first
    }
}

/// Whose messages a small network carries: they come from `peer` there, and go to `alice` at home.
struct SmallNetwork {
    let domain: String
    private let home: String

    init(_ instance: InstanceInfo) {
        domain = instance.settings["domain"] ?? ""
        home = instance.homeDomains.first ?? ""
    }

    /// A message that has come from the network; nil if a domain is none.
    func incoming(_ text: String) -> Envelope? {
        guard let from = Address(user: "peer", domain: domain), let to = Address(user: "alice", domain: home) else {
            return nil
        }
        return Envelope(from: from, to: to, content: .message(Message(text: text)))
    }

    /// What a network of this kind needs to know, whatever it speaks.
    static func descriptor<Bug: RawRepresentable & CaseIterable>(
        _ name: String,
        _ server: SettingSchema,
        bugs: Bug.Type
    ) -> Descriptor where Bug.RawValue == String {
        Descriptor(
            id: "org.example.\(name.lowercased())",
            name: name,
            version: "1.0.0",
            vendor: "Example",
            capabilities: [Capability("messages")],
            settings: [
                server,
                SettingSchema("domain", .string, isRequired: true, help: "The domain of the network's users."),
                SettingSchema("bug", .choice(bugs.allCases.map(\.rawValue)), standard: "none", help: "What is wrong."),
            ]
        )
    }
}
