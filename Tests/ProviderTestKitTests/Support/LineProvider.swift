import ProviderKit

/// A small network with a line protocol, `SAY <text>`, `PING` and `PONG`, in a right version and in many wrong ones.
///
/// It connects to one server, keeps the connection alive, and connects again when it is lost.
final class LineProvider: Provider {
    /// What is wrong with it; the setting `bug`.
    enum Bug: String, CaseIterable {
        case none
        case dropsWhileDown
        case keepsTimer
        case keepsRepeating
        case completesTwice
        case completesUntaken
        case forgetsOnLoss
        case reorders
        case reordersInbound
        case ignoresHigh
        case writesAfterClosed
        case submitsInStop
        case dropsWhenBusy
        case submitsTwice
        case neverReady
        case connectsEarly
        case logsInDestroy
        case keepsSessions
        case neverCloses
        case readsNothing
        case dropsRedelivered
    }

    static let descriptor = Descriptor(
        id: "org.example.line",
        name: "Line",
        version: "1.0.0",
        vendor: "Example",
        capabilities: [Capability("messages")],
        settings: [
            SettingSchema("server", .string, isRequired: true, help: "The host to connect to."),
            SettingSchema("port", .integer(1...65535), standard: "7000", help: "Its port."),
            SettingSchema("domain", .string, isRequired: true, help: "The domain of the network's users."),
            SettingSchema(
                "keep_alive",
                .duration(1000...600_000),
                standard: "30s",
                help: "The time between two PINGs."
            ),
            SettingSchema("bug", .choice(Bug.allCases.map(\.rawValue)), standard: "none", help: "What is wrong."),
        ]
    )

    static func check(_ instance: InstanceInfo, problems: inout Problems) {
        if Address(user: "", domain: instance.settings["domain"] ?? "") == nil {
            problems.error("domain", "is no domain")
        }
    }

    let host: Host
    let bug: Bug
    let domain: String
    let keepAlive: UInt64
    private let server: String
    private let port: UInt16
    private let homeDomain: String
    private var session: LineSession?
    private var queue: [Delivery] = []
    private var canWrite = true
    private var isBlocked = false
    private var isDraining = false
    private var reconnect: Host.Timer?
    private var held: [Envelope] = []

