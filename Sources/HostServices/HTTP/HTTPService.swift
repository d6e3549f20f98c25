package import Logging
import NIOCore

/// Hears of answers, on the worker's loop, outside of any call into ``HTTPService``.
///
/// The order for one request: `answered` → `bodyReceived`* → `finished`, the first two for streaming requests alone.
package protocol HTTPDelegate: AnyObject {
    /// The head of an answer came, that its body follows.
    func answered(_ request: HTTPRequestHandle, _ head: HTTPAnswer)

    /// A piece of body, borrowed until the call returns.
    func bodyReceived(_ request: HTTPRequestHandle, _ bytes: UnsafeRawBufferPointer)

    /// The answer is complete, or will not come. The handle is stale already.
    func finished(_ request: HTTPRequestHandle, _ result: Result<HTTPAnswer, HTTPFailure>)
}

/// A request of one instance that is not finished.
package struct HTTPRequestHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The requests of one instance to web servers, with HTTP/1.1.
///
/// Worker's loop only.
///
/// Names are resolved, connections made and certificates judged as for streams. Connections are kept for later requests
/// of the same instance to the same origin. Nothing is added to a request but what its framing needs, and `Host`.
package final class HTTPService {
    /// Hears of answers.
    package weak var delegate: (any HTTPDelegate)?

    let worker: Worker
    let limits: ServiceLimits
    let identities: TLSIdentities
    let resolver: Resolver
    let logger: Logger
    var exchanges = SlotTable<HTTPRequestHandle, HTTPExchange>()
    /// Connections that wait for a request, and requests that wait for a connection.
    var pools: [HTTPConnection.Key: Pool] = [:]
    /// Names that DNS still works on, those of withdrawn requests included: they cost until they are answered.
    var resolving = 0
    private(set) var isStopped = false

    /// What there is for one origin.
    struct Pool {
        /// Connections that are open or being made.
        var count = 0
        /// The longest unused first.
        var idle: [HTTPConnection] = []
        /// In the order they came.
        var waiting: [HTTPExchange] = []

        var isEmpty: Bool { count == 0 && waiting.isEmpty }
    }

    package init(worker: Worker, limits: ServiceLimits, tls: TLSIdentities, resolver: Resolver, logger: Logger) {
        self.worker = worker
        self.limits = limits
        self.identities = tls
        self.resolver = resolver
        self.logger = logger
    }

    /// Requests that are not finished.
    package var count: Int { exchanges.count }

    /// Connections that are open or being made.
    package var connectionCount: Int { pools.values.reduce(0) { $0 + $1.count } }

    // MARK: - What is asked

    /// Begins a request; the delegate hears of the answer.
    ///
    /// - Throws: ``ServiceError/limitReached(_:limit:)``, ``ServiceError/invalidArgument(_:)``,
    ///   ``ServiceError/unknownIdentity(_:)``, ``ServiceError/stopped``.
    package func request(_ request: HTTPRequest) throws(ServiceError) -> HTTPRequestHandle {
        worker.preconditionOnLoop()
        guard !isStopped else { throw .stopped }
        try request.check(limits)
        guard exchanges.count < limits.httpRequestsMax else {
            throw .limitReached(.httpRequests, limit: limits.httpRequestsMax)
        }
        if let identity = request.identity { try identities.check(identity) }
        let handle = exchanges.insert { HTTPExchange($0, request, limits) }
        guard let exchange = exchanges[handle] else { throw .unknownHandle(handle.rawValue) }
        let timeout = request.timeoutMs ?? limits.httpTimeoutMs
        exchange.deadline = worker.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(timeout))) {
            [weak self] in
            self?.end(exchange, .timedOut(timeout))
        }
        worker.enqueue { [weak self] in self?.begin(exchange) }
        return handle
    }

    /// Withdraws a request: no call about it follows.
    ///
    /// Whether the server has had it is not known.
    ///
    /// - Throws: ``ServiceError/unknownHandle(_:)`` if it is finished already.
    package func cancel(_ handle: HTTPRequestHandle) throws(ServiceError) {
        worker.preconditionOnLoop()
        guard let exchange = exchanges.remove(handle) else { throw .unknownHandle(handle.rawValue) }
        exchange.untold = []
        exchange.deadline?.cancel()
        worker.enqueue { [weak self] in self?.detach(exchange) }
    }

    /// Stops or resumes the pieces of a streaming request's body.
    ///
    /// - Throws: ``ServiceError/unknownHandle(_:)``, ``ServiceError/badState(_:)`` if the request is not streaming.
    package func setReading(_ handle: HTTPRequestHandle, _ isReading: Bool) throws(ServiceError) {
        worker.preconditionOnLoop()
        guard let exchange = exchanges[handle] else { throw .unknownHandle(handle.rawValue) }
        guard exchange.request.isStreaming else { throw .badState("the request's answer comes as a whole") }
        guard exchange.isPaused == isReading else { return }
        exchange.isPaused = !isReading
        worker.enqueue { [weak self] in
            self?.applyReading(exchange)
            self?.tell(exchange)
        }
    }

    /// Ends everything for good.
    ///
    /// The delegate is not called any more.
    package func closeAll() {
        worker.preconditionOnLoop()
        guard !isStopped else { return }
        isStopped = true
        let open = exchanges.elements
        let idle = pools.values.flatMap(\.idle)
        exchanges = SlotTable()
        pools = [:]
        for exchange in open {
            exchange.untold = []
            exchange.deadline?.cancel()
        }
        let connections = idle + open.compactMap(\.connection)
        // Later: this may be a call from inside a channel's own event.
        worker.enqueue { for connection in connections { Self.close(connection) } }
    }

    // MARK: - What is told

    /// Queues something for the delegate to hear.
    func note(_ exchange: HTTPExchange, _ event: HTTPExchange.Event) {
        exchange.untold.append(event)
        tell(exchange)
    }

    private func tell(_ exchange: HTTPExchange) {
        guard !exchange.isTellQueued, !exchange.untold.isEmpty else { return }
        exchange.isTellQueued = true
        worker.enqueue { [weak self] in
            exchange.isTellQueued = false
            self?.tellUntold(exchange)
        }
    }

    private func tellUntold(_ exchange: HTTPExchange) {
        while !isStopped, let event = exchange.untold.first, exchanges[exchange.handle] === exchange {
            if case .done(let failure) = event, failure != nil || !exchange.isPaused {
                exchanges.remove(exchange.handle)
                exchange.untold = []
                return delegate?.finished(exchange.handle, exchange.result(failure)) ?? ()
            }
            guard !exchange.isPaused else { return }
            exchange.untold.removeFirst()
            switch event {
            case .head: if let head = exchange.head { delegate?.answered(exchange.handle, head) }
            case .body(let bytes): bytes.withUnsafeReadableBytes { delegate?.bodyReceived(exchange.handle, $0) }
            case .done: return
            }
        }
    }

    /// The request is over, for `failure` or because its answer is complete.
    func end(_ exchange: HTTPExchange, _ failure: HTTPFailure?) {
        guard !isStopped, exchanges[exchange.handle] === exchange, !exchange.isOver else { return }
        exchange.deadline?.cancel()
        if failure != nil {
            // A pause holds nothing back that is of no use any more.
            exchange.untold = []
            detach(exchange)
        }
        note(exchange, .done(failure))
    }
}

extension HTTPExchange {
    /// What the delegate is told in the end.
    func result(_ failure: HTTPFailure?) -> Result<HTTPAnswer, HTTPFailure> {
        if let failure { return .failure(failure) }
        guard var answer = head else { return .failure(.badAnswer("it has no head")) }
        answer.body = Array(body.readableBytesView)
        return .success(answer)
    }
}
