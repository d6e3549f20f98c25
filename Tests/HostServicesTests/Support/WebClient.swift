import HostServices
import Logging
import NIOCore

/// One instance's HTTP requests on a worker, and the ear that listens to them.
// Safe: the service and what was heard are used on the worker's loop alone.
final class WebClient: HTTPDelegate, @unchecked Sendable {
    let worker = Worker(index: 0, name: "test")
    let resolver: Resolver
    let service: HTTPService
    /// One line a call: `answered 200`, `body 5`, `finished 200`, `failed …`.
    private(set) var events: [String] = []
    private(set) var results: [HTTPRequestHandle: Result<HTTPAnswer, HTTPFailure>] = [:]
    private(set) var bodies: [HTTPRequestHandle: [UInt8]] = [:]
    var onBody: (HTTPRequestHandle) -> Void = { _ in }
    var onFinished: (HTTPRequestHandle) -> Void = { _ in }
    private var waiting: [() -> Bool] = []
    private var isInCall = false

    private init(_ limits: ServiceLimits, _ tls: TLSIdentities, dns server: String, _ timeoutMs: Int32) throws {
        resolver = try Resolver(
            ResolverOptions(
                servers: [server],
                hosts: ["a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"]],
                hostsFile: nil,
                timeoutMs: timeoutMs,
                triesMax: 1
            )
        )
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        service = HTTPService(worker: worker, limits: limits, tls: tls, resolver: resolver, logger: logger)
        service.delegate = self
    }

    /// Runs `body` with a client, and takes it apart again.
    ///
    /// - Parameter server: a DNS server; as a rule there is none.
    static func with(
        _ limits: ServiceLimits = ServiceLimits(),
        tls: TLSIdentities = .none,
        dns server: String = "127.0.0.1:1",
        dnsTimeoutMs: Int32 = 100,
        _ body: (WebClient) async throws -> Void
    ) async throws {
        let client = try WebClient(limits, tls, dns: server, dnsTimeoutMs)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(client))
        } catch {
            result = .failure(error)
        }
        try await client.worker.call { client.service.closeAll() }
        client.resolver.shutdown()
        try await client.worker.shutdown()
        try result.get()
    }

    /// Runs `body` on the loop.
    func on<T: Sendable>(_ body: @escaping @Sendable (WebClient) throws -> T) async throws -> T {
        try await worker.call { try body(self) }
    }

    /// Begins a request.
    func begin(_ request: HTTPRequest) async throws -> HTTPRequestHandle {
        try await on { try $0.service.request(request) }
    }

    /// Makes a request and waits for its end, and for the tick that follows.
    func result(_ request: HTTPRequest) async throws -> Result<HTTPAnswer, HTTPFailure> {
        try await result(of: try await begin(request))
    }

    /// Waits for the end of a request, and for the tick that follows.
    func result(of handle: HTTPRequestHandle) async throws -> Result<HTTPAnswer, HTTPFailure> {
        await until { $0.results[handle] != nil }
        return try await on { $0.results[handle] ?? .failure(.badAnswer("none")) }
    }

    /// Waits until `condition` holds, after a call of the service.
    func until(_ condition: @escaping @Sendable (WebClient) -> Bool) async {
        await withCheckedContinuation { continuation in
            worker.run {
                let client = self
                guard !condition(client) else { return continuation.resume() }
                client.waiting.append {
                    guard condition(client) else { return false }
                    continuation.resume()
                    return true
                }
            }
        }
    }

    func answered(_ request: HTTPRequestHandle, _ head: HTTPAnswer) {
        heard("answered \(head.status)") {}
    }

    func bodyReceived(_ request: HTTPRequestHandle, _ bytes: UnsafeRawBufferPointer) {
        heard("body \(bytes.count)") {
            bodies[request, default: []] += Array(bytes)
            onBody(request)
        }
    }

    func finished(_ request: HTTPRequestHandle, _ result: Result<HTTPAnswer, HTTPFailure>) {
        let text =
            switch result {
            case .success(let answer): "finished \(answer.status)"
            case .failure(let failure): "failed \(failure)"
            }
        heard(text) {
            precondition(results[request] == nil, "finished twice")
            results[request] = result
            onFinished(request)
        }
    }

    private func heard(_ event: String, _ act: () -> Void) {
        precondition(!isInCall, "called back from inside a call")
        isInCall = true
        events.append(event)
        act()
        isInCall = false
        waiting.removeAll { $0() }
    }
}

/// A GET of a path on loopback.
func get(_ port: UInt16, _ path: String = "/", host: String = "127.0.0.1", secure: Bool = false) -> HTTPRequest {
    let text = "\(secure ? "https" : "http")://\(host):\(port)\(path)"
    guard let address = HTTPAddress(text) else { preconditionFailure("\(text) is a URL") }
    return HTTPRequest(method: "GET", address: address)
}

extension HTTPAnswer {
    var text: String { String(decoding: body, as: UTF8.self) }
}

extension Result where Success == HTTPAnswer, Failure == HTTPFailure {
    var failure: HTTPFailure? { if case .failure(let failure) = self { failure } else { nil } }
}