    /// Envelopes that wait for the connection.
    static let queueMax = 8
    static let reconnectMs: UInt64 = 5_000

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        self.host = host
        server = instance.settings["server"] ?? ""
        port = UInt16(clamping: instance.settings.integer("port") ?? 0)
        domain = instance.settings["domain"] ?? ""
        keepAlive = UInt64(instance.settings.integer("keep_alive") ?? 0)
        bug = Bug(rawValue: instance.settings["bug"] ?? "") ?? .none
        homeDomain = instance.homeDomains.first ?? ""
        if bug == .connectsEarly { connect() }
    }

    deinit {
        if bug == .logsInDestroy { host.log(.info, "goodbye") }
    }

    func start() throws(ProviderError) {
        do {
            try host.claim(domain: domain)
        } catch {
            throw ProviderError("cannot be claimed: \(error)", setting: "domain")
        }
        connect()
    }

    private func connect() {
        reconnect = nil
        let session = LineSession(self)
        do {
            let stream = try host.connect(to: server, port: port, session: session)
            self.session = session
            if bug == .keepsSessions { Self.kept.append(session) }
            session.stream = stream
        } catch {
            host.log(.error, "cannot connect: \(error)")
        }
    }

    /// Safe: the tests that use it run alone.
    nonisolated(unsafe) static var kept: [AnyObject] = []

    // MARK: To the network

    func deliver(_ delivery: Delivery) -> Bool {
        // As if it had been settled with the first.
        if bug == .dropsRedelivered, delivery.envelope.isRedelivered { return true }
        guard case .message = delivery.envelope.content else {
            delivery.complete(.failed(Outcome.Reason(.content, "only messages can be sent")))
            return true
        }
        if bug == .dropsWhileDown, session?.isUp != true {
            delivery.complete(.delivered)
            return true
        }
        if isDraining, session?.isUp != true {
            delivery.complete(.deferred(Outcome.Reason(.unavailable, "there is no connection")))
            return true
        }
        guard queue.count < Self.queueMax else {
            isBlocked = true
            if bug == .completesUntaken { delivery.complete(.delivered) }
            return false
        }
        queue.append(delivery)
        flush()
        return true
    }

    private func flush() {
        guard let session, session.isUp else { return }
        while canWrite || bug == .ignoresHigh, !queue.isEmpty {
            let delivery = bug == .reorders && queue.count > 1 ? queue.remove(at: 1) : queue.removeFirst()
            guard case .message(let message) = delivery.envelope.content else { continue }
            if session.write("SAY \(message.text)\n") == .high { canWrite = false }
            delivery.complete(.delivered)
            if bug == .completesTwice, canWrite == false { delivery.complete(.delivered) }
        }
        unblock()
        if isDraining, queue.isEmpty, bug != .neverCloses { session.stream?.finish() }
    }

    private func unblock() {
        guard isBlocked, queue.count < Self.queueMax, bug != .neverReady else { return }
        isBlocked = false
        host.ready()
    }

    func wentUp() {
        canWrite = true
        flush()
    }

    func becameWritable() {
        canWrite = true
        flush()
    }

    func wentDown(_ reason: CloseReason) {
        session = nil
        let waiting = queue
        queue = []
        if bug != .forgetsOnLoss {
            for delivery in waiting {
                delivery.complete(.deferred(Outcome.Reason(.unavailable, reason.detail)))
            }
        }
        unblock()
        guard !isDraining else { return }
        reconnect = try? host.startTimer(after: Self.reconnectMs) { [weak self] in self?.connect() }
    }

    // MARK: From the network

    /// Hands a line's message to the router; false if there is no room.
    func submit(_ text: String) -> Bool {
        guard let from = Address(user: "peer", domain: domain), let to = Address(user: "alice", domain: homeDomain)
        else {
            return true
        }
        let envelope = Envelope(from: from, to: to, content: .message(Message(text: text)))
        if bug == .reordersInbound, held.isEmpty {
            held.append(envelope)
            return true
        }
        let result = try? host.submit(envelope)
        if bug == .submitsTwice, result == .taken { _ = try? host.submit(envelope) }
        for envelope in held { _ = try? host.submit(envelope) }
        held = []
        return result != .busy || bug == .dropsWhenBusy
    }

    // MARK: The end

    func drain() {
        isDraining = true
        if let reconnect { host.cancel(reconnect) }
        reconnect = nil
        if let session, !session.isUp { session.stream?.abort() }
        flush()
    }

    func stop() {
        guard bug == .submitsInStop, let address = Address("last@\(domain)") else { return }
        _ = try? host.submit(Envelope(from: address, to: address, content: .message(Message(text: "bye"))))
    }
}

/// The connection to the server.
final class LineSession: StreamSession {
    private unowned let provider: LineProvider
    var stream: ProviderKit.Stream?
    private(set) var isUp = false
    private var timer: Host.Timer?
    private var isSilent = false

    init(_ provider: LineProvider) {
        self.provider = provider
    }

    func write(_ line: String) -> ProviderKit.Stream.WriteResult {
        (try? stream?.write(Array(line.utf8))) ?? .ok
    }

    func opened(_ stream: ProviderKit.Stream, tls: TLSInfo?) {
        isUp = true
        keepAlive(stream)
        provider.wentUp()
    }

    private func keepAlive(_ stream: ProviderKit.Stream) {
        timer = try? provider.host.startTimer(after: provider.keepAlive) { [weak self] in
            guard let self else { return }
            switch provider.bug {
            case .keepsRepeating where !isUp: break
            default:
                if isSilent { return stream.abort() }
                isSilent = true
                _ = write("PING\n")
            }
            keepAlive(stream)
        }
    }

    func received(_ input: inout ByteReader, on stream: ProviderKit.Stream) {
        isSilent = false
        if provider.bug == .readsNothing { return }
        while true {
            let start = input.position
            guard let bytes = input.readBytes(through: UInt8(ascii: "\n")) else { break }
            let line = String(decoding: bytes, as: UTF8.self)
            if line == "PING" {
                _ = write("PONG\n")
            } else if line.hasPrefix("SAY "), !provider.submit(String(line.dropFirst(4))) {
                input.rewind(to: start)
                return
            }
        }
        if input.remaining > 4096 { stream.abort() }
    }

    func writable(_ stream: ProviderKit.Stream) { provider.becameWritable() }

    func closed(_ stream: ProviderKit.Stream, reason: CloseReason) {
        isUp = false
        if provider.bug == .writesAfterClosed { _ = write("BYE\n") }
        switch provider.bug {
        case .keepsTimer, .keepsRepeating: LineProvider.kept.append(self)
        default: if let timer { provider.host.cancel(timer) }
        }
        provider.wentDown(reason)
    }
}
