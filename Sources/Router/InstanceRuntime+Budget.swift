internal import HostServices
internal import Logging
internal import NIOCore
internal import Telemetry

// What one provider may hand in, so that the others have their share.
extension InstanceRuntime {
    /// Bounds what the provider may hand in.
    ///
    /// - Parameter perSecond: envelopes; 0: as many as it likes.
    func setBudget(perSecond: Int, burst: Int) {
        let isSame = budget.map { Int($0.rate) == perSecond && Int($0.burst) == burst } ?? (perSecond == 0)
        guard !isSame else { return }
        budget = perSecond == 0 ? nil : SubmitBudget(rate: perSecond, burst: burst, nowNs: HostClock.monotonicNs())
    }

    /// Whether the provider has used up what it may hand in; it is told when it may go on.
    func isOverBudget() -> Bool {
        guard budget != nil else { return false }
        let now = HostClock.monotonicNs()
        guard budget?.take(nowNs: now) == false else { return false }
        counters.throttled += 1
        if let held = budgetLog.admit(0, nowNs: now) {
            var fields: [LogField: String] = [
                .provider: name, .perSecond: "\(budget?.rate ?? 0)", .reason: "limits.submits_per_second",
            ]
            if held > 0 { fields[.heldBack] = "\(held)" }
            core.logger.log(.warning, "a provider hands in more than it may, and has to wait", fields)
        }
        guard !isThrottled else { return true }
        isThrottled = true
        let pause = TimeAmount.nanoseconds(Int64(clamping: budget?.pauseNs() ?? 0))
        _ = context.worker.eventLoop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
            guard let self else { return }
            isThrottled = false
            _ = giveRoom()
        }
        return true
    }
}
