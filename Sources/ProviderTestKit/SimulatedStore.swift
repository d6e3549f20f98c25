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

        /// Bytes that it carries, for limits.
        var byteCount: Int {
            switch self {
            case .get(let key), .remove(let key): key.count
            case .put(let key, let value, .equal(let expected)): key.count + value.count + expected.count
            case .put(let key, let value, _): key.count + value.count
            case .list(let prefix, let after, _): prefix.count + after.count
            }
        }
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

    static let keyBytesMax = 512
    static let listMax = 1000
    /// Requests without an answer.
    static let pendingMax = 256
    /// Bytes of keys and values in them.
    static let pendingBytesMax = 8 << 20

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
        ask(kind, context, "store.get", user, result) { () throws(Refused) in .get(key: try checked(key)) }
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
        ask(kind, context, "store.put", user, result) { () throws(Refused) in
            guard value.isWellFormed else { throw Refused(status: PLUGBOARD_E_INVALID) }
            let demand = try read(condition)
            let key = try checked(key)
            var longest = value.count
            if case .equal(let expected) = demand { longest = max(longest, expected.count) }
            guard longest <= kind.valueBytesMax else { throw Refused(status: PLUGBOARD_E_LIMIT) }
            return .put(key: key, value: Array(value.bytes), demand)
        }
    }

    private static func remove(
        _ kind: Kind,
        _ context: UnsafeMutableRawPointer?,
        _ key: plugboard_bytes_t,
        _ user: UnsafeMutableRawPointer?,
        _ result: Result
    ) -> plugboard_status_t {
        ask(kind, context, "store.remove", user, result) { () throws(Refused) in .remove(key: try checked(key)) }
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
        ask(kind, context, "store.list", user, result) { () throws(Refused) in
            guard prefix.isWellFormed, after.isWellFormed, max(prefix.count, after.count) <= keyBytesMax,
                (1...listMax).contains(Int(limit))
            else { throw Refused(status: PLUGBOARD_E_INVALID) }
            return .list(prefix: Array(prefix.bytes), after: Array(after.bytes), limit: Int(limit))
        }
    }

    /// The status that refuses a request.
    private struct Refused: Error {
        var status: plugboard_status_t
    }

    private static func checked(_ key: plugboard_bytes_t) throws(Refused) -> [UInt8] {
        guard key.isWellFormed, (1...keyBytesMax).contains(key.count) else {
            throw Refused(status: PLUGBOARD_E_INVALID)
        }
        return Array(key.bytes)
    }

    private static func read(_ condition: UnsafePointer<plugboard_store_condition_t>?) throws(Refused) -> Condition {
        guard let condition = condition?.pointee else { return .none }
        guard condition.struct_size >= MemoryLayout<plugboard_store_condition_t>.size, condition.value.isWellFormed
        else { throw Refused(status: PLUGBOARD_E_INVALID) }
        switch condition.kind {
        case PLUGBOARD_STORE_IF_ABSENT: return .absent
        case PLUGBOARD_STORE_IF_EQUAL: return .equal(Array(condition.value.bytes))
        default: throw Refused(status: PLUGBOARD_E_INVALID)
        }
    }

    private static func ask(
        _ kind: Kind,
        _ context: UnsafeMutableRawPointer?,
        _ call: String,
        _ user: UnsafeMutableRawPointer?,
        _ result: Result,
        _ read: () throws(Refused) -> Request
    ) -> plugboard_status_t {
        guard let instance = HostTable.enter(context, call, .beginning) else { return PLUGBOARD_E_SHUTDOWN }
        guard instance.storeEvents[kind] != nil else { return PLUGBOARD_E_UNSUPPORTED }
        guard let result else { return PLUGBOARD_E_INVALID }
        do {
            return instance.ask(kind, try read(), user, result)
        } catch {
            return error.status
        }
    }
}

extension SimulatedInstance {
    /// Asks the plugin for the tables that answer the host's extensions, as the real host does before start().
    func findEvents() {
        httpEvents = events(PLUGBOARD_EXT_HTTP, as: plugboard_http_events_t.self)
        accountEvents = events(PLUGBOARD_EXT_ACCOUNTS, as: plugboard_accounts_events_t.self)
        udpEvents = events(PLUGBOARD_EXT_UDP, as: plugboard_udp_events_t.self)
        for kind in [SimulatedStore.Kind.plain, .secret] {
            storeEvents[kind] = events(kind.id, as: plugboard_store_events_t.self)
        }
    }

    private func events<Table>(_ id: String, as type: Table.Type) -> Table? {
        HostExtensions.events(call { $0.extension($1, id) }, as: type)
    }

    /// Takes a request; its answer comes later, after those of the requests before it.
    func ask(
        _ kind: SimulatedStore.Kind,
        _ request: SimulatedStore.Request,
        _ user: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<plugboard_store_request_t>
    ) -> plugboard_status_t {
        guard let done = storeEvents[kind]?.done else { return PLUGBOARD_E_UNSUPPORTED }
        guard storePending < SimulatedStore.pendingMax,
            storePendingBytes + request.byteCount <= SimulatedStore.pendingBytesMax
        else { return PLUGBOARD_E_LIMIT }
        let handle = newHandle(.storeRequest)
        result.pointee = handle
        storePending += 1
        storePendingBytes += request.byteCount
        simulation.note(.storeAsked, self, handle)
        let delay = simulation.random.pick(simulation.router.answerAfter)
        storeAnswerAt = max(storeAnswerAt, simulation.nowNs + delay)
        simulation.post(after: storeAnswerAt - simulation.nowNs) { [weak self] in
            guard let self else { return }
            storePending -= 1
            storePendingBytes -= request.byteCount
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
