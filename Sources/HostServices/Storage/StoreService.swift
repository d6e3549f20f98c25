import NIOCore
package import Vault

/// Hears of answers, on the worker's loop, outside of any call into ``StoreService``.
package protocol StoreDelegate: AnyObject {
    /// What was asked for is done, or failed. The handle is stale already.
    func stored(_ request: StoreRequestHandle, by service: StoreService, _ result: Result<StoreAnswer, StoreError>)
}

/// Something asked of a store that has no answer yet.
package struct StoreRequestHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// One instance's name space in a store.
///
/// Worker's loop only; the disk is another thread's. Answers come in the order of the requests.
package final class StoreService {
    /// Hears of answers.
    package weak var delegate: (any StoreDelegate)?

    private let worker: Worker
    private let limits: ServiceLimits
    private let backend: (any KeyValueBackend)?
    private let space: String
    /// Requests without an answer, and the bytes that each carries.
    private var open = SlotTable<StoreRequestHandle, Int>()
    private var bytes = 0
    private var isStopped = false

    /// - Parameters:
    ///   - backend: nil: there is none, and every request is refused.
    ///   - space: the name space; what another service with the same one stores can be seen.
    package init(worker: Worker, limits: ServiceLimits, backend: (any KeyValueBackend)?, space: String) {
        self.worker = worker
        self.limits = limits
        self.backend = backend
        self.space = space
    }

    /// Whether there is a store behind it.
    package var isAvailable: Bool { backend != nil }

    /// Requests without an answer.
    package var count: Int { open.count }

    /// Asks for something; the delegate hears of the answer, once.
    ///
    /// What is stored is on disk when the answer comes. It may be on disk also if the instance stops before.
    ///
    /// - Throws: ``ServiceError/limitReached(_:limit:)``, ``ServiceError/invalidArgument(_:)``,
    ///   ``ServiceError/notConfigured(_:)``, ``ServiceError/stopped``.
    package func perform(_ operation: StoreOperation) throws(ServiceError) -> StoreRequestHandle {
        worker.preconditionOnLoop()
        guard !isStopped else { throw .stopped }
        guard let backend else { throw .notConfigured("vault") }
        try Self.check(operation, backend.limits)
        guard open.count < limits.storeRequestsMax else {
            throw .limitReached(.storeRequests, limit: limits.storeRequestsMax)
        }
        let size = operation.byteCount
        guard bytes + size <= limits.storeRequestBytesMax else {
            throw .limitReached(.storeRequestBytes, limit: limits.storeRequestBytesMax)
        }
        bytes += size
        let handle = open.insert { _ in size }
        let bound = NIOLoopBound(self, eventLoop: worker.eventLoop)
        let worker = worker
        backend.perform(operation, in: space) { result in
            worker.run { bound.value.answered(handle, result) }
        }
        return handle
    }

    /// Forgets everything that has no answer.
    package func closeAll() {
        worker.preconditionOnLoop()
        isStopped = true
        open = SlotTable()
    }

    /// What can be known to be wrong without the disk.
    private static func check(_ operation: StoreOperation, _ limits: StoreLimits) throws(ServiceError) {
        switch operation {
        case .get(let key), .remove(let key): try checkKey(key, limits)
        case .put(let key, let value, let condition):
            try checkKey(key, limits)
            var longest = value.count
            if case .equals(let expected) = condition { longest = max(longest, expected.count) }
            guard longest <= limits.valueBytesMax else {
                throw .limitReached(.storeValueBytes, limit: limits.valueBytesMax)
            }
        case .list(let prefix, let after, let limit):
            guard prefix.count <= limits.keyBytesMax, after.count <= limits.keyBytesMax else {
                throw .invalidArgument("a key has up to \(limits.keyBytesMax) bytes")
            }
            guard (1...limits.listMax).contains(limit) else {
                throw .invalidArgument("a list has 1 to \(limits.listMax) keys, not \(limit)")
            }
        }
    }

    private static func checkKey(_ key: [UInt8], _ limits: StoreLimits) throws(ServiceError) {
        guard (1...limits.keyBytesMax).contains(key.count) else {
            throw .invalidArgument("a key has 1 to \(limits.keyBytesMax) bytes, not \(key.count)")
        }
    }

    private func answered(_ handle: StoreRequestHandle, _ result: Result<StoreAnswer, StoreError>) {
        guard let size = open.remove(handle) else { return }
        bytes -= size
        delegate?.stored(handle, by: self, result)
    }
}
