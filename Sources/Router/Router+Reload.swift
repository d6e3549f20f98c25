package import Configuration
internal import HostServices
internal import Logging
internal import PluginHost
internal import Spool
internal import Synchronization
internal import Telemetry

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

// Another configuration while the router runs.
extension Router {
    /// Reads a configuration file and takes it over.
    ///
    /// If there is an error in it, nothing changes. What is not different is not touched: its streams stay open.
    ///
    /// - Parameters:
    ///   - file: as the caller names it in messages.
    ///   - actor: who asks for it, for the audit log.
    package func reload(file: String, by actor: String = "host") async -> ReloadAnswer {
        let (configuration, problems) = ConfigurationLoader.examine(file)
        return await reload(configuration, problems, by: actor)
    }

    /// Takes another configuration over; see ``reload(file:)``.
    ///
    /// - Parameters:
    ///   - configuration: nil if it could not be read.
    ///   - problems: what was found wrong with it so far.
    ///   - actor: who asks for it, for the audit log.
    package func reload(
        _ configuration: RouterConfiguration?,
        _ problems: [Problem] = [],
        by actor: String = "host"
    ) async -> ReloadAnswer {
        await turns.take()
        defer { turns.give() }
        guard isIn([.running]) else {
            var answer = ReloadAnswer(isApplied: false)
            answer.failed = ["the router does not run"]
            return answer
        }
        let before = applied.withLockedValue { $0 }
        var problems = problems
        var setups: [ProviderSetup] = []
        if let configuration {
            setups = prepare(configuration, like: before)
            problems += setups.flatMap(\.problems) + tlsProblems(configuration)
            problems += limitProblems(configuration)
        }
        problems.sort { $0.position < $1.position }
        log(problems)
        guard let configuration, !problems.contains(where: { $0.severity == .error }) else {
            let errors = problems.filter { $0.severity == .error }
            logger.log(
                .error,
                "the configuration was not reloaded, and nothing has changed",
                [.reason: "it has errors", .count: "\(errors.count)"]
            )
            return ReloadAnswer(isApplied: false, problems: problems)
        }
        let plan = ReloadPlan(
            from: .init(before.configuration, Self.settings(before.setups)),
            to: .init(configuration, Self.settings(setups)),
            running: await runningNames()
        )
        for name in quarantine.all().keys { quarantine.remove(name) }
        var answer = ReloadAnswer(isApplied: true, problems: problems)
        if plan.changedKeys.contains("policy") { takeOver(configuration.policy, by: actor, &answer) }
        await apply(plan, configuration, &setups, &answer)
        answer.needsRestart = plan.restartKeys
        let kept = configuration.keepingFixed(of: before.configuration)
        applied.withLockedValue { [setups] in $0 = Applied(configuration: kept, setups: setups) }
        for runtime in core.runtimes { setLimits(of: runtime, configuration) }
        await retryFailedStarts()
        log(answer)
        return answer
    }

    /// What became of the configured providers, by the configuration that counts now.
    package var setups: [ProviderSetup] { applied.withLockedValue { $0.setups } }

    /// The configuration that counts now.
    package var currentConfiguration: RouterConfiguration { applied.withLockedValue { $0.configuration } }

    // MARK: Looking before doing

    /// Loads and checks the providers.
    ///
    /// A provider whose library is named as before keeps the library that it runs: new code comes by an upgrade, or with
    /// the next start.
    private func prepare(_ configuration: RouterConfiguration, like before: Applied) -> [ProviderSetup] {
        var known = linked
        for section in before.configuration.providers {
            guard let plugin = before.setups.first(where: { $0.name == section.name })?.plugin else { continue }
            known[section.plugin.text] = plugin
        }
        var preparation = ProviderPreparation(
            configuration,
            linked: known,
            connectors: connectors,
            copies: "\(self.configuration.router.state)/plugins"
        )
        return preparation.prepareAll()
    }

