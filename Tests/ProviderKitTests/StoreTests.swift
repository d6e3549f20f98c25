import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Store and secrets in Swift")
struct StoreTests {
    private func lab() -> Lab {
        let lab = Lab()
        for id in [PLUGBOARD_EXT_STORE, PLUGBOARD_EXT_SECRETS] {
            lab.fake.extensions[id] = UnsafeRawPointer(FakeStore.table)
        }
        return lab
    }

    @Test("requests cross whole")
    func requests() throws {
        let lab = lab()
        try lab.host.store.get([107]) { _ in }
        try lab.host.store.put([107], [118])
        try lab.host.store.put([107], [118], if: .absent)
        try lab.host.secrets.put([107], [118], if: .equals([119]))
        try lab.host.store.remove([107])
        try lab.host.store.list(prefix: [112], after: [97], limit: 7) { _ in }
        #expect(
            lab.fake.calls == [
                "get k", "put k v", "put k v 1 ", "put k v 2 w", "remove k", "list p a 7",
            ]
        )
    }

    @Test("answers come once, to the one who asked, of the store or of the secrets")
    func answers() throws {
        let lab = lab()
        var events: [String] = []
        try lab.host.store.get([107]) { events.append("store \($0)") }
        try lab.host.secrets.get([107]) { events.append("secrets \($0)") }
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_SECRETS, 1, PLUGBOARD_OK, [("", "v")])
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_SECRETS, 2, PLUGBOARD_OK, [("", "s")])
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_STORE, 1, PLUGBOARD_OK, [])
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_STORE, 1, PLUGBOARD_OK, [])
        #expect(events == ["secrets success(Optional([115]))", "store success(nil)"])
    }

    @Test("conflicts, lists and failures are told apart")
    func kinds() throws {
        let lab = lab()
        var puts: [Result<StorePut, HostError>] = []
        var keys: [[UInt8]] = []
        var removals = 0
        for _ in 0..<3 { try lab.host.store.put([107], [118]) { puts.append($0) } }
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_STORE, 1, PLUGBOARD_OK, [])
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_STORE, 2, PLUGBOARD_E_CONFLICT, [("", "w")])
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_STORE, 3, PLUGBOARD_E_SYSTEM, [])
        #expect(puts == [.success(.done), .success(.conflict([119])), .failure(.system)])
        try lab.host.store.list { keys = (try? $0.get()) ?? [] }
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_STORE, 4, PLUGBOARD_OK, [("a", ""), ("b", "")])
        #expect(keys == [[97], [98]])
        try lab.host.store.remove([107]) { if case .failure(.limitReached) = $0 { removals += 1 } }
        FakeStore.tell(lab.fake, PLUGBOARD_EXT_STORE, 5, PLUGBOARD_E_LIMIT, [])
        #expect(removals == 1)
    }

    @Test("a refused request is told so, and a host without a store says that")
    func refusals() throws {
        let lab = lab()
        lab.fake.status = PLUGBOARD_E_UNSUPPORTED
        #expect(throws: HostError.unsupported) { try lab.host.secrets.get([1]) { _ in } }
        lab.fake.extensions = [:]
        lab.fake.status = PLUGBOARD_OK
        #expect(throws: HostError.unsupported) { try lab.host.store.get([1]) { _ in } }
    }
}

/// A host's store that notes what it is asked.
enum FakeStore {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = InstanceBox.immortal(
        plugboard_store_t(
            struct_size: structSize(plugboard_store_t.self),
            reserved: 0,
            get: { FakeStore.note($0, "get \($1.string)", $3) },
            put: { context, key, value, condition, _, request in
                let suffix = condition.map { " \($0.pointee.kind) \($0.pointee.value.string)" } ?? ""
                return FakeStore.note(context, "put \(key.string) \(value.string)\(suffix)", request)
            },
            remove: { FakeStore.note($0, "remove \($1.string)", $3) },
            list: { FakeStore.note($0, "list \($1.string) \($2.string) \($3)", $5) }
        )
    )

    private static func note(
        _ context: UnsafeMutableRawPointer?,
        _ call: String,
        _ request: UnsafeMutablePointer<plugboard_store_request_t>?
    ) -> plugboard_status_t {
        let host = FakeHost.from(context)
        request?.pointee = host.newHandle()
        return host.noted(call)
    }

    static func tell(
        _ host: FakeHost,
        _ id: String,
        _ request: UInt64,
        _ status: plugboard_status_t,
        _ entries: [(String, String)]
    ) {
        var strings = StringBlock()
        for (key, value) in entries {
            strings.append(key)
            strings.append(value)
        }
        strings.withSpans { spans in
            let entries = entries.indices.map { index in
                plugboard_store_entry_t(
                    struct_size: structSize(plugboard_store_entry_t.self),
                    reserved: 0,
                    key: spans[2 * index],
                    value: spans[2 * index + 1]
                )
            }
            host.events(id, plugboard_store_events_t.self) { $0.done($1, request, nil, status, entries, entries.count) }
        }
    }
}
