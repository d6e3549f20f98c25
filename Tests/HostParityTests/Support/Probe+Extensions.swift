import CPlugboard

/// A probe's tables for the answers of the host's extensions.
extension Probe {
    /// The table of an id, if the use wants answers of it.
    func events(_ id: String) -> UnsafeRawPointer? {
        guard use.events?.contains(id) ?? true else { return nil }
        switch id {
        case PLUGBOARD_EXT_ACCOUNTS: return UnsafeRawPointer(arena.put(Self.accountEvents()))
        case PLUGBOARD_EXT_STORE: return UnsafeRawPointer(arena.put(Self.storeEvents("plain")))
        case PLUGBOARD_EXT_SECRETS: return UnsafeRawPointer(arena.put(Self.storeEvents("secret")))
        case PLUGBOARD_EXT_HTTP: return UnsafeRawPointer(arena.put(Self.httpEvents()))
        case PLUGBOARD_EXT_UDP: return UnsafeRawPointer(arena.put(Self.udpEvents()))
        default: return nil
        }
    }

    private static func storeEvents(_ kind: String) -> plugboard_store_events_t {
        var table = plugboard_store_events_t()
        table.struct_size = structSize(plugboard_store_events_t.self)
        table.done = { pointer, request, user, status, entries, count in
            let probe = Probe.from(pointer)
            let texts = UnsafeBufferPointer(start: entries, count: count).map { "\($0.key.text)=\($0.value.text)" }
            let line = "done \(Probe.text(user)) \(statusName(status)) \(texts.joined(separator: " "))"
            probe.heard(probe.name("r", request), line)
        }
        return table
    }

    // MARK: Log

    /// Writes a line with so many fields, changed as wanted.
    func writeLine(
        _ what: String,
        fields: Int,
        count: Int? = nil,
        _ change: (inout plugboard_log_field_t) -> Void = { _ in }
    ) {
        var field = plugboard_log_field_t()
        field.struct_size = structSize(plugboard_log_field_t.self)
        (field.name, field.value) = (arena.text("kind"), arena.text("message"))
        change(&field)
        let all = fields < 0 ? nil : arena.put([plugboard_log_field_t](repeating: field, count: fields))
        let status = withExtension(PLUGBOARD_EXT_LOG, as: plugboard_log_t.self) {
            $0.write($1, PLUGBOARD_LOG_DEBUG, arena.text(what), all, count ?? fields)
        }
        note("log.write \(what)", status)
    }

    // MARK: Stores

    /// Which of the two stores.
    enum Store: String, Sendable, CaseIterable {
        case plain
        case secret

        var id: String { self == .plain ? PLUGBOARD_EXT_STORE : PLUGBOARD_EXT_SECRETS }
    }

    func get(_ store: Store, _ key: plugboard_bytes_t) {
        ask(store, "get") { $0.get($1, key, Probe.pointer("x"), $2) }
    }

    func put(
        _ store: Store,
        _ key: plugboard_bytes_t,
        _ value: plugboard_bytes_t,
        _ condition: plugboard_store_condition_t? = nil
    ) {
        let place = condition.map { UnsafePointer(arena.put($0)) }
        ask(store, "put") { $0.put($1, key, value, place, Probe.pointer("x"), $2) }
    }

    func remove(_ store: Store, _ key: plugboard_bytes_t) {
        ask(store, "remove") { $0.remove($1, key, Probe.pointer("x"), $2) }
    }

    func list(_ store: Store, _ prefix: plugboard_bytes_t, after: plugboard_bytes_t = .none, limit: UInt32) {
        ask(store, "list") { $0.list($1, prefix, after, limit, Probe.pointer("x"), $2) }
    }

    private func ask(
        _ store: Store,
        _ what: String,
        _ body: (plugboard_store_t, UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt64>) -> plugboard_status_t
    ) {
        var request: UInt64 = 0
        let status = withExtension(store.id, as: plugboard_store_t.self) { body($0, $1, &request) }
        note("\(what) \(status == PLUGBOARD_OK ? issue("r", request) : "none")", status)
    }
}
