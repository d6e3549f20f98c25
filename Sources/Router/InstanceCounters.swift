/// What an instance has done since it was started.
package struct InstanceCounters: Hashable, Sendable {
    /// Envelopes it handed in.
    package var submitted: UInt64 = 0
    /// Of these, the ones the router did not take.
    package var refused: UInt64 = 0
    /// Submits that were answered BUSY.
    package var busy: UInt64 = 0
    /// Of these, the ones for handing in more than its limits allow.
    package var throttled: UInt64 = 0
    /// Envelopes it delivered to its network.
    package var delivered: UInt64 = 0
    /// Deliveries it put off.
    package var deferred: UInt64 = 0
    /// Deliveries that failed for good.
    package var failed: UInt64 = 0
    /// Envelopes of the moment (typing, presence…) that were not worth another attempt.
    package var dropped: UInt64 = 0
    /// Presence and typing that it handed in and that a newer one took the place of, while the recipient's lane was full.
    package var coalesced: UInt64 = 0
    /// Envelopes it took and did not settle in time.
    package var overdue: UInt64 = 0
    /// Times that its lane stood still with envelopes in it.
    package var stalls: UInt64 = 0
}
