package import Configuration
package import Directory
internal import Foundation
internal import HostServices
internal import Lanes
package import IMModel
package import Logging
internal import NIOCore
package import PluginHost
internal import ProviderKit
internal import Spool

/// A whole router: workers, plugins, lanes, spool and the home users. The library that hosts embed.
///
///     let router = try Router(configuration: configuration, logger: logger)
///     let setups = try await router.start()      // what each provider came to
///     …
///     await router.shutdown()
///
/// One process may hold several. All methods may be called from any thread.
package final class Router: Sendable {
    /// What the home users have received.
    package let inbox: Inbox

    private let configuration: RouterConfiguration
    private let linked: [String: Plugin]
    private let logger: Logger
    private let workers: [Worker]
    private let resolver: Resolver
    private let tls: TLSIdentities
    private let spool: SQLiteSpool?
    private let core: RouterCore
    private let startedAt = HostClock.wallMs()
    private let homeHolder = HomeHolder()

    /// How long draining may take.
    package static let drainTime = Duration.seconds(5)

    /// The home provider, once it was made. Used on its worker's loop.
    private final class HomeHolder: @unchecked Sendable {
        // Safe to share: set and read on the first worker's loop only.
        var provider: HomeProvider?
    }

    /// Opens the files and sets up the services; nothing moves before ``start()``.
    ///
    /// - Parameters:
    ///   - linked: plugins that are part of this program, by the name that the configuration gives them.
    ///   - limits: of the message path.
    ///   - observer: watches envelopes travel; costs time on the message path.
    /// - Throws: ``RouterError``.
    package init(
        configuration: RouterConfiguration,
        linked: [String: Plugin] = [:],
        limits: RouterLimits = RouterLimits(),
        logger: Logger,
        observer: (any RouterObserver)? = nil
    ) throws(RouterError) {
        self.configuration = configuration
        self.linked = linked
        self.logger = logger
        let state = configuration.router.state
        do {
            try FileManager.default.createDirectory(
                atPath: state,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw .stateFolder(path: state, reason: error.localizedDescription)
        }
        tls = try Self.identities(configuration.tls)
        do {
            let hosts = configuration.dns.hosts.map { ($0.name, $0.addresses) }
            resolver = try Resolver(
                ResolverOptions(
                    servers: configuration.dns.servers.map(\.description),
                    hosts: Dictionary(hosts) { first, _ in first }
                )
            )
        } catch {
            throw .resolver("\(error)")
        }
        do {
            spool = configuration.spool.durable ? try SQLiteSpool(path: "\(state)/spool.db") : nil
            inbox = try Inbox(path: "\(state)/inbox.db")
        } catch {
            throw .storage("\(error)")
        }
        workers = (0..<configuration.router.workers).map { Worker(index: $0, name: "worker-\($0)") }
        core = RouterCore(
            name: configuration.router.id,
            options: RouterCore.Options(configuration.spool, limits),
            workers: workers,
            homeDomains: configuration.home.domains.map(\.name),
            isDurable: configuration.spool.durable,
            logger: logger,
            observer: observer
        )
    }

    // MARK: Start and end

    /// Loads the plugins and starts an instance of each provider. One that cannot run leaves the others alone.
    ///
    /// - Returns: the providers, with what is wrong with those that do not run.
    /// - Throws: ``RouterError/home(_:)``.
    package func start() async throws(RouterError) -> [ProviderSetup] {
        var preparation = ProviderPreparation(configuration, linked: linked)
        let setups = preparation.prepareAll()
        let home = core.addRuntime(named: "home", on: 0)
        let ready = setups.compactMap { setup -> (ProviderSetup, Plugin, InstanceSettings)? in
            guard let plugin = setup.plugin, let settings = setup.settings else {
                for problem in setup.problems { logger.error("\(problem)") }
                return nil
            }
            return (setup, plugin, settings)
        }
        // Instances share the first worker until there are more of them than it should carry.
        let runtimes = ready.enumerated().map { index, entry in
            core.addRuntime(named: entry.0.name, on: index % workers.count)
        }
        core.open(store: spool)
        try await startHome(home)
        for (runtime, (_, plugin, settings)) in zip(runtimes, ready) {
            await start(runtime, plugin, settings)
        }
        watchForStalls()
        return setups
    }

    private func startHome(_ runtime: InstanceRuntime) async throws(RouterError) {
        let domains = configuration.home.domains.map(HomeProvider.Domain.init)
        let table = Entry.plugin(HomeProvider.self) { [inbox, workers, homeHolder] host, _ in
            let provider = HomeProvider(host: host, domains: domains, inbox: inbox, worker: workers[0])
            homeHolder.provider = provider
            return provider
        }
        do {
            let plugin = try Plugin(path: "home", table: table)
            let settings = InstanceSettings(id: "home", entries: [], homeDomains: domains.map(\.name))
            try await launch(runtime, plugin, settings)
        } catch {
            throw .home("\(error)")
        }
    }

    private func start(_ runtime: InstanceRuntime, _ plugin: Plugin, _ settings: InstanceSettings) async {
        do {
            try await launch(runtime, plugin, settings)
            logger.info("a provider runs", metadata: ["instance": "\(settings.id)", "plugin": "\(plugin.description.id)"])
        } catch {
            logger.error("a provider does not run: \(error)", metadata: ["plugin": "\(plugin.path)"])
        }
    }

    /// Makes and starts an instance on its worker.
    private func launch(_ runtime: InstanceRuntime, _ plugin: Plugin, _ settings: InstanceSettings) async throws {
        let services = Instance.Services(
            worker: runtime.context.worker,
            limits: ServiceLimits(),
            tls: tls,
            resolver: resolver,
            logger: logger
        )
        let bound = LoopBound(value: (runtime, core))
        try await runtime.context.worker.call {
            let (runtime, core) = bound.value
            let instance = try Instance(
                index: runtime.index,
                settings: settings,
                plugin: plugin,
                services: services,
                router: runtime
            )
            runtime.instance = instance
            do {
                try instance.start()
            } catch {
                core.dropClaims(of: runtime.index)
                throw error
            }
            runtime.context.worker.wake()
        }
    }

    /// Lets the instances finish their work, stops them, and closes the files.
    package func shutdown() async {
        let providers = core.runtimes.dropFirst()
        for runtime in providers { await onLoop(of: runtime) { $0.instance?.drain() } }
        let deadline = ContinuousClock.now + Self.drainTime
        while ContinuousClock.now < deadline, await !areIdle(providers) {
            try? await Task.sleep(for: .milliseconds(20))
        }
        for runtime in core.runtimes.reversed() { await onLoop(of: runtime) { $0.instance?.stop() } }
        inbox.close()
        await sendLastSteps()
        core.spoolWriter?.stop()
        for runtime in core.runtimes { await onLoop(of: runtime) { $0.releaseAll() } }
        if let spool {
            do { try spool.close() } catch { logger.error("the spool was not closed in order: \(error)") }
        }
        for worker in workers { try? await worker.shutdown() }
        resolver.shutdown()
    }

    private func areIdle(_ runtimes: ArraySlice<InstanceRuntime>) async -> Bool {
        for runtime in runtimes {
            guard await onLoop(of: runtime, { $0.instance?.isIdle ?? true }) else { return false }
        }
        return true
    }

    /// Waits until the workers have handed all their steps to the spool.
    private func sendLastSteps() async {
        for worker in workers {
            while true {
                let context = core.contexts[worker.index]
                let isSent = try? await worker.call { context.canSendSteps }
                if isSent ?? true { break }
                worker.wake()
                try? await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    // MARK: What hosts ask for

    /// Hands in what a home user has written.
    ///
    /// - Parameter envelope: its `id` is made here if it is empty.
    /// - Returns: the id, and what the router makes of it: `accepted` or `failed`.
    package func send(_ envelope: Envelope) async -> (id: String, outcome: Outcome) {
        let holder = homeHolder
        let worker = workers[0]
        return await withCheckedContinuation { continuation in
            worker.run {
                guard let home = holder.provider, home.serves(envelope.from) else {
                    let text = "\(envelope.from) is not a home user"
                    continuation.resume(returning: (envelope.id, .failed(Outcome.Reason(.policy, text))))
                    return
                }
                var envelope = envelope
                if envelope.id.isEmpty { envelope.id = home.newID() }
                let id = envelope.id
                home.submit(envelope) { outcome in continuation.resume(returning: (id, outcome)) }
            }
        }
    }

    /// How the router stands now.
    package func status() async -> RouterStatus {
        var instances: [RouterStatus.InstanceStatus] = []
        for runtime in core.runtimes {
            instances.append(await onLoop(of: runtime) { $0.status })
        }
        return RouterStatus(
            name: configuration.router.id,
            uptimeMs: HostClock.wallMs() - startedAt,
            workers: workers.count,
            instances: instances,
            spool: spool.flatMap { try? $0.counts() }
        )
    }

    // MARK: Helpers

    private func watchForStalls() {
        for context in core.contexts {
            let runtimes = LoopBound(value: core.runtimes.filter { $0.context === context })
            _ = context.worker.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                for runtime in runtimes.value { runtime.watchForStall(nowNs: HostClock.monotonicNs()) }
            }
        }
    }

    private func onLoop<T: Sendable>(
        of runtime: InstanceRuntime,
        _ body: @escaping @Sendable (InstanceRuntime) -> T
    ) async -> T {
        let bound = LoopBound(value: runtime)
        return await withCheckedContinuation { continuation in
            runtime.context.worker.run { continuation.resume(returning: body(bound.value)) }
        }
    }

    private static func identities(_ section: TLSSection) throws(RouterError) -> TLSIdentities {
        do {
            let sources = try section.identities.map { identity in
                TLSIdentitySource(
                    name: identity.domain,
                    certificateChain: .file(identity.certificate),
                    key: .bytes(Array(try identity.key.resolve().text.utf8))
                )
            }
            let trust = section.trust.map { TrustSource.pem($0.map { .file($0) }) } ?? .system
            return try TLSIdentities(identities: sources, defaultName: sources.first?.name, trust: trust)
        } catch {
            throw .tls("\(error)")
        }
    }
}

extension InstanceRuntime {
    /// The instance at this moment. On its loop.
    fileprivate var status: RouterStatus.InstanceStatus {
        RouterStatus.InstanceStatus(
            name: name,
            plugin: instance?.plugin.description.id ?? "",
            version: instance?.plugin.description.version ?? "",
            state: instance?.state.rawValue ?? "not running",
            laneDepth: lane.count,
            laneCapacity: lane.capacity,
            inFlight: inFlight.count,
            parked: parked.count,
            counters: counters,
            links: instance?.links() ?? []
        )
    }
}

extension HomeProvider.Domain {
    fileprivate init(_ section: HomeSection.Domain) {
        name = section.name
        users =
            switch section.users {
            case .any: nil
            case .listed(let names): Set(names)
            }
    }
}

extension RouterCore.Options {
    fileprivate init(_ section: SpoolSection, _ limits: RouterLimits) {
        self.init()
        self.limits = limits
        expireMs = section.expire.milliseconds
        retry = RetrySchedule(
            firstDelayMs: section.retry.first.milliseconds,
            delayMaxMs: section.retry.max.milliseconds,
            attemptsMax: section.retry.attempts
        )
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
