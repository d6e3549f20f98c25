internal import CPlugboard

/// The extensions `plugboard.store/1` and `plugboard.secrets/1` of simulated hosts: keys and values in memory.
///
/// What is stored is the simulation's, by the instance's name, so that a later instance of that name finds it.
enum SimulatedStore {
    /// Which of the two.
    enum Kind: String {
        case plain
        case secret

        /// The extension's id.
        var id: String { self == .plain ? PLUGBOARD_EXT_STORE : PLUGBOARD_EXT_SECRETS }
        /// The most bytes of a value.
        var valueBytesMax: Int { self == .plain ? 1 << 20 : 64 << 10 }
    }

    /// What is asked for.
    enum Request {
        case get(key: [UInt8])
        case put(key: [UInt8], value: [UInt8], Condition)
        case remove(key: [UInt8])
        case list(prefix: [UInt8], after: [UInt8], limit: Int)
    }

    /// What must be there for a put.
    enum Condition {
        case none
        case absent
        case equal([UInt8])
    }

    /// What is answered.
    struct Answer {
        var status: plugboard_status_t = PLUGBOARD_OK
        var entries: [(key: [UInt8], value: [UInt8])] = []
    }

    static let keyBytesRange = 1...512
    static let listMax = 1000
    /// Requests without an answer.
    static let pendingMax = 256

    /// Carries a request out.
    static func perform(_ request: Request, on values: inout [[UInt8]: [UInt8]]) -> Answer {
        switch request {
        case .get(let key):
            return Answer(entries: values[key].map { [([], $0)] } ?? [])
        case .put(let key, let value, let condition):
            let holds =
                switch condition {
                case .none: true
                case .absent: values[key] == nil
                case .equal(let expected): values[key] == expected
                }
            guard holds else {
                return Answer(status: PLUGBOARD_E_CONFLICT, entries: values[key].map { [([], $0)] } ?? [])
            }
            values[key] = value
            return Answer()
        case .remove(let key):
            values[key] = nil
            return Answer()
        case .list(let prefix, let after, let limit):
            let keys = values.keys.filter {
                $0.starts(with: prefix) && (after.isEmpty || after.lexicographicallyPrecedes($0))
            }
            return Answer(entries: keys.sorted { $0.lexicographicallyPrecedes($1) }.prefix(limit).map { ($0, []) })
        }
    }

    // MARK: The tables

    static var plain: plugboard_store_t {
        plugboard_store_t(
            struct_size: structSize(plugboard_store_t.self),
            reserved: 0,
            get: { SimulatedStore.get(.plain, $0, $1, $2, $3) },
            put: { SimulatedStore.put(.plain, $0, $1, $2, $3, $4, $5) },
            remove: { SimulatedStore.remove(.plain, $0, $1, $2, $3) },
            list: { SimulatedStore.list(.plain, $0, $1, $2, $3, $4, $5) }
        )
    }

    static var secret: plugboard_store_t {
        plugboard_store_t(
            struct_size: structSize(plugboard_store_t.self),
            reserved: 0,
            get: { SimulatedStore.get(.secret, $0, $1, $2, $3) },
            put: { SimulatedStore.put(.secret, $0, $1, $2, $3, $4, $5) },
            remove: { SimulatedStore.remove(.secret, $0, $1, $2, $3) },
            list: { SimulatedStore.list(.secret, $0, $1, $2, $3, $4, $5) }
        )
    }

    private typealias Result = UnsafeMutablePointer<plugboard_store_request_t>?

    private static func get(
        _ kind: Kind,
        _ context: UnsafeMutableRawPointer?,
        _ key: plugboard_bytes_t,
        _ user: UnsafeMutableRawPointer?,
        _ result: Result
    ) -> plugboard_status_t {
        guard let key = checked(key) else { return PLUGBOARD_E_INVALID }
        return ask(kind, context, "store.get", .get(key: key), user, result)
    }

    private static func put(
        _ kind: Kind,
        _ context: UnsafeMutableRawPointer?,
        _ key: plugboard_bytes_t,
        _ value: plugboard_bytes_t,
        _ condition: UnsafePointer<plugboard_store_condition_t>?,
        _ user: UnsafeMutableRawPointer?,
        _ result: Result
    ) -> plugboard_status_t {
        guard let key = checked(key), value.isWellFormed else { return PLUGBOARD_E_INVALID }
        guard value.count <= kind.valueBytesMax else { return PLUGBOARD_E_LIMIT }
        let demand: Condition
        switch condition?.pointee.kind {
        case nil: demand = .none
        case PLUGBOARD_STORE_IF_ABSENT?: demand = .absent
        case PLUGBOARD_STORE_IF_EQUAL?: demand = .equal(condition.map { Array($0.pointee.value.bytes) } ?? [])
        case _?: return PLUGBOARD_E_INVALID
        }
        return ask(kind, context, "store.put", .put(key: key, value: Array(value.bytes), demand), user, result)
    }

