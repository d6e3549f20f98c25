package import OSCARWire

/// An AIM network: accounts, who is signed on, and what the server does with each frame.
///
/// A value without sockets and clock: connections are numbers, times are milliseconds since 1970 that never go back. What is
/// to be done is gathered in ``actions``.
package struct AIMNetwork: Sendable {
    /// What the owner of the sockets has to do.
    package enum Action: Hashable, Sendable {
        /// Send bytes on a connection.
        case send(Int, [UInt8])
        /// Close a connection once everything is sent.
        case close(Int)
    }

    /// How the network differs from the usual one.
    package struct Options: Sendable {
        /// Where clients are sent after the login, `host:port`.
        package var address: String
        /// Whether changes of the list are judged as AOL did it, and not just stored.
        package var isStrict = false
        /// Logins that one address may make at once; one more a minute after that.
        package var loginBurst = 10
        /// Milliseconds after which the bot that comes and goes does so.
        package var comingAndGoingMs: UInt64 = 10_000

        /// The usual network.
        package init(address: String) { self.address = address }
    }

    /// Connections at a time; one more is closed at once.
    package static let connectionsMax = 1_000
    /// Milliseconds that a login may take.
    package static let loginMs: UInt64 = 30_000
    /// Frames that a login may have.
    package static let loginFramesMax = 10
    /// Milliseconds that a cookie is good for.
    package static let cookieMs: UInt64 = 60_000
    /// Cookies at a time; the oldest goes.
    package static let cookiesMax = 10_000
    /// Sessions of one account.
    package static let sessionsMax = 5
    /// Messages that wait of one sender for one recipient.
    package static let storedMax = 10

    /// A login that was granted.
    struct Ticket: Sendable {
        let name: ScreenName
        let sessions: UInt8?
        let expiresAt: UInt64
    }

    /// What an address has used of its logins.
    struct LoginAllowance: Sendable {
        var logins: Double
        var countedAt: UInt64
    }

    package let options: Options
    /// By name.
    package internal(set) var accounts: [ScreenName: Account] = [:]
    var connections: [Int: Connection] = [:]
    var sessions: [Int: Session] = [:]
    var nextSession = 1
    var tickets: [[UInt8]: Ticket] = [:]
    var allowances: [String: LoginAllowance] = [:]
    var bots: [ScreenName: Bot] = [:]
    /// Random bytes for cookies.
    let makeCookie: @Sendable () -> [UInt8]

    /// What is to be done, in this order; whoever does it, empties it.
    package var actions: [Action] = []

    /// A network with these accounts, and nobody signed on.
    package init(
        accounts: [Account],
        options: Options,
        makeCookie: @escaping @Sendable () -> [UInt8] = AIMNetwork.randomCookie
    ) {
        self.options = options
        self.makeCookie = makeCookie
        for account in accounts { self.accounts[account.name] = account }
    }

    /// 256 random bytes.
    package static func randomCookie() -> [UInt8] { (0..<256).map { _ in UInt8.random(in: 0...255) } }
}

// MARK: - Connections

extension AIMNetwork {
    /// A client has connected.
    package mutating func connected(_ id: Int, from address: String, now: UInt64) {
        guard self.connections.count < AIMNetwork.connectionsMax else {
            self.actions.append(.close(id))
            return
        }
        self.connections[id] = Connection(address: address, openedAt: now, lastFrameAt: now)
        self.send(.signOn, [0, 0, 0, 1], on: id)
    }

    /// Bytes came.
    package mutating func received(_ bytes: [UInt8], on id: Int, now: UInt64) {
        guard self.connections[id] != nil else { return }
        self.connections[id]?.input += bytes
        var used = 0
        while let input = self.connections[id]?.input {
            let next = input.withUnsafeBytes { bytes in
                Result { () throws(OSCARWireError) in
                    try FLAPFrame.read(UnsafeRawBufferPointer(rebasing: bytes[used...]))
                }
            }
            guard case .success(let found) = next else { return self.close(id, now: now) }
            guard let next = found else { break }
            used += next.byteCount
            self.received(next.frame, on: id, now: now)
        }
        self.connections[id]?.input.removeFirst(used)
    }

