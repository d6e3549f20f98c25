/// The envelopes that an instance has taken, by token.
///
/// A token is a slot and its generation, so that one that was settled is recognised. Worker's loop only.
struct InFlightTable {
    private struct Slot {
        var envelope: RoutedEnvelope?
        var generation: UInt32 = 1
    }

    private var slots: [Slot] = []
    private var free: [Int] = []
    /// How many are in flight.
    private(set) var count = 0

    /// Stores one and names it.
    mutating func insert(_ envelope: RoutedEnvelope) -> UInt64 {
        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            index = slots.count
            slots.append(Slot())
        }
        slots[index].envelope = envelope
        count += 1
        return UInt64(slots[index].generation) << 32 | UInt64(index)
    }

    /// Takes one out; nil for a token that is not in flight.
    mutating func remove(_ token: UInt64) -> RoutedEnvelope? {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < slots.count, slots[index].generation == UInt32(truncatingIfNeeded: token >> 32),
            let envelope = slots[index].envelope
        else { return nil }
        slots[index].envelope = nil
        slots[index].generation &+= 1
        free.append(index)
        count -= 1
        return envelope
    }

    /// Takes all out.
    mutating func removeAll() -> [RoutedEnvelope] {
        defer { self = InFlightTable() }
        return slots.compactMap(\.envelope)
    }

    /// How many of one conversation are in flight. Takes time in proportion to the table.
    func count(of conversation: UInt64) -> Int {
        slots.reduce(0) { $0 + ($1.envelope?.header.pointee.conversation == conversation ? 1 : 0) }
    }
}
