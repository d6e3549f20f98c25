package import ProviderKit

/// A network of one user, who answers every message with its own text.
///
/// The smallest useful provider: it claims an address, takes messages, and submits answers.
package final class EchoProvider: Provider {
    package static let descriptor = Descriptor(
        id: "org.plugboard.example.echo",
        name: "Echo",
        version: "1.0.0",
        vendor: "Plugboard",
        capabilities: [Capability("messages"), Capability("presence", .partial)],
        settings: [
            SettingSchema("address", .string, isRequired: true, help: "The address that answers, as user@domain."),
            SettingSchema("prefix", .string, standard: "", help: "What each answer begins with."),
        ],
        commands: [
            Command("count", answers: .integer, help: "How many messages were answered.") { (echo: EchoProvider) in
                Int(echo.answers)
            },
            Command("set-prefix", .text("prefix", standard: ""), help: "Sets what each answer begins with.") {
                (echo: EchoProvider, prefix) in echo.prefix = prefix
            },
        ]
    )

    private let host: Host
    private let address: Address
    private var prefix: String
    private var answers: UInt64 = 0

    package init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        guard let address = Address(instance.settings["address"] ?? "") else {
            throw ProviderError("is no address; write user@domain", setting: "address")
        }
        self.host = host
        self.address = address
        self.prefix = instance.settings["prefix"] ?? ""
    }

    package func start() throws(ProviderError) {
        do {
            try host.claim(address: address)
        } catch {
            throw ProviderError("cannot be claimed: \(error)", setting: "address")
        }
    }

    package func homeDomainsChanged(to domains: [String]) -> Bool { true }

    package func deliver(_ delivery: Delivery) -> Bool {
        let message: Message
        switch delivery.envelope.content {
        case .message(let received): message = received
        case .subscription(let subscription): return agree(to: subscription, delivery)
        case .receipt, .typing, .presence, .contact, .call, .failure:
            delivery.complete(.delivered)
            return true
        }
        var answer = Envelope(
            from: address,
            to: delivery.envelope.from,
            id: "echo-\(host.wallClock)-\(answers + 1)",
            content: .message(Message(text: prefix + message.text))
        )
        answer.toDevice = delivery.envelope.fromDevice
        answer.conversation = delivery.envelope.conversation
        answer.hops = delivery.envelope.hops
        do {
            guard try host.submit(answer) == .taken else { return false }
        } catch {
            delivery.complete(.failed(Outcome.Reason(.internal, "the answer was not taken: \(error)")))
            return true
        }
        answers += 1
        delivery.complete(.delivered)
        return true
    }

    /// Lets everybody who asks see that it is there, and tells those who ask what it is now.
    private func agree(to subscription: Subscription, _ delivery: Delivery) -> Bool {
        let other = delivery.envelope.from
        do {
            if subscription.action == .request {
                let accept = Envelope(
                    from: address,
                    to: other,
                    id: "echo-\(host.wallClock)-accept",
                    content: .subscription(Subscription(.accept))
                )
                guard try host.submit(accept) == .taken else { return false }
            }
            if subscription.action == .request || subscription.action == .probe {
                let presence = Envelope(from: address, to: other, content: .presence(Presence(.available)))
                // Where there is no room for it now, the next probe gets it.
                _ = try host.submit(presence)
            }
        } catch {
            delivery.complete(.failed(Outcome.Reason(.internal, "the answer was not taken: \(error)")))
            return true
        }
        delivery.complete(.delivered)
        return true
    }

    package func room() {
        host.ready()
    }
}
