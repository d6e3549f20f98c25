import ProviderKit

/// A line protocol with a keep-alive: `SAY <text>` in both directions, and `PING` every 30 s, which the server answers.
final class KeepAliveProvider: Provider, StreamSession {
    static let descriptor = Descriptor(
        id: "org.plugboard.bench.keep-alive",
        name: "Keep alive",
        version: "1.0.0",
        vendor: "Plugboard",
        capabilities: [Capability("messages")],
        settings: []
    )

    private let host: Host
    private let from = Address(user: "peer", domain: "line.example")
    private let to = Address(user: "alice", domain: "home.example")
    private var stream: Stream?

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        self.host = host
    }

    func start() throws(ProviderError) {
        stream = try? host.connect(to: "im.example", port: 7000, session: self)
    }

    func deliver(_ delivery: Delivery) -> Bool {
        guard case .message(let message) = delivery.envelope.content, let stream else { return false }
        _ = try? stream.write(Array("SAY \(message.text)\n".utf8))
        delivery.complete(.delivered)
        return true
    }

    func drain() { stream?.finish() }

    func opened(_ stream: Stream, tls: TLSInfo?) { keepAlive() }

    private func keepAlive() {
        _ = try? host.startTimer(after: 30_000) { [weak self] in
            guard let self, let stream else { return }
            _ = try? stream.write(Array("PING\n".utf8))
            keepAlive()
        }
    }

    func received(_ input: inout ByteReader, on stream: Stream) {
        while let line = input.readBytes(through: UInt8(ascii: "\n")) {
            guard line.first == UInt8(ascii: "S"), let from, let to else { continue }
            let text = String(decoding: line.dropFirst(4), as: UTF8.self)
            _ = try? host.submit(Envelope(from: from, to: to, content: .message(Message(text: text))))
        }
    }

    func closed(_ stream: Stream, reason: CloseReason) { self.stream = nil }
}
