import CPlugboard
import HostServices
import Testing

@testable import PluginHost
@testable import Vault

@Suite("Store and secrets across the plugin ABI", .timeLimit(.minutes(1)))
struct StoreTableTests {
    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let store = try KeyValueStore(path: "\(folder.path)/store.db")
        let key = VaultKey.random()
        try SecretVault.make(path: "\(folder.path)/vault.db", key: key)
        let vault = try SecretVault(path: "\(folder.path)/vault.db", key: key)
        try await Bench.with { bench in
            try await bench.withStage(
                prepare: { provider in
                    provider.events(StoreEvents.self)
                    provider.events(SecretEvents.self)
                },
                services: {
                    $0.store = store
                    $0.vault = vault
                },
                body
            )
            store.close()
            vault.close()
        }
    }

    @Test("what was put can be got, listed and removed; store and secrets are apart")
    func use() async throws {
        try await withStage { (stage: Stage) async throws in
            try await stage.on { stage in
                let provider = stage.provider
                for id in [PLUGBOARD_EXT_STORE, PLUGBOARD_EXT_SECRETS] {
                    #expect(provider.put(id, "a/1", "one \(id.contains("store"))") == PLUGBOARD_OK)
                    #expect(provider.put(id, "a/2", "") == PLUGBOARD_OK)
                    #expect(provider.get(id, "a/1") == PLUGBOARD_OK)
                    #expect(provider.get(id, "none") == PLUGBOARD_OK)
                    #expect(provider.list(id, "a/") == PLUGBOARD_OK)
                    #expect(provider.remove(id, "a/1") == PLUGBOARD_OK)
                    #expect(provider.list(id, "a/") == PLUGBOARD_OK)
                }
            }
            await stage.heard("store", times: 7)
            await stage.heard("secrets", times: 7)
            let events = try await stage.events
            func answers(_ name: String, _ value: String) -> [String] {
                ["0", "0", "0 =\(value)", "0", "0 a/1= a/2=", "0", "0 a/2="].map { "\(name) 32 \($0)" }
            }
            #expect(events.filter { $0.hasPrefix("store") } == answers("store", "one true"))
            #expect(events.filter { $0.hasPrefix("secrets") } == answers("secrets", "one false"))
        }
    }

    @Test("a condition that does not hold is answered with what is there")
    func conditions() async throws {
        try await withStage { (stage: Stage) async throws in
            try await stage.on { stage in
                _ = stage.provider.put(PLUGBOARD_EXT_STORE, "k", "1", PLUGBOARD_STORE_IF_ABSENT)
                _ = stage.provider.put(PLUGBOARD_EXT_STORE, "k", "2", PLUGBOARD_STORE_IF_ABSENT)
                _ = stage.provider.put(PLUGBOARD_EXT_STORE, "k", "2", PLUGBOARD_STORE_IF_EQUAL, "1")
                _ = stage.provider.put(PLUGBOARD_EXT_STORE, "x", "2", PLUGBOARD_STORE_IF_EQUAL, "1")
                #expect(stage.provider.put(PLUGBOARD_EXT_STORE, "x", "2", 7) == PLUGBOARD_E_INVALID)
            }
            await stage.heard("store", times: 4)
            let conflict = PLUGBOARD_E_CONFLICT
            #expect(
                try await stage.events.suffix(4) == [
                    "store 32 0", "store 32 \(conflict) =1", "store 32 0", "store 32 \(conflict)",
                ]
            )
        }
    }

    @Test("without a store, a vault or a table of answers there is nothing to ask")
    func unsupported() async throws {
        try await Bench.with { bench in
            try await bench.withStage { (stage: Stage) async throws in
                try await stage.on { stage in
                    #expect(stage.provider.get(PLUGBOARD_EXT_STORE, "k") == PLUGBOARD_E_UNSUPPORTED)
                }
            }
            try await bench.withStage(prepare: { $0.events(SecretEvents.self) }) { (stage: Stage) async throws in
                try await stage.on { stage in
                    #expect(stage.provider.get(PLUGBOARD_EXT_SECRETS, "k") == PLUGBOARD_E_UNSUPPORTED)
                }
            }
        }
    }

    @Test("malformed requests are refused, and nothing is heard after the end")
    func refusals() async throws {
        try await withStage { (stage: Stage) async throws in
            try await stage.on { stage in
                let provider = stage.provider
                #expect(provider.get(PLUGBOARD_EXT_STORE, "") == PLUGBOARD_E_INVALID)
                let long = String(repeating: "k", count: 513)
                #expect(provider.get(PLUGBOARD_EXT_STORE, String(long.dropLast())) == PLUGBOARD_OK)
                #expect(provider.get(PLUGBOARD_EXT_STORE, long) == PLUGBOARD_E_INVALID)
                let large = String(repeating: "v", count: (64 << 10) + 1)
                #expect(provider.put(PLUGBOARD_EXT_SECRETS, "k", String(large.dropLast())) == PLUGBOARD_OK)
                #expect(provider.put(PLUGBOARD_EXT_SECRETS, "k", large) == PLUGBOARD_E_LIMIT)
                let bad = plugboard_bytes_t(start: nil, count: 3)
                let statuses = provider.withExtension(PLUGBOARD_EXT_STORE, as: plugboard_store_t.self) {
                    table,
                    context in
                    var request: UInt64 = 0
                    return [
                        table.get(context, bad, nil, &request), table.remove(context, bad, nil, &request),
                        table.put(context, bad, bad, nil, nil, &request),
                        table.list(context, bad, bad, 1, nil, &request),
                        table.list(context, plugboard_bytes_t(), plugboard_bytes_t(), 1001, nil, &request),
                    ]
                }
                #expect(statuses.allSatisfy { $0 == PLUGBOARD_E_INVALID }, "\(statuses)")
                stage.instance?.stop()
                #expect(provider.get(PLUGBOARD_EXT_STORE, "k") == PLUGBOARD_E_SHUTDOWN)
            }
            #expect(try await stage.on { $0.provider.events.last } == "destroy")
        }
    }
}

