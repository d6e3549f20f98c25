/// What an instance has done since it was started.
package struct InstanceCounters: Sendable {
    /// Envelopes it handed in.
    package var submittedKinds = KindCounts()
    /// Of these, the ones the router did not take, by the reason's word.
    package var refusals: [Grievance: UInt64] = [:]
    /// Submits that were answered BUSY.
    package var busy: UInt64 = 0
    /// Of these, the ones for handing in more than its limits allow.
    package var throttled: UInt64 = 0
    /// Envelopes it delivered to its network.
    package var deliveredKinds = KindCounts()
    /// Deliveries it put off.
    package var deferredKinds = KindCounts()
    /// Deliveries that failed for good.
    package var failedKinds = KindCounts()
    /// Deliveries that were put off or failed, by the class of the failure.
    package var failures: [Grievance: UInt64] = [:]
    /// Envelopes of the moment (typing, presence…) that were not worth another attempt.
    package var droppedKinds = KindCounts()
    /// Presence and typing that it handed in and that a newer one took the place of, while the recipient's lane was full.
    package var coalesced: UInt64 = 0
    /// Envelopes it took and did not settle in time.
    package var overdue: UInt64 = 0
    /// Times that its lane stood still with envelopes in it.
    package var stalls: UInt64 = 0

    package init() {}

    package var submitted: UInt64 { submittedKinds.total }
    package var refused: UInt64 { refusals.values.reduce(0, +) }
    package var delivered: UInt64 { deliveredKinds.total }
    package var deferred: UInt64 { deferredKinds.total }
    package var failed: UInt64 { failedKinds.total }
    package var dropped: UInt64 { droppedKinds.total }

    mutating func addRefusal(_ kind: UInt16, _ code: String) {
        refusals[Grievance(kind: kind.kindName, cause: code), default: 0] += 1
    }

    mutating func addFailure(_ kind: UInt16, _ failureClass: UInt16) {
        failures[Grievance(kind: kind.kindName, cause: failureClass.failureClassName), default: 0] += 1
    }
}
