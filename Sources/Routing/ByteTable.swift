internal import CMemory

/// A fixed map from byte strings to small numbers, looked up without making a string of the key.
///
/// Open addressing with linear probing, at most half full; built once, then only read. Each key belongs to a scope, a
/// number: equal keys of two scopes are two keys. A key of up to 16 bytes stands in its slot, and two slots share a cache
/// line, so that most look-ups read one line; which one is known from the hash alone, and ``prefetch(_:)`` asks for it early.
// Safe to share: the memory is written by the initialiser alone.
final class ByteTable: @unchecked Sendable {
    /// One entry of the initialiser.
    struct Entry {
        var scope: UInt32 = 0
        var key: String
        var value: UInt32
    }

    /// A key that is looked up, with its hash.
    struct Key {
        fileprivate let scope: UInt32
        fileprivate let bytes: UnsafeRawBufferPointer
        fileprivate let hash: UInt64
        /// Its bytes, padded with zeros, if they are 16 at most.
        fileprivate let words: (UInt64, UInt64)

        /// Prepares a key; its bytes are borrowed as long as it is used.
        @inline(__always)
        init(_ bytes: UnsafeRawBufferPointer, scope: UInt32 = 0) {
            self.scope = scope
            self.bytes = bytes
            (words, hash) = Self.hashed(bytes, scope)
        }

        /// The same, of a key whose hash is known.
        @inline(__always)
        init(_ bytes: UnsafeRawBufferPointer, scope: UInt32, hash: UInt64) {
            self.scope = scope
            self.bytes = bytes
            self.hash = hash
            words = bytes.count > ByteTable.inlineBytesMax ? (0, 0) : Self.padded(bytes)
        }

        /// The hash alone.
        @inline(__always)
        static func hash(_ bytes: UnsafeRawBufferPointer, scope: UInt32) -> UInt64 { hashed(bytes, scope).1 }
    }

    private struct Slot {
        /// Lower half of the hash: most slots that are not the key's differ here.
        var hash: UInt32 = 0
        var scope: UInt32 = 0
        var value: UInt32 = 0
        /// Length of the key; a slot is free while it is 0, for no key is empty.
        var count: UInt32 = 0
        /// The key, padded with zeros; of one of more than 16 bytes, where it begins in `long`.
        var words: (UInt64, UInt64) = (0, 0)
    }

    private static let inlineBytesMax = 16
    /// A table of this size or more asks for large pages, in bytes.
    private static let largePageBytesMin = 4 << 20

    private let slots: UnsafeMutablePointer<Slot>
    private let memory: UnsafeMutableRawPointer
    private let mask: Int
    /// The bytes of all keys that are too long for a slot.
    private let long: UnsafeMutablePointer<UInt8>
    private let isEmpty: Bool

    /// Builds the map; of two entries with one scope and key the later counts.
    ///
    /// Empty keys are left out.
    init(_ entries: [Entry]) {
        var capacity = 8
        while capacity < entries.count * 2 { capacity *= 2 }
        let byteCount = capacity * MemoryLayout<Slot>.stride
        let isLarge = byteCount >= Self.largePageBytesMin
        memory = .allocate(byteCount: byteCount, alignment: isLarge ? 2 << 20 : 64)
        if isLarge { memory_prefer_large_pages(memory, byteCount) }
        slots = memory.bindMemory(to: Slot.self, capacity: capacity)
        slots.initialize(repeating: Slot(), count: capacity)
        mask = capacity - 1
        let longBytes = entries.reduce(0) { $0 + ($1.key.utf8.count > Self.inlineBytesMax ? $1.key.utf8.count : 0) }
        long = .allocate(capacity: max(1, longBytes))
        isEmpty = entries.isEmpty
        var longCount = 0
        for entry in entries where !entry.key.isEmpty { insert(entry, &longCount) }
    }

    deinit {
        memory.deallocate()
        long.deallocate()
    }

    /// Begins to fetch what ``value(of:)`` will read for a key with this hash.
    @inline(__always)
    func prefetch(_ hash: UInt64) {
        let first = slots + (Int(truncatingIfNeeded: hash >> 32) & mask)
        memory_prefetch(first)
        // Every third look-up goes on into the next line.
        memory_prefetch(first + 64 / MemoryLayout<Slot>.stride)
    }

