import CPlugboard
import Foundation
import Glibc
import HostServices
import PluginHost
import Testing

/// The example in C, on a worker without a router.
@Suite("The line gate in C", .timeLimit(.minutes(1)))
struct CProviderTests {
    /// Runs `body` with a running gate and a person who has logged in as bob.
    fileprivate func withBob(_ body: (Gate, Line) async throws -> Void) async throws {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let library = URL(fileURLWithPath: executable).deletingLastPathComponent().appending(path: "libCProvider.so")
            .path
        let folder = try TemporaryFolder()
        let plugin = try PluginLoader(searchPath: [], copies: folder.path).load(library)
        try await Bench.with { bench in
            let gate = Gate(bench, plugin)
            try await bench.worker.call { try gate.start() }
            let announced = try #require(bench.log.lines.first { $0.contains("people can connect to 127.0.0.1") })
            let port = try #require(announced.firstMatch(of: /port (\d+)/).flatMap { UInt16($0.1) })
            let bob = try Line(port)
            #expect(bob.read()?.hasPrefix("HELLO") == true)
            bob.write("LOGIN bob")
            #expect(bob.read() == "OK bob")
            try await body(gate, bob)
            try await bench.worker.call { gate.instance?.stop() }
        }
    }

    @Test("A line for which the router has no room is read again, once, when there is room")
    func busy() async throws {
        try await withBob { gate, bob in
            try await gate.on { $0.router.isBusy = true }
            // The answer to the first tells that the second was tried, too: they come in one read, answers at its end.
            bob.write("ACK 99\nSEND alice@home.example one\nSEND alice@home.example two")
            #expect(bob.read() == "ERROR no such message waits for you")
            #expect(try await gate.on { $0.router.submitted.count } == 0)
            try await gate.on { gate in
                gate.router.isBusy = false
                gate.instance?.room()
            }
            #expect(bob.read()?.hasPrefix("OK ") == true)
            #expect(bob.read()?.hasPrefix("OK ") == true)
            let texts = try await gate.on { gate in
                gate.router.submitted.map { $0.facts.texts.map { String(decoding: $0, as: UTF8.self) } }
            }
            #expect(texts.count == 2)
            #expect(texts.first?.contains("one") == true && texts.last?.contains("two") == true)
            #expect(texts.allSatisfy { $0.contains("bob@lines.test") && $0.contains("alice@home.example") })
        }
    }

    @Test(
        "As many messages wait for one person's acknowledgement as may, the next is put off, and the end puts off all"
    )
    func unacknowledged() async throws {
        try await withBob { gate, bob in
            let most = 32
            try await gate.on { gate in
                for token in 1...most + 1 { gate.deliver("text \(token)", to: "bob@lines.test", token: UInt64(token)) }
                #expect(gate.router.completed.map(\.token) == [UInt64(most + 1)])
                #expect(gate.router.completed.map(\.result) == [PLUGBOARD_DEFERRED])
            }
            #expect(bob.read() == "MESSAGE 1 alice@home.example text 1")
            bob.write("ACK 1\nACK 1")
            for number in 2...most { #expect(bob.read() == "MESSAGE \(number) alice@home.example text \(number)") }
            #expect(bob.read() == "ERROR no such message waits for you")
            try await gate.on { gate in
                #expect(gate.router.completed.last?.token == 1)
                #expect(gate.router.completed.last?.result == PLUGBOARD_DELIVERED)
                gate.deliver("one more", to: "bob@lines.test", token: 99)
                gate.deliver("nobody", to: "ann@lines.test", token: 100)
                #expect(gate.router.completed.last?.token == 100)
                gate.instance?.stop()
                let completed = gate.router.completed
                #expect(Set(completed.map(\.token)) == Set((1...UInt64(most + 1)).map { $0 } + [99, 100]))
                #expect(completed.filter { $0.reason == "the connection has ended" }.count == most)
            }
        }
    }

    @Test("A text that is too long for a line fails for good, one that just fits is carried")
    func longText() async throws {
        try await withBob { gate, bob in
            try await gate.on { gate in
                gate.deliver(String(repeating: "x", count: 3000), to: "bob@lines.test", token: 1)
                gate.deliver(String(repeating: "x", count: 3001), to: "bob@lines.test", token: 2)
                #expect(gate.router.completed.map(\.token) == [2])
                #expect(gate.router.completed.map(\.result) == [PLUGBOARD_FAILED])
            }
            #expect(bob.read() == "MESSAGE 1 alice@home.example " + String(repeating: "x", count: 3000))
        }
    }
}

@Suite("The line gate in C, with people who do not behave", .timeLimit(.minutes(1)))
struct CProviderPeerTests {
    @Test("Who asks and does not read the answers is not read from, and loses no answer")
    func unread() async throws {
        try await CProviderTests().withBob { gate, bob in
            // The answers are many more than what the host and the system keep.
            let count = 300_000
            let writer = Thread { bob.writeMany(count, of: "X") }
            writer.start()
            // The gate goes as far as it likes before anybody reads.
            for _ in 0..<200 { try await gate.on { _ in } }
            let answers = bob.countLines(upTo: count)
            #expect(answers == count)
            bob.write("QUIT")
            #expect(bob.read() == "BYE")
        }
    }

