internal import CPlugboard

/// An instance's end of a connection, with the rules of the real host.
final class SimulatedStream {
    /// How far it has come.
    enum Phase {
        case connecting
        /// The handshake of a stream that is TLS from its start.
        case securing
        case open
        /// STARTTLS was asked for in this very call.
        case startingTLS
        /// The handshake of STARTTLS.
        case upgrading
        /// The rest of the output goes out.
        case finishing
        /// Waits for the peer's own end.
        case lingering
        /// The instance has to be told.
        case ended(cause: UInt32, detail: String)
    }

    unowned let instance: SimulatedInstance
    let handle: UInt64
    let isAccepted: Bool
    let listener: UInt64
    let inputMax: Int
    var user: UnsafeMutableRawPointer?
    var peerAddress = ""
    var phase = Phase.connecting
    var tls: TLSSide?
    /// What TLS brought out; nil in the clear.
    var info: TLSSide.Info?

    var connection: Connection?
    var out: Pipe?
    var input: Pipe?
    /// Input that the instance has seen and not consumed.
    var kept: [UInt8] = []
    var consumedCount = 0
    var isReading = true
    var isRefused = false
    var isOfferDue = false

    /// Bytes written since HIGH was answered; nil: it was not.
    var writtenSinceHigh: Int?
    var isOpenedQueued = false
    var isOfferQueued = false
    var isFlushQueued = false
    var isClosedQueued = false
    /// closed() was called, or is being called.
    var isTold = false
    /// Counts deadlines, so that one which was set before is known.
    private var deadline = 0

    init(_ instance: SimulatedInstance, handle: UInt64, listener: UInt64?, inputMax: Int) {
        self.instance = instance
        self.handle = handle
        self.isAccepted = listener != nil
        self.listener = listener ?? 0
        self.inputMax = inputMax
    }

    /// What is told of a stream that the instance aborted.
    private static let aborted = "aborted by us"

    var simulation: Simulation { instance.simulation }
    var isEncrypted: Bool { info != nil }

    /// Whether the instance has asked for the end.
    var isClosing: Bool {
        switch phase {
        case .finishing, .lingering: true
        case .ended(PLUGBOARD_CLOSED_BY_US, _): true
        case .connecting, .securing, .open, .startingTLS, .upgrading, .ended: false
        }
    }

    private var isEnded: Bool { if case .ended = phase { true } else { false } }
    private var isOpen: Bool { if case .open = phase { true } else { false } }

    // MARK: What the instance asks

    func write(_ bytes: UnsafeRawBufferPointer) -> plugboard_status_t {
        switch phase {
        case .open: break
        case .connecting, .securing, .startingTLS, .upgrading: return PLUGBOARD_E_STATE
        case .finishing, .lingering, .ended(PLUGBOARD_CLOSED_BY_US, _): return PLUGBOARD_E_STATE
        // The peer has closed, and closed() is on its way.
        case .ended:
            out?.lose(bytes)
            return PLUGBOARD_OK
        }
        guard let out, bytes.count > 0 else { return PLUGBOARD_OK }
        let limits = simulation.limits
        countSinceHigh(bytes.count, limits.writeHighWater)
        guard bytes.count <= limits.writeBufferMax - out.queuedCount else { return PLUGBOARD_E_LIMIT }
        simulation.note(bytes: bytes)
        // The instance does not know yet that the connection is gone.
        if connection?.isAlive != true { out.lose(bytes) }
        out.write(bytes, isTLS: isEncrypted)
        queueFlush()
        if out.queuedCount >= limits.writeHighWater, writtenSinceHigh == nil { writtenSinceHigh = 0 }
        return writtenSinceHigh == nil ? PLUGBOARD_OK : PLUGBOARD_HIGH
    }