    private static func remove(
        _ kind: Kind,
        _ context: UnsafeMutableRawPointer?,
        _ key: plugboard_bytes_t,
        _ user: UnsafeMutableRawPointer?,
        _ result: Result
    ) -> plugboard_status_t {
        guard let key = checked(key) else { return PLUGBOARD_E_INVALID }
        return ask(kind, context, "store.remove", .remove(key: key), user, result)
    }

    private static func list(
        _ kind: Kind,
        _ context: UnsafeMutableRawPointer?,
        _ prefix: plugboard_bytes_t,
        _ after: plugboard_bytes_t,
        _ limit: UInt32,
        _ user: UnsafeMutableRawPointer?,
        _ result: Result
    ) -> plugboard_status_t {
        guard prefix.isWellFormed, after.isWellFormed, (1...listMax).contains(Int(limit)) else {
            return PLUGBOARD_E_INVALID
        }
        let request = Request.list(prefix: Array(prefix.bytes), after: Array(after.bytes), limit: Int(limit))
        return ask(kind, context, "store.list", request, user, result)
    }

    private static func checked(_ key: plugboard_bytes_t) -> [UInt8]? {
        key.isWellFormed && keyBytesRange.contains(key.count) ? Array(key.bytes) : nil
    }

    private static func ask(
        _ kind: Kind,
        _ context: UnsafeMutableRawPointer?,
        _ call: String,
        _ request: Request,
        _ user: UnsafeMutableRawPointer?,
        _ result: Result
    ) -> plugboard_status_t {
        guard let instance = HostTable.enter(context, call, .beginning) else { return PLUGBOARD_E_SHUTDOWN }
        guard let result else { return PLUGBOARD_E_INVALID }
        return instance.ask(kind, request, user, result)
    }
}

extension SimulatedInstance {
    /// Asks the plugin for the tables that answer the host's extensions, as the real host does before start().
    func findEvents() {
        for kind in [SimulatedStore.Kind.plain, .secret] {
            guard let found = call({ $0.extension($1, kind.id) }) else { continue }
            storeEvents[kind] = found.assumingMemoryBound(to: plugboard_store_events_t.self)
        }
    }

    /// Takes a request; its answer comes later, after those of the requests before it.
    func ask(
        _ kind: SimulatedStore.Kind,
        _ request: SimulatedStore.Request,
        _ user: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<plugboard_store_request_t>
    ) -> plugboard_status_t {
        guard let done = storeEvents[kind]?.pointee.done else { return PLUGBOARD_E_UNSUPPORTED }
        guard storePending < SimulatedStore.pendingMax else { return PLUGBOARD_E_LIMIT }
        let handle = newHandle(.storeRequest)
        result.pointee = handle
        storePending += 1
        simulation.note(.storeAsked, self, handle)
        let delay = simulation.random.pick(simulation.router.answerAfter)
        storeAnswerAt = max(storeAnswerAt, simulation.nowNs + delay)
        simulation.post(after: storeAnswerAt - simulation.nowNs) { [weak self] in
            guard let self else { return }
            storePending -= 1
            guard isActive else { return }
            let place = "\(id) \(kind.rawValue)"
            let answer = SimulatedStore.perform(request, on: &simulation.stored[place, default: [:]])
            simulation.note(.storeDone, self, handle, UInt64(answer.entries.count))
            lend(answer) { entries in
                call { done($1, handle, user, answer.status, entries.baseAddress, entries.count) }
            }
        }
        return PLUGBOARD_OK
    }

    private func lend(_ answer: SimulatedStore.Answer, _ body: (UnsafeBufferPointer<plugboard_store_entry_t>) -> Void) {
        let block = answer.entries.flatMap { $0.key + $0.value }
        block.withUnsafeBufferPointer { block in
            var place = 0
            func span(_ count: Int) -> plugboard_bytes_t {
                defer { place += count }
                return plugboard_bytes_t(start: block.baseAddress.map { $0 + place }, count: count)
            }
            let entries = answer.entries.map { entry in
                plugboard_store_entry_t(
                    struct_size: structSize(plugboard_store_entry_t.self),
                    reserved: 0,
                    key: span(entry.key.count),
                    value: span(entry.value.count)
                )
            }
            entries.withUnsafeBufferPointer(body)
        }
    }
}
