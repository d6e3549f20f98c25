/// Counts the stanzas of a managed stream that were handled (XEP-0198 §4).
///
/// A stanza is handled when all that came of it is settled, which may happen out of order. What is told to the peer is
/// the number of those from the first on without a gap, so that nothing is ever acknowledged that may still be lost.
package struct HandledCounter: Hashable, Sendable {
    /// One stanza: how many came before it.
    package typealias Ticket = UInt64

    /// Stanzas that were received.
    package private(set) var received: UInt64 = 0
    private var settledWithoutGap: UInt64 = 0
    /// Whether each stanza after those is settled.
    ///
    /// What the router takes before it answers BUSY bounds it.
    private var isSettled: [Bool] = []

    /// A counter of a stream on which counting begins.
    package init() {}

    /// What is told to the peer, modulo 2^32.
    package var handled: UInt32 { UInt32(truncatingIfNeeded: self.settledWithoutGap) }

    /// Whether all that was received is settled.
    package var isComplete: Bool { self.settledWithoutGap == self.received }

    /// Whether all of the first `count` stanzas are settled.
    package func hasSettled(_ count: UInt64) -> Bool { self.settledWithoutGap >= count }

    /// A stanza came.
    package mutating func receive() -> Ticket {
        self.isSettled.append(false)
        self.received += 1
        return self.received - 1
    }

    /// All that came of a stanza is settled; a second time it changes nothing.
    package mutating func settle(_ ticket: Ticket) {
        guard ticket >= self.settledWithoutGap, ticket < self.received else { return }
        self.isSettled[Int(ticket - self.settledWithoutGap)] = true
        let done = self.isSettled.prefix { $0 }.count
        self.isSettled.removeFirst(done)
        self.settledWithoutGap += UInt64(done)
    }
}
