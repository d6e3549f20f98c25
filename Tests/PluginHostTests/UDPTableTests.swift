import CPlugboard
import HostServices
import Testing

@testable import PluginHost

@Suite("Datagrams across the plugin ABI", .timeLimit(.minutes(1)))
struct UDPTableTests {
    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        try await Bench.with { bench in
            try await bench.withStage(prepare: { $0.events(UDPEvents.self) }, body)
        }
    }

    @Test("datagrams come in batches, with the plugin's pointer, and are counted")
    func exchange() async throws {
        try await withStage { (stage: Stage) async throws in
            let port = try await stage.on { stage in
                let (status, socket, port) = stage.provider.bind()
                #expect(status == PLUGBOARD_OK && port != 0)
                #expect(stage.provider.send(socket, port, ["one", "", "three"]) == 3)
                return port
            }
            await stage.until { $0.udpTexts.count >= 3 }
            try await stage.on { stage in
                #expect(stage.provider.udpTexts == ["one", "", "three"].map { "48 127.0.0.1 \(port) \($0)" })
                var counters = plugboard_udp_counters_t()
                counters.struct_size = structSize(plugboard_udp_counters_t.self)
                #expect(stage.provider.udp { $0.counters($1, 0x1_0000_0000, &counters) } == PLUGBOARD_OK)
                #expect(counters.received == 3 && counters.sent == 3)
                #expect(counters.received_lost == 0 && counters.sent_lost == 0)
            }
        }
    }

    @Test("malformed calls are refused")
    func refusals() async throws {
        try await withStage { (stage: Stage) async throws in
            try await stage.on { stage in
                let (_, socket, port) = stage.provider.bind()
                #expect(stage.provider.bind("nowhere").status == PLUGBOARD_E_INVALID)
                #expect(stage.provider.send(77, port, ["x"]) == PLUGBOARD_E_HANDLE)
                #expect(stage.provider.send(socket, 0, ["x"]) == PLUGBOARD_E_INVALID)
                #expect(stage.provider.send(socket, port, Array(repeating: "", count: 1024)) == 1024)
                #expect(stage.provider.send(socket, port, Array(repeating: "", count: 1025)) == PLUGBOARD_E_INVALID)
                #expect(stage.provider.send(socket, port, ["x"]) { $0.struct_size = 4 } == PLUGBOARD_E_INVALID)
                #expect(
                    stage.provider.send(socket, port, ["x"]) {
                        $0.payload = plugboard_bytes_t(start: nil, count: 1)
                    } == PLUGBOARD_E_INVALID
                )
                let statuses = stage.provider.udp { table, context in
                    var counters = plugboard_udp_counters_t()
                    return [
                        table.bind(context, nil, nil, nil, nil), table.send(context, socket, nil, 1),
                        table.counters(context, socket, nil), table.counters(context, socket, &counters),
                    ]
                }
                #expect(statuses.allSatisfy { $0 == PLUGBOARD_E_INVALID }, "\(statuses)")
                #expect(stage.provider.udp { $0.close($1, socket) } == PLUGBOARD_OK)
                #expect(stage.provider.udp { $0.close($1, socket) } == PLUGBOARD_E_HANDLE)
            }
        }
    }

    @Test("without a table of answers there are no sockets, and after the end there are none either")
    func stopping() async throws {
        try await Bench.with { bench in
            try await bench.withStage { (stage: Stage) async throws in
                try await stage.on { #expect($0.provider.bind().status == PLUGBOARD_E_UNSUPPORTED) }
            }
        }
        try await withStage { (stage: Stage) async throws in
            try await stage.on { stage in
                let (_, socket, port) = stage.provider.bind()
                _ = stage.provider.send(socket, port, ["x"])
                stage.instance?.stop()
                #expect(stage.provider.bind().status == PLUGBOARD_E_SHUTDOWN)
            }
            try await stage.on { #expect($0.provider.udpTexts.isEmpty && $0.provider.events.last == "destroy") }
        }
    }
}

/// Notes the datagrams of `plugboard.udp/1`.
enum UDPEvents: RawEvents {
    static let id = PLUGBOARD_EXT_UDP
    static var table: plugboard_udp_events_t {
        plugboard_udp_events_t(
            struct_size: structSize(plugboard_udp_events_t.self),
            reserved: 0,
            received: { instance, _, user, datagrams, count in
                for datagram in UnsafeBufferPointer(start: datagrams, count: count) {
                    RawProvider.from(instance).heard(
                        "udp \(Int(bitPattern: user)) \(datagram.address.string) \(datagram.port) "
                            + datagram.payload.string
                    )
                }
            },
            closed: { RawProvider.from($0).heard("udp closed \($3.string)") }
        )
    }
}

extension RawProvider {
    /// What was received, without the word in front.
    fileprivate var udpTexts: [String] { events.filter { $0.hasPrefix("udp ") }.map { String($0.dropFirst(4)) } }

    fileprivate func udp<R>(_ body: (plugboard_udp_t, UnsafeMutableRawPointer?) -> R) -> R {
        withExtension(PLUGBOARD_EXT_UDP, as: plugboard_udp_t.self, body)
    }

    /// Binds a socket with the user pointer 48.
    fileprivate func bind(
        _ address: String = "127.0.0.1"
    ) -> (status: plugboard_status_t, socket: UInt64, port: UInt16) {
        withBytes(address) { address in
            var options = plugboard_udp_options_t()
            options.struct_size = structSize(plugboard_udp_options_t.self)
            options.address = address
            var (socket, port) = (UInt64(0), UInt16(0))
            let status = udp { $0.bind($1, &options, UnsafeMutableRawPointer(bitPattern: 48), &socket, &port) }
            return (status, socket, port)
        }
    }

    fileprivate func send(
        _ socket: UInt64,
        _ port: UInt16,
        _ texts: [String],
        _ change: (inout plugboard_datagram_t) -> Void = { _ in }
    ) -> plugboard_status_t {
        withBytes("127.0.0.1") { address in
            let block = Array(texts.joined().utf8)
            return block.withUnsafeBufferPointer { block in
                var start = 0
                let datagrams = texts.map { text in
                    var datagram = plugboard_datagram_t()
                    datagram.struct_size = structSize(plugboard_datagram_t.self)
                    datagram.port = port
                    datagram.address = address
                    datagram.payload = plugboard_bytes_t(
                        start: block.baseAddress.map { $0 + start },
                        count: text.utf8.count
                    )
                    start += text.utf8.count
                    change(&datagram)
                    return datagram
                }
                return udp { $0.send($1, socket, datagrams, datagrams.count) }
            }
        }
    }
}
