import ProviderKit
import ProviderTestKit

/// The server of ``HookProvider``: it refuses some messages, and breaks off some answers.
final class HookServer: ScriptedNetwork {
    private weak var network: SimulatedNetwork?
    private var said: [Marker] = []
    private var asked = 0

    func setUp(_ network: SimulatedNetwork) {
        self.network = network
        network.serve("hooks.example") { [weak self] in self?.answer($0) ?? .silence }
    }

    private func answer(_ request: HTTPRequest) -> WebAnswer {
        asked += 1
        guard request.method == "GET" else {
            switch asked % 7 {
            case 2: return WebAnswer(503, "busy")
            case 4: return WebAnswer(200, "taken").with { $0.fault = .cut(afterBytes: 2) }
            default: return WebAnswer(200, "taken")
            }
        }
        let after = Int(request.url.split(separator: "=").last ?? "") ?? 0
        let lines = said.enumerated().dropFirst(after).map { "\($0.offset + 1) \($0.element)\n" }.joined()
        return WebAnswer(200, lines).with { answer in
            answer.delay = .milliseconds(50)
            answer.pieceBytes = 10
        }
    }

    func say(_ message: Marker) {
        said.append(message)
        network?.say(message)
    }
}
