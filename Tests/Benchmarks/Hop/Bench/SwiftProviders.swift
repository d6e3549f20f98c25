import CHop
import PluginHost
import ProviderKit

/// The pair that a provider is one of; set before the provider is made.
// Safe: the C side has its own rules for who calls what on which thread.
struct Run: @unchecked Sendable {
    let pointer: OpaquePointer
    /// Whether messages are read and written as lent bytes, or as `Envelope` values.
    let isLent: Bool

    /// Makes the plugin of one provider.
    func plugin(_ id: String, _ make: @escaping (Host, Run) -> any Provider) throws -> Plugin {
        let table = Entry.plugin(Unmade.self) { [self] host, _ throws(ProviderError) in make(host, self) }
        return try Plugin(path: id, table: table)
    }
}

/// Describes both plugins; never made.
private final class Unmade: Provider {
    static let descriptor = Descriptor(
        id: "org.plugboard.benchmark.hop",
        name: "Hop",
        version: "1.0.0",
        vendor: "Plugboard",
        capabilities: [],
        settings: []
    )

    init(host: Host, instance: InstanceInfo) throws(ProviderError) { throw ProviderError("it needs its run") }
    func start() throws(ProviderError) {}
    func deliver(_ delivery: Delivery) -> Bool { false }
}

extension Provider where Self: HopProvider {
    /// As ``Unmade``'s.
    static var descriptor: Descriptor { Unmade.descriptor }
}

/// What source and sink have in common.
protocol HopProvider: Provider {}

/// Hands in messages.
final class SwiftSource: HopProvider {
    private let host: Host
    private let run: Run
    private let address = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 21)
    private let recipient = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Int(HOP_ADDRESS_BYTES_MAX))
    private let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Int(HOP_TEXT_BYTES))

    init(host: Host, run: Run) {
        self.host = host
        self.run = run
        _ = address.initialize(from: "alice@partner.example".utf8)
    }

    convenience init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        throw ProviderError("it needs its run")
    }

    deinit {
        address.deallocate()
        recipient.deallocate()
        text.deallocate()
    }

    func start() throws(ProviderError) {
        do throws(HostError) {
            try host.claim(domain: "partner.example")
        } catch {
            throw ProviderError("partner.example cannot be claimed: \(error)")
        }
    }

    func deliver(_ delivery: Delivery) -> Bool {
        delivery.complete(.delivered)
        guard case .message = delivery.envelope.content else { return true }
        hop_begin(run.pointer)
        fill()
        return true
    }

    func submitted(_ tag: UInt64, _ outcome: Outcome) { told(outcome) }

    func room() { fill() }

    private func told(_ outcome: Outcome) {
        hop_told(run.pointer, 1, outcome == .accepted ? 0 : 1)
        fill()
    }

    private func fill() {
        var number: UInt64 = 0
        while hop_next(run.pointer, &number) {
            guard let submission = try? submit(number) else { preconditionFailure("a message was not taken") }
            guard submission == .busy else { continue }
            hop_not_taken(run.pointer)
            return
        }
    }

    private func submit(_ number: UInt64) throws(HostError) -> Host.Submission {
        let length = hop_recipient(run.pointer, number, recipient.baseAddress)
        hop_text(number, text.baseAddress)
        let to = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(recipient)[..<length])
        return run.isLent ? try submitBytes(number, to) : try submitEnvelope(to)
    }

    private func submitBytes(_ number: UInt64, _ to: UnsafeRawBufferPointer) throws(HostError) -> Host.Submission {
        var draft = MessageDraft(from: UnsafeRawBufferPointer(address), to: to, text: UnsafeRawBufferPointer(text))
        draft.id = UnsafeRawBufferPointer(rebasing: draft.text[..<15])
        return try host.submit(draft, tag: number)
    }

    private func submitEnvelope(_ to: UnsafeRawBufferPointer) throws(HostError) -> Host.Submission {
        let text = String(decoding: text, as: UTF8.self)
        guard let from = Address("alice@partner.example"), let to = Address(String(decoding: to, as: UTF8.self)) else {
            preconditionFailure("these are addresses")
        }
        let envelope = Envelope(from: from, to: to, id: String(text.prefix(15)), content: .message(Message(text: text)))
        return try host.submit(envelope) { [unowned self] in told($0) }
    }
}

/// Takes messages.
final class SwiftSink: HopProvider {
    private let host: Host
    private let run: Run

    init(host: Host, run: Run) {
        self.host = host
        self.run = run
    }

    convenience init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        throw ProviderError("it needs its run")
    }

    func start() throws(ProviderError) {
        var bytes = [UInt8](repeating: 0, count: Int(HOP_ADDRESS_BYTES_MAX))
        for index in 0..<hop_addresses(run.pointer) {
            let length = hop_address(index, &bytes)
            guard let address = Address(String(decoding: bytes[..<length], as: UTF8.self)) else { continue }
            do throws(HostError) {
                try host.claim(address: address)
            } catch {
                throw ProviderError("\(address) cannot be claimed: \(error)")
            }
        }
    }

    func deliver(lent delivery: LentDelivery) -> Bool {
        if run.isLent {
            arrived(delivery.envelope.message?.text ?? UnsafeRawBufferPointer(start: nil, count: 0))
        } else if let envelope = delivery.envelope.copy(), case .message(let message) = envelope.content {
            var text = message.text
            text.withUTF8 { arrived(UnsafeRawBufferPointer($0)) }
        }
        delivery.complete(.delivered)
        return true
    }

    func deliver(_ delivery: Delivery) -> Bool { false }

    private func arrived(_ text: UnsafeRawBufferPointer) {
        hop_arrived(run.pointer, text.baseAddress?.assumingMemoryBound(to: UInt8.self), text.count)
    }
}
