import CPlugboard
import ProviderTestKit

/// The stores and the digests.
extension Use {
    static let stores: [Use] = Probe.Store.allCases.flatMap { store in
        [
            Use(
                "\(store.rawValue): what is put is got, listed and removed",
                steps: [
                    .act { probe in
                        probe.put(store, probe.arena.text("a"), probe.arena.text("one"))
                        probe.get(store, probe.arena.text("a"))
                        probe.put(store, probe.arena.text("b"), probe.arena.text("two"))
                        probe.list(store, .none, limit: 10)
                        probe.list(store, .none, after: probe.arena.text("a"), limit: 10)
                        probe.list(store, probe.arena.text("b"), limit: 1)
                        probe.remove(store, probe.arena.text("a"))
                        probe.remove(store, probe.arena.text("a"))
                        probe.get(store, probe.arena.text("a"))
                    },
                    .heard("r9 done"),
                ]
            ),
            Use(
                "\(store.rawValue): a put under a condition",
                steps: [
                    .act { probe in
                        let (key, one, two) = (probe.arena.text("k"), probe.arena.text("1"), probe.arena.text("2"))
                        probe.put(store, key, one, condition(PLUGBOARD_STORE_IF_EQUAL, one))
                        probe.put(store, key, one, condition(PLUGBOARD_STORE_IF_ABSENT))
                        probe.put(store, key, two, condition(PLUGBOARD_STORE_IF_ABSENT))
                        probe.put(store, key, two, condition(PLUGBOARD_STORE_IF_EQUAL, one))
                        probe.put(store, key, two, condition(PLUGBOARD_STORE_IF_EQUAL, one))
                        probe.get(store, key)
                    },
                    .heard("r6 done"),
                ]
            ),
            Use("\(store.rawValue): requests that are none") { probe in
                let arena = probe.arena
                let key = arena.text("k")
                let longest = arena.text(String(repeating: "k", count: 512))
                let longer = arena.text(String(repeating: "k", count: 513))
                probe.get(store, .none)
                probe.get(store, .missing)
                probe.get(store, longer)
                probe.put(store, key, .missing)
                probe.put(store, longer, .none)
                probe.put(store, key, .none, condition(0))
                probe.put(store, key, .none, condition(3))
                probe.put(store, key, .none, condition(PLUGBOARD_STORE_IF_EQUAL, .missing))
                var short = condition(PLUGBOARD_STORE_IF_ABSENT)
                short.struct_size -= 1
                probe.put(store, key, .none, short)
                probe.remove(store, longer)
                probe.list(store, .none, limit: 0)
                probe.list(store, .none, limit: 1001)
                probe.list(store, longer, limit: 1)
                probe.list(store, longest, after: longest, limit: 1000)
                probe.list(store, .missing, limit: 1)
                probe.list(store, .none, after: longer, limit: 1)
            },
            Use("\(store.rawValue): values at their limit and past it") { probe in
                let most = store == .plain ? 1 << 20 : 64 << 10
                let key = probe.arena.text("k")
                probe.put(store, key, probe.arena.bytes([UInt8](repeating: 0x78, count: most)))
                probe.put(store, key, probe.arena.bytes([UInt8](repeating: 0x78, count: most + 1)))
                let expected = probe.arena.bytes([UInt8](repeating: 0x78, count: most + 1))
                probe.put(store, key, .none, condition(PLUGBOARD_STORE_IF_EQUAL, expected))
            },
            Use("\(store.rawValue): requests without an answer at their limit") { probe in
                for _ in 0..<257 { probe.get(store, probe.arena.text("k")) }
            },
            Use("\(store.rawValue): bytes without an answer at their limit") { probe in
                let most = store == .plain ? 1 << 20 : 64 << 10
                let value = probe.arena.bytes([UInt8](repeating: 0x78, count: most))
                for number in 0..<((8 << 20) / most) { probe.put(store, probe.arena.text("key \(number)"), value) }
            },
            Use("\(store.rawValue): without a table for the answers") { probe in
                probe.get(store, probe.arena.text("k"))
                probe.get(store, .missing)
                probe.list(store, .none, limit: 0)
            }
            .with { $0.events = [] },
        ]
    }

    private static func condition(_ kind: UInt32, _ value: plugboard_bytes_t = .none) -> plugboard_store_condition_t {
        plugboard_store_condition_t(
            struct_size: structSize(plugboard_store_condition_t.self),
            kind: kind,
            value: value
        )
    }

    static let lines: [Use] = [
        Use("lines with fields") { probe in
            probe.writeLine("without fields", fields: 0)
            probe.writeLine("with NULL for them", fields: -1, count: 0)
            probe.writeLine("with NULL, and a count", fields: -1, count: 1)
            probe.writeLine("16 fields", fields: 16)
            probe.writeLine("17 fields", fields: 17)
            probe.writeLine("-1 fields", fields: 1, count: -1)
            probe.writeLine("a short field", fields: 1) { $0.struct_size -= 1 }
            probe.writeLine("a wrong name", fields: 1) { $0.name = .none }
            probe.writeLine("a missing name", fields: 1) { $0.name = .missing }
            probe.writeLine("a missing value", fields: 1) { $0.value = .missing }
            let status = probe.withExtension(PLUGBOARD_EXT_LOG, as: plugboard_log_t.self) {
                $0.write($1, PLUGBOARD_LOG_DEBUG, .missing, nil, 0)
            }
            probe.note("a missing line", status)
        },
        Use("a line in destroy()", breaks: .callAfterDestroy) { _ in }
            .with { $0.inDestroy = { $0.writeLine("goodbye", fields: 1) } },
    ]

    static let digests: [Use] = [
        Use("digests of bytes, and of none") { probe in
            for algorithm in 0...UInt32(4) {
                for text in ["", "abc", String(repeating: "x", count: 1000)] {
                    probe.digest(algorithm, probe.arena.text(text), key: nil)
                    probe.digest(algorithm, probe.arena.text(text), key: probe.arena.text("key"))
                    probe.digest(algorithm, probe.arena.text(text), key: probe.arena.text(""))
                }
            }
            probe.digest(PLUGBOARD_DIGEST_MD5, .missing, key: nil)
            probe.digest(PLUGBOARD_DIGEST_MD5, .missing, key: probe.arena.text("key"))
            probe.digest(PLUGBOARD_DIGEST_MD5, probe.arena.text("abc"), key: .missing)
        }
    ]
}

extension Probe {
    fileprivate func digest(_ algorithm: UInt32, _ data: plugboard_bytes_t, key: plugboard_bytes_t?) {
        withExtension(PLUGBOARD_EXT_DIGEST, as: plugboard_digest_t.self) { table, context in
            var output = [UInt8](repeating: 0, count: 64)
            let count =
                if let key {
                    table.hmac(context, algorithm, key, data, &output)
                } else {
                    table.hash(context, algorithm, data, &output)
                }
            let without = table.hash(context, algorithm, data, nil)
            note("digest \(algorithm)", gave: "\(count) \(output) \(statusName(without))")
        }
    }
}
