import ProviderTestKit

/// The server of the line protocol.
final class LineServer: ScriptedNetwork {
    /// Bytes that it reads in a second; nil: all.
    var bytesPerSecond: Int?
    private(set) var connection: PeerConnection?
    private(set) var lines: [String] = []
    private var rest = ""

    init(bytesPerSecond: Int? = nil) {
        self.bytesPerSecond = bytesPerSecond
    }

    func setUp(_ network: SimulatedNetwork) {
        network.listen("im.example", port: 7000) { [weak self] connection in
            self?.rest = ""
            connection.bytesPerSecond = self?.bytesPerSecond
            connection.onOpened = { self?.connection = $0 }
            connection.onReceived = { self?.read($0, on: $1) }
        }
    }

    private func read(_ bytes: [UInt8], on connection: PeerConnection) {
        rest += String(decoding: bytes, as: UTF8.self)
        while let end = rest.firstIndex(of: "\n") {
            let line = String(rest[..<end])
            rest.removeSubrange(...end)
            lines.append(line)
            if line == "PING" { connection.write("PONG\n") }
        }
    }

    func say(_ message: Marker) {
        connection?.say(message) { $0.write("SAY \(message)\n") }
    }
}