    /// Whether the certificates can be used, also if the file names the same as before: they may have been renewed.
    private func tlsProblems(_ configuration: RouterConfiguration) -> [Problem] {
        do throws(RouterError) {
            _ = try Self.identities(configuration.tls)
            return []
        } catch {
            return [problem(configuration, "tls", "\(error)")]
        }
    }

    /// Whether the router has places for all the providers: one that was removed keeps its place until the next start.
    private func limitProblems(_ configuration: RouterConfiguration) -> [Problem] {
        let added = configuration.providers.filter { core.index(named: $0.name) == nil }
        guard core.runtimes.count + added.count > RuntimeList.capacity else { return [] }
        let message =
            "\(added.count) new providers are too many: a router has \(RuntimeList.capacity - 1) from one start to the "
            + "next; restart it"
        return [problem(configuration, "providers", message)]
    }

    private func problem(_ configuration: RouterConfiguration, _ key: String, _ message: String) -> Problem {
        Problem(file: configuration.file, position: .start, keyPath: key, message: message)
    }

    private static func settings(_ setups: [ProviderSetup]) -> [String: InstanceSettings] {
        let pairs = setups.compactMap { setup in setup.settings.map { (setup.name, $0) } }
        return Dictionary(pairs) { first, _ in first }
    }

    private func runningNames() async -> Set<String> {
        var names: Set<String> = []
        for runtime in core.runtimes where await onLoop(of: runtime, { $0.isRunning }) ?? false {
            names.insert(runtime.name)
        }
        return names
    }

    // MARK: Doing

    /// Carries a plan out: first what makes room, then what takes it.
    private func apply(
        _ plan: ReloadPlan,
        _ configuration: RouterConfiguration,
        _ setups: inout [ProviderSetup],
        _ answer: inout ReloadAnswer
    ) async {
        for provider in plan.providers where provider.change == .removed {
            await remove(provider.name, &answer)
        }
        await applyKeys(plan, configuration, &answer)
        await applyHome(plan.home, configuration.home, &answer)
        let plan = await tellHomeDomains(plan, setups)
        var rest = plan.providers
        // Twice: what one provider gives up, a domain or a port, another may wait for.
        for isLast in [false, true] {
            var failed: [ReloadPlan.Provider] = []
            for provider in rest where provider.change != .removed {
                guard let index = setups.firstIndex(where: { $0.name == provider.name }) else { continue }
                guard let sentence = await apply(provider, setups[index]) else { continue }
                failed.append(provider)
                guard isLast else { continue }
                answer.failed.append(sentence)
                setups[index].problems.append(failure(sentence, of: provider.name, configuration))
            }
            if isLast || failed.isEmpty {
                let failedNames = Set(failed.map(\.name))
                describe(plan, except: failedNames, &answer)
                return
            }
            rest = failed
        }
    }

    /// Tells the home domains to the providers of which nothing else changes: who takes them over is not replaced.
    private func tellHomeDomains(_ plan: ReloadPlan, _ setups: [ProviderSetup]) async -> ReloadPlan {
        var plan = plan
        for (index, provider) in plan.providers.enumerated() where provider.change == .changed([.homeDomains]) {
            guard let runtime = core.runtimes.first(where: { $0.name == provider.name }),
                let domains = setups.first(where: { $0.name == provider.name })?.settings?.homeDomains
            else { continue }
            let isTaken = await onLoop(of: runtime) { $0.instance?.takesOverHomeDomains(domains) ?? false }
            if isTaken == true { plan.providers[index].change = .told }
        }
        return plan
    }

    private func failure(_ sentence: String, of name: String, _ configuration: RouterConfiguration) -> Problem {
        Problem(
            severity: .error,
            file: configuration.file,
            position: configuration.providers.first { $0.name == name }?.pluginPosition ?? .start,
            keyPath: "providers.\(name)",
            message: sentence
        )
    }

