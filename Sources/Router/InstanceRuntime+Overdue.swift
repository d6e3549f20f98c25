internal import CPlugboard
internal import HostServices
internal import Logging
internal import Telemetry

// A provider may take an envelope and never settle it: it has lost it, or waits for an answer that does not come.
extension InstanceRuntime {
    /// Sweeps of the settle time: what is taken back has been held for the settle time, and up to a quarter more.
    private static let sweepsPerSettleTime: UInt64 = 4

    /// Takes back what the provider has held for too long; called now and then.
    ///
    /// It counts as put off, and may have been delivered nevertheless; what is stored is tried again. If the provider settles
    /// it after all, it is told that the token is unknown.
    func takeBackOverdue(nowNs: UInt64) {
        guard nowNs >= nextSweepNs else { return }
        let settleTime = settleTime ?? limits.settleTime
        let settleNs = UInt64(max(1, settleTime / .nanoseconds(1)))
        nextSweepNs = nowNs + settleNs / Self.sweepsPerSettleTime
        inFlight.nextSweep()
        let wasFull = inFlight.count >= limits.inFlightMax
        // The sweep that was going on when it was taken does not count: it may have been over soon.
        let overdue = inFlight.removeOverdue(sweeps: Self.sweepsPerSettleTime + 1)
        guard !overdue.isEmpty else { return }
        counters.overdue += UInt64(overdue.count)
        core.logger.log(
            .warning,
            "a provider did not settle what it took: it is taken back",
            [
                .provider: name, .count: "\(overdue.count)", .duration: "\(settleTime)",
                .inFlight: "\(inFlight.count)",
            ]
        )
        for envelope in overdue {
            let conversation = envelope.header.pointee.conversation
            let holder = ([seat].compactMap(\.self) + others)
                .first { $0.generation == envelope.header.pointee.holder }
            holder?.heldCount -= 1
            deferred(envelope, .overdue, isLeaving: holder?.isLeaving == true)
            settledParked(conversation)
        }
        // An instance that leaves may have kept the next one waiting.
        if wasFull || !others.isEmpty { worker.wake() }
    }
}

extension FailureReason {
    /// The provider took it and did not say what became of it.
    fileprivate static var overdue: FailureReason {
        FailureReason(
            failureClass: PLUGBOARD_CLASS_TRANSIENT,
            text: "the provider did not say in time what became of it",
            code: "overdue",
            isUncertain: true
        )
    }
}
