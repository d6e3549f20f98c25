import ProviderTestKit

/// Bob, who uses the line gate of Examples/CProvider: he logs in, acknowledges what comes, sends, and comes back when the
/// connection is lost or his name is still taken by the old one.
final class GatePerson: ScriptedNetwork {
    /// Bytes that he reads in a second; nil: all.
    private let bytesPerSecond: Int?
    private weak var network: SimulatedNetwork?
    private weak var instance: SimulatedInstance?
    /// The connection on which he has logged in.
    private var voice: PeerConnection?

    /// The port of the gate's settings in the tests.
    static let port: UInt16 = 7000

    init(bytesPerSecond: Int? = nil) {
        self.bytesPerSecond = bytesPerSecond
    }

    func setUp(_ network: SimulatedNetwork) {
        self.network = network
    }

    func started(_ instance: SimulatedInstance) {
        self.instance = instance
        comeIn()
    }

    func say(_ message: Marker) {
        voice?.say(message) { $0.write("SEND alice@home.example \(message)\n") }
    }

    private func comeIn() {
        guard let network, let instance, instance.state == .running else { return }
        network.connect(to: instance, port: Self.port) { connection in
            var rest = ""
            connection.bytesPerSecond = bytesPerSecond
            connection.onReceived = { [weak self] bytes, connection in
                rest += String(decoding: bytes, as: UTF8.self)
                while let end = rest.firstIndex(of: "\n") {
                    self?.answer(rest[..<end], on: connection)
                    rest.removeSubrange(...end)
                }
            }
            connection.onClosed = { [weak self, weak network] closed in
                guard let self else { return }
                if voice === closed { voice = nil }
                network?.after(.seconds(10)) { [weak self] in self?.comeIn() }
            }
        }
    }

    private func answer(_ line: Substring, on connection: PeerConnection) {
        let words = line.split(separator: " ")
        switch words.first {
        case "HELLO": connection.write("LOGIN bob\n")
        case "OK" where words.last == "bob": voice = connection
        case "MESSAGE" where words.count > 1: connection.write("ACK \(words[1])\n")
        // The name is taken as long as the gate has not seen that the old connection is gone.
        case "ERROR" where voice !== connection: connection.close()
        default: break
        }
    }
}
