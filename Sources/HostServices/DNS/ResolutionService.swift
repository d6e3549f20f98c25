import NIOCore

/// Hears of answers, on the worker's loop, outside of any call into ``ResolutionService``.
package protocol ResolutionDelegate: AnyObject {
    /// The answer came, or it is known that none will. The handle is stale already.
    func resolved(_ resolution: ResolutionHandle, _ result: Result<DNSAnswer, ResolveError>)
}

/// The DNS questions of one instance.
///
/// Worker's loop only.
package final class ResolutionService {
    /// Hears of answers.
    package weak var delegate: (any ResolutionDelegate)?

    private let worker: Worker
    private let limits: ServiceLimits
    private let resolver: Resolver
    private var open = SlotTable<ResolutionHandle, Void>()
    private var isStopped = false

    package init(worker: Worker, limits: ServiceLimits, resolver: Resolver) {
        self.worker = worker
        self.limits = limits
        self.resolver = resolver
    }

    /// Asks; the delegate hears of the answer, once.
    ///
    /// - Throws: ``ServiceError/limitReached(_:limit:)`` past `resolutionsMax`; ``ServiceError/stopped``.
    package func resolve(_ question: DNSQuestion) throws(ServiceError) -> ResolutionHandle {
        worker.preconditionOnLoop()
        guard !isStopped else { throw .stopped }
        guard open.count < limits.resolutionsMax else {
            throw .limitReached(.resolutions, limit: limits.resolutionsMax)
        }
        let handle = open.insert { _ in () }
        let service = NIOLoopBound(self, eventLoop: worker.eventLoop)
        resolver.resolve(question, on: worker.eventLoop) { result in
            service.value.answered(handle, result)
        }
        return handle
    }

    /// Withdraws everything for good.
    package func closeAll() {
        worker.preconditionOnLoop()
        isStopped = true
        open = SlotTable()
    }

    private func answered(_ handle: ResolutionHandle, _ result: Result<DNSAnswer, ResolveError>) {
        guard open.remove(handle) != nil else { return }
        delegate?.resolved(handle, result)
    }
}
