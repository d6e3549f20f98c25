import CPlugboard
import ProviderTestKit

/// Datagrams of a probe to itself, and metrics.
extension Use {
    static let datagrams: [Use] = [
        Use(
            "datagrams arrive in order, and are counted",
            steps: [
                .act { probe in
                    let port = probe.bind()
                    probe.bind()
                    probe.send("u2", "one", to: port)
                    probe.send("u2", "two", to: port)
                    probe.send("u2", "", to: port)
                },
                .heard("u1 datagram", times: 3),
            ] + Step.quiet("end") + [
                .act { probe in
                    probe.counters("u1")
                    probe.counters("u2")
                    probe.counters("u1", size: structSize(plugboard_udp_counters_t.self) - 1)
                }
            ]
        ),
        Use(
            "a closed socket says nothing more",
            steps: [
                .act { probe in
                    let port = probe.bind()
                    probe.bind()
                    probe.send("u2", "late", to: port)
                    probe.closeSocket("u1")
                }
            ] + Step.quiet("end")
        ),
        Use("a closed socket is used", breaks: .socketAfterClosed) { probe in
            let port = probe.bind()
            probe.closeSocket("u1")
            probe.send("u1", "late", to: port)
            probe.counters("u1")
            probe.closeSocket("u1")
        },
        Use("a socket that never was is closed", breaks: .unknownHandle) { $0.closeSocket("17") },
        Use("a socket that never was sends", breaks: .unknownHandle) { $0.send("17", "x", to: 9) },
        Use("addresses to bind to") { probe in
            probe.bind { options, _ in options.struct_size -= 1 }
            probe.bind { options, _ in options.address = .missing }
            probe.bind { options, _ in options.address = .none }
            probe.bind { $0.address = $1.text("localhost") }
            probe.bind { $0.address = $1.text("192.0.2.1") }
            probe.bind { $0.address = $1.text("0.0.0.0") }
            let port = probe.bind()
            probe.bind { options, _ in options.port = port }
        },
        Use("datagrams that are none") { probe in
            probe.bind()
            let most = String(repeating: "x", count: 65_507)
            probe.send("u1", "no port", to: 0)
            probe.send("u1", "no address", to: 9) { $0.address = $1.text("localhost") }
            probe.send("u1", "another kind", to: 9) { $0.address = $1.text("::1") }
            probe.send("u1", "missing", to: 9) { datagram, _ in datagram.payload = .missing }
            probe.send("u1", "short", to: 9) { datagram, _ in datagram.struct_size -= 1 }
            probe.send("u1", most, to: 9)
            probe.send("u1", most + "x", to: 9)
            probe.send("u1", "too many", to: 9, count: 1025)
            probe.send("u1", "none", to: 9, count: 0)
        },
        Use("only so many datagrams wait") { probe in
            probe.bind()
            probe.send("u1", "many", to: 9, count: 1000)
            probe.send("u1", "more", to: 9, count: 100)
            probe.send("u1", "none", to: 9)
        },
        Use("only so many bytes wait") { probe in
            probe.bind()
            probe.send("u1", String(repeating: "x", count: 60_000), to: 9, count: 20)
        },
        Use("there is a limit to the sockets") { probe in for _ in 0..<65 { probe.bind() } },
        Use("datagrams without a table for them") { probe in _ = probe.bind() }.with { $0.events = [] },
    ]

    static let metrics: [Use] = [
        Use("a counter, a gauge and a histogram") { probe in
            probe.declare("logins")
            probe.declare("level") { declaration, _ in declaration.kind = PLUGBOARD_METRIC_GAUGE }
            probe.declare("wait") { declaration, arena in
                declaration.kind = PLUGBOARD_METRIC_HISTOGRAM
                declaration.unit = arena.text("seconds")
            }
            for metric in ["m1", "m2", "m3"] { probe.series(metric, []) }
            for series in ["v1", "v2", "v3"] {
                for amount in [0, 1, 1.5, -1, .nan, .infinity] { probe.add(series, amount) }
                probe.recordValue(series, 5)
            }
        },
        Use("series by their labels") { probe in
            probe.declare("logins") { declaration, arena in
                declaration.labels = UnsafePointer(arena.put([arena.text("outcome"), arena.text("kind")]))
                declaration.label_count = 2
            }
            probe.series("m1", ["ok", "a"])
            probe.series("m1", ["ok", "b"])
            probe.series("m1", ["ok", "a"])
            probe.series("m1", ["ok"])
            probe.series("m1", ["ok", "a", "b"])
            probe.series("m1", ["ok", String(repeating: "x", count: 128)])
            probe.series("m1", ["ok", String(repeating: "x", count: 129)])
        },
        Use("a metric of the same name, of the same kind and of another") { probe in
            probe.declare("twice_\(probe.id)") { declaration, _ in declaration.kind = PLUGBOARD_METRIC_GAUGE }
            probe.declare("twice_\(probe.id)") { declaration, _ in declaration.kind = PLUGBOARD_METRIC_GAUGE }
            probe.declare("twice_\(probe.id)") { declaration, _ in declaration.kind = PLUGBOARD_METRIC_HISTOGRAM }
            probe.declare("twice_\(probe.id)")
        },
        Use("a series that never was", breaks: .unknownHandle) { $0.add("17", 1) },
        Use("a metric that never was", breaks: .unknownHandle) { $0.series("17", []) },
        Use("there is a limit to the metrics") { probe in for number in 0..<129 { probe.declare("many_\(number)") } },
        Use("declarations that are none") { probe in
            for name in ["", "Logins", "1st", "two words", "a__b", "end_", "x_total", "x_sum", "x_count", "x_bucket"] {
                probe.declare(name)
            }
            probe.declare(String(repeating: "a", count: 64))
            probe.declare(String(repeating: "a", count: 65))
            probe.declare("short") { declaration, _ in declaration.struct_size -= 1 }
            probe.declare("kind") { declaration, _ in declaration.kind = 4 }
            probe.declare("no_help") { declaration, _ in declaration.help = .none }
            probe.declare("long_help") { $0.help = $1.text(String(repeating: "x", count: 257)) }
            probe.declare("unit") { $0.unit = $1.text("Seconds") }
            for labels in [["instance"], ["le"], ["a", "a"], ["A"], (0..<9).map { "l\($0)" }, ["ok", "fine"]] {
                probe.declare("labels") { declaration, arena in
                    declaration.labels = UnsafePointer(arena.put(labels.map { arena.text($0) }))
                    declaration.label_count = labels.count
                }
            }
            for buckets in [[1, 2], [2, 1], [1, 1], [.nan], (0..<33).map { Double($0) }] {
                probe.declare("buckets") { declaration, arena in
                    declaration.kind = PLUGBOARD_METRIC_HISTOGRAM
                    declaration.buckets = UnsafePointer(arena.put(buckets))
                    declaration.bucket_count = buckets.count
                }
            }
            probe.declare("buckets_of_a_counter") { declaration, arena in
                declaration.buckets = UnsafePointer(arena.put([1.0]))
                declaration.bucket_count = 1
            }
        },
    ]
}
