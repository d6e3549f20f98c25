import CPlugboard
import ProviderTestKit

/// What a plugin does with what it is offered.
extension Use {
    static let deliveries: [Use] =
        [
            delivery("an envelope that is delivered is gone") { _ in },
            delivery("one that failed is gone") { probe in
                probe.onDeliver = { probe, texts in
                    for text in texts { probe.complete(text, PLUGBOARD_FAILED) }
                    return texts.count
                }
            },
            Use(
                "one that is put off is offered again, with a sign",
                steps: [
                    asking(["hello"]) { probe in
                        probe.onDeliver = { probe, texts in
                            let isFirst = probe.record.count("envelope hello offered again") == 0
                            probe.complete("hello", isFirst ? PLUGBOARD_DEFERRED : PLUGBOARD_DELIVERED)
                            return texts.count
                        }
                    },
                    .heard("envelope hello offered again"),
                ] + Step.quiet("end")
            ),
            Use(
                "what was not taken is offered again after ready(), without a sign",
                steps: [
                    asking(["hello"]) { $0.onDeliver = { _, _ in 0 } },
                    .heard("envelope hello offered"),
                ] + Step.quiet("pause") + [
                    .act { probe in
                        probe.onDeliver = { probe, texts in
                            for text in texts { probe.complete(text, PLUGBOARD_DELIVERED) }
                            return texts.count
                        }
                        probe.ready()
                    },
                    .heard("envelope hello offered", times: 2),
                ] + Step.quiet("end")
            ),
            Use(
                "ready() inside deliver() has the rest offered at once",
                steps: [
                    asking(["hello"]) { probe in
                        probe.onDeliver = { probe, texts in
                            guard probe.record.count("envelope hello offered") == 1 else {
                                probe.complete("hello", PLUGBOARD_DELIVERED)
                                return texts.count
                            }
                            probe.ready()
                            return 0
                        }
                    },
                    .heard("envelope hello offered", times: 2),
                ] + Step.quiet("end")
            ),
            Use("ready() without a reason changes nothing") { $0.ready() },
            Use(
                "a token is settled twice",
                breaks: .settledTwice,
                steps: [
                    asking(["hello"]) { probe in
                        probe.onDeliver = { probe, texts in
                            probe.complete("hello", PLUGBOARD_DELIVERED)
                            probe.complete("hello", PLUGBOARD_FAILED)
                            return texts.count
                        }
                    },
                    .heard("envelope hello offered"),
                ] + Step.quiet("end")
            ),
            Use(
                "what is not taken is settled",
                breaks: .settledWithoutTaking,
                steps: [
                    asking(["hello"]) { probe in
                        probe.onDeliver = { probe, _ in
                            probe.complete("hello", PLUGBOARD_DELIVERED)
                            probe.onDeliver = { $1.count }
                            return 0
                        }
                    },
                    .heard("envelope hello offered"),
                ] + Step.quiet("end")
            ),
            Use(
                "more is taken than there is",
                breaks: .tookTooMuch,
                steps: [
                    asking(["hello"]) { probe in
                        probe.onDeliver = { probe, texts in
                            probe.complete("hello", PLUGBOARD_DELIVERED)
                            return texts.count + 1
                        }
                    },
                    .heard("envelope hello offered"),
                ] + Step.quiet("end")
            ),
            Use(
                "outcomes that are none",
                steps: [
                    asking(["hello"]) { probe in
                        probe.onDeliver = { probe, texts in
                            for result in [0, PLUGBOARD_ACCEPTED, PLUGBOARD_FAILED + 1] {
                                probe.complete("hello", result)
                            }
                            probe.complete("hello", PLUGBOARD_FAILED) { $0.reason = .missing }
                            probe.complete("hello", PLUGBOARD_FAILED) { $0.code = .missing }
                            probe.complete("hello", PLUGBOARD_FAILED) { $0.struct_size -= 1 }
                            let token = probe.tokens["hello"] ?? 0
                            probe.note("complete with nothing", probe.call { $0.complete($1, token, nil) })
                            probe.complete("hello", PLUGBOARD_DELIVERED)
                            return texts.count
                        }
                    },
                    .heard("envelope hello offered"),
                ] + Step.quiet("end")
            ),
        ]
        + [0, 1, 17, UInt64.max].map { token in
            Use("token \(token) that never was is settled", breaks: .unknownToken) {
                $0.complete("\(token)", PLUGBOARD_DELIVERED)
            }
        }

    /// Claims the probe's domain, and has home users write.
    private static func asking(_ texts: [String], _ prepare: @escaping Action) -> Step {
        .act { probe in
            prepare(probe)
            probe.claim(PLUGBOARD_CLAIM_DOMAIN, probe.domain)
            probe.ask(for: texts)
        }
    }

    private static func delivery(_ name: String, _ prepare: @escaping Action) -> Use {
        Use(name, steps: [asking(["hello"], prepare), .heard("envelope hello offered")] + Step.quiet("end"))
    }
}
