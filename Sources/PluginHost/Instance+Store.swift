internal import CPlugboard
package import HostServices
internal import Logging
internal import Telemetry
package import Vault

// The stores' answers, turned into calls of the provider's tables of `plugboard.store/1` and `plugboard.secrets/1`.

extension Instance: StoreDelegate {
    package func stored(
        _ request: StoreRequestHandle,
        by service: StoreService,
        _ result: Result<StoreAnswer, StoreError>
    ) {
        watch.enter(.stored, index)
        defer { watch.leave() }
        let store = service === extras.store.service ? extras.store : extras.secrets
        let user = store.users.removeValue(forKey: request)
        guard isActive, let events = store.events else { return }
        let answer = StoredAnswer(result)
        if case .failure(let error) = result, answer.status == PLUGBOARD_E_SYSTEM {
            logger.log(.error, "what the plugin keeps could not be read or written", [.reason: "\(error)"])
        }
        withByteRuns(answer.entries.flatMap { [$0.key, $0.value] }) { runs in
            let entries = answer.entries.indices.map { index in
                plugboard_store_entry_t(
                    struct_size: UInt32(MemoryLayout<plugboard_store_entry_t>.size),
                    reserved: 0,
                    key: runs[2 * index],
                    value: runs[2 * index + 1]
                )
            }
            entries.withUnsafeBufferPointer {
                events.done(calls.pointer, request.rawValue, user, answer.status, $0.baseAddress, $0.count)
            }
        }
    }
}

/// An answer of a store in the ABI's terms.
private struct StoredAnswer {
    var status = PLUGBOARD_OK
    var entries: [(key: [UInt8], value: [UInt8])] = []

    init(_ result: Result<StoreAnswer, StoreError>) {
        switch result {
        case .success(.value(let value)): entries = value.map { [([], $0)] } ?? []
        case .success(.done): break
        case .success(.conflict(let value)):
            status = PLUGBOARD_E_CONFLICT
            entries = value.map { [([], $0)] } ?? []
        case .success(.keys(let keys)): entries = keys.map { ($0, []) }
        case .failure(let error): status = error.status
        }
    }
}

extension StoreError {
    fileprivate var status: plugboard_status_t {
        switch self {
        case .badKey, .badListLimit: PLUGBOARD_E_INVALID
        case .valueTooLarge, .tooManyEntries, .tooManyBytes: PLUGBOARD_E_LIMIT
        case .cannotOpen, .inUse, .corrupt, .diskFull, .ioFailure, .closed, .unsealable, .wrongKey, .alreadyThere,
            .noVault, .badVaultKey, .exposedKeyFile, .keyFile:
            PLUGBOARD_E_SYSTEM
        }
    }
}