/// Notes the answers of `plugboard.store/1`.
enum StoreEvents: RawEvents {
    static let id = PLUGBOARD_EXT_STORE
    static var table: plugboard_store_events_t {
        plugboard_store_events_t(
            struct_size: structSize(plugboard_store_events_t.self),
            reserved: 0,
            done: { RawProvider.from($0).stored("store", $2, $3, UnsafeBufferPointer(start: $4, count: $5)) }
        )
    }
}

/// Notes the answers of `plugboard.secrets/1`.
enum SecretEvents: RawEvents {
    static let id = PLUGBOARD_EXT_SECRETS
    static var table: plugboard_store_events_t {
        plugboard_store_events_t(
            struct_size: structSize(plugboard_store_events_t.self),
            reserved: 0,
            done: { RawProvider.from($0).stored("secrets", $2, $3, UnsafeBufferPointer(start: $4, count: $5)) }
        )
    }
}

extension RawProvider {
    fileprivate func stored(
        _ name: String,
        _ user: UnsafeMutableRawPointer?,
        _ status: plugboard_status_t,
        _ entries: UnsafeBufferPointer<plugboard_store_entry_t>
    ) {
        let texts = entries.map { " \($0.key.string)=\($0.value.string)" }.joined()
        heard("\(name) \(Int(bitPattern: user)) \(status)\(texts)")
    }

    fileprivate func store(
        _ id: String,
        _ call: (plugboard_store_t, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt64>) ->
            plugboard_status_t
    ) -> plugboard_status_t {
        withExtension(id, as: plugboard_store_t.self) { table, context in
            var request: UInt64 = 0
            return call(table, context, UnsafeMutableRawPointer(bitPattern: 32), &request)
        }
    }

    fileprivate func get(_ id: String, _ key: String) -> plugboard_status_t {
        withBytes(key) { key in store(id) { $0.get($1, key, $2, $3) } }
    }

    fileprivate func remove(_ id: String, _ key: String) -> plugboard_status_t {
        withBytes(key) { key in store(id) { $0.remove($1, key, $2, $3) } }
    }

    fileprivate func list(_ id: String, _ prefix: String) -> plugboard_status_t {
        withBytes(prefix) { prefix in store(id) { $0.list($1, prefix, plugboard_bytes_t(), 10, $2, $3) } }
    }

    fileprivate func put(
        _ id: String,
        _ key: String,
        _ value: String,
        _ kind: UInt32? = nil,
        _ expected: String = ""
    ) -> plugboard_status_t {
        withBytes(key) { key in
            withBytes(value) { value in
                withBytes(expected) { expected in
                    var condition = plugboard_store_condition_t()
                    condition.struct_size = structSize(plugboard_store_condition_t.self)
                    condition.kind = kind ?? 0
                    condition.value = expected
                    return store(id) { table, context, user, request in
                        kind == nil
                            ? table.put(context, key, value, nil, user, request)
                            : table.put(context, key, value, &condition, user, request)
                    }
                }
            }
        }
    }
}
