/// What a scripted peer does with TLS.
public struct PeerTLS: Sendable {
    /// What it presents; a server needs one.
    public var certificate: SimulatedCertificate?
    /// Protocol names, best first (RFC 7301).
    public var alpn: [String]
    /// As client: the server name to ask for.
    public var serverName: String

    /// TLS with this certificate.
    public init(_ certificate: SimulatedCertificate? = nil, alpn: [String] = [], serverName: String = "") {
        self.certificate = certificate
        self.alpn = alpn
        self.serverName = serverName
    }
}

/// A scripted peer's end of a connection to a plugin.
public final class PeerConnection {
    /// The connection stands, and so does TLS where it was wanted; again after ``startTLS(_:)``.
    public var onOpened: (PeerConnection) -> Void = { _ in }
    /// Bytes of the plugin's came.
    public var onReceived: ([UInt8], PeerConnection) -> Void = { _, _ in }
    /// The plugin has closed the connection, or it was lost.
    public var onClosed: (PeerConnection) -> Void = { _ in }
    /// Bytes read in a second; nil: all that come.
    ///
    /// A slow peer is what makes the plugin's writes answer HIGH.
    public var bytesPerSecond: Int?
    /// Whether it reads at all.
    public var isReading = true {
        didSet { if isReading, !oldValue { arrived() } }
    }
    /// Whether the connection stands.
    public private(set) var isOpen = false
    /// Whether TLS is up.
    public private(set) var isEncrypted = false
    /// What the other end presented.
    public private(set) var certificate: SimulatedCertificate?

    unowned let simulation: Simulation
    let number: Int
    private let isClient: Bool
    private var connection: Connection?
    private var out: Pipe?
    private var input: Pipe?
    private var tls: TLSSide?
    private var isReadPosted = false
    private var isClosed = false
    private var hasFinished = false

    init(_ simulation: Simulation, isClient: Bool, tls: PeerTLS?) {
        self.simulation = simulation
        self.isClient = isClient
        simulation.network.peerCount += 1
        number = simulation.network.peerCount
        self.tls = tls.map { Self.side($0, isClient: isClient) }
    }

    private static func side(_ options: PeerTLS, isClient: Bool) -> TLSSide {
        var side = TLSSide(isServer: !isClient)
        side.alpn = options.alpn
        side.serverName = options.serverName
        side.certificate = { _ in options.certificate }
        return side
    }

    // MARK: What a script does

    /// Sends text.
    public func write(_ text: String) { write(Array(text.utf8)) }

    /// Sends bytes.
    public func write(_ bytes: [UInt8]) {
        guard let out, isOpen, !hasFinished else { return }
        simulation.note(.peerWrote, nil, UInt64(number), UInt64(bytes.count))
        bytes.withUnsafeBytes { out.write($0, isTLS: isEncrypted) }
        pumpSoon()
    }

    /// Sends one message of a user's, and notes that the plugin must submit it: exactly once, in order.
    ///
    /// - Parameters:
    ///   - message: a ``Marker``; it must be in the message's text.
    ///   - write: writes the message with ``write(_:)-(String)``, as a whole.
    public func say(_ message: Marker, _ write: (PeerConnection) -> Void) {
        guard let out, isOpen, !hasFinished else { return }
        write(self)
        simulation.ledger.said(message.number, on: out, upTo: out.writtenCount)
    }

    /// Sends the end behind what was written.
    public func close() {
        guard let out, !hasFinished else { return }
        hasFinished = true
        out.write(.end)
        pumpSoon()
    }

    /// Breaks the connection.
    public func reset() {
        guard !isClosed else { return }
        connection?.reset(by: self)
        tellClosed()
    }

    /// Lets nothing through any more, in either direction, and tells nobody.
    public func goSilent() { connection?.silence() }

    /// Turns plaintext into TLS, as client if this end connected, else as server.
    public func startTLS(_ options: PeerTLS) {
        let side = Self.side(options, isClient: isClient)
        tls = side
        isOpen = false
        guard isClient else { return }
        out?.write(.hello(side.first))
        pumpSoon()
    }

    private func pumpSoon() {
        simulation.post { [weak out] in out?.pump() }
    }
}

extension PeerConnection: StreamEnd {
    func attach(_ connection: Connection, out: Pipe, in input: Pipe) {
        self.connection = connection
        (self.out, self.input) = (out, input)
    }

    func connected() {
        guard let tls else { return open() }
        if isClient {
            out?.write(.hello(tls.first))
            pumpSoon()
        }
    }

    private func open() {
        isOpen = true
        simulation.note(.peerOpened, nil, UInt64(number))
        // Later, so that the plugin hears of the connection in its own time.
        simulation.post { [weak self] in
            guard let self, !isClosed else { return }
            onOpened(self)
            arrived()
        }
    }

    func sent() {}

    func arrived() {
        guard !isReadPosted, isReading, !isClosed, let input, input.next != nil else { return }
        isReadPosted = true
        let wait = bytesPerSecond.map { UInt64(1_000_000_000) * UInt64(Self.sip) / UInt64(max($0, 1)) } ?? 0
        simulation.post(after: wait) { [weak self] in
            self?.isReadPosted = false
            self?.read()
        }
    }

    /// Bytes that a slow peer reads at once.
    private static let sip = 64

    private func read() {
        var left = bytesPerSecond == nil ? Int.max : Self.sip
        // A sip is of bytes, not of a segment: else small segments, and the small windows that they leave, would stay small.
        while isReading, !isClosed, left > 0, let item = input?.take(max: left) {
            switch item {
            case .hello(let hello): shake(hello)
            case .end: return peerEnded()
            case .bytes(let bytes, _):
                simulation.note(.peerReceived, nil, UInt64(number), UInt64(bytes.count))
                left -= bytes.count
                onReceived(bytes, self)
            }
        }
        if left == 0 { arrived() }
    }

    private func shake(_ hello: TLSHello) {
        guard var side = tls else { return lost("a TLS handshake that nobody wanted") }
        switch side.received(hello) {
        case .reply(let reply): out?.write(.hello(reply))
        case .done(let reply, let info):
            if let reply { out?.write(.hello(reply)) }
            certificate = info.certificate
            isEncrypted = true
            open()
        case .failed: return reset()
        }
        tls = side
        pumpSoon()
    }

    private func peerEnded() {
        if !hasFinished { close() }
        tellClosed()
    }

    func lost(_ detail: String) { tellClosed() }

    private func tellClosed() {
        guard !isClosed else { return }
        isClosed = true
        isOpen = false
        simulation.note(.peerClosed, nil, UInt64(number))
        connection = nil
        onClosed(self)
    }
}
