/// How rings lie in memory, and how large one may be.
@usableFromInline package enum RingLayout {
    /// Bytes between two fields that different threads write.
    ///
    /// Two 64-byte lines: x86 fetches lines in pairs, and some arm64 cores have lines of 128 bytes.
    @inlinable package static var lineBytes: Int { 128 }

    /// The fewest slots a ring has.
    @inlinable package static var capacityMin: Int { 2 }

    /// The most slots a ring may have: 8 MiB of words in an ``SPSCRing``, 16 MiB in an ``MPMCRing``.
    @inlinable package static var capacityMax: Int { 1 << 20 }

    /// The number of slots that a ring asked to hold `capacity` words gets.
    ///
    /// - Precondition: `capacity` is 1...``capacityMax``.
    /// - Returns: the next power of two, at least ``capacityMin``.
    package static func slotCount(for capacity: Int) -> Int {
        precondition(
            (1...Self.capacityMax).contains(capacity),
            "a ring holds 1...\(Self.capacityMax) words, but \(capacity) were asked for"
        )
        guard capacity > Self.capacityMin else { return Self.capacityMin }
        return 1 << (Int.bitWidth - (capacity - 1).leadingZeroBitCount)
    }
}
