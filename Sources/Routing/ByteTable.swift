/// A fixed map from byte strings to small numbers, looked up without making a string of the key.
///
/// Open addressing with linear probing, at most half full; built once, then only read.
struct ByteTable: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        /// Where the key is in `keys`; a slot is free while `end` is 0, for no key is empty.
        var start = 0
        var end = 0
        var value = 0
    }

    private var slots: [Slot]
    private var keys: [UInt8] = []
    private let mask: Int

    /// Builds the map; of two entries with one key the later counts.
    ///
    /// Empty keys are left out.
    init(_ entries: [(key: String, value: Int)]) {
        var capacity = 8
        while capacity < entries.count * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(), count: capacity)
        mask = capacity - 1
        for entry in entries where !entry.key.isEmpty { insert(Array(entry.key.utf8), entry.value) }
    }

    /// The value of a key; nil if it has none.
    ///
    /// No allocation.
    func value(of key: UnsafeRawBufferPointer) -> Int? {
        let hash = Self.hash(key)
        return keys.withUnsafeBytes { keys in
            slots.withUnsafeBufferPointer { slots in
                var index = Int(truncatingIfNeeded: hash) & mask
                while slots[index].end > 0 {
                    let slot = slots[index]
                    if slot.hash == hash, slot.end - slot.start == key.count,
                        UnsafeRawBufferPointer(rebasing: keys[slot.start..<slot.end]).elementsEqual(key)
                    {
                        return slot.value
                    }
                    index = (index + 1) & mask
                }
                return nil
            }
        }
    }

    private mutating func insert(_ key: [UInt8], _ value: Int) {
        let hash = key.withUnsafeBytes(Self.hash)
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].end > 0 {
            if slots[index].hash == hash, keys[slots[index].start..<slots[index].end].elementsEqual(key) {
                slots[index].value = value
                return
            }
            index = (index + 1) & mask
        }
        keys += key
        slots[index] = Slot(hash: hash, start: keys.count - key.count, end: keys.count, value: value)
    }

    /// FNV-1a, 64 bits, its halves folded together.
    ///
    /// Whoever claims addresses could choose some that collide; that makes their own lookups slow, and the claims are
    /// the plugins', not their peers'.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash ^ (hash >> 32)
    }
}
