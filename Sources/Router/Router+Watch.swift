internal import Glibc
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Synchronization
internal import Telemetry

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// A provider that keeps a worker which others need: it does not return from a callback.
package struct LostProvider: Hashable, Sendable {
    package var name: String
    /// A sentence: in which callback, and how long.
    package var reason: String
}

// Providers that do not behave.
extension Router {
    /// Watches the workers from now on.
    func startWatchdog() {
        let watchdog = Watchdog(core: core, lookTime: core.options.limits.watchInterval) {
            [weak self] runtime, verdict in
            self?.condemn(runtime, verdict)
        }
        self.watchdog.withLockedValue { $0 = watchdog }
        watchdog.start()
    }

    /// Deals with an instance that has taken too long.
    ///
    /// On the watchdog's thread.
    private func condemn(_ runtime: InstanceRuntime, _ verdict: CallJudge.Verdict) {
        // What the home users' provider does is the router's own.
        guard runtime.index != 0 else { return }
        let reason = "it spent more than \(verdict.durationNs / 1_000_000) ms in \(verdict.call.call)"
        switch verdict.event {
        case .stuck: stopWhenReturned(runtime, reason)
        case .lost: give(up: runtime, reason)
        case .slow, .returned: break
        }
    }

    /// Stops an instance as soon as its worker is out of it.
    private func stopWhenReturned(_ runtime: InstanceRuntime, _ reason: String) {
        let bound = LoopBound(value: runtime)
        ifIn([.running]) {
            runtime.context.worker.run { [weak self] in
                guard let self, bound.value.isRunning else { return }
                guard !bound.value.context.isAbandoned else {
                    // Its sockets are closed; what it held is on disk and is read after the next start.
                    bound.value.seat?.instance.stop()
                    return
                }
                bound.value.withdraw(because: reason)
                logger.log(.error, "a provider was stopped", [.provider: bound.value.name, .reason: reason])
                Task {
                    await self.turns.take()
                    await self.finishWithdrawal(of: bound.value)
                    self.turns.give()
                }
            }
        }
    }

    /// Goes on without a thread that does not come back: alone, if nobody else needs it, or by way of the host.
    private func give(up runtime: InstanceRuntime, _ reason: String) {
        let context = runtime.context
        context.isLost.store(true, ordering: .releasing)
        let isShared = core.runtimes.contains { $0.context === context && $0 !== runtime }
        if isShared, isIn([.running]), let onLost {
            onLost(LostProvider(name: runtime.name, reason: reason))
            return
        }
        if isShared, isIn([.running]) {
            logger.log(
                .critical,
                "other providers wait for a worker that is lost: restart the router",
                [.provider: runtime.name, .worker: context.worker.name, .reason: reason]
            )
            return
        }
        abandon(context, reason)
    }

    /// Gives a worker up: nothing is asked of its loop any more, what its providers had is left on the disk.
    func abandon(_ context: WorkerContext, _ reason: String) {
        context.abandon()
        // Should the thread come back after all, it finds everything where it left it.
        _ = Unmanaged.passRetained(core)
        for runtime in core.runtimes where runtime.context === context {
            runtime.lostReason.withLockedValue { $0 = reason }
            runtime.isOpen.store(false, ordering: .releasing)
            runtime.closing.store(Closing.asked.rawValue, ordering: .releasing)
            core.retainClaims([], of: runtime.index)
        }
        // Whoever waits for room in these lanes tries again, and is refused by the routes.
        for other in core.contexts where !other.isAbandoned { other.grantRoom() }
        core.spoolWriter?.grantRoom()
        // Whatever it does, it does when nobody else wants the processor (setpriority(2): a thread has its own niceness).
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(context.worker.threadID), 19)
        let names = core.runtimes.filter { $0.context === context }.map(\.name)
        logger.log(
            .error,
            "a worker was given up, its provider is dead",
            [.provider: names.joined(separator: ", "), .worker: context.worker.name, .reason: reason]
        )
    }
}
