/// The envelopes that an instance has taken, by token.
///
/// A token is a slot and its generation, so that one that was settled is recognised. In memory of its own, for every
/// message passes it. Worker's loop only.
struct InFlightTable: ~Copyable {
    private struct Slot {
        /// The envelope's word; 0: the slot is free.
        var word: UInt = 0
        var generation: UInt32 = 1
        /// The next free slot, while this one is free; see ``InFlightTable/none``.
        var nextFree: UInt32 = InFlightTable.none
        /// When it was taken, in sweeps; see ``InFlightTable/nextSweep()``.
        var sweep: UInt64 = 0
    }

    private static let none = UInt32.max
    private static let firstCapacity = 64

    private var slots: UnsafeMutablePointer<Slot>
    private var capacity: Int
    /// Slots that were ever used; those behind have never been.
    private var used = 0
    private var firstFree = InFlightTable.none
    private var sweep: UInt64 = 0
    /// How many durable ones each conversation has.
    private var conversations: [UInt64: Int] = [:]
    /// How many are in flight.
    private(set) var count = 0

    init() {
        capacity = Self.firstCapacity
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Slot(), count: capacity)
    }

    deinit {
        slots.deallocate()
    }

    /// Stores one and names it; never 0.
    mutating func insert(_ envelope: RoutedEnvelope) -> UInt64 {
        let index: Int
        if firstFree != Self.none {
            index = Int(firstFree)
            firstFree = slots[index].nextFree
        } else {
            if used == capacity { grow() }
            index = used
            used += 1
        }
        slots[index].word = envelope.word
        slots[index].sweep = sweep
        count += 1
        // Only durable ones are ever parked.
        if envelope.header.pointee.isDurable { conversations[envelope.header.pointee.conversation, default: 0] += 1 }
        return UInt64(slots[index].generation) << 32 | UInt64(index)
    }

    /// The envelope of a token; nil for one that is not in flight.
    func envelope(of token: UInt64) -> RoutedEnvelope? { index(of: token).map { RoutedEnvelope(word: slots[$0].word) } }

    /// Takes one out; nil for a token that is not in flight.
    mutating func remove(_ token: UInt64) -> RoutedEnvelope? {
        guard let index = index(of: token) else { return nil }
        return remove(at: index)
    }

    /// Takes one out that this instance has taken, see ``Seat/generation``; nil for any other token.
    mutating func remove(_ token: UInt64, heldBy holder: UInt16) -> RoutedEnvelope? {
        guard let index = index(of: token),
            RoutedEnvelope(word: slots[index].word).header.pointee.holder == holder
        else { return nil }
        return remove(at: index)
    }

    /// All of them, in no particular order.
    func envelopes() -> [RoutedEnvelope] { entries().map(\.envelope) }

    /// All of them with their tokens, in no particular order.
    func entries() -> [(token: UInt64, envelope: RoutedEnvelope)] {
        (0..<used).filter { slots[$0].word != 0 }.map { index in
            (UInt64(slots[index].generation) << 32 | UInt64(index), RoutedEnvelope(word: slots[index].word))
        }
    }

    /// Takes all out.
    mutating func removeAll() -> [RoutedEnvelope] { remove { _ in true } }

    /// How many durable ones of one conversation are in flight.
    func count(of conversation: UInt64) -> Int { conversations[conversation] ?? 0 }

    // MARK: Overdue ones

    /// Begins a new sweep: what is taken from now on is one sweep younger than what was taken before.
    mutating func nextSweep() {
        sweep += 1
    }

    /// Takes out what was taken at least `sweeps` sweeps ago.
    ///
    /// - Complexity: O(the most that were ever in flight).
    mutating func removeOverdue(sweeps: UInt64) -> [RoutedEnvelope] {
        guard count > 0, sweep >= sweeps else { return [] }
        let last = sweep - sweeps
        return remove { $0.sweep <= last }
    }

    // MARK: Slots

    @inline(__always)
    private func index(of token: UInt64) -> Int? {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard index < used, slots[index].generation == UInt32(truncatingIfNeeded: token >> 32),
            slots[index].word != 0
        else { return nil }
        return index
    }

    private mutating func remove(where isMatch: (Slot) -> Bool) -> [RoutedEnvelope] {
        (0..<used).filter { slots[$0].word != 0 && isMatch(slots[$0]) }.map { remove(at: $0) }
    }

    private mutating func remove(at index: Int) -> RoutedEnvelope {
        let envelope = RoutedEnvelope(word: slots[index].word)
        slots[index].word = 0
        slots[index].generation = slots[index].generation == .max ? 1 : slots[index].generation + 1
        slots[index].nextFree = firstFree
        firstFree = UInt32(index)
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

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Slot>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: slots, count: capacity)
        (larger + capacity).initialize(repeating: Slot(), count: capacity)
        slots.deallocate()
        slots = larger
        capacity *= 2
    }
}
