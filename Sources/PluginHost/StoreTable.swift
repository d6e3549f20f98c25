internal import CPlugboard
internal import HostServices
internal import Vault

/// The host extensions `plugboard.store/1` and `plugboard.secrets/1`: one table, two stores.
enum StoreTable {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let store = HostExtensions.immortal(
        plugboard_store_t(
            struct_size: UInt32(MemoryLayout<plugboard_store_t>.size),
            reserved: 0,
            get: { StoreTable.perform(\.store, $0, StoreTable.get($1), $2, $3) },
            put: { StoreTable.perform(\.store, $0, StoreTable.put($1, $2, $3), $4, $5) },
            remove: { StoreTable.perform(\.store, $0, StoreTable.remove($1), $2, $3) },
            list: { StoreTable.perform(\.store, $0, StoreTable.list($1, $2, $3), $4, $5) }
        )
    )

    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let secrets = HostExtensions.immortal(
        plugboard_store_t(
            struct_size: UInt32(MemoryLayout<plugboard_store_t>.size),
            reserved: 0,
            get: { StoreTable.perform(\.secrets, $0, StoreTable.get($1), $2, $3) },
            put: { StoreTable.perform(\.secrets, $0, StoreTable.put($1, $2, $3), $4, $5) },
            remove: { StoreTable.perform(\.secrets, $0, StoreTable.remove($1), $2, $3) },
            list: { StoreTable.perform(\.secrets, $0, StoreTable.list($1, $2, $3), $4, $5) }
        )
    )

    private static func perform(
        _ store: KeyPath<ExtraServices, PluginStore>,
        _ context: UnsafeMutableRawPointer?,
        _ operation: StoreOperation?,
        _ user: UnsafeMutableRawPointer?,
        _ request: UnsafeMutablePointer<plugboard_store_request_t>?
    ) -> plugboard_status_t {
        guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
        let store = instance.extras[keyPath: store]
        guard store.events != nil else { return PLUGBOARD_E_UNSUPPORTED }
        guard let request, let operation else { return PLUGBOARD_E_INVALID }
        return HostTable.status { () throws(ServiceError) in
            let handle = try store.service.perform(operation)
            store.users[handle] = user
            request.pointee = handle.rawValue
        }
    }

    private static func get(_ key: plugboard_bytes_t) -> StoreOperation? {
        key.isWellFormed ? .get(key: Array(key.bytes)) : nil
    }

    private static func remove(_ key: plugboard_bytes_t) -> StoreOperation? {
        key.isWellFormed ? .remove(key: Array(key.bytes)) : nil
    }

    private static func put(
        _ key: plugboard_bytes_t,
        _ value: plugboard_bytes_t,
        _ condition: UnsafePointer<plugboard_store_condition_t>?
    ) -> StoreOperation? {
        guard key.isWellFormed, value.isWellFormed else { return nil }
        var read = StoreCondition.none
        if let condition = condition?.pointee {
            guard condition.struct_size >= MemoryLayout<plugboard_store_condition_t>.size,
                condition.value.isWellFormed
            else { return nil }
            switch condition.kind {
            case PLUGBOARD_STORE_IF_ABSENT: read = .absent
            case PLUGBOARD_STORE_IF_EQUAL: read = .equals(Array(condition.value.bytes))
            default: return nil
            }
        }
        return .put(key: Array(key.bytes), value: Array(value.bytes), condition: read)
    }

    private static func list(
        _ prefix: plugboard_bytes_t,
        _ after: plugboard_bytes_t,
        _ limit: UInt32
    ) -> StoreOperation? {
        guard prefix.isWellFormed, after.isWellFormed else { return nil }
        return .list(prefix: Array(prefix.bytes), after: Array(after.bytes), limit: Int(limit))
    }
}

/// One of an instance's stores, and who hears of its answers.
///
/// Worker's loop only.
final class PluginStore {
    let service: StoreService
    var events: plugboard_store_events_t?
    var users: [StoreRequestHandle: UnsafeMutableRawPointer] = [:]

    init(_ service: StoreService) {
        self.service = service
    }

    func closeAll() {
        service.closeAll()
        users = [:]
    }
}