    private mutating func received(_ frame: FLAPFrame, on id: Int, now: UInt64) {
        guard var connection = self.connections[id] else { return }
        connection.frameCount += 1
        connection.lastFrameAt = now
        self.connections[id] = connection
        do throws(OSCARWireError) {
            switch (connection.phase, frame.channel) {
            case (.opening, .signOn): try self.opened(id, with: SignOnFrame(payload: frame.payload), now: now)
            case (.login, .data):
                guard connection.frameCount <= AIMNetwork.loginFramesMax else { return self.close(id, now: now) }
                try self.loginReceived(SNAC(payload: frame.payload), on: id, now: now)
            case (.session(let session), .data):
                try self.requestReceived(SNAC(payload: frame.payload), in: session, on: id, now: now)
            case (_, .keepAlive): break
            case (.opening, _), (.login, _), (.session, _): self.close(id, now: now)
            }
        } catch {
            // Whatever cannot be read ends the connection, without a word.
            self.close(id, now: now)
        }
    }

    /// A connection is gone.
    package mutating func disconnected(_ id: Int, now: UInt64) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        if case .session(let session) = connection.phase { self.end(session, now: now) }
    }

    /// To be called a few times a second: what happens by itself.
    package mutating func tick(now: UInt64) {
        for (id, connection) in self.connections.sorted(by: { $0.key < $1.key }) {
            switch connection.phase {
            case .opening, .login:
                if now - connection.openedAt >= AIMNetwork.loginMs { self.close(id, now: now) }
            case .session(let session):
                guard now - connection.lastFrameAt >= RateBook.silenceMs else { continue }
                for change in self.sessions[session]?.rates.changes(now: now) ?? [] { self.notify(change, session) }
            }
        }
        self.tickets = self.tickets.filter { $0.value.expiresAt > now }
        self.moveBots(now: now)
    }

    /// Closes a connection, and ends its session.
    mutating func close(_ id: Int, now: UInt64) {
        guard self.connections[id] != nil else { return }
        self.actions.append(.close(id))
        self.disconnected(id, now: now)
    }
}

// MARK: - Sending

extension AIMNetwork {
    /// Sends a frame.
    mutating func send(_ channel: FLAPFrame.Channel, _ payload: [UInt8], on id: Int) {
        guard let sequence = self.connections[id]?.sequence else { return }
        self.connections[id]?.sequence &+= 1
        var writer = WireWriter()
        // More than a frame holds is not sent: there is nobody to tell.
        guard (try? FLAPFrame(channel, sequence: sequence, payload: payload).write(to: &writer)) != nil else { return }
        self.actions.append(.send(id, writer.bytes))
    }

    /// Sends a SNAC.
    mutating func send(_ snac: SNAC, on id: Int) {
        guard let payload = try? snac.encoded() else { return }
        self.send(.data, payload, on: id)
    }

    /// Answers a request.
    mutating func reply(_ message: some SNACMessage, to request: SNAC, on id: Int) throws(OSCARWireError) {
        self.send(try SNAC(message, requestID: request.requestID), on: id)
    }

    /// Refuses a request.
    mutating func refuse(_ request: SNAC, _ error: SNACError, on id: Int) throws(OSCARWireError) {
        self.send(try error.snac(family: request.kind.family, requestID: request.requestID), on: id)
    }

    /// Tells a session something that it did not ask for.
    mutating func notify(_ message: some SNACMessage, _ session: Int, requestID: UInt32 = SNAC.serverStarted) {
        guard let id = self.sessions[session]?.connection, let snac = try? SNAC(message, requestID: requestID) else {
            return
        }
        self.send(snac, on: id)
    }
}
