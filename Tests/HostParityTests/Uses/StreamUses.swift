import CPlugboard
import ProviderTestKit

/// Connections of a probe to itself: `s1` is the end that connected, `a1` the one that was accepted.
extension Use {
    static let streams: [Use] =
        [
            connected(
                "bytes go both ways, and the end comes in order",
                [
                    .act { $0.write("s1", "hello ") },
                    .act { $0.write("s1", "there") },
                    .heard("a1 received a1 hello there"),
                    .act { $0.write("a1", "good day") },
                    .heard("s1 received s1 good day"),
                    .act { $0.finish("s1") },
                    .heard("s1 closed"), .heard("a1 closed"),
                ]
            ),
            Use(
                "nobody listens",
                steps: [
                    .act { probe in
                        let port = probe.listen()
                        probe.closeListener("l1")
                        probe.startTimer(50, user: "closed")
                        probe.onPort = port
                    },
                    .heard("timer closed fired"),
                    .act { $0.connect($0.onPort) },
                    .heard("s1 closed"),
                ]
            ),
            Use(
                "a name that cannot be looked up",
                steps: [
                    .act { $0.connect(9) { $0.host = $1.text("broken.example") } }, .heard("s1 closed"),
                ]
            ),
            Use(
                "a connection that is not kept",
                steps: [
                    .act { probe in
                        probe.onAccepted = { _, _ in 0 }
                        probe.connect(probe.listen())
                    },
                    .heard("s1 closed"),
                ] + Step.quiet("end")
            ),
            Use(
                "a stream that does not stand yet takes nothing",
                steps: [
                    .act { probe in
                        probe.connect(probe.listen())
                        probe.write("s1", "early")
                        probe.write("s1", "")
                        probe.startTLS("s1")
                        probe.certificateMatches("s1")
                        probe.peerAddress("s1")
                        probe.setReading("s1", 0)
                        probe.setReading("s1", 1)
                    },
                    .heard("s1 opened"), .heard("a1 opened"),
                ]
            ),
            Use(
                "a stream that was just accepted takes nothing",
                steps: [
                    .act { probe in
                        probe.onAccepted = { probe, name in
                            probe.write(name, "early")
                            probe.peerAddress(name)
                            return 1
                        }
                        probe.connect(probe.listen())
                    },
                    .heard("a1 opened"),
                ]
            ),
            Use(
                "a stream is finished before it stands",
                steps: [
                    .act { probe in
                        probe.connect(probe.listen())
                        probe.finish("s1")
                        probe.finish("s1")
                    },
                    .heard("s1 closed"),
                ]
            ),
            Use(
                "a stream is aborted before it stands",
                steps: [
                    .act { probe in
                        probe.connect(probe.listen())
                        probe.abort("s1")
                        probe.abort("s1")
                        probe.write("s1", "late")
                    },
                    .heard("s1 closed"),
                ]
            ),
            connected(
                "a finished stream takes nothing more",
                [
                    .act { probe in
                        probe.write("s1", "bye")
                        probe.finish("s1")
                        probe.write("s1", "late")
                        probe.setReading("s1", 1)
                        probe.finish("s1")
                        probe.startTLS("s1")
                    },
                    .heard("s1 closed"), .heard("a1 closed"),
                ]
            ),
            connected(
                "an abort may follow a finish, and nothing an abort",
                [
                    .act { probe in
                        probe.finish("s1")
                        probe.abort("s1")
                        probe.abort("s1")
                        probe.finish("s1")
                        probe.write("s1", "late")
                    },
                    .heard("s1 closed"), .heard("a1 closed"),
                ]
            ),
            connected(
                "an abort tells the other end",
                [
                    .act { $0.abort("s1") },
                    .heard("s1 closed"), .heard("a1 closed"),
                ]
            ),
            connected(
                "a stream is used inside its closed()",
                breaks: .streamAfterClosed,
                [
                    .act { $0.finish("s1") }, .heard("s1 closed"), useAll,
                ]
            ),
            connected(
                "one that the peer closed is used inside its closed()",
                breaks: .streamAfterClosed,
                [
                    .act { $0.finish("a1") }, .heard("s1 closed"), useAll,
                ]
            ),
            connected(
                "a stream is used after its closed()",
                breaks: .streamAfterClosed,
                [
                    .act { $0.finish("s1") }, .heard("s1 closed"),
                ] + Step.quiet("pause") + [useAll]
            ),
            connected(
                "the peer's address, and a buffer that is too small",
                [
                    .act { probe in
                        probe.peerAddress("s1")
                        probe.peerAddress("a1")
                        probe.peerAddress("s1", room: 3)
                        probe.note("no buffer", probe.call { $0.peer_address($1, probe.handle("s1"), nil, 64) })
                        probe.certificateMatches("s1")
                    }
                ]
            ),
        ] + input + output

    /// All that can be done with `s1`.
    private static let useAll = Step.act { probe in
        probe.write("s1", "late")
        probe.finish("s1")
        probe.abort("s1")
        probe.setReading("s1", 1)
        probe.startTLS("s1")
        probe.certificateMatches("s1")
        probe.peerAddress("s1")
    }

