import CPlugboard

/// One end of a connection in a ``FakeWorld``.
final class FakeEndpoint {
    let host: FakeHost
    let handle: UInt64
    /// Whether this end made the connection.
    let isClient: Bool
    let address: String
    var user: UnsafeMutableRawPointer?
    /// The other end; nil when the connection is gone.
    var peer: FakeEndpoint?
    private(set) var wire: [UInt8] = []
    /// What came, at the end of somebody without a provider.
    var heard = ""
    private var inbox: [UInt8] = []
    /// Bytes on the way here, and in the inbox.
    private var owed = 0
    private var isReading = true
    private(set) var isClosed = false
    private var isFinishing = false
    private var isHigh = false
    private var tlsWanted: FakeTLS?
    private(set) var tls: FakeTLS?
    private var isPumping = false
    /// The connection breaks behind so many of the bytes that are written here; nil: it holds.
    var severAfter: Int?
    private var isSevered = false

    init(host: FakeHost, handle: UInt64, isClient: Bool, address: String) {
        self.host = host
        self.handle = handle
        self.isClient = isClient
        self.address = address
    }

    private var world: FakeWorld { self.host.world }

    /// All that was written here, as text.
    var written: String { String(decoding: self.wire, as: UTF8.self) }

    /// Time for a byte from one end to the other.
    static let latencyMs: UInt64 = 1

    // MARK: What the provider asks

    func write(_ bytes: [UInt8]) -> Int32 {
        guard !self.isClosed, !self.isFinishing else { return PLUGBOARD_E_STATE }
        guard self.tlsWanted == nil else { return PLUGBOARD_E_STATE }
        if let max = self.host.writeMax, bytes.count > max { return PLUGBOARD_E_LIMIT }
        let sent = self.wire.count
        self.wire += bytes
        guard !self.isSevered else { return PLUGBOARD_OK }
        if let severAfter = self.severAfter, sent + bytes.count >= severAfter {
            self.isSevered = true
            self.peer?.arrive(Array(bytes.prefix(severAfter - sent)))
            self.world.post(after: Self.latencyMs) { self.cut() }
            return PLUGBOARD_OK
        }
        self.peer?.arrive(bytes)
        guard let highWater = self.host.highWater, let peer = self.peer, peer.owed > highWater
        else { return PLUGBOARD_OK }
        self.isHigh = true
        return PLUGBOARD_HIGH
    }

    func setReading(_ reading: Bool) {
        self.isReading = reading
        if reading { self.world.post { self.pump() } }
    }

    func finish() {
        guard !self.isClosed, !self.isFinishing else { return }
        self.isFinishing = true
        self.world.post(after: Self.latencyMs) {
            self.close(PLUGBOARD_CLOSED_BY_US, "closed by us")
        }
    }

    func abort(_ cause: UInt32 = PLUGBOARD_CLOSED_BY_US, _ detail: String = "aborted by us") {
        self.world.post { self.close(cause, detail) }
    }

    func startTLS(_ tls: FakeTLS) {
        self.tlsWanted = tls
        self.world.post(after: Self.latencyMs) { self.shakeHands() }
    }

    /// The name of the certificate that the other end presented; empty: none.
    var peerIdentity: String { self.tls == nil ? "" : self.peer?.presentedIdentity ?? self.lastPeerIdentity }
    private var lastPeerIdentity = ""

    /// A server without an identity goes by the name that the client asks for.
    private var presentedIdentity: String {
        guard let tls = self.tls else { return "" }
        return tls.identity.isEmpty && !self.isClient ? self.peer?.tls?.peerName ?? "" : tls.identity
    }

    // MARK: What the network does

    /// Bytes come in, in the order in which they were sent.
    func arrive(_ bytes: [UInt8]) {
        self.owed += bytes.count
        self.world.post(after: Self.latencyMs) {
            guard !self.isClosed else { return }
            self.inbox += bytes
            self.pump()
        }
    }

    /// The connection stands.
    func open() {
        self.host.opened(self, nil)
    }

    /// The connection stands, with TLS from the first byte.
    func open(_ mine: FakeTLS, _ theirs: FakeTLS) {
        guard let peer = self.peer else { return }
        (self.tlsWanted, peer.tlsWanted) = (mine, theirs)
        self.shakeHands()
    }

    /// Both ends lose the connection.
    func cut(_ detail: String = "connection reset by peer") {
        let other = self.peer
        self.close(PLUGBOARD_CLOSED_ERROR, detail)
        other?.close(PLUGBOARD_CLOSED_ERROR, detail)
    }

    private func pump() {
        guard !self.isPumping else { return }
        self.isPumping = true
        while self.isReading, !self.isClosed, self.tlsWanted == nil, !self.isFinishing, !self.inbox.isEmpty {
            let offered = self.inbox
            let consumed = self.host.received(self, offered)
            self.inbox.removeFirst(consumed)
            self.owed -= consumed
            if self.tlsWanted != nil, !self.inbox.isEmpty {
                self.abort(PLUGBOARD_CLOSED_PROTOCOL, "plaintext behind STARTTLS")
                break
            }
            if consumed == 0 { break }
        }
        self.isPumping = false
        if let peer = self.peer, peer.isHigh, self.owed <= (peer.host.highWater ?? 0) {
            peer.isHigh = false
            self.world.post { if !peer.isClosed { peer.host.writable(peer) } }
        }
    }

    private func shakeHands() {
        guard let peer = self.peer, let mine = self.tlsWanted, let theirs = peer.tlsWanted else { return }
        (self.tls, peer.tls) = (mine, theirs)
        (self.tlsWanted, peer.tlsWanted) = (nil, nil)
        for end in self.isClient ? [self, peer] : [peer, self] {
            end.lastPeerIdentity = end.peer?.presentedIdentity ?? ""
            end.host.opened(end, end.info)
            end.pump()
        }
    }

    private func close(_ cause: UInt32, _ detail: String) {
        guard !self.isClosed else { return }
        self.isClosed = true
        let peer = self.peer
        self.peer = nil
        self.host.closed(self, cause, detail)
        self.world.post(after: Self.latencyMs) { peer?.close(PLUGBOARD_CLOSED_BY_PEER, "closed by the peer") }
    }

    /// Flags of the handshake: a certificate, and whether it is trusted.
    private var info: UInt32 {
        let identity = self.peerIdentity
        guard !identity.isEmpty else { return 0 }
        return PLUGBOARD_TLS_HAS_CERTIFICATE | (self.world.trusted.contains(identity) ? PLUGBOARD_TLS_TRUSTED : 0)
    }

    /// Whether the certificate of the other end names a domain.
    func certificateMatches(_ domain: String) -> Bool {
        let identity = self.peerIdentity
        return identity == domain || self.world.names[identity, default: []].contains(domain)
    }
}
