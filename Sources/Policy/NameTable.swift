/// A fixed map from names to small numbers, looked up by bytes, without making a string of them.
///
/// Open addressing with linear probing, at most half full; built once, then only read. Only configuration comes in, so no
/// peer can make look-ups slow.
struct NameTable: Sendable {
    private struct Slot {
        /// Where the name begins in `bytes`.
        var start: UInt32 = 0
        /// Length of the name; a slot is free while it is 0.
        var count: UInt32 = 0
        var hash: UInt32 = 0
        var value: UInt32 = 0
    }

    private var slots: [Slot]
    private var bytes: [UInt8]
    private let isEmpty: Bool

    /// Builds the map; empty names are left out.
    init(_ entries: [String: UInt32]) {
        var capacity = 8
        while capacity < entries.count * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(), count: capacity)
        bytes = []
        isEmpty = entries.isEmpty
        for (name, value) in entries where !name.isEmpty {
            let hash = Array(name.utf8).withUnsafeBytes(Self.hash)
            var index = Int(hash) & (capacity - 1)
            while slots[index].count != 0 { index = (index + 1) & (capacity - 1) }
            slots[index] = Slot(
                start: UInt32(bytes.count),
                count: UInt32(name.utf8.count),
                hash: hash,
                value: value
            )
            bytes += name.utf8
        }
    }

    /// The number of a name; nil if it has none.
    func value(of name: UnsafeRawBufferPointer) -> UInt32? {
        guard !isEmpty, !name.isEmpty else { return nil }
        let hash = Self.hash(name)
        return slots.withUnsafeBufferPointer { slots in
            bytes.withUnsafeBytes { bytes in
                var index = Int(hash) & (slots.count - 1)
                while slots[index].count != 0 {
                    let slot = slots[index]
                    if slot.hash == hash, Int(slot.count) == name.count {
                        let start = Int(slot.start)
                        let key = UnsafeRawBufferPointer(rebasing: bytes[start..<start + name.count])
                        if key.elementsEqual(name) { return slot.value }
                    }
                    index = (index + 1) & (slots.count - 1)
                }
                return nil
            }
        }
    }

    /// FNV-1a, with the halves of the word folded together.
    static func hash(_ name: UnsafeRawBufferPointer) -> UInt32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return UInt32(truncatingIfNeeded: hash ^ (hash >> 32))
    }
}
