import AIMSandbox
import Crypto
import OSCARWire
import Testing

/// The network and its clients, without sockets, at a time of the test's own.
final class World {
    var network: AIMNetwork
    /// Milliseconds since 1970.
    var now: UInt64 = 1_700_000_000_000
    private var connections = 0
    /// What each connection was sent and its client has not looked at.
    private var output: [Int: [UInt8]] = [:]
    private(set) var closed: Set<Int> = []

    init(strict: Bool = false) throws {
        var options = AIMNetwork.Options(address: "127.0.0.1:5190")
        options.isStrict = strict
        let accounts = [("Alice Test", "alicepw"), ("Bob Test", "bobpw"), ("Carol", "carolpw")]
        self.network = AIMNetwork(
            accounts: try accounts.map { Account(name: try ScreenName($0.0), password: $0.1) } + [
                Account(name: try ScreenName("Eve"), password: "evepw", isSuspended: true)
            ],
            options: options
        )
    }

    /// Connects, each time from another address unless one is given.
    func connect(from address: String? = nil) -> Int {
        self.connections += 1
        self.network.connected(self.connections, from: address ?? "127.0.0.\(self.connections)", now: self.now)
        self.perform()
        return self.connections
    }

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8], on id: Int) {
        self.network.received(bytes, on: id, now: self.now)
        self.perform()
    }

    func disconnect(_ id: Int) {
        self.network.disconnected(id, now: self.now)
        self.perform()
    }

    func wait(milliseconds: UInt64) {
        self.now += milliseconds
        self.network.tick(now: self.now)
        self.perform()
    }

    private func perform() {
        for action in self.network.actions {
            switch action {
            case .send(let id, let bytes): self.output[id, default: []] += bytes
            case .close(let id): self.closed.insert(id)
            }
        }
        self.network.actions = []
    }

    /// All bytes that came since the last look.
    func received(on id: Int) -> [UInt8] {
        defer { self.output[id] = [] }
        return self.output[id] ?? []
    }

    /// All frames that came since the last look.
    func frames(on id: Int) throws -> [FLAPFrame] {
        let bytes = self.received(on: id)
        var frames: [FLAPFrame] = []
        try bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while let (frame, count) = try FLAPFrame.read(rest) {
                frames.append(frame)
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            try #require(rest.isEmpty)
        }
        return frames
    }

    /// All SNACs that came since the last look.
    func snacs(on id: Int) throws -> [SNAC] {
        try self.frames(on: id).filter { $0.channel == .data }.map { try SNAC(payload: $0.payload) }
    }
}

/// A client of the world that signs on as old ones did, and can do anything afterwards.
struct Client {
    let world: World
    let id: Int

    /// Sends a SNAC whose body is spelled in hexadecimal digits.
    func send(_ family: UInt16, _ subtype: UInt16, _ body: String = "", requestID: UInt32 = 7) {
        let snac = SNAC(SNACKind(family, subtype), requestID: requestID, body: AIMSandboxTests.bytes(body))
        self.world.send(frame(2, (try? snac.encoded()) ?? []), on: self.id)
    }

    /// Sends a text.
    func say(_ text: String, to name: String, tlvs: String = "0003 0000") {
        let length = String(text.utf8.count + 4, radix: 16)
        let total = String(text.utf8.count + 13, radix: 16)
        let padded = [length, total].map { String(repeating: "0", count: 4 - $0.count) + $0 }
        let size = String(name.utf8.count, radix: 16)
        self.send(
            4,
            6,
            """
            0102030405060708 0001 \(size.count == 1 ? "0" : "")\(size)"\(name)"
            0002 \(padded[1]) 05 01 0001 01 01 01 \(padded[0]) 0000 0000 "\(text)" \(tlvs)
            """
        )
    }

    /// What came since the last look.
    func snacs() throws -> [SNAC] { try self.world.snacs(on: self.id) }
    /// What came of one kind since the last look.
    func all<Message: SNACMessage>(_ type: Message.Type) throws -> [Message] {
        try self.snacs().filter { $0.kind == Message.kind }.map { try $0.message(Message.self) }
    }
    var isClosed: Bool { self.world.closed.contains(self.id) }
}

/// A frame, put together by hand.
func frame(_ channel: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0x2A, channel, 0, 0, UInt8(payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)] + payload
}

func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

extension World {
    /// Logs in by digest; the answer's TLVs.
    func logIn(_ name: String, _ password: String, hashed: Bool = false, sessions: String = "") throws -> LoginReply {
        let id = self.connect()
        let size = name.utf8.count
        let tlv = bytes("0001 00") + [UInt8(size)] + Array(name.utf8)
        self.send(frame(1, bytes("00000001")), on: id)
        self.send(frame(2, bytes("0017 0006 0000 00000001") + tlv), on: id)
        let challenge = try #require(try self.snacs(on: id).last).message(Challenge.self)
        let secret = hashed ? md5(Array(password.utf8)) : Array(password.utf8)
        let digest = md5(challenge.key + secret + Array("AOL Instant Messenger (SM)".utf8))
        let request = bytes("0017 0002 0000 00000002") + tlv + bytes("0025 0010") + digest + bytes(sessions)
        self.send(frame(2, request), on: id)
        let frames = try self.frames(on: id)
        #expect(frames.map(\.channel) == [.data, .signOff])
        #expect(frames.last?.payload == [])
        #expect(self.closed.contains(id))
        return try SNAC(payload: try #require(frames.first).payload).message(LoginReply.self)
    }

    /// Logs in and signs on, up to the first SNAC.
    func connect(as name: String, _ password: String, sessions: String = "") throws -> Client {
        guard case .redirected(_, let cookie) = try self.logIn(name, password, sessions: sessions).result() else {
            throw OSCARWireError.missingTLV(tag: 6, message: "the login of \(name)")
        }
        let id = self.connect()
        let length = [UInt8(cookie.count >> 8), UInt8(truncatingIfNeeded: cookie.count)]
        self.send(frame(1, bytes("00000001 0006") + length + cookie), on: id)
        return Client(world: self, id: id)
    }

    /// Logs in, and does all that makes a user be there.
    func signOn(_ name: String, _ password: String, sessions: String = "") throws -> Client {
        let client = try self.connect(as: name, password, sessions: sessions)
        client.send(0x13, 7)
        client.send(1, 2, "0001 0004 0110 08F1")
        return client
    }

    func alice(sessions: String = "") throws -> Client { try self.signOn("Alice Test", "alicepw", sessions: sessions) }
    func bob(sessions: String = "") throws -> Client { try self.signOn("Bob Test", "bobpw", sessions: sessions) }
}
