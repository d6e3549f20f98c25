internal import ProviderKit
internal import XMPPComponent
internal import XMPPWire

/// What hears of a component's stream.
protocol ComponentSessionOwner: AnyObject {
    /// Stanzas may be written from now on.
    func established(_ session: ComponentSession)
    /// A stanza came; false if there is no room for what it led to, and no more is to be read.
    func received(_ element: Element, on session: ComponentSession) -> Bool
    /// The write buffer has drained.
    func writable(_ session: ComponentSession)
    /// The stream is of no use any more; the last call, exactly once.
    ///
    /// - Parameter failure: nil if it was closed by us in an orderly way.
    func ended(_ session: ComponentSession, _ failure: ComponentFailure?)
}

/// One connection of a component to its server: performs what the machine decides.
final class ComponentSession: StreamSession {
    weak var owner: (any ComponentSessionOwner)?
    private let host: Host
    private let settings: ComponentSettings
    private let channel: StreamChannel
    private let deadline: Alarm
    private var machine: ComponentStreamMachine
    private var failure: ComponentFailure?
    /// Events that were parsed, and wait for room.
    private var held: ArraySlice<StreamEvent>?
    private var isClosing = false
    private var hasEnded = false

    /// Longest time that the server may take to end its half of the stream, in ms.
    static let closeTimeoutMs: UInt64 = 5_000
    /// Longest time for the connection, in ms.
    static let connectTimeoutMaxMs: UInt64 = 15_000

    /// A session that is not connected yet; ``connect()`` does it.
    init(host: Host, settings: ComponentSettings, gateway: ComponentSettings.Gateway) {
        self.host = host
        self.settings = settings
        self.channel = StreamChannel(host: host, limits: .unauthenticated)
        self.deadline = Alarm(host: host)
        self.machine = ComponentStreamMachine(
            domain: gateway.names.domain,
            secret: gateway.secret,
            limits: settings.limits
        )
    }

    /// Such as `component, TLSv1.3`.
    var detail: String { "component, \(self.channel.security)" }
    /// The host's monotonic clock at the last byte from the server, in ns.
    var receivedAt: UInt64 { self.channel.receivedAt }

    /// Opens the connection; what comes of it, the owner hears later, except for an error that is thrown.
    func connect() throws(HostError) {
        let stream = try self.host.connect(
            to: self.settings.server.host,
            port: self.settings.server.port ?? ComponentSchema.port,
            tls: self.settings.isTLS ? TLSOptions(peerName: self.settings.server.host) : nil,
            timeout: UInt32(min(self.settings.establishmentTimeoutMs, Self.connectTimeoutMaxMs)),
            session: self
        )
        self.channel.attach(stream)
        self.deadline.set(self.settings.establishmentTimeoutMs) { [weak self] in
            guard let self else { return }
            _ = self.perform(self.machine.establishmentTimedOut())
        }
    }

    /// Writes a stanza on the established stream.
    func write(_ stanza: Stanza) -> StreamChannel.Written {
        self.channel.writeStanza(stanza.moved(to: Namespace.component).element)
    }

    /// Ends the stream in an orderly way.
    func close() {
        self.isClosing = true
        _ = self.perform(self.machine.close())
        self.watchEnd()
        self.end(nil)
    }

    /// Ends the stream at once, because of what is wrong with it.
    func abort(_ failure: ComponentFailure) {
        self.channel.abort()
        self.end(failure)
    }

    /// Goes on with what was held; false if there is still no room.
    func resume() -> Bool {
        guard let events = self.held else { return true }
        self.held = self.channel.readHeld(events) { self.handle($0) }
        guard self.held == nil else { return false }
        self.channel.stream?.setReading(true)
        return true
    }

    // MARK: StreamSession

    func opened(_ stream: Stream, tls: TLSInfo?) {
        if let tls { self.channel.secured(tls) }
        _ = self.perform(self.machine.connected())
    }

    func received(_ input: inout ByteReader, on stream: Stream) {
        guard self.held == nil else { return }
        switch self.channel.read(&input, { self.handle($0) }) {
        case .done, .startTLS: break
        case .held(let events):
            self.held = events
            stream.setReading(false)
        }
    }

    func writable(_ stream: Stream) { self.owner?.writable(self) }

    func closed(_ stream: Stream, reason: CloseReason) {
        self.channel.detach()
        self.machine.connectionClosed()
        self.deadline.cancel()
        self.end(self.isClosing ? nil : self.failure ?? ComponentFailure(reason, server: self.settings.server))
    }

    // MARK: Events and actions

    private func handle(_ event: StreamEvent.Kind) -> StreamChannel.Next {
        switch event {
        case .opened(let header): self.perform(self.machine.streamOpened(header, sha1: self.sha1))
        case .element(let element): self.perform(self.machine.elementReceived(element))
        case .closed: self.perform(self.machine.streamClosed())
        case .failed(let error): self.perform(self.machine.parserFailed(error))
        }
    }

    /// Small hexadecimal digits; nothing where the host has no digests, which no server accepts.
    private func sha1(_ text: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = (try? self.host.digest(.sha1, Array(text.utf8))) ?? []
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private func perform(_ actions: [ComponentStreamMachine.Action]) -> StreamChannel.Next {
        var next = StreamChannel.Next.proceed
        for action in actions {
            switch action {
            case .sendHeader(let header): self.channel.write(header)
            case .send(let element): self.channel.write(element)
            case .sendStreamEnd: self.channel.writeEnd()
            case .finish:
                self.channel.finish()
                self.watchEnd()
                next = .stop
            case .setParserLimits(let limits): self.channel.setLimits(limits)
            case .established:
                self.deadline.cancel()
                self.owner?.established(self)
            case .deliver(let element):
                if self.owner?.received(element, on: self) == false { next = .hold }
            case .failed(let failure): self.end(failure)
            }
        }
        return next
    }

    private func end(_ failure: ComponentFailure?) {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        self.failure = failure
        self.owner?.ended(self, failure)
    }

    /// A server that does not close its half in time is cut off.
    private func watchEnd() {
        self.deadline.set(Self.closeTimeoutMs) { [weak self] in self?.channel.abort() }
    }
}

extension ComponentFailure {
    /// What the host says of the end of a connection.
    init(_ reason: CloseReason, server: HostAndPort) {
        let place = "\(server.host):\(server.port ?? ComponentSchema.port)"
        switch reason.cause {
        case .nameFailed: self = .disconnected("the name of the XMPP server \(place) was not found (\(reason.detail))")
        case .connectFailed, .timeout:
            self = .disconnected(
                "\(place) takes no connections: does the XMPP server run, with a port for components? (\(reason.detail))"
            )
        case .tls: self = .disconnected("TLS could not be agreed on with \(place) (\(reason.detail))")
        case .byPeer: self = .disconnected("the XMPP server closed the connection (\(reason.detail))")
        case .byUs: self = .disconnected("the connection was closed here (\(reason.detail))")
        case .protocolViolation, .error: self = .disconnected("the connection broke (\(reason.detail))")
        }
    }
}
