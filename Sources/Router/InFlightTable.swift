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
    /// How many durable ones each conversation has.
    private var conversations: [UInt64: Int] = [:]
    /// How many are in flight.
    private(set) var count = 0

    /// Stores one and names it; never 0.
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
        // Only durable ones are ever parked.
        if envelope.header.pointee.isDurable { conversations[envelope.header.pointee.conversation, default: 0] += 1 }
        return UInt64(slots[index].generation) << 32 | UInt64(index)
    }

    /// The envelope of a token; nil for one that is not in flight.
    func envelope(of token: UInt64) -> RoutedEnvelope? {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < slots.count, slots[index].generation == UInt32(truncatingIfNeeded: token >> 32) else {
            return nil
        }
        return slots[index].envelope
    }

    /// Takes one out; nil for a token that is not in flight.
    mutating func remove(_ token: UInt64) -> RoutedEnvelope? {
        guard let envelope = envelope(of: token) else { return nil }
        let index = Int(UInt32(truncatingIfNeeded: token))
        slots[index].envelope = nil
        slots[index].generation = slots[index].generation == .max ? 1 : slots[index].generation + 1
        free.append(index)
        count -= 1
        if envelope.header.pointee.isDurable { forget(envelope.header.pointee.conversation) }
        return envelope
    }

    private mutating func forget(_ conversation: UInt64) {
        guard let left = conversations[conversation], left > 1 else {
            conversations[conversation] = nil
            return
        }
        conversations[conversation] = left - 1
    }

    /// All of them, in no particular order.
    func envelopes() -> [RoutedEnvelope] { slots.compactMap(\.envelope) }

    /// All of them with their tokens, in no particular order.
    func entries() -> [(token: UInt64, envelope: RoutedEnvelope)] {
        slots.enumerated().compactMap { index, slot in
            slot.envelope.map { (UInt64(slot.generation) << 32 | UInt64(index), $0) }
        }
    }

    /// Takes all out.
    mutating func removeAll() -> [RoutedEnvelope] {
        defer { self = InFlightTable() }
        return slots.compactMap(\.envelope)
    }

    /// How many durable ones of one conversation are in flight.
    func count(of conversation: UInt64) -> Int { conversations[conversation] ?? 0 }
}
