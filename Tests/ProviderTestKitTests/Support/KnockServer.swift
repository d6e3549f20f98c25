import ProviderTestKit

/// The server of ``KnockProvider``, which sends each message until it is answered.
final class KnockServer: ScriptedNetwork {
    static let address = "192.0.2.200"

    private weak var network: SimulatedNetwork?
    private var peer: DatagramPeer?
    private var client: (address: String, port: UInt16)?
    private var said: [Marker] = []
    private var answered = 0
    private var isSending = false

    func setUp(_ network: SimulatedNetwork) {
        self.network = network
        peer = network.listenForDatagrams(Self.address, port: KnockProvider.port) {
            [weak self] payload, address, port, _ in
            self?.client = (address, port)
            self?.read(String(decoding: payload, as: UTF8.self))
        }
    }

    private func read(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count > 1, let number = Int(words[1]) else { return }
        if words[0] == "S" { send("A \(number)") }
        if words[0] == "A", number == answered + 1 {
            answered = number
            isSending = false
            sendNext()
        }
    }

    private func send(_ text: String) {
        guard let client else { return }
        peer?.send(Array(text.utf8), to: client.address, port: client.port)
    }

    private func sendNext() {
        guard !isSending, answered < said.count else { return }
        isSending = true
        sendAgain(answered + 1)
    }

    private func sendAgain(_ number: Int) {
        guard number == answered + 1 else { return }
        send("S \(number) \(said[number - 1])")
        network?.after(.seconds(1)) { [weak self] in self?.sendAgain(number) }
    }

    func say(_ message: Marker) {
        said.append(message)
        network?.say(message)
        sendNext()
    }
}