    /// A little may follow HIGH, such as the end of a protocol's stream; as much again as made it high may not.
    private func countSinceHigh(_ count: Int, _ highWater: Int) {
        guard let before = writtenSinceHigh else { return }
        writtenSinceHigh = before + count
        guard before > 0, before + count > max(highWater, 1024) else { return }
        simulation.violate(
            .ignoredHigh,
            "\(before + count) bytes were written to stream \(handle) after HIGH and before writable()",
            by: instance
        )
    }

    func setReading(_ reading: Bool) -> plugboard_status_t {
        guard !isClosing else { return PLUGBOARD_E_STATE }
        isReading = reading
        if reading, !kept.isEmpty { isOfferDue = true }
        inputChanged()
        return PLUGBOARD_OK
    }

    func finish() -> plugboard_status_t {
        guard !isClosing else { return PLUGBOARD_E_STATE }
        switch phase {
        case .open:
            phase = .finishing
            discardInput()
            setDeadline(simulation.limits.finishTimeout, PLUGBOARD_CLOSED_BY_US, "the peer does not take the rest")
            queueFlush()
        case .connecting, .securing, .startingTLS, .upgrading: end(PLUGBOARD_CLOSED_BY_US, "closed by us")
        case .finishing, .lingering: break
        case .ended:
            discardInput()
            queueClosed()
        }
        return PLUGBOARD_OK
    }

    func abort() -> plugboard_status_t {
        switch phase {
        case .ended(PLUGBOARD_CLOSED_BY_US, Self.aborted): return PLUGBOARD_E_STATE
        case .ended:
            discardInput()
            queueClosed()
        case .connecting, .securing, .open, .startingTLS, .upgrading, .finishing, .lingering:
            end(PLUGBOARD_CLOSED_BY_US, Self.aborted)
        }
        return PLUGBOARD_OK
    }

    func startTLS(_ side: TLSSide) -> plugboard_status_t {
        guard isOpen, !isOpenedQueued, info == nil else { return PLUGBOARD_E_STATE }
        tls = side
        phase = .startingTLS
        if !kept.isEmpty {
            end(PLUGBOARD_CLOSED_PROTOCOL, "plaintext after STARTTLS")
        } else {
            queueFlush()
        }
        return PLUGBOARD_OK
    }

    // MARK: The end of the tick

    private func queueFlush() {
        guard !isFlushQueued else { return }
        isFlushQueued = true
        simulation.post { [weak self] in
            self?.isFlushQueued = false
            self?.flush()
        }
    }

    private func flush() {
        if !isEnded { out?.pump() }
        switch phase {
        case .startingTLS:
            phase = .upgrading
            beginHandshake()
        case .finishing where out?.isFlushed == true:
            phase = .lingering
            out?.write(.end)
            out?.pump()
            setDeadline(simulation.limits.lingerTimeout, PLUGBOARD_CLOSED_BY_US, "closed by us")
            arrived()
        case .finishing, .connecting, .securing, .open, .upgrading, .lingering, .ended: break
        }
        connection?.watchSilence()
    }

    private func beginHandshake() {
        setDeadline(simulation.limits.handshakeTimeout, PLUGBOARD_CLOSED_TLS, "the TLS handshake took too long")
        if let tls, !tls.isServer {
            out?.write(.hello(tls.first))
            out?.pump()
        }
        arrived()
    }

    private func shake(_ hello: TLSHello) {
        guard var side = tls else { return }
        let action = side.received(hello)
        tls = side
        switch action {
        case .reply(let reply): out?.write(.hello(reply))
        case .done(let reply, let info):
            if let reply { out?.write(.hello(reply)) }
            self.info = info
            opened()
        case .failed(let reason): end(PLUGBOARD_CLOSED_TLS, reason)
        }
        queueFlush()
    }

    private func opened() {
        phase = .open
        deadline += 1
        isOpenedQueued = true
        simulation.post { [weak self] in self?.tellOpened() }
    }

    // MARK: Input

