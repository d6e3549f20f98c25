internal import Configuration
internal import HostServices
internal import Logging
internal import PluginHost
internal import Synchronization
internal import Telemetry

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

// Providers that do not start.
extension Router {
    /// Tries providers that did not start again, after pauses that grow.
    ///
    /// Whoever has the turn calls it after the providers were started.
    func retryFailedStarts() async {
        for setup in setups where setup.isReady && setup.quarantine == nil {
            guard let runtime = core.runtimes.first(where: { $0.name == setup.name }) else { continue }
            let failure = await onLoop(of: runtime) { $0.isRunning || $0.wasStopped ? nil : $0.failure }
            if let failure, let failure { retryStart(of: setup.name, attempt: 0, failure) }
        }
    }

    /// Tries one provider again in a while, unless that is planned already.
    private func retryStart(of name: String, attempt: Int, _ reason: String) {
        let limits = core.options.limits
        let pause = min(limits.startRetryFirst * Int(1 << min(attempt, 20)), limits.startRetryMax)
        let isNew = startRetries.withLockedValue { retries in
            guard retries[name] == nil else { return false }
            retries[name] = Task { [weak self] in
                guard (try? await Task.sleep(for: pause)) != nil else { return }
                await self?.retryStartNow(of: name, attempt: attempt + 1)
            }
            return true
        }
        guard isNew else { return }
        let pauseMs = pause / .milliseconds(1)
        logger.log(
            .notice,
            "a provider that does not run is tried again",
            [.provider: name, .attempts: "\(attempt + 1)", .retryInMs: "\(Int64(pauseMs))", .reason: reason]
        )
    }

    private func retryStartNow(of name: String, attempt: Int) async {
        await turns.take()
        defer { turns.give() }
        startRetries.withLockedValue { $0[name] = nil }
        guard isIn([.running]), let setup = setups.first(where: { $0.name == name }), setup.isReady,
            let plugin = setup.plugin, let settings = setup.settings,
            let runtime = core.runtimes.first(where: { $0.name == name }),
            await onLoop(of: runtime, { !$0.isRunning && !$0.isRemoved && !$0.wasStopped }) ?? false
        else { return }
        do {
            try await startAnew(name, plugin, settings)
            forgetProblem(of: name)
        } catch {
            retryStart(of: name, attempt: attempt, "\(error)")
        }
    }

    /// A provider runs: that it did not is past.
    private func forgetProblem(of name: String) {
        applied.withLockedValue { applied in
            guard let index = applied.setups.firstIndex(where: { $0.name == name }) else { return }
            applied.setups[index].quarantine = nil
            applied.setups[index].problems.removeAll { $0.keyPath == "providers.\(name)" }
        }
    }

    /// Tries no provider again.
    func endRetries() {
        let tasks = startRetries.withLockedValue { retries in
            defer { retries = [:] }
            return Array(retries.values)
        }
        for task in tasks { task.cancel() }
    }

    // MARK: Quarantine

    /// Starts a provider that was in quarantine, was stopped for a fault, or did not start.
    ///
    /// - Returns: why it does not run, if it does not.
    package func enable(_ name: String) async -> String? {
        await turns.take()
        defer { turns.give() }
        guard isIn([.running]) else { return "the router does not run" }
        guard let setup = setups.first(where: { $0.name == name }) else {
            return "the configuration has no provider called \(name)"
        }
        quarantine.remove(name)
        guard let plugin = setup.plugin, let settings = setup.settings else {
            let reasons = setup.problems.map(\.message).joined(separator: "; ")
            return "\(name) cannot be started: \(reasons)"
        }
        if let runtime = core.runtimes.first(where: { $0.name == name }),
            await onLoop(of: runtime, { $0.isRunning }) ?? false
        {
            return nil
        }
        do {
            try await startAnew(name, plugin, settings)
            forgetProblem(of: name)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Where providers are noted that are not to be started.
    var quarantine: Quarantine { Quarantine(state: configuration.router.state) }

    /// Marks the providers that are in quarantine.
    func markQuarantined(_ setups: inout [ProviderSetup]) {
        let reasons = quarantine.all()
        for index in setups.indices {
            let name = setups[index].name
            guard let reason = reasons[name] else { continue }
            setups[index].quarantine = reason
            setups[index].problems.append(
                Problem(
                    file: configuration.file,
                    position: configuration.providers.first { $0.name == name }?.pluginPosition ?? .start,
                    keyPath: "providers.\(name)",
                    message: "the provider is in quarantine: \(reason)",
                    suggestion: "'plugboard providers enable \(name)' or a reload starts it"
                )
            )
        }
    }
}
