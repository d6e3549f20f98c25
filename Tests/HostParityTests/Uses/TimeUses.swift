import CPlugboard
import ProviderTestKit

/// Timers and names.
extension Use {
    private static let month: UInt64 = 30 * 24 * 3600 * 1000

    static let time: [Use] =
        [
            Use(
                "timers fire once, and in the order of their times",
                steps: [
                    .act { probe in
                        probe.startTimer(120, user: "last")
                        probe.startTimer(0, user: "first")
                        probe.startTimer(60, user: "middle")
                    },
                    .heard("timer first fired"),
                    .act { $0.note("then", gave: "first") },
                    .heard("timer middle fired"),
                    .act { $0.note("then", gave: "middle") },
                    .heard("timer last fired"),
                ]
            ),
            Use(
                "a timer that was cancelled does not fire, and cannot be cancelled again",
                steps: [
                    .act { probe in
                        probe.startTimer(10, user: "never")
                        probe.cancelTimer("t1")
                        probe.cancelTimer("t1")
                    }
                ] + Step.quiet("end")
            ),
            Use(
                "a timer that fired cannot be cancelled",
                steps: [
                    .act { $0.startTimer(1, user: "once") },
                    .heard("timer once fired"),
                    .act { $0.cancelTimer("t1") },
                ]
            ),
            Use("a timer's delay has a limit") { probe in
                probe.startTimer(month, user: "month")
                probe.startTimer(month + 1, user: "more")
                probe.startTimer(.max, user: "most")
                probe.note("no timer", probe.call { $0.start_timer($1, 1, nil, nil) })
            },
            Use(
                "there is a limit to the timers",
                steps: [
                    .act { probe in
                        var counts: [plugboard_status_t: Int] = [:]
                        var timer: UInt64 = 0
                        for _ in 0..<65_540 {
                            counts[probe.call { $0.start_timer($1, month, nil, &timer) }, default: 0] += 1
                        }
                        for (status, count) in counts.sorted(by: { $0.key < $1.key }) {
                            probe.note("\(count) × start_timer", status)
                        }
                    }
                ]
            ),
        ]
        + [0, 1, 17, 1 << 32, UInt64.max].map { handle in
            Use("timer \(handle) that never was is cancelled", breaks: .unknownHandle) { $0.cancelTimer("\(handle)") }
        } + names

    private static let names: [Use] = [
        answer("a name with addresses", PLUGBOARD_RECORD_ADDRESS, "two.example"),
        answer("a name in capitals with a dot behind it", PLUGBOARD_RECORD_ADDRESS, "TWO.example."),
        answer("an address as name", PLUGBOARD_RECORD_ADDRESS, "192.0.2.77"),
        answer("an IPv6 address as name", PLUGBOARD_RECORD_ADDRESS, "2001:db8::7"),
        answer("a name that is none", PLUGBOARD_RECORD_ADDRESS, "no name at all"),
        answer("a name with an empty label", PLUGBOARD_RECORD_TXT, "a..example"),
        answer("a name that nobody can look up", PLUGBOARD_RECORD_TXT, "broken.example"),
        answer("services that nobody can look up", PLUGBOARD_RECORD_SRV, "_im._tcp.broken.example"),
        Use("questions that are none") { probe in
            for type in [0, 4, UInt32.max] { probe.resolve(type, "two.example") }
            var query: UInt64 = 0
            let word = probe.arena.text("two.example")
            probe.note("a missing name", probe.call { $0.resolve($1, PLUGBOARD_RECORD_TXT, .missing, nil, &query) })
            probe.note("no query", probe.call { $0.resolve($1, PLUGBOARD_RECORD_TXT, word, nil, nil) })
        },
        Use("a question about no name", steps: [.act { $0.resolve(PLUGBOARD_RECORD_TXT, "") }] + Step.quiet("end")),
        Use("there is a limit to the questions") { probe in
            var counts: [plugboard_status_t: Int] = [:]
            let word = probe.arena.text("two.example")
            var query: UInt64 = 0
            for _ in 0..<260 {
                let status = probe.call { $0.resolve($1, PLUGBOARD_RECORD_ADDRESS, word, nil, &query) }
                counts[status, default: 0] += 1
            }
            for (status, count) in counts.sorted(by: { $0.key < $1.key }) { probe.note("\(count) × resolve", status) }
        }
        .with { $0.inDrain = { _ in } },
    ]

    private static func answer(_ name: String, _ type: UInt32, _ host: String) -> Use {
        Use("the answer to \(name)", steps: [.act { $0.resolve(type, host) }, .heard("q1 resolved")])
    }
}