    /// Reads what has arrived, as far as somebody wants it.
    func arrived() {
        guard let input else { return }
        while let item = input.next {
            switch (phase, item) {
            case (.ended, .bytes):
                // Nobody reads here any more, and the sender is told so.
                input.connection?.reset(by: self)
                return
            case (.ended, .end):
                input.connection?.end()
                return
            case (.ended, _), (.connecting, _): return
            case (.finishing, .bytes), (.lingering, .bytes), (.finishing, .hello), (.lingering, .hello):
                _ = input.take()
            case (.finishing, .end): return end(PLUGBOARD_CLOSED_ERROR, "the peer closed before it had everything")
            case (.lingering, .end): return end(PLUGBOARD_CLOSED_BY_US, "closed by us")
            case (.startingTLS, .bytes): return end(PLUGBOARD_CLOSED_PROTOCOL, "plaintext after STARTTLS")
            case (.startingTLS, _): return
            case (.securing, .hello(let hello)), (.upgrading, .hello(let hello)):
                _ = input.take()
                shake(hello)
            case (.securing, _), (.upgrading, _):
                return end(PLUGBOARD_CLOSED_TLS, "the peer does not speak TLS")
            case (.open, .end):
                guard isWanted, !isOpenedQueued else { return }
                _ = input.take()
                return end(PLUGBOARD_CLOSED_BY_PEER, "closed by the peer")
            case (.open, _):
                guard isWanted, !isOpenedQueued, !isOfferQueued else { return }
                return queueOffer()
            }
        }
    }

    var isWanted: Bool { isReading && !isRefused }

    func inputChanged() {
        if isOfferDue, isWanted { queueOffer() }
        if !isOfferQueued { simulation.post { [weak self] in self?.arrived() } }
    }

    private func queueOffer() {
        guard !isOfferQueued else { return }
        isOfferQueued = true
        simulation.post { [weak self] in
            self?.isOfferQueued = false
            self?.offer()
        }
    }

    private func offer() {
        guard instance.isActive, isWanted, !isOpenedQueued else { return }
        switch phase {
        case .open: takeArrivedBytes()
        case .ended: break
        case .connecting, .securing, .startingTLS, .upgrading, .finishing, .lingering: return
        }
        guard isOfferDue, !kept.isEmpty else {
            isOfferDue = false
            return settle()
        }
        isOfferDue = false
        instance.wasRefused = false
        // Out of the way, so that start_tls knows what is left over from what is just being read.
        let offered = kept
        kept = []
        simulation.note(.received, instance, handle, UInt64(offered.count))
        offered.withUnsafeBytes { simulation.note(bytes: $0) }
        let taken = offered.withUnsafeBufferPointer { bytes in
            instance.call { $0.received($1, handle, user, bytes.baseAddress, bytes.count) }
        }
        consume(taken, of: offered)
        if instance.wasRefused {
            isRefused = true
            if !instance.refusedStreams.contains(where: { $0 === self }) { instance.refusedStreams.append(self) }
        }
        // An instance that stopped in the middle has not looked at the rest.
        if !isWanted { isOfferDue = !kept.isEmpty }
        settle()
    }

    private func takeArrivedBytes() {
        while let input, let item = input.next {
            switch item {
            case .bytes(let bytes, _): kept += bytes
            // Somebody who speaks TLS where nobody expects it.
            case .hello: kept += TLSHello.bytes
            case .end: return
            }
            _ = input.take()
            isOfferDue = true
        }
    }

    private func consume(_ taken: Int, of offered: [UInt8]) {
        simulation.note(.consumed, instance, UInt64(bitPattern: Int64(taken)))
        var count = taken
        if taken < 0 || taken > offered.count {
            simulation.violate(
                .consumedTooMuch,
                "received() was given \(offered.count) bytes and returned \(taken)",
                by: instance
            )
            count = offered.count
        }
        kept = Array(offered[count...])
        consumedCount += count
        if let input { simulation.ledger.consumed(input, upTo: consumedCount) }
    }

