internal import CPlugboard

/// What must be there for a value to be put.
public enum StoreCondition: Hashable, Sendable {
    /// Whatever is there.
    case none
    /// Nothing.
    case absent
    /// This value.
    case equals([UInt8])
}

/// What became of a put.
public enum StorePut: Hashable, Sendable {
    /// It is on disk.
    case done
    /// The condition does not hold; what is there instead, if anything.
    case conflict([UInt8]?)
}

/// Keys and values that the host keeps for one instance, on disk.
///
/// Requests are carried out, and answered, in the order in which they are made. A request that is taken is answered
/// exactly once, later, unless the instance stops; a failure is ``HostError/limitReached`` (the instance keeps as much as
/// it may) or ``HostError/system``. The calls themselves throw ``HostError/invalidArgument``,
/// ``HostError/limitReached`` (a value too long, too much without an answer), ``HostError/unsupported`` and
/// ``HostError/shuttingDown``.
public struct Store {
    let host: Host
    let id: String

    /// The value of a key; nil if there is none.
    public func get(_ key: [UInt8], then: @escaping (Result<[UInt8]?, HostError>) -> Void) throws(HostError) {
        try ask { table, context, request in
            withBytes(key) { table.get(context, $0, nil, request) }
        } then: { status, entries in
            then(status < 0 ? .failure(HostError(status)) : .success(entries.first?.value))
        }
    }

    /// Stores a value, in place of one that is there; it is on disk when `then` hears of it.
    public func put(
        _ key: [UInt8],
        _ value: [UInt8],
        if condition: StoreCondition = .none,
        then: @escaping (Result<StorePut, HostError>) -> Void = { _ in }
    ) throws(HostError) {
        try ask { table, context, request in
            withBytes(key) { key in
                withBytes(value) { value in
                    condition.withABI { table.put(context, key, value, $0, nil, request) }
                }
            }
        } then: { status, entries in
            if status == PLUGBOARD_E_CONFLICT { return then(.success(.conflict(entries.first?.value))) }
            then(status < 0 ? .failure(HostError(status)) : .success(.done))
        }
    }

    /// Removes a key; one that is not there is removed already.
    public func remove(
        _ key: [UInt8],
        then: @escaping (Result<Void, HostError>) -> Void = { _ in }
    ) throws(HostError) {
        try ask { table, context, request in
            withBytes(key) { table.remove(context, $0, nil, request) }
        } then: { status, _ in
            then(status < 0 ? .failure(HostError(status)) : .success(()))
        }
    }

    /// The keys that begin with `prefix` and come after `after`, in the order of their bytes.
    ///
    /// - Parameter limit: 1 to 1000.
    public func list(
        prefix: [UInt8] = [],
        after: [UInt8] = [],
        limit: UInt32 = 1000,
        then: @escaping (Result<[[UInt8]], HostError>) -> Void
    ) throws(HostError) {
        try ask { table, context, request in
            withBytes(prefix) { prefix in
                withBytes(after) { table.list(context, prefix, $0, limit, nil, request) }
            }
        } then: { status, entries in
            then(status < 0 ? .failure(HostError(status)) : .success(entries.map(\.key)))
        }
    }

    private func ask(
        _ call: (plugboard_store_t, UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt64>) -> plugboard_status_t,
        then: @escaping (plugboard_status_t, [StoreEntry]) -> Void
    ) throws(HostError) {
        guard let table = host.extensionTable(id, as: plugboard_store_t.self) else { throw .unsupported }
        var request: plugboard_store_request_t = 0
        try HostError.check(call(table, host.context, &request))
        host.pending.stores[id, default: [:]][request] = then
    }
}

/// One entry of an answer, copied.
struct StoreEntry {
    var key: [UInt8]
    var value: [UInt8]

    init(_ source: plugboard_store_entry_t) {
        key = Array(UnsafeBufferPointer(start: source.key.start, count: source.key.count))
        value = Array(UnsafeBufferPointer(start: source.value.start, count: source.value.count))
    }
}

extension Host {
    /// What this instance keeps.
    public var store: Store { Store(host: self, id: PLUGBOARD_EXT_STORE) }

    /// Passwords, tokens and keys that this instance keeps: sealed on disk.
    ///
    /// Names of secrets are no secrets. Values are up to 64 KiB. Without a vault in the configuration, calls throw
    /// ``HostError/unsupported``.
    public var secrets: Store { Store(host: self, id: PLUGBOARD_EXT_SECRETS) }

    func stored(_ id: String, _ request: UInt64, _ status: plugboard_status_t, _ entries: [plugboard_store_entry_t]) {
        pending.stores[id]?.removeValue(forKey: request)?(status, entries.map(StoreEntry.init))
    }
}

extension InstanceBox {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let storeTable = immortal(
        plugboard_store_events_t(
            struct_size: structSize(plugboard_store_events_t.self),
            reserved: 0,
            done: { InstanceBox.hostOf($0).stored(PLUGBOARD_EXT_STORE, $1, $3, elements($4, $5)) }
        )
    )

    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let secretsTable = immortal(
        plugboard_store_events_t(
            struct_size: structSize(plugboard_store_events_t.self),
            reserved: 0,
            done: { InstanceBox.hostOf($0).stored(PLUGBOARD_EXT_SECRETS, $1, $3, elements($4, $5)) }
        )
    )
}

extension StoreCondition {
    fileprivate func withABI<R>(_ body: (UnsafePointer<plugboard_store_condition_t>?) -> R) -> R {
        var condition = plugboard_store_condition_t()
        condition.struct_size = structSize(plugboard_store_condition_t.self)
        switch self {
        case .none: return body(nil)
        case .absent:
            condition.kind = PLUGBOARD_STORE_IF_ABSENT
            return body(&condition)
        case .equals(let expected):
            condition.kind = PLUGBOARD_STORE_IF_EQUAL
            return withBytes(expected) { bytes in
                condition.value = bytes
                return body(&condition)
            }
        }
    }
}
