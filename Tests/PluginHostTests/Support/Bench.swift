import CPlugboard
import HostServices
import Logging
import PluginHost

/// A worker with a router, on which a test puts instances.
final class Bench: Sendable {
    let worker = Worker(index: 0, name: "test")
    let resolver: Resolver
    let log = CapturedLog()

    private init() throws {
        resolver = try Resolver(
            ResolverOptions(
                servers: ["127.0.0.1:1"],
                hosts: ["two.example": ["192.0.2.1", "192.0.2.2"]],
                hostsFile: nil,
                timeoutMs: 100
            )
        )
    }

    /// Runs `body` with a bench, and takes it apart again.
    static func with(_ body: (Bench) async throws -> Void) async throws {
        let bench = try Bench()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(bench))
        } catch {
            result = .failure(error)
        }
        bench.resolver.shutdown()
        try await bench.worker.shutdown()
        try result.get()
    }

    /// What an instance is given.
    func services(_ limits: ServiceLimits) -> Instance.Services {
        Instance.Services(worker: worker, limits: limits, tls: .none, resolver: resolver, logger: log.logger)
    }

    /// Runs `body` with a running raw instance, and stops it.
    func withStage(
        _ limits: ServiceLimits = ServiceLimits(),
        prepare: @escaping @Sendable (RawProvider) -> Void = { _ in },
        services: @escaping @Sendable (inout Instance.Services) -> Void = { _ in },
        _ body: (Stage) async throws -> Void
    ) async throws {
        let stage = Stage(self)
        try await worker.call {
            prepare(stage.provider)
            try stage.make(limits, services: services)
            try stage.instance?.start()
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(stage))
        } catch {
            result = .failure(error)
        }
        try await worker.call { stage.instance?.stop() }
        try result.get()
    }
}

/// One instance of a raw provider on a bench.
// Safe: used on its worker's loop alone.
final class Stage: @unchecked Sendable {
    let bench: Bench
    let router = TestRouter()
    let provider = RawProvider()
    private(set) var instance: Instance?

    init(_ bench: Bench) {
        self.bench = bench
    }

    /// Makes the instance.
    ///
    /// On the loop.
    func make(
        _ limits: ServiceLimits = ServiceLimits(),
        services change: (inout Instance.Services) -> Void = { _ in }
    ) throws {
        var services = bench.services(limits)
        change(&services)
        instance = try Instance(
            index: 7,
            settings: InstanceSettings(id: "raw-1", entries: [], homeDomains: []),
            plugin: provider.plugin(),
            services: services,
            router: router
        )
    }

    /// Runs `body` on the loop.
    func on<T: Sendable>(_ body: @escaping @Sendable (Stage) throws -> T) async throws -> T {
        try await bench.worker.call { try body(self) }
    }

    /// Waits until `condition` holds, after a call into the provider.
    func until(_ condition: @escaping @Sendable (RawProvider) -> Bool) async {
        await withCheckedContinuation { continuation in
            bench.worker.run { self.provider.when(condition) { continuation.resume() } }
        }
    }

    /// Waits for a call that begins with `prefix`.
    func heard(_ prefix: String, times: Int = 1) async {
        await until { $0.count(prefix) >= times }
    }

    /// What the provider was called for.
    var events: [String] {
        get async throws { try await on { $0.provider.events } }
    }
}