    private func describe(_ plan: ReloadPlan, except failed: Set<String>, _ answer: inout ReloadAnswer) {
        for provider in plan.providers where !failed.contains(provider.name) {
            switch provider.change {
            case .added: answer.done.append("started \(provider.name)")
            case .retried: answer.done.append("started \(provider.name), which did not run")
            case .changed(let reasons):
                let words = reasons.map(\.rawValue).joined(separator: ", ")
                answer.done.append("replaced \(provider.name): other \(words)")
            case .told:
                answer.done.append("told \(provider.name) the home domains")
                answer.unchanged.append(provider.name)
            case .unchanged: answer.unchanged.append(provider.name)
            case .removed: break
            }
        }
    }

    /// Starts or replaces one provider; why it did not work, if it did not.
    private func apply(_ provider: ReloadPlan.Provider, _ setup: ProviderSetup) async -> String? {
        guard let plugin = setup.plugin, let settings = setup.settings else { return nil }
        do {
            switch provider.change {
            case .added, .retried: try await startAnew(provider.name, plugin, settings)
            case .changed: try await replace(provider.name, plugin, settings)
            case .removed, .told, .unchanged: break
            }
            return nil
        } catch {
            guard case .changed = provider.change else { return "\(provider.name) does not run: \(error)" }
            return "\(provider.name) goes on as it was: \(error)"
        }
    }

    private func remove(_ name: String, _ answer: inout ReloadAnswer) async {
        guard let runtime = core.runtimes.first(where: { $0.name == name }) else { return }
        await stopProvider(runtime, because: nil)
        answer.done.append("stopped \(name)")
    }

    private func applyKeys(
        _ plan: ReloadPlan,
        _ configuration: RouterConfiguration,
        _ answer: inout ReloadAnswer
    ) async {
        let options = RouterCore.Options(configuration.spool, core.options.limits)
        core.expireMs = options.expireMs
        core.retry = options.retry
        do throws(RouterError) {
            try Self.reload(tls, configuration.tls)
            if !configuration.tls.identities.isEmpty { answer.done.append("read the certificates again") }
        } catch {
            answer.failed.append("\(error)")
        }
        let graceMs = Int64(configuration.home.presenceGrace / .milliseconds(1))
        workers[0].run { [home] in home.provider?.presenceGraceMs = graceMs }
        answer.done += plan.changedKeys.filter { $0 != "tls" }.map { "took over \($0)" }
    }

    private func applyHome(_ change: ReloadPlan.Home, _ section: HomeSection, _ answer: inout ReloadAnswer) async {
        guard !change.isEmpty, let runtime = core.runtimes.first else { return }
        let names = section.domains.map(\.name)
        let domains = section.ownDomains.map(HomeProvider.Domain.init)
        let current = currentConfiguration.home
        if names != current.domains.map(\.name) || section.servers != current.servers {
            core.setHomeDomains(names, servers: section.servers)
        }
        let home = home
        let refused = await onLoop(of: runtime) { runtime -> [String] in
            let refused = home.provider?.serve(domains) ?? []
            runtime.keepClaims(Set(domains.map(\.name)))
            return refused
        }
        answer.failed += refused ?? []
        answer.done += change.domainsAdded.map { "serves the home domain \($0)" }
        answer.done += change.domainsRemoved.map { "serves the home domain \($0) no more" }
        answer.done += change.usersAdded.map { "added \($0)" }
        answer.done += change.usersRemoved.map { "removed \($0)" }
    }

    private func log(_ answer: ReloadAnswer) {
        for sentence in answer.done { logger.log(.notice, "a reload changed something", [.change: sentence]) }
        for sentence in answer.failed { logger.log(.error, "a reload could not change something", [.reason: sentence]) }
        for key in answer.needsRestart {
            logger.log(.warning, "a setting counts from the next start on", [.key: key])
        }
        logger.log(.notice, "the configuration was reloaded", [.count: "\(answer.done.count)"])
    }
}

extension ProviderSection.Plugin {
    /// How the configuration names it.
    var text: String {
        switch self {
        case .named(let name): name
        case .file(let path): path
        case .connector(let connector): connector.library
        }
    }
}
