internal import Configuration
internal import HostServices
internal import Logging
internal import PluginHost
internal import Synchronization
internal import Telemetry

// Providers that come, change and go while the router runs. Each caller has the turn.
extension Router {
    /// Starts a provider that does not run.
    func startAnew(_ name: String, _ plugin: Plugin, _ settings: InstanceSettings) async throws {
        let runtime = await runtime(named: name)
        guard !runtime.context.isAbandoned else { throw LostWorker(provider: name) }
        // It may have been stopped for a fault a moment ago.
        await finishWithdrawal(of: runtime)
        await onLoop(of: runtime) { $0.isRemoved = false }
        do {
            try await launch(runtime, plugin, settings)
        } catch {
            logger.log(.error, "a provider does not run", [.provider: name, .reason: "\(error)"])
            throw error
        }
        let description = plugin.description
        logger.log(
            .notice,
            "a provider runs",
            [.provider: name, .plugin: description.id, .version: description.version]
        )
    }

    /// Starts an instance beside the one that runs, moves the traffic to it, and waits for the old one to finish.
    ///
    /// - Returns: how many envelopes the old one had not settled in time, so that they go to the new one.
    /// - Throws: what kept the new one from starting; the old one goes on then.
    @discardableResult
    func replace(_ name: String, _ plugin: Plugin, _ settings: InstanceSettings) async throws -> Int {
        let runtime = await runtime(named: name)
        do {
            try await launch(runtime, plugin, settings)
        } catch {
            logger.log(
                .error,
                "a provider could not be replaced, and goes on as it was",
                [
                    .provider: name, .plugin: plugin.description.id, .version: plugin.description.version,
                    .reason: "\(error)",
                ]
            )
            throw error
        }
        logger.log(
            .notice,
            "a provider was replaced, and the old instance drains",
            [.provider: name, .plugin: plugin.description.id, .version: plugin.description.version]
        )
        let deadline = ContinuousClock.now + core.options.limits.drainTime
        await wait(until: deadline) {
            guard self.isIn([.running]) else { return true }
            return await self.onLoop(of: runtime) { $0.hasLeft } ?? true
        }
        return await onLoop(of: runtime) { $0.endLeaving() } ?? 0
    }

    /// Drains and stops a provider; what is stored for it stays in the spool.
    ///
    /// - Parameter reason: why, if it is to be shown as failed; nil: it is not configured any more.
    func stopProvider(_ runtime: InstanceRuntime, because reason: String?) async {
        await onLoop(of: runtime) { $0.instance?.drain() }
        let deadline = ContinuousClock.now + core.options.limits.drainTime
        await wait(until: deadline) {
            guard self.isIn([.running]) else { return true }
            return await self.onLoop(of: runtime) { $0.isIdle } ?? true
        }
        await onLoop(of: runtime) { $0.withdraw(because: reason) }
        await finishWithdrawal(of: runtime)
        let why = reason ?? "the configuration does not name it any more"
        logger.log(.notice, "a provider was stopped", [.provider: runtime.name, .reason: why])
    }

    /// Lets a provider that was withdrawn be forgotten by the spool's writer.
    ///
    /// That takes as long as its last steps cannot be written, such as on a full disk; the end of the router ends it.
    func finishWithdrawal(of runtime: InstanceRuntime) async {
        guard await onLoop(of: runtime, { $0.isWithdrawing }) ?? false else { return }
        // What it has settled must not be read again.
        await waitWhileRunning(runtime) { $0.context.hasSentSteps }
        await onLoop(of: runtime) { $0.close() }
        await waitWhileRunning(runtime) { !$0.isWithdrawing }
    }

    private func waitWhileRunning(
        _ runtime: InstanceRuntime,
        for isDone: @escaping @Sendable (InstanceRuntime) -> Bool
    ) async {
        await wait(until: .now + .seconds(3600)) {
            guard self.isIn([.running]) else { return true }
            return await self.onLoop(of: runtime, isDone) ?? true
        }
    }

    /// The runtime of a name: the one it had, or a new one on the worker with the fewest.
    private func runtime(named name: String) async -> InstanceRuntime {
        if let known = core.runtimes.first(where: { $0.name == name }) { return known }
        let shared = core.contexts.prefix(configuration.router.workers)
        let loads = shared.map { context in core.runtimes.count { $0.context === context } }
        let worker = ownWorker(of: name) ?? loads.indices.min { loads[$0] < loads[$1] } ?? 0
        let made = core.addRuntime(named: name, on: worker)
        await onLoop(of: made) { $0.context.add($0) }
        return made
    }
}

/// A provider cannot be started: its thread is lost.
struct LostWorker: Error, CustomStringConvertible {
    var provider: String

    var description: String { "the thread of \(provider) does not return from it: restart the router" }
}