    private func settle() {
        switch phase {
        case .finishing, .lingering: discardInput()
        case .startingTLS where !kept.isEmpty: end(PLUGBOARD_CLOSED_PROTOCOL, "plaintext after STARTTLS")
        case .open where isWanted && kept.count > inputMax:
            end(PLUGBOARD_CLOSED_PROTOCOL, "more than \(inputMax) bytes were not consumed")
        case .ended: queueClosed()
        case .connecting, .securing, .open, .startingTLS, .upgrading: break
        }
        arrived()
    }

    private func discardInput() {
        kept = []
        isOfferDue = false
    }

    /// There is room again after a submit that answered BUSY.
    func resume() {
        guard isRefused else { return }
        isRefused = false
        inputChanged()
    }

    // MARK: The end

    func end(_ cause: UInt32, _ detail: String) {
        guard !isEnded else { return }
        phase = .ended(cause: cause, detail: detail)
        deadline += 1
        switch cause {
        case PLUGBOARD_CLOSED_BY_PEER, PLUGBOARD_CLOSED_ERROR: break
        default: discardInput()
        }
        switch (cause, detail) {
        case (PLUGBOARD_CLOSED_BY_US, "closed by us") where out?.isFlushed == true: connection?.end()
        case (PLUGBOARD_CLOSED_BY_PEER, _), (PLUGBOARD_CLOSED_ERROR, _): connection?.reset(by: self)
        default: connection?.leave(self)
        }
        queueClosed()
    }

    /// Tells of the end, after the beginning and what came before.
    private func queueClosed() {
        guard isEnded, !isClosedQueued, !isOpenedQueued else { return }
        guard !isOfferDue else {
            if isWanted { queueOffer() }
            return
        }
        isClosedQueued = true
        simulation.post { [weak self] in self?.tellClosed() }
    }

    private func tellOpened() {
        isOpenedQueued = false
        guard instance.isActive else { return }
        switch phase {
        case .open, .ended(PLUGBOARD_CLOSED_BY_PEER, _), .ended(PLUGBOARD_CLOSED_ERROR, _):
            instance.opened(self)
        case .connecting, .securing, .startingTLS, .upgrading, .finishing, .lingering, .ended: break
        }
        inputChanged()
        queueClosed()
    }

    private func tellClosed() {
        guard instance.isActive, case .ended(let cause, let detail) = phase, instance.streams[handle] === self else {
            return
        }
        instance.closed(self, cause, detail)
    }

    func setDeadline(_ time: Duration, _ cause: UInt32, _ detail: String) {
        deadline += 1
        let number = deadline
        simulation.post(after: time.nanoseconds, isTimer: true) { [weak self] in
            guard let self, deadline == number, !isEnded else { return }
            end(cause, detail)
        }
    }
}

extension SimulatedStream: StreamEnd {
    func attach(_ connection: Connection, out: Pipe, in input: Pipe) {
        self.connection = connection
        (self.out, self.input) = (out, input)
    }

    func connected() {
        guard !isEnded else { return }
        guard tls != nil else { return opened() }
        phase = .securing
        beginHandshake()
    }

    func sent() {
        guard let out, writtenSinceHigh != nil, out.queuedCount <= simulation.limits.writeHighWater / 2 else {
            if case .finishing = phase { queueFlush() }
            return
        }
        if case .finishing = phase { return queueFlush() }
        writtenSinceHigh = nil
        simulation.post { [weak self] in
            guard let self, instance.isActive, isOpen, instance.streams[handle] === self else { return }
            instance.writable(self)
        }
    }

    func lost(_ detail: String) {
        switch phase {
        case .ended: return
        case .lingering: end(PLUGBOARD_CLOSED_BY_US, "closed by us")
        case .securing, .upgrading: end(PLUGBOARD_CLOSED_TLS, "the peer closed the connection")
        case .connecting, .open, .startingTLS, .finishing: end(PLUGBOARD_CLOSED_ERROR, detail)
        }
    }
}
