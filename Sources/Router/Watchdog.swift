internal import Dispatch
internal import Foundation
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Synchronization
internal import Telemetry

/// The thread that looks how long the workers stay inside their plugins.
///
/// Safe to share: the atomics and the semaphore are made for it; all else is the thread's own.
final class Watchdog: @unchecked Sendable {
    private let core: RouterCore
    private let lookTime: Duration
    /// Called on the watchdog's thread about an instance that has taken too long, or does not return.
    private let condemn: @Sendable (InstanceRuntime, CallJudge.Verdict) -> Void
    private let wake = DispatchSemaphore(value: 0)
    private let isStopping = Atomic<Bool>(false)
    private var judges: [CallJudge]
    private var logLimit = LogLimit<CallName>(pauseNs: 10_000_000_000)

    private struct CallName: Hashable {
        var instance: Int
        var call: ProviderCall
    }

    init(
        core: RouterCore,
        lookTime: Duration,
        condemn: @escaping @Sendable (InstanceRuntime, CallJudge.Verdict) -> Void
    ) {
        self.core = core
        self.lookTime = lookTime
        self.condemn = condemn
        let lookNs = UInt64(lookTime / .nanoseconds(1))
        // A busy machine may be late; one that slept is much later.
        judges = core.contexts.map { _ in CallJudge(lookMaxNs: lookNs * 10) }
    }

    func start() {
        Thread { [self] in
            SystemThread.setName("watchdog")
            run()
        }.start()
    }

    /// Ends the thread, in a moment.
    ///
    /// Any thread.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wake.signal()
    }

    private func run() {
        var last = HostClock.monotonicNs()
        while !isStopping.load(ordering: .acquiring) {
            _ = wake.wait(timeout: .now() + .nanoseconds(Int(lookTime / .nanoseconds(1))))
            let now = HostClock.monotonicNs()
            for context in core.contexts where !context.isAbandoned { look(at: context, passedNs: now - last, now) }
            last = now
        }
    }

    private func look(at context: WorkerContext, passedNs: UInt64, _ now: UInt64) {
        let verdicts = judges[context.index].look(at: context.watch.present, passedNs: passedNs) { index in
            core.runtimes[index].callLimits
        }
        for verdict in verdicts { handle(verdict, in: context, now) }
    }

    private func handle(_ verdict: CallJudge.Verdict, in context: WorkerContext, _ now: UInt64) {
        let runtime = core.runtimes[verdict.call.instance]
        let duration = "\(verdict.durationNs / 1_000_000) ms"
        var fields: [LogField: String] = [
            .provider: runtime.name, .callback: "\(verdict.call.call)", .duration: "\(duration)",
            .worker: context.worker.name,
        ]
        switch verdict.event {
        case .slow:
            runtime.slowCalls.add(1, ordering: .relaxed)
            let name = CallName(instance: verdict.call.instance, call: verdict.call.call)
            guard let held = logLimit.admit(name, nowNs: now) else { return }
            if held > 0 { fields[.heldBack] = "\(held)" }
            core.logger.log(.warning, "a provider takes long in a callback, and holds up its worker", fields)
        case .stuck:
            context.setStuck(true)
            core.logger.log(.error, "a provider is stuck in a callback", fields)
            condemn(runtime, verdict)
        case .lost:
            core.logger.log(.critical, "a provider does not return from a callback", fields)
            condemn(runtime, verdict)
        case .returned:
            context.setStuck(false)
            context.isLost.store(false, ordering: .releasing)
            core.logger.log(.notice, "a provider has returned from a callback in which it was stuck", fields)
        }
    }
}
