import HostServices
import Logging
import NIOCore

/// One instance's streams on a worker, and the ear that listens to them.
// Safe: the service and the ear are used on the worker's loop alone.
final class Side: @unchecked Sendable {
    let worker: Worker
    let service: StreamService
    let ear = Ear()

    init(_ worker: Worker, limits: ServiceLimits, tls: TLSIdentities, resolver: Resolver) {
        self.worker = worker
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.service = StreamService(
            worker: worker,
            limits: limits,
            tls: tls,
            resolver: resolver,
            logger: logger
        )
    }

    /// Runs `body` on the loop.
    @discardableResult
    func on<T: Sendable>(_ body: @escaping @Sendable (Side) throws -> T) async throws -> T {
        try await worker.call {
            self.service.delegate = self.ear
            return try body(self)
        }
    }

    /// Runs `body` on the loop once `condition` holds.
    func when<T: Sendable>(
        _ condition: @escaping @Sendable (Ear) -> Bool,
        _ body: @escaping @Sendable (Side) throws -> T
    ) async throws -> T {
        let promise = worker.eventLoop.makePromise(of: T.self)
        _ = try await on { side in
            side.ear.when(condition) { promise.completeWith(Result { try body(side) }) }
        }
        return try await promise.futureResult.get()
    }

    /// Listens on loopback and says on which port.
    func listen(tls: TLSOptions? = nil, acceptedMax: Int = .max, frameMax: Int? = nil) async throws -> UInt16 {
        try await on { side in
            let options = ListenOptions(
                address: "127.0.0.1",
                port: 0,
                tls: tls,
                acceptedMax: acceptedMax,
                frameMax: frameMax
            )
            return try side.service.port(of: try side.service.listen(options))
        }
    }

    /// Connects to loopback.
    func connect(_ port: UInt16, tls: TLSOptions? = nil) async throws -> StreamHandle {
        try await on { try $0.service.connect(ConnectOptions(host: "127.0.0.1", port: port, tls: tls)) }
    }

    /// The first stream that was accepted, once it is open.
    func accepted() async throws -> StreamHandle {
        try await when { ear in
            ear.acceptedStreams.first.map { !ear.openings($0).isEmpty } ?? false
        } _: {
            $0.ear.acceptedStreams[0]
        }
    }

    /// Waits until `stream` has been opened `times` times.
    func opened(_ stream: StreamHandle, times: Int = 1) async throws -> TLSInfo? {
        try await when {
            $0.openings(stream).count >= times
        } _: {
            $0.ear.openings(stream)[times - 1]
        }
    }

    /// Waits for the end of `stream`, and for the ticks that follow, in which a second one would come.
    func closed(_ stream: StreamHandle) async throws -> [CloseReason] {
        _ = try await when {
            !$0.closings(stream).isEmpty
        } _: { _ in
        }
        return try await on { $0.ear.closings(stream) }
    }

    /// Waits until `stream` has consumed `count` bytes, and gives them.
    func consumed(_ stream: StreamHandle, _ count: Int) async throws -> [UInt8] {
        try await when {
            $0.consumed[stream]?.count ?? 0 >= count
        } _: {
            $0.ear.consumed[stream] ?? []
        }
    }

    func write(_ stream: StreamHandle, _ text: String) async throws {
        _ = try await on { try $0.put(stream, text) }
    }

    /// On the loop.
    @discardableResult
    func put(_ stream: StreamHandle, _ text: String) throws -> WriteResult {
        try put(stream, Array(text.utf8))
    }

    /// On the loop.
    @discardableResult
    func put(_ stream: StreamHandle, _ bytes: [UInt8]) throws -> WriteResult {
        try bytes.withUnsafeBytes { try service.write(stream, $0) }
    }
}

/// What a test needs: a worker, a resolver without DNS, and two instances.
struct Rig: Sendable {
    let worker: Worker
    let resolver: Resolver
    let server: Side
    let client: Side

    /// Runs `body` with a rig, and takes it apart again.
    static func with(
        server: ServiceLimits = ServiceLimits(),
        client: ServiceLimits = ServiceLimits(),
        serverTLS: TLSIdentities = .none,
        clientTLS: TLSIdentities = .none,
        resolver options: ResolverOptions = ResolverOptions(servers: ["127.0.0.1:1"], hostsFile: nil, timeoutMs: 100),
        _ body: (Rig) async throws -> Void
    ) async throws {
        let worker = Worker(index: 0, name: "test")
        let resolver = try Resolver(options)
        let rig = Rig(
            worker: worker,
            resolver: resolver,
            server: Side(worker, limits: server, tls: serverTLS, resolver: resolver),
            client: Side(worker, limits: client, tls: clientTLS, resolver: resolver)
        )
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(rig))
        } catch {
            result = .failure(error)
        }
        try await worker.call {
            rig.server.service.closeAll()
            rig.client.service.closeAll()
        }
        resolver.shutdown()
        try await worker.shutdown()
        try result.get()
    }

    /// A plain connection between client and server, open on both sides.
    func pair() async throws -> (client: StreamHandle, server: StreamHandle) {
        let port = try await server.listen()
        let stream = try await client.connect(port)
        let accepted = try await server.accepted()
        _ = try await client.opened(stream)
        return (stream, accepted)
    }
}
