import Foundation
import Synchronization
import Testing

/// `plugboard upgrade` of a provider that has a port for datagrams open, with a daemon and a socket that are real.
@Suite(.timeLimit(.minutes(1))) struct UpgradeDatagramTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    /// Answers each datagram with what stands in it, behind its own mark.
    private static let pong = CPlugin(
        name: "Pong",
        source: """
            #define EXTENSION
            static plugboard_udp_socket_t socket_;
            static const plugboard_udp_t *udp(void) { return host->extension(host->context, PLUGBOARD_EXT_UDP); }
            static plugboard_status_t start(void *self) {
                (void)self;
                plugboard_udp_options_t options = {
                    .struct_size = sizeof options, .port = PORT, .address = text_of("127.0.0.1"),
                };
                uint16_t port;
                plugboard_status_t status = udp()->bind(host->context, &options, NULL, &socket_, &port);
                return status == PLUGBOARD_OK ? claim("pong.test") : status;
            }
            static size_t deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
                (void)self;
                plugboard_outcome_t outcome = {.struct_size = sizeof outcome, .result = PLUGBOARD_DELIVERED};
                for (size_t index = 0; index < count; index++) {
                    host->complete(host->context, envelopes[index]->token, &outcome);
                }
                return count;
            }
            static void heard(void *self, plugboard_udp_socket_t socket, void *user,
                              const plugboard_datagram_t *datagrams, size_t count) {
                (void)self, (void)user;
                for (size_t index = 0; index < count; index++) {
                    char text[64];
                    int used = snprintf(text, sizeof text, "%d %.*s", MARK, (int)datagrams[index].payload.count,
                                        (const char *)datagrams[index].payload.start);
                    plugboard_datagram_t answer = datagrams[index];
                    answer.payload = (plugboard_bytes_t){(const uint8_t *)text, (size_t)used};
                    udp()->send(host->context, socket, &answer, 1);
                }
            }
            static void ended(void *self, plugboard_udp_socket_t socket, void *user, plugboard_bytes_t detail) {
                (void)self, (void)socket, (void)user, (void)detail;
            }
            static const void *extension(void *self, const char *id) {
                (void)self;
                static const plugboard_udp_events_t events = {
                    .struct_size = sizeof events, .received = heard, .closed = ended,
                };
                return strcmp(id, PLUGBOARD_EXT_UDP) == 0 ? &events : NULL;
            }
            """
    )

    @Test("Upgrades while datagrams are answered lose none and answer none twice, and the port stays the same")
    func underLoad() throws {
        let peer = try DatagramPeer()
        let port = try DatagramPeer().port
        for mark in 1...3 {
            try Self.pong.build(in: program.folder, suffix: "\(mark)", defines: ["PORT=\(port)", "MARK=\(mark)"])
        }
        try program.folder.write(
            CheckCommandTests.start + "providers: { pong: { plugin: ./libPong1.so } }",
            to: "a.yaml"
        )
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        #expect(peer.ask("first", port: port) == "1 first")

        let load = Load()
        let hasEnded = DispatchSemaphore(value: 0)
        Thread {
            var number = 0
            while !load.isOver.load(ordering: .acquiring) {
                let answer = peer.ask("\(number)", port: port) ?? "none"
                load.answers.withLock { $0.append(answer) }
                number += 1
            }
            hasEnded.signal()
        }.start()
        for mark in 2...3 {
            let upgrade = try program.run("upgrade", "pong", "libPong\(mark).so", "--config", "a.yaml")
            #expect(upgrade.status == 0, "\(upgrade)")
            #expect(peer.other?.ask("then", port: port) == "\(mark) then")
        }
        load.isOver.store(true, ordering: .releasing)
        hasEnded.wait()
        let all = load.answers.withLock { $0 }
        #expect(all.map { $0.split(separator: " ").last.map(String.init) } == all.indices.map { "\($0)" })
        let marks = all.compactMap { $0.first }
        #expect(marks == marks.sorted(), "an old instance received after a new one")
        #expect(peer.isSilent, "something was answered twice")
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
        #expect(router.process.terminationStatus == 0)
    }
}

/// What another thread asks and hears meanwhile.
private final class Load: Sendable {
    let answers = Mutex<[String]>([])
    let isOver = Atomic(false)
}

/// A socket for datagrams at 127.0.0.1.
private final class DatagramPeer: Sendable {
    private let descriptor: Int32
    let port: UInt16
    /// How long an answer may take, in seconds.
    private static let secondsMax = 10

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var limit = timeval(tv_sec: Self.secondsMax, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = Self.address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit {
        close(descriptor)
    }

    /// Another one.
    var other: DatagramPeer? { try? DatagramPeer() }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Sends a text and waits for the answer; nil if there is none in time.
    func ask(_ text: String, port: UInt16) -> String? {
        var address = Self.address(port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = text.utf8.count
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(descriptor, text, count, 0, $0, size) }
        }
        return sent == count ? read(flags: 0) : nil
    }

    /// Whether nothing more has come.
    var isSilent: Bool { read(flags: Int32(MSG_DONTWAIT)) == nil }

    private func read(flags: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, flags)
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
