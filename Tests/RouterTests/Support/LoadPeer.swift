import NIOConcurrencyHelpers

/// A peer that hands messages in and answers those it is handed, over as many connections as it takes.
///
/// It has some messages under way at a time, and connects again when it is told to leave or loses the connection; what was
/// not answered by then it hands in again.
final class LoadPeer: Sendable {
    private struct State {
        var client: LineClient?
        /// Next message to be handed in.
        var next = 0
        /// Handed in and not answered.
        var open: Set<Int> = []
        /// Told to leave: hands nothing in on this connection.
        var isLeaving = false
        var connections = 0
        /// The test is over.
        var isOver = false
    }

    private let port: UInt16
    private let count: Int
    private let state = NIOLockedValueBox(State())
    /// Messages that the router has taken.
    let answered = Recorder<Int>()
    /// Messages that came out, in order.
    let taken = Recorder<(text: String, isAgain: Bool)>()
    /// The greetings of its connections.
    let greeted = Recorder<String>()
    /// Refusals, which should not be.
    let refused = Recorder<String>()

    /// Messages under way at a time.
    static let window = 32

    init(port: UInt16, count: Int) {
        self.port = port
        self.count = count
    }

    /// Connections that there have been.
    var connections: Int { state.withLockedValue { $0.connections } }

    func connect() throws {
        let client = try LineClient(port: port) { [self] client, line in took(client, line) }
        state.withLockedValue { state in
            state.client = client
            state.connections += 1
        }
    }

    private func took(_ client: LineClient, _ line: String) {
        let words = line.split(separator: " ", maxSplits: 4).map(String.init)
        switch words.first {
        case "HELLO":
            let again = state.withLockedValue { state in
                state.isLeaving = false
                return state.open.sorted()
            }
            greeted.append(line)
            for index in again { handIn(index, client) }
            pump(client)
        case "A":
            let index = Int(words[1]) ?? -1
            state.withLockedValue { _ = $0.open.remove(index) }
            answered.append(index)
            pump(client)
        case "R":
            refused.append(line)
        case "D":
            taken.append((words[4], words[2] == "true"))
            client.send("K \(words[1])")
        case "BYE":
            state.withLockedValue { $0.isLeaving = true }
            pump(client)
        case "END":
            guard !state.withLockedValue({ $0.isOver }) else { return }
            do { try connect() } catch { refused.append("\(error)") }
        default:
            break
        }
    }

    private func pump(_ client: LineClient) {
        while true {
            let index: Int? = state.withLockedValue { state in
                guard !state.isLeaving, state.open.count < Self.window, state.next < count else { return nil }
                state.open.insert(state.next)
                state.next += 1
                return state.next - 1
            }
            guard let index else { break }
            handIn(index, client)
        }
        let isDone = state.withLockedValue { $0.isLeaving && $0.open.isEmpty }
        if isDone { client.finish() }
    }

    private func handIn(_ index: Int, _ client: LineClient) {
        client.send("M \(index) peer@a.example bob@home.example \(index)")
    }

    /// Ends the connection, and makes no other.
    func end() {
        state.withLockedValue { state in
            state.isOver = true
            state.client?.finish()
        }
    }
}
