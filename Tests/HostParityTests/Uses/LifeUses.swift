import CPlugboard
import ProviderTestKit

/// When a plugin may call its host, and the few calls that may come at any time.
extension Use {
    static let life: [Use] =
        everyCall.flatMap { call in
            [
                Use("\(call.name) in create()", breaks: .callBeforeStart) { _ in }
                    .with { $0.inCreate = call.action },
                Use("\(call.name) in destroy()", breaks: .callAfterDestroy) { _ in }
                    .with { $0.inDestroy = call.action },
            ]
        }
        + beginnings.map { call in
            Use("\(call.name) in stop()", breaks: .callInStop) { _ in }.with { $0.inStop = call.action }
        } + [
            Use("clocks, chance and log at any time") { _ in }
                .with {
                    $0.inCreate = anyTime
                    $0.inStop = anyTime
                },
            Use("what is not there is asked for and not found") { probe in
                for id in ["", "plugboard.digest", "plugboard.digest/2", "plugboard.status/1"] {
                    probe.note("extension \(id)", gave: probe.call { $0.extension($1, id) } == nil ? "none" : "one")
                }
                probe.note("no extension", gave: probe.call { $0.extension($1, nil) } == nil ? "none" : "one")
            },
            Use("a timer that runs is cancelled in stop()") { $0.startTimer(60_000, user: "late") }
                .with { $0.inStop = { $0.cancelTimer("t1") } },
            Use("a stream is used in stop()", breaks: .streamAfterClosed) { probe in
                probe.connect(probe.listen())
            }
            .with {
                $0.inDrain = { _ in }
                $0.inStop = { probe in
                    probe.write("s1", "x")
                    probe.finish("s1")
                    probe.abort("s1")
                    probe.peerAddress("s1")
                }
            },
            Use("requests, sockets and series are used in stop()") { probe in
                probe.request("/silence")
                probe.bind()
                probe.declare("late")
                probe.series("m1", [])
            }
            .with {
                $0.inStop = { probe in
                    probe.cancel("h1")
                    probe.send("u1", "late", to: 9)
                    probe.closeSocket("u1")
                    probe.add("v1", 1)
                    probe.recordValue("v1", 1)
                }
            },
            Use("a listener is closed in stop()") { probe in _ = probe.listen() }
                .with { $0.inStop = { $0.closeListener("l1") } },
            Use(
                "what is held is settled in stop(), and ready() says nothing any more",
                steps: [
                    .act { probe in
                        probe.claim(PLUGBOARD_CLAIM_DOMAIN, probe.domain)
                        probe.onDeliver = { $1.count }
                        probe.ask(for: ["hello"])
                    },
                    .heard("envelope hello offered"),
                ]
            )
            .with {
                $0.inStop = { probe in
                    probe.complete("hello", PLUGBOARD_DELIVERED)
                    probe.ready()
                }
            },
        ]

    private static let anyTime: Action = { probe in
        probe.note("wall_ms", gave: probe.call { $0.wall_ms($1) } > 1_000_000_000_000 ? "a time" : "none")
        probe.note("monotonic_ns", gave: probe.call { $0.monotonic_ns($1) } < .max ? "a time" : "none")
        var bytes = [UInt8](repeating: 0, count: 32)
        probe.call { $0.random($1, &bytes, 32) }
        probe.note("random", gave: bytes.allSatisfy { $0 == 0 } ? "nothing" : "bytes")
        probe.call { $0.random($1, nil, 5) }
        var byte: UInt8 = 0xEE
        probe.call { $0.random($1, &byte, 0) }
        probe.call { $0.random($1, &byte, -1) }
        probe.note("random of no bytes", gave: "\(byte)")
        probe.call { $0.log($1, PLUGBOARD_LOG_DEBUG, probe.arena.text("a line")) }
        probe.call { $0.log($1, PLUGBOARD_LOG_ERROR, .missing) }
        probe.note("extension", gave: probe.call { $0.extension($1, PLUGBOARD_EXT_DIGEST) } == nil ? "none" : "one")
    }

    private struct Call: Sendable {
        var name: String
        var action: Action
    }

    /// What begins something new.
    private static let beginnings: [Call] = [
        Call(name: "submit") { $0.submit("early") },
        Call(name: "claim") { $0.claim(PLUGBOARD_CLAIM_DOMAIN, $0.domain) },
        Call(name: "connect") { $0.connect(7) },
        Call(name: "listen") { _ = $0.listen() },
        Call(name: "start_timer") { $0.startTimer(10, user: "early") },
        Call(name: "resolve") { $0.resolve(PLUGBOARD_RECORD_ADDRESS, "two.example") },
        Call(name: "http.request") { $0.request("/hello") },
        Call(name: "udp.bind") { _ = $0.bind() },
        Call(name: "metrics.declare") { $0.declare("early") },
        Call(name: "metrics.series") { $0.series("17", []) },
        Call(name: "accounts.follow") { $0.followAccounts() },
        Call(name: "accounts.password") { $0.askPassword("17") },
        Call(name: "store.get") { $0.get(.plain, $0.arena.text("key")) },
        Call(name: "store.put") { $0.put(.plain, $0.arena.text("key"), $0.arena.text("value")) },
        Call(name: "store.remove") { $0.remove(.plain, $0.arena.text("key")) },
        Call(name: "store.list") { $0.list(.plain, .none, limit: 1) },
    ]

    /// All that needs an instance that was started.
    private static let everyCall: [Call] =
        beginnings + [
            Call(name: "complete") { $0.complete("17", PLUGBOARD_DELIVERED) },
            Call(name: "ready") { $0.ready() },
            Call(name: "close_listener") { $0.closeListener("17") },
            Call(name: "write") { $0.write("17", "x") },
            Call(name: "set_reading") { $0.setReading("17", 1) },
            Call(name: "finish") { $0.finish("17") },
            Call(name: "abort") { $0.abort("17") },
            Call(name: "start_tls") { $0.startTLS("17") },
            Call(name: "certificate_matches") { $0.certificateMatches("17") },
            Call(name: "peer_address") { $0.peerAddress("17") },
            Call(name: "cancel_timer") { $0.cancelTimer("17") },
            Call(name: "http.cancel") { $0.cancel("17") },
            Call(name: "http.set_reading") { $0.setReadingOfAnswer("17", 1) },
            Call(name: "udp.send") { $0.send("17", "x", to: 9) },
            Call(name: "udp.close") { $0.closeSocket("17") },
            Call(name: "udp.counters") { $0.counters("17") },
            Call(name: "metrics.add") { $0.add("17", 1) },
            Call(name: "metrics.record") { $0.recordValue("17", 1) },
        ]
}