    @Test("A gate that drains waits for what is unacknowledged, takes nothing new, and then says goodbye")
    func drain() async throws {
        try await CProviderTests().withBob { gate, bob in
            try await gate.on { gate in
                gate.deliver("one", to: "bob@lines.test", token: 1)
                gate.instance?.drain()
                gate.deliver("two", to: "bob@lines.test", token: 2)
                #expect(gate.router.completed.map(\.token) == [2])
                #expect(gate.router.completed.map(\.result) == [PLUGBOARD_DEFERRED])
            }
            #expect(bob.read() == "MESSAGE 1 alice@home.example one")
            bob.write("SEND alice@home.example late")
            #expect(bob.read() == "ERROR the gate closes")
            for wrong in ["-1", " 1", "1x", "2"] {
                bob.write("ACK \(wrong)")
                #expect(bob.read() == "ERROR no such message waits for you")
            }
            bob.write("ACK 1")
            #expect(bob.read() == "BYE the gate closes")
            #expect(bob.read() == nil)
            try await gate.on { gate in
                #expect(gate.router.completed.map(\.token) == [2, 1])
                #expect(gate.router.completed.last?.result == PLUGBOARD_DELIVERED)
            }
        }
    }
}

/// A running instance of the gate.
// Safe: used on its worker's loop alone.
private final class Gate: @unchecked Sendable {
    private let bench: Bench
    private let plugin: Plugin
    private(set) var instance: Instance?
    let router = TestRouter()

    init(_ bench: Bench, _ plugin: Plugin) {
        self.bench = bench
        self.plugin = plugin
    }

    func start() throws {
        let settings = [
            "listen": "127.0.0.1:0", "domain": "lines.test", "login_timeout": "60000", "ack_timeout": "60000",
            "connections_max": "10",
        ]
        instance = try Instance(
            index: 0,
            settings: InstanceSettings(
                id: "lines",
                entries: settings.map { InstanceSettings.Entry(path: $0.key, value: $0.value) },
                homeDomains: []
            ),
            plugin: plugin,
            services: bench.services(.init()),
            router: router
        )
        try instance?.start()
    }

    func on<T: Sendable>(_ body: @escaping @Sendable (Gate) throws -> T) async throws -> T {
        try await bench.worker.call { try body(self) }
    }

    func deliver(_ text: String, to: String, token: UInt64) {
        let arena = Arena()
        var message = plugboard_message_t()
        message.struct_size = structSize(plugboard_message_t.self)
        message.text = arena.text(text)
        var envelope = plugboard_envelope_t()
        envelope.struct_size = structSize(plugboard_envelope_t.self)
        envelope.kind = PLUGBOARD_MESSAGE
        envelope.token = token
        envelope.from = arena.text("alice@home.example")
        envelope.to = arena.text(to)
        envelope.content = UnsafeRawPointer(arena.put(message))
        let batch = [UnsafePointer<plugboard_envelope_t>?(arena.put(envelope))]
        #expect(batch.withUnsafeBufferPointer { instance?.deliver($0) } == 1)
    }
}

/// A connection that blocks.
// Safe: one thread writes and one reads, and these share the descriptor alone.
private final class Line: @unchecked Sendable {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// How much of the buffer was returned.
    private var taken = 0

    init(_ port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let descriptor = descriptor
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        // What waits here is little.
        var buffer: CInt = 65_536
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer, socklen_t(MemoryLayout<CInt>.size))
        // A line that never comes is a failure, and not the end of all tests.
        var wait = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func write(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }

    /// Writes a line many times, and waits for room.
    func writeMany(_ count: Int, of line: String) {
        var rest = Array(String(repeating: line + "\n", count: count).utf8)[...]
        while !rest.isEmpty {
            let result = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard result > 0 else { return }
            rest = rest.dropFirst(result)
        }
    }

    /// Reads so many lines, or fewer if no more come.
    func countLines(upTo count: Int) -> Int {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        var lines = 0
        while lines < count {
            let read = recv(descriptor, &chunk, chunk.count, 0)
            guard read > 0 else { return lines }
            chunk.withUnsafeBytes { bytes in
                var rest = bytes[..<read]
                while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                    let end = memchr(base, CInt(UInt8(ascii: "\n")), rest.count)
                {
                    lines += 1
                    rest = rest.dropFirst(UnsafeRawPointer(end) - base + 1)
                }
            }
        }
        return lines
    }

    /// The next line; nil at the end.
    func read() -> String? {
        while true {
            if let end = buffer[taken...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { taken = end + 1 }
                return String(decoding: buffer[taken..<end], as: UTF8.self)
            }
            buffer.removeFirst(taken)
            taken = 0
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            buffer += chunk[..<count]
        }
    }
}
