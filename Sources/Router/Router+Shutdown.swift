internal import Directory
internal import HostServices
internal import Logging
internal import PluginHost
internal import Spool
internal import Synchronization
internal import Telemetry
internal import Vault

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

extension Router {
    /// How often it is looked whether the instances are done.
    static let lookTime = Duration.milliseconds(10)
    /// How long foreign libraries may take to log their accounts out; then the process ends under them.
    private static let connectorTime = Duration.seconds(2)
    /// How long the home users' inbox may take at the least to write what has arrived.
    private static let homeTime = Duration.seconds(1)

    /// Lets the instances finish their work, stops them, and closes the files.
    ///
    /// A second call returns at once.
    ///
    /// It takes the drain time at most, and what the disk takes for the last commits. What is not delivered by then is on
    /// disk, if it is stored at all. Not to be called while ``start()`` runs.
    package func shutdown() async {
        guard advance(from: [.made, .running], to: .stopping) else { return }
        endRetries()
        for context in core.contexts where context.isLost.load(ordering: .acquiring) && !context.isAbandoned {
            abandon(context, "a plugin did not return to it")
        }
        // A change that is under way sees the phase, and does not wait for instances any more.
        await turns.take()
        defer { turns.give() }
        core.spoolWriter?.stopWithholding()
        let deadline = ContinuousClock.now + core.options.limits.drainTime
        for runtime in core.runtimes.dropFirst() { await onLoop(of: runtime) { $0.instance?.drain() } }
        await wait(until: deadline) { await self.areIdle() }
        if let first = core.runtimes.first { await drainHome(first, until: deadline) }
        // The home users last: what others hand in while they stop may be for them.
        for runtime in core.runtimes.reversed() { await onLoop(of: runtime) { $0.stop() } }
        await wait(until: .now + Self.connectorTime) { connectors.haveEnded }
        inbox.close()
        directory.close()
        instanceStore.close()
        vault?.close()
        await endSpool()
        for worker in workers where !core.contexts[worker.index].isAbandoned { await end(worker) }
        watchdog.withLockedValue { $0 }?.stop()
        resolver.shutdown()
    }

    private func areIdle() async -> Bool {
        for runtime in core.runtimes {
            guard await onLoop(of: runtime, { $0.isIdle }) ?? true else { return false }
        }
        return true
    }

    /// Takes nothing more for the home users, lets the inbox write what has arrived, and those who have sent something
    /// have their answers.
    private func drainHome(_ runtime: InstanceRuntime, until deadline: ContinuousClock.Instant) async {
        await onLoop(of: runtime) { $0.instance?.drain() }
        let home = home
        await wait(until: max(deadline, .now + Self.homeTime)) {
            await self.onLoop(of: runtime) { $0.inFlight.count == 0 && home.hasAnswered } ?? true
        }
    }

    func wait(until deadline: ContinuousClock.Instant, for isDone: () async -> Bool) async {
        while ContinuousClock.now < deadline, await !isDone() {
            guard (try? await Task.sleep(for: Self.lookTime)) != nil else { return }
        }
    }

    /// Hands the last steps to the spool, and closes it when they are written.
    private func endSpool() async {
        for context in core.contexts where !context.isAbandoned {
            _ = try? await context.worker.call { context.close() }
            while let isSent = try? await context.worker.call({ context.hasSentSteps }), !isSent {
                // The writer wakes the worker when it has room; this only waits for that.
                try? await Task.sleep(for: Self.lookTime)
            }
        }
        await core.spoolWriter?.stop()
        guard let store else { return }
        do throws(SpoolError) {
            try store.close()
        } catch {
            logger.log(.error, "the spool was not closed in order", [.reason: "\(error)"])
        }
    }

    /// Lets go of what is in memory, and ends a worker's thread.
    private func end(_ worker: Worker) async {
        let context = core.contexts[worker.index]
        let home = home
        _ = try? await worker.call {
            context.end()
            if worker.index == 0 { home.empty() }
        }
        // From here on nobody asks the loops anything; what was asked before is answered before they end.
        _ = advance(from: [.stopping], to: .stopped)
        _ = try? await worker.call {}
        do {
            try await worker.shutdown()
        } catch {
            logger.log(.error, "a worker did not end in order", [.worker: worker.name, .reason: "\(error)"])
        }
    }
}