    /// The value of a key; nil if it has none.
    ///
    /// No allocation.
    @inline(__always)
    func value(of key: Key) -> UInt32? {
        guard !isEmpty, !key.bytes.isEmpty else { return nil }
        let slot = slots + place(of: key)
        return slot.pointee.count == 0 ? nil : slot.pointee.value
    }

    /// The slot of a key, or the free one where it would be.
    @inline(__always)
    private func place(of key: Key) -> Int {
        var index = Int(truncatingIfNeeded: key.hash >> 32) & mask
        while slots[index].count != 0, !holds(slots + index, key) { index = (index + 1) & mask }
        return index
    }

    @inline(__always)
    private func holds(_ slot: UnsafePointer<Slot>, _ key: Key) -> Bool {
        guard slot.pointee.hash == UInt32(truncatingIfNeeded: key.hash), slot.pointee.scope == key.scope,
            slot.pointee.count == key.bytes.count
        else { return false }
        guard key.bytes.count > Self.inlineBytesMax else { return slot.pointee.words == key.words }
        let bytes = UnsafeRawBufferPointer(start: long + Int(slot.pointee.words.0), count: Int(slot.pointee.count))
        return bytes.elementsEqual(key.bytes)
    }

    private func insert(_ entry: Entry, _ longCount: inout Int) {
        var text = entry.key
        text.withUTF8 { utf8 in
            let key = Key(UnsafeRawBufferPointer(utf8), scope: entry.scope)
            let index = place(of: key)
            guard slots[index].count == 0 else {
                slots[index].value = entry.value
                return
            }
            var words = key.words
            if utf8.count > Self.inlineBytesMax, let start = utf8.baseAddress {
                words = (UInt64(longCount), 0)
                (long + longCount).initialize(from: start, count: utf8.count)
                longCount += utf8.count
            }
            slots[index] = Slot(
                hash: UInt32(truncatingIfNeeded: key.hash),
                scope: entry.scope,
                value: entry.value,
                count: UInt32(utf8.count),
                words: words
            )
        }
    }
}

extension ByteTable.Key {
    /// The padded words and the hash of a key.
    ///
    /// Whoever claims addresses could choose some that collide; that makes their own look-ups slow, and the claims are the
    /// plugins', not their peers'.
    @inline(__always)
    private static func hashed(_ bytes: UnsafeRawBufferPointer, _ scope: UInt32) -> ((UInt64, UInt64), UInt64) {
        var hash = mix(UInt64(scope) ^ 0x9E37_79B9_7F4A_7C15, UInt64(bytes.count) ^ 0xD6E8_FEB8_6659_FD93)
        let count = bytes.count
        guard count > 16 else {
            let words = padded(bytes)
            return (words, mix(words.0 ^ hash, words.1 ^ 0xA076_1D64_78BD_642F))
        }
        var offset = 0
        while offset + 16 < count {
            hash = mix(load(bytes, offset) ^ hash, load(bytes, offset + 8) ^ 0xA076_1D64_78BD_642F)
            offset += 16
        }
        // The last 16 bytes, some of them for the second time.
        return ((0, 0), mix(load(bytes, count - 16) ^ hash, load(bytes, count - 8) ^ 0xE703_7ED1_A0B4_28DB))
    }

    /// Up to 16 bytes as two words, padded with zeros.
    @inline(__always)
    fileprivate static func padded(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        let count = bytes.count
        if count > 8 {
            // The upper word begins where the lower ends: the bytes that both would hold are shifted out.
            return (load(bytes, 0), load(bytes, count - 8) >> UInt64((16 - count) * 8))
        }
        if count == 8 { return (load(bytes, 0), 0) }
        if count >= 4 {
            let low = UInt64(bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self).littleEndian)
            let high = UInt64(bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self).littleEndian)
            return (low | (high >> UInt64((8 - count) * 8)) << 32, 0)
        }
        var word: UInt64 = 0
        for index in 0..<count { word |= UInt64(bytes[index]) << UInt64(index * 8) }
        return (word, 0)
    }

    @inline(__always)
    private static func load(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
    }

    /// The product's halves folded together.
    @inline(__always)
    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
