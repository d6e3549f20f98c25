internal import Configuration
internal import HostServices
internal import Logging
internal import NIOCore
internal import PluginHost
internal import PolicyStore
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
        markQuarantined(&setups)
        log(setups.flatMap(\.problems))
        let homeRuntime = core.addRuntime(named: "home", on: 0)
        // Spread over the workers, in their order.
        let ready = setups.indices.filter { setups[$0].isReady }.prefix(RuntimeList.capacity - 1)
        var shared = 0
        let runtimes = ready.map { index in
            let name = setups[index].name
            if let own = ownWorker(of: name) { return core.addRuntime(named: name, on: own) }
            shared += 1
            return core.addRuntime(named: name, on: (shared - 1) % configuration.router.workers)
        }
        for runtime in runtimes { setLimits(of: runtime, configuration) }
        core.open(store: store)
        watchForStalls()
        watchLinks()
        startWatchdog()
        warnOfPolicy(configuration.policy)
        do throws(PolicyStoreError) {
            try record(configuration.policy, by: "start")
        } catch {
            logger.log(.error, "the audit log lacks what has changed of the policy", [.reason: "\(error)"])
        }
        do {
            try await startHome(homeRuntime)
        } catch {
            await shutdown()
            throw .home("\(error)")
        }
        for (runtime, index) in zip(runtimes, ready) { await start(runtime, &setups[index]) }
        applied.withLockedValue { $0 = Applied(configuration: configuration, setups: setups) }
        await retryFailedStarts()
        return setups
    }

    /// The worker that the configuration of the start gave a provider for itself; nil if it has none.
    func ownWorker(of name: String) -> Int? {
        let own = configuration.providers.filter(\.hasOwnWorker).firstIndex { $0.name == name }
        return own.map { configuration.router.workers + $0 }
    }

    /// Takes over what the configuration lets a provider do.
    func setLimits(of runtime: InstanceRuntime, _ configuration: RouterConfiguration) {
        guard let limits = configuration.providers.first(where: { $0.name == runtime.name })?.limits else { return }
        runtime.callLimits = CallJudge.Limits(
            slow: UInt64(limits.slowCall / .nanoseconds(1)),
            stuck: UInt64(limits.stuckCall / .nanoseconds(1))
        )
        let bound = LoopBound(value: runtime)
        runtime.context.worker.run {
            bound.value.setBudget(perSecond: limits.submitsPerSecond, burst: limits.submitBurst)
            bound.value.settleTime = limits.settle
        }
    }

    private func startHome(_ runtime: InstanceRuntime) async throws {
        let domains = configuration.home.ownDomains.map(HomeProvider.Domain.init)
        let held = LoopBound(value: runtime)
        home.surroundings = HomeProvider.Surroundings(
            domains: domains,
            inbox: inbox,
            directory: directory,
            worker: workers[0]
        ) { token in
            held.value.inFlight.envelope(of: token)?.idempotencyKey
        }
        // A plugin's table lives for ever: it holds the holder, which is emptied at the end, and nothing else.
        let graceMs = Int64(configuration.home.presenceGrace / .milliseconds(1))
        let table = Entry.plugin(HomeProvider.self) { [home] host, _ throws(ProviderError) in
            guard let surroundings = home.surroundings else { throw ProviderError("the router is gone") }
            let provider = HomeProvider(host: host, surroundings: surroundings, presenceGraceMs: graceMs)
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
            let description = plugin.description
            logger.log(
                .info,
                "a provider runs",
                [.provider: settings.id, .plugin: description.id, .version: description.version]
            )
        } catch {
            logger.log(
                .error,
                "a provider does not run",
                [.provider: settings.id, .path: plugin.path, .reason: "\(error)"]
            )
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
            accounts: DirectoryAccounts(directory: directory),
            metrics: metrics,
            watch: runtime.context.watch
        )
        let result = await onLoop(of: runtime) { runtime -> Result<Void, SeatError> in
            do throws(SeatError) {
                return .success(try runtime.seat(plugin, settings, services))
            } catch {
                if runtime.seat == nil { runtime.failure = "\(error)" }
                return .failure(error)
            }
        }
        // Its thread has not come back from it.
        guard let result else { throw LostWorker(provider: runtime.name) }
        try result.get()
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
