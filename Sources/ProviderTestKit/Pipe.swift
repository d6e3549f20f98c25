/// One end of a simulated connection, as its pipes see it.
protocol NetworkEnd: AnyObject {
    /// Something has arrived, and waits in the pipe.
    func arrived()
    /// Some of what was written has left.
    func sent()
    /// The connection is gone, with all that was on its way.
    func lost(_ detail: String)
}

/// One direction of a connection: what was written, is on its way, and waits to be read, in order.
///
/// What is on its way and unread together never passes the window, so a receiver that does not read holds the sender up.
final class Pipe {
    /// What travels.
    enum Item {
        case bytes([UInt8], isTLS: Bool)
        /// A step of a TLS handshake.
        case hello(TLSHello)
        /// The sender writes nothing more.
        case end

        var count: Int {
            if case .bytes(let bytes, _) = self { bytes.count } else { 0 }
        }
    }

    unowned let simulation: Simulation
    /// Unlike an object's address never that of another one.
    let number: Int
    weak var connection: Connection?
    weak var sender: (any NetworkEnd)?
    weak var receiver: (any NetworkEnd)?
    private let window: Int
    private var queue = FIFO<Item>()
    private var flying = FIFO<Item>()
    private var waiting = FIFO<Item>()
    private(set) var queuedCount = 0
    private var flyingCount = 0
    private var waitingCount = 0
    private var lastArrival: UInt64 = 0
    private var stalledUntil: UInt64 = 0
    /// All bytes that were ever written.
    private(set) var writtenCount = 0

    private var scanner = MarkerScanner()

    init(_ simulation: Simulation, number: Int, window: Int) {
        self.simulation = simulation
        self.number = number
        self.window = window
    }

    /// Whether all that was written is on its way at least.
    var isFlushed: Bool { queue.isEmpty }

    /// Whether bytes left the sender and did not arrive.
    var hasUnarrived: Bool { !flying.isEmpty }

    // MARK: The sender's side

    /// Appends bytes; they leave with the next ``pump()``.
    func write(_ bytes: UnsafeRawBufferPointer, isTLS: Bool) {
        guard bytes.count > 0 else { return }
        queuedCount += bytes.count
        writtenCount += bytes.count
        if case .bytes(var last, isTLS)? = queue.popLast(ifBytesOf: isTLS) {
            last.append(contentsOf: bytes)
            queue.append(.bytes(last, isTLS: isTLS))
        } else {
            queue.append(.bytes(Array(bytes), isTLS: isTLS))
        }
    }

    /// Appends what is no bytes.
    func write(_ item: Item) { queue.append(item) }

    /// Sends as much as the window allows.
    func pump() {
        var hasSent = false
        while let item = queue.popFirst() {
            guard case .bytes(let bytes, let isTLS) = item else {
                fly(item)
                continue
            }
            let room = window - flyingCount - waitingCount
            guard room > 0 else {
                queue.prepend(item)
                break
            }
            var count = min(room, bytes.count)
            if count > 1, simulation.random.oneIn(simulation.network.conditions.splitOneIn) {
                count = simulation.random.pick(1...count - 1)
            }
            queuedCount -= count
            hasSent = true
            if count == bytes.count {
                fly(item)
            } else {
                fly(.bytes(Array(bytes[..<count]), isTLS: isTLS))
                queue.prepend(.bytes(Array(bytes[count...]), isTLS: isTLS))
            }
        }
        if hasSent { sender?.sent() }
    }

    private func fly(_ item: Item) {
        let delay = simulation.random.pick(simulation.network.conditions.delay)
        lastArrival = max(lastArrival, simulation.nowNs + delay)
        flying.append(item)
        flyingCount += item.count
        simulation.post(after: lastArrival - simulation.nowNs) { [weak self] in self?.arrive() }
    }

    /// Sends nothing more but the end: what did not leave is lost.
    func endAtOnce() {
        while let item = queue.popFirst() {
            if isFromPlugin, case .bytes(let bytes, _) = item { lose(bytes) }
        }
        queuedCount = 0
        fly(.end)
    }

    // MARK: The network

    /// Holds up what is on its way.
    func stall(_ nanoseconds: UInt64) {
        stalledUntil = simulation.nowNs + nanoseconds
    }

    /// Puts bytes in front of what arrives next.
    func inject(_ bytes: [UInt8], isTLS: Bool) {
        waiting.append(.bytes(bytes, isTLS: isTLS))
        waitingCount += bytes.count
    }

    private func arrive(isSecondTime: Bool = false) {
        guard let connection, connection.isAlive, !flying.isEmpty else { return }
        if !isSecondTime { simulation.network.step(connection, self) }
        guard connection.isAlive else { return }
        guard stalledUntil <= simulation.nowNs else {
            simulation.post(after: stalledUntil - simulation.nowNs) { [weak self] in self?.arrive(isSecondTime: true) }
            return
        }
        guard !connection.isSilent, let item = flying.popFirst() else { return }
        flyingCount -= item.count
        waitingCount += item.count
        waiting.append(item)
        receiver?.arrived()
    }

