package import ProviderKit

/// A network of one user, who sends as much as they are told to and counts what they get.
///
/// Two of them measure the way between their routers: each obeys the orders that come as lines on its control port,
/// see ``LoadOrder``. The one that sends keeps a window of messages on their way; the one that receives answers those
/// that ask for a receipt, which is what lets the window move on.
package final class LoadProvider: Provider {
    package static let descriptor = Descriptor(
        id: "org.plugboard.benchmark.load",
        name: "Load",
        version: "1.0.0",
        vendor: "Plugboard",
        capabilities: [Capability("messages"), Capability("receipts.delivered")],
        settings: [
            SettingSchema("address", .string, isRequired: true, help: "The user's address, as user@domain."),
            SettingSchema("peer", .string, isRequired: true, help: "The address that messages are sent to."),
            SettingSchema("control", .address, isRequired: true, help: "Where orders are taken, as host:port."),
            SettingSchema(
                "text_bytes",
                .integer(Int64(LoadText.bytesMin)...Int64(LoadText.bytesMax)),
                standard: "100",
                help: "The length of each message's text."
            ),
        ]
    )

    private let host: Host
    private let address: Address
    private let control: (host: String, port: UInt16)
    private let sender: LoadSender
    private var receiver = LoadReceiver()
    /// Receipts that the router had no room for.
    private var unsent: [Envelope] = []
    private var receipts: UInt64 = 0

    package init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        guard let address = Address(instance.settings["address"] ?? "") else {
            throw ProviderError("is no address; write user@domain", setting: "address")
        }
        guard let peer = Address(instance.settings["peer"] ?? "") else {
            throw ProviderError("is no address; write user@domain", setting: "peer")
        }
        let written = instance.settings["control"] ?? ""
        guard let colon = written.lastIndex(of: ":"), let port = UInt16(written[written.index(after: colon)...]) else {
            throw ProviderError("is no place to listen at; write host:port", setting: "control")
        }
        let bytes = instance.settings.integer("text_bytes").flatMap { Int(exactly: $0) } ?? LoadText.bytesMin
        self.host = host
        self.address = address
        self.control = (String(written[..<colon]), port)
        self.sender = LoadSender(host: host, from: address, to: peer, textBytes: bytes)
    }

    package func start() throws(ProviderError) {
        do throws(HostError) {
            try self.host.claim(address: self.address)
        } catch {
            throw ProviderError("cannot be claimed: \(error)", setting: "address")
        }
        do throws(HostError) {
            _ = try self.host.listen(address: self.control.host, port: self.control.port) { [weak self] _ in
                self.map { ControlSession($0) }
            }
        } catch {
            throw ProviderError("cannot be listened at: \(error)", setting: "control")
        }
    }

    package func deliver(_ delivery: Delivery) -> Bool {
        switch delivery.envelope.content {
        case .message(let message):
            guard self.unsent.isEmpty else { return false }
            self.receiver.received(message.text, at: MonotonicClock.now)
            if message.wantsDelivered { self.acknowledge(delivery.envelope) }
        case .receipt(let receipt):
            self.sender.acknowledged(receipt.messageID)
        case .failure(let failure):
            self.sender.failed("message \(failure.messageID) came back: \(failure.reason)")
        case .typing, .presence, .subscription, .contact, .call:
            break
        }
        delivery.complete(.delivered)
        return true
    }

    package func room() {
        let waiting = self.unsent
        self.unsent = []
        for receipt in waiting { self.submit(receipt) }
        self.sender.fill()
        self.host.ready()
    }

    private func acknowledge(_ message: Envelope) {
        self.receipts += 1
        let content = Envelope.Content.receipt(Receipt(.delivered, messageID: message.id))
        self.submit(Envelope(from: self.address, to: message.from, id: "receipt-\(self.receipts)", content: content))
    }

    private func submit(_ receipt: Envelope) {
        do throws(HostError) {
            if try self.host.submit(receipt) == .busy { self.unsent.append(receipt) }
        } catch {
            self.host.log(.error, "a receipt was not taken: \(error)")
        }
    }

    // MARK: Orders

    /// Carries out one line of a control connection; the answer comes at once or when the order is done.
    func obey(_ line: String, answer: @escaping (String) -> Void) {
        do throws(LoadError) {
            switch try LoadOrder(line) {
            case .send(let plan): try self.sender.begin(plan, then: answer)
            case .report: answer(self.receiver.report)
            }
        } catch {
            answer("failed \(error)")
        }
    }
}
