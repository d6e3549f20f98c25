import CPlugboard
import ProviderTestKit

/// Arguments of calls about streams.
extension Use {
    private typealias ConnectChange = @Sendable (inout plugboard_connect_options_t, Arena) -> Void
    private typealias ListenChange = @Sendable (inout plugboard_listen_options_t, Arena) -> Void
    private typealias TLSChange = @Sendable (inout plugboard_tls_options_t, Arena) -> Void

    static let streamCalls: [Use] =
        connects.map { name, change in Use("connect with \(name)") { $0.connect(9) { change(&$0, $1) } } }
        + listens.map { name, change in
            Use("listen with \(name)") { probe in _ = probe.listen { change(&$0, $1) } }
        }
        + tlsOptions.map { name, change in
            Use("TLS with \(name)") { probe in
                probe.connect(9) { options, arena in
                    var tls = plugboard_tls_options_t()
                    tls.struct_size = structSize(plugboard_tls_options_t.self)
                    tls.verification = PLUGBOARD_TLS_VERIFY_RECORD
                    change(&tls, arena)
                    options.tls = UnsafePointer(arena.put(tls))
                }
            }
        }
        + [0, 1, 17, 1 << 32, UInt64.max].flatMap(unknownHandle)
        + [
            Use("connect and listen with nothing") { probe in
                var (handle, port) = (UInt64(0), UInt16(0))
                let connect = probe.arena.put(plugboard_connect_options_t())
                let listen = probe.arena.put(plugboard_listen_options_t())
                probe.note("connect without options", probe.call { $0.connect($1, nil, nil, &handle) })
                probe.note("connect without a stream", probe.call { $0.connect($1, connect, nil, nil) })
                probe.note("listen without options", probe.call { $0.listen($1, nil, nil, &handle, &port) })
                probe.note("listen without a listener", probe.call { $0.listen($1, listen, nil, nil, &port) })
            },
            Use("a port that is taken") { probe in
                let port = probe.listen()
                _ = probe.listen { options, _ in options.port = port }
            },
            Use("a listener is closed once") { probe in
                _ = probe.listen()
                probe.closeListener("l1")
                probe.closeListener("l1")
            },
            Use("there is a limit to the listeners") { probe in for _ in 0..<18 { _ = probe.listen() } },
            Use("TLS on a listener without a certificate") { probe in
                _ = probe.listen { options, arena in
                    var tls = plugboard_tls_options_t()
                    tls.struct_size = structSize(plugboard_tls_options_t.self)
                    options.tls = UnsafePointer(arena.put(tls))
                }
            },
        ]

    private static func unknownHandle(_ handle: UInt64) -> [Use] {
        let name = "\(handle)"
        return [
            Use("write to stream \(name)", breaks: .unknownHandle) { $0.write(name, "x") },
            Use("set_reading of stream \(name)", breaks: .unknownHandle) { $0.setReading(name, 1) },
            Use("finish of stream \(name)", breaks: .unknownHandle) { $0.finish(name) },
            Use("abort of stream \(name)", breaks: .unknownHandle) { $0.abort(name) },
            Use("start_tls on stream \(name)", breaks: .unknownHandle) { $0.startTLS(name) },
            Use("certificate_matches of stream \(name)", breaks: .unknownHandle) { $0.certificateMatches(name) },
            Use("peer_address of stream \(name)", breaks: .unknownHandle) { $0.peerAddress(name) },
            Use("close_listener \(name)", breaks: .unknownHandle) { $0.closeListener(name) },
        ]
    }

    private static let connects: [(String, ConnectChange)] = [
        ("a short struct", { options, _ in options.struct_size -= 1 }),
        ("a longer struct", { options, _ in options.struct_size += 8 }),
        ("no host", { options, _ in options.host = .none }),
        ("a host that is missing", { options, _ in options.host = .missing }),
        ("port 0", { options, _ in options.port = 0 }),
        ("a host that is no name", { $0.host = $1.text("no name") }),
        ("a host in brackets", { $0.host = $1.text("[::1]") }),
        ("a name of 254 characters", { $0.host = $1.text(String(repeating: "a.", count: 127)) }),
        ("a label of 64 characters", { $0.host = $1.text(String(repeating: "a", count: 64) + ".example") }),
        ("the longest timeout", { options, _ in options.timeout_ms = 86_400_000 }),
        ("a longer timeout", { options, _ in options.timeout_ms = 86_400_001 }),
        ("the greatest input_max", { options, _ in options.input_max = 16 << 20 }),
        ("a greater input_max", { options, _ in options.input_max = 16 << 20 + 1 }),
    ]

    private static let listens: [(String, ListenChange)] = [
        ("a short struct", { options, _ in options.struct_size -= 1 }),
        ("an address that is missing", { options, _ in options.address = .missing }),
        ("a name as address", { $0.address = $1.text("localhost") }),
        ("an address of another machine", { $0.address = $1.text("192.0.2.1") }),
        ("a greater input_max", { options, _ in options.input_max = 16 << 20 + 1 }),
    ]

    private static func names(_ count: Int, _ arena: Arena) -> UnsafePointer<plugboard_bytes_t> {
        UnsafePointer(arena.put((0..<count).map { arena.text("protocol-\($0)") }))
    }

    private static let tlsOptions: [(String, TLSChange)] = [
        ("nothing special", { _, _ in }),
        ("a short struct", { tls, _ in tls.struct_size -= 1 }),
        ("an unknown verification", { tls, _ in tls.verification = PLUGBOARD_TLS_VERIFY_RECORD + 1 }),
        ("a missing identity", { tls, _ in tls.identity = .missing }),
        ("a missing peer name", { tls, _ in tls.peer_name = .missing }),
        ("an identity that nobody configured", { $0.identity = $1.text("nobody") }),
        ("8 protocol names", { ($0.alpn, $0.alpn_count) = (names(8, $1), 8) }),
        ("9 protocol names", { ($0.alpn, $0.alpn_count) = (names(9, $1), 9) }),
        ("-1 protocol names", { ($0.alpn, $0.alpn_count) = (names(1, $1), -1) }),
        ("protocol names that are not there", { tls, _ in (tls.alpn, tls.alpn_count) = (nil, 1) }),
        ("a missing protocol name", { ($0.alpn, $0.alpn_count) = (UnsafePointer($1.put([.missing])), 1) }),
        ("an empty protocol name", { ($0.alpn, $0.alpn_count) = (UnsafePointer($1.put([$1.text("")])), 1) }),
        (
            "a protocol name of 256 bytes",
            { ($0.alpn, $0.alpn_count) = (UnsafePointer($1.put([$1.text(String(repeating: "x", count: 256))])), 1) }
        ),
        ("a certificate required of nobody", { tls, _ in tls.verification = PLUGBOARD_TLS_VERIFY_REQUIRED }),
        (
            "a certificate required of somebody",
            { tls, arena in
                tls.verification = PLUGBOARD_TLS_VERIFY_REQUIRED
                tls.peer_name = arena.text("im.example")
            }
        ),
    ]
}