    private static let input: [Use] = [
        connected(
            "what is not consumed is offered again with what follows",
            [
                .act { probe in
                    probe.onReceived = { _, _, bytes in bytes.count < 6 ? 0 : bytes.count }
                    probe.write("s1", "abc")
                }
            ] + Step.quiet("pause") + [
                .act { $0.write("s1", "def") },
                .heard("a1 received a1 abcdef"),
            ]
        ),
        connected(
            "who does not read gets nothing until he does",
            [
                .act { probe in
                    probe.setReading("a1", 0)
                    probe.write("s1", "wait")
                }
            ] + Step.quiet("pause") + [
                .act { probe in
                    probe.note("so far", gave: "\(probe.record.count("a1 received"))")
                    probe.setReading("a1", 1)
                },
                .heard("a1 received a1 wait"),
            ]
        ),
        connected(
            "what was left is offered again when reading goes on",
            [
                .act { probe in
                    probe.onReceived = { probe, name, bytes in
                        probe.setReading(name, 0)
                        probe.onReceived = { $2.count }
                        return 2
                    }
                    probe.write("s1", "abcd")
                },
                .heard("a1 received a1 ab"),
            ] + Step.quiet("pause") + [
                .act { $0.setReading("a1", 1) },
                .heard("a1 received a1 abcd"),
            ]
        ),
        connected(
            "what came before the end is offered before the end",
            [
                .act { probe in
                    probe.write("s1", "last words")
                    probe.finish("s1")
                },
                .heard("a1 closed"),
            ]
        ),
        connected(
            "more is consumed than there was",
            breaks: .consumedTooMuch,
            [
                .act { probe in
                    probe.onReceived = { $2.count + 1 }
                    probe.write("s1", "abc")
                },
                .heard("a1 received a1 abc"),
                .act { probe in
                    probe.onReceived = { $2.count }
                    probe.write("s1", "def")
                },
                .heard("a1 received a1 abcdef"),
            ]
        ),
        Use(
            "more is left unconsumed than input_max allows",
            steps: [
                .act { probe in
                    probe.onReceived = { _, _, _ in 0 }
                    probe.connect(probe.listen { options, _ in options.input_max = 8 })
                },
                .heard("s1 opened"), .heard("a1 opened"),
                .act { $0.write("s1", "12345678") },
            ] + Step.quiet("pause") + [
                .act { $0.write("s1", "9") },
                .heard("a1 closed"),
            ]
        ),
        Use(
            "a listener takes only so many streams at once",
            steps: [
                .act { probe in
                    let port = probe.listen { options, _ in options.streams_max = 1 }
                    probe.connect(port)
                    probe.onPort = port
                },
                .heard("s1 opened"), .heard("a1 opened"),
                .act { $0.connect($0.onPort) },
                .heard("s2 closed"),
            ] + Step.quiet("end")
        ),
        connected(
            "TLS is started where there is no certificate",
            [
                .act { probe in
                    probe.onReceived = { probe, name, bytes in
                        probe.startTLS(name)
                        return bytes.count
                    }
                    probe.write("s1", "starttls")
                },
                .heard("a1 received a1 starttls"),
            ]
        ),
        connected(
            "TLS is started with options that are wrong",
            [
                .act { probe in
                    probe.note("no options", probe.call { $0.start_tls($1, probe.handle("s1"), nil) })
                    probe.startTLS("s1") { tls, _ in tls.verification = 9 }
                    probe.startTLS("s1") { $0.identity = $1.text("nobody") }
                    probe.startTLS("s1") { tls, _ in tls.verification = PLUGBOARD_TLS_VERIFY_REQUIRED }
                }
            ]
        ),
        connected(
            "plaintext behind STARTTLS ends the stream",
            [
                .act { probe in
                    probe.onReceived = { probe, name, _ in
                        probe.startTLS("s1")
                        return 0
                    }
                    probe.write("a1", "injected")
                },
                .heard("s1 closed"),
            ]
        ),
    ]

    private static let output: [Use] = [
        connected(
            "writes without bytes, and missing ones",
            [
                .act { probe in
                    probe.write("s1", "")
                    probe.note("missing", probe.call { $0.write($1, probe.handle("s1"), .missing) })
                }
            ]
        ),
        connected(
            "a buffer below the mark is not high",
            [.act { $0.write("s1", String(repeating: "x", count: (256 << 10) - 1)) }]
        ),
        connected(
            "a buffer at the mark is high, and writable again",
            [
                .act { $0.write("s1", String(repeating: "x", count: 256 << 10)) },
                .heard("s1 writable"),
            ]
        ),
        // One write each: what was written before may be with the system already.
        connected(
            "a buffer takes all that it has room for, or nothing",
            [
                .act { probe in
                    probe.setReading("a1", 0)
                    for size in [(4 << 20) + 1, 4 << 20] { probe.write("s1", String(repeating: "x", count: size)) }
                }
            ]
        ),
    ]

    private static func connected(
        _ name: String,
        breaks: Violation.Rule? = nil,
        _ steps: [Step]
    ) -> Use {
        Use(
            name,
            breaks: breaks,
            steps: [.act { $0.connect($0.listen()) }, .heard("s1 opened"), .heard("a1 opened")] + steps
        )
    }
}
