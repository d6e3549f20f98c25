internal import CPlugboard
internal import HostServices
internal import Logging
internal import PluginHost
internal import Routing
internal import Spool
internal import Synchronization
internal import Telemetry

// Messages whose time is over and that no instance will ever take out of its lane.
extension SpoolWriter {
    /// Rows that one search finds.
    private static let expiredMax = 1024

    /// Gives up what has expired and is for an instance that does not run, or is configured no more; false if nothing
    /// was.
    ///
    /// The others expire when they come out of their lane.
    func sweepExpired(nowNs: UInt64) -> Bool {
        guard nowNs >= nextSweepNs else { return false }
        nextSweepNs = nowNs + UInt64(core.options.limits.expirySweepInterval / .nanoseconds(1))
        forgetDelivered()
        dropOldDeadLetters()
        let records: [SpoolRecord]
        do throws(SpoolError) {
            records = try store.expired(before: HostClock.wallMs(), limit: Self.expiredMax)
        } catch {
            core.logger.log(.error, "the spool could not be read", [.reason: "\(error)"])
            return false
        }
        let steps = records.filter { $0.damage != .unreadable && !isServed($0.destination) }.map { expiry(of: $0) }
        if !steps.isEmpty { perform(steps) }
        return !steps.isEmpty
    }

    private func isServed(_ destination: String) -> Bool {
        guard let index = core.index(named: destination) else { return false }
        return core.runtimes[index].isOpen.load(ordering: .acquiring)
    }

    /// The step that gives a row up, and tells its author unless the row is damaged.
    private func expiry(of record: SpoolRecord) -> RoutedEnvelope {
        let author = core.index(named: record.source)
        let target = core.index(named: record.destination) ?? author ?? 0
        guard let step = try? RoutedEnvelope(restoring: record, from: store, core: core, target: target) else {
            let bare = RoutedEnvelope(imageBytes: 0, from: core.pools, worker: core.foreignPool)
            bare.header.pointee.sequence = record.sequence
            bare.header.pointee.step = .expire
            return bare
        }
        let reason = FailureReason(.expired)
        envelopeLog.write(
            .notice,
            "a delivery failed",
            step.envelope.pointee,
            provider: record.destination,
            isHomeward: target == 0,
            cause: record.destination,
            reason.fields
        )
        step.header.pointee.step = .expire
        if let author, step.envelope.pointee.kind.isAnsweredByFailure {
            let notice = FailureNotice(core: core, worker: core.foreignPool)
                .make(about: step, from: record.destination, to: author, reason)
            if let notice { step.setNotice(notice) }
        }
        return step
    }
}
