internal import Configuration
internal import HostServices
internal import Logging
internal import NIOCore
internal import PluginHost
internal import ProviderKit
internal import Synchronization
internal import Telemetry
internal import Vault

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

extension Router {
    /// Loads the plugins and starts an instance of each provider.
    ///
    /// One that cannot run leaves the others alone.
    ///
    /// - Returns: the providers, with what is wrong with those that do not run.
    /// - Throws: ``RouterError/home(_:)``; the router is shut down then.
    /// - Precondition: it was not started before.
    package func start() async throws(RouterError) -> [ProviderSetup] {
        let isFirst = advance(from: [.made], to: .running)
        precondition(isFirst, "a router can be started once")
        var preparation = ProviderPreparation(configuration, linked: linked, connectors: connectors)
        var setups = preparation.prepareAll()
        for problem in setups.flatMap(\.problems) {
            logger.log(level: problem.severity == .error ? .error : .warning, "\(problem)")
        }
        let homeRuntime = core.addRuntime(named: "home", on: 0)
        // Spread over the workers, in their order.
        let ready = setups.indices.filter { setups[$0].isReady }.prefix(RuntimeList.capacity - 1)
        let runtimes = ready.enumerated().map { place, index in
            core.addRuntime(named: setups[index].name, on: place % workers.count)
        }
        core.open(store: store)
        watchForStalls()
        do {
            try await startHome(homeRuntime)
        } catch {
            await shutdown()
            throw .home("\(error)")
        }
        for (runtime, index) in zip(runtimes, ready) { await start(runtime, &setups[index]) }
        applied.withLockedValue { $0 = Applied(configuration: configuration, setups: setups) }
        return setups
    }

    private func startHome(_ runtime: InstanceRuntime) async throws {
        let domains = configuration.home.domains.map(HomeProvider.Domain.init)
        let held = LoopBound(value: runtime)
        home.surroundings = HomeProvider.Surroundings(domains: domains, inbox: inbox, worker: workers[0]) { token in
            held.value.inFlight.envelope(of: token)?.idempotencyKey
        }
        // A plugin's table lives for ever: it holds the holder, which is emptied at the end, and nothing else.
        let table = Entry.plugin(HomeProvider.self) { [home] host, _ throws(ProviderError) in
            guard let surroundings = home.surroundings else { throw ProviderError("the router is gone") }
            let provider = HomeProvider(host: host, surroundings: surroundings)
            home.provider = provider
            return provider
        }
        let plugin = try Plugin(path: "home", table: table)
        let settings = InstanceSettings(id: runtime.name, entries: [], homeDomains: domains.map(\.name))
        try await launch(runtime, plugin, settings)
    }

    /// Starts a provider; if it does not run, the setup says why.
    func start(_ runtime: InstanceRuntime, _ setup: inout ProviderSetup) async {
        guard let plugin = setup.plugin, let settings = setup.settings else { return }
        do {
            try await launch(runtime, plugin, settings)
            logger.info(
                "a provider runs",
                metadata: ["instance": "\(settings.id)", "plugin": "\(plugin.description.id)"]
            )
        } catch {
            logger.error("a provider does not run: \(error)", metadata: ["plugin": "\(plugin.path)"])
            setup.problems.append(
                Problem(
                    severity: .error,
                    file: configuration.file,
                    position: configuration.providers.first { $0.name == setup.name }?.pluginPosition ?? .start,
                    keyPath: "providers.\(setup.name)",
                    message: "\(error)"
                )
            )
        }
    }

    /// Makes and starts an instance on its worker; if one runs already, the new one takes its place.
    func launch(_ runtime: InstanceRuntime, _ plugin: Plugin, _ settings: InstanceSettings) async throws {
        let services = Instance.Services(
            worker: runtime.context.worker,
            limits: ServiceLimits(),
            tls: tls,
            resolver: resolver,
            logger: logger,
            store: instanceStore,
            vault: vault,
            metrics: metrics
        )
        let bound = LoopBound(value: runtime)
        try await runtime.context.worker.call {
            let runtime = bound.value
            do throws(SeatError) {
                try runtime.seat(plugin, settings, services)
            } catch {
                if runtime.seat == nil { runtime.failure = "\(error)" }
                throw error
            }
        }
    }

    /// Looks at the lanes now and then: often enough to notice a stall soon after it became one.
    private func watchForStalls() {
        let threshold = core.options.limits.stallThreshold / .nanoseconds(1)
        let interval = TimeAmount.nanoseconds(Int64(min(max(threshold / 2, 10_000_000), 1_000_000_000)))
        for context in core.contexts {
            _ = context.worker.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
                for runtime in context.runtimes { runtime.watchForStall(nowNs: HostClock.monotonicNs()) }
            }
        }
    }
}

extension HomeProvider.Domain {
    init(_ section: HomeSection.Domain) {
        name = section.name
        users =
            switch section.users {
            case .any: nil
            case .listed(let names): Set(names)
            }
    }
}