    // MARK: The receiver's side

    /// What arrived first and is not read.
    var next: Item? { waiting.first }

    /// Whether it is bytes that wait.
    var hasBytes: Bool { waitingCount > 0 }

    /// Takes what arrived first.
    ///
    /// - Parameter max: of bytes not more than so many.
    func take(max: Int = .max) -> Item? {
        guard let item = waiting.popFirst() else { return nil }
        guard case .bytes(let bytes, let isTLS) = item else { return item }
        let count = min(max, bytes.count)
        waitingCount -= count
        if !queue.isEmpty {
            // The sender hears of the room after the time of a segment.
            let delay = simulation.random.pick(simulation.network.conditions.delay)
            simulation.post(after: delay) { [weak self] in self?.pump() }
        }
        if isFromPlugin {
            for marker in scanner.scan(bytes[..<count]) { simulation.ledger.arrived(marker, in: simulation) }
        }
        guard count < bytes.count else { return item }
        waiting.prepend(.bytes(Array(bytes[count...]), isTLS: isTLS))
        return .bytes(Array(bytes[..<count]), isTLS: isTLS)
    }

    private var isFromPlugin: Bool { sender is SimulatedStream }

    /// Notes what the receiver will never read.
    func loseAll() {
        guard isFromPlugin else { return }
        for item in waiting.all + flying.all + queue.all {
            if case .bytes(let bytes, _) = item { lose(bytes) }
        }
    }

    /// Notes bytes that the receiver will never read, in the order in which it would have.
    func lose(_ bytes: some Sequence<UInt8>) {
        for marker in scanner.scan(bytes) { simulation.ledger.lost(marker) }
    }
}

extension FIFO where Element == Pipe.Item {
    /// Takes the last item out if it is bytes that others can be appended to.
    fileprivate mutating func popLast(ifBytesOf isTLS: Bool) -> Element? {
        guard !isEmpty, case .bytes(_, isTLS)? = last else { return nil }
        return popLast()
    }
}

/// A connection: two pipes, and what befalls both.
final class Connection {
    unowned let simulation: Simulation
    let number: Int
    /// From the end that connected.
    let up: Pipe
    /// To it.
    let down: Pipe
    private let ends: (connecting: any NetworkEnd, accepting: any NetworkEnd)
    private(set) var isAlive = true
    /// Nothing arrives, and nobody is told.
    private(set) var isSilent = false
    private var isWatched = false

    init(_ simulation: Simulation, number: Int, connecting: any NetworkEnd, accepting: any NetworkEnd) {
        self.simulation = simulation
        self.number = number
        ends = (connecting, accepting)
        let conditions = simulation.network.conditions
        up = Pipe(simulation, number: 2 * number, window: simulation.random.pick(conditions.window))
        down = Pipe(simulation, number: 2 * number + 1, window: simulation.random.pick(conditions.window))
        (up.connection, down.connection) = (self, self)
        (up.sender, up.receiver) = (connecting, accepting)
        (down.sender, down.receiver) = (accepting, connecting)
    }

    /// Loses all that is on its way, and has both ends told after a moment.
    func cut(_ detail: String) {
        guard isAlive else { return }
        end()
        let conditions = simulation.network.conditions
        for end in [ends.connecting, ends.accepting] {
            simulation.post(after: simulation.random.pick(conditions.delay)) { end.lost(detail) }
        }
    }

    /// One end has gone at once: the other one is told.
    func reset(by end: any NetworkEnd) {
        guard isAlive else { return }
        self.end()
        // A connection that nothing goes through carries no reset either.
        guard !isSilent else { return }
        let other = end === ends.connecting ? ends.accepting : ends.connecting
        simulation.post(after: simulation.random.pick(simulation.network.conditions.delay)) {
            other.lost("connection reset by peer")
        }
    }

    /// One end has gone at once, and reads nothing more: what it had sent arrives at the other, and then its end.
    ///
    /// Source: RFC 9293 §3.10.4; bytes that it has not read make it a reset (RFC 2525 §2.17).
    func leave(_ end: any NetworkEnd) {
        guard isAlive else { return }
        let (out, input) = end === ends.connecting ? (up, down) : (down, up)
        guard !input.hasBytes else { return reset(by: end) }
        simulation.network.lingering.append(self)
        out.endAtOnce()
    }

    /// Lets nothing through any more.
    func silence() {
        isSilent = true
        watchSilence()
    }

    /// Gives up, after the time in which the system does, if somebody waits for an acknowledgement.
    func watchSilence() {
        guard isSilent, isAlive, !isWatched, up.hasUnarrived || down.hasUnarrived else { return }
        isWatched = true
        simulation.post(after: simulation.limits.silenceTimeout.nanoseconds, isTimer: true) { [weak self] in
            self?.cut("connection timed out")
        }
    }

    /// Both ends are done in an orderly way.
    func end() {
        guard isAlive else { return }
        isAlive = false
        simulation.network.ended(self)
    }
}
