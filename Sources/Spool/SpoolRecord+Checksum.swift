extension SpoolRecord {
    /// A checksum of all that must not change while the message is stored: what it says, whose it is, where it goes, and
    /// its place in the order.
    ///
    /// SQLite has none of its own: a byte that changed on the disk, or a page that was never written, would be delivered as
    /// it is. The key is no secret, for this is against accidents: whoever can write the file can make checksums, too.
    ///
    /// What changes while it waits is left out: attempts, the next one's time, and the reason of the last deferral.
    var checksum: Int64 {
        guard let hash = Self.checksumHash else { return 0 }
        var state = hash.start()
        state.absorb(UInt64(bitPattern: self.sequence))
        state.absorb(UInt64(bitPattern: self.createdAt))
        state.absorb(UInt64(bitPattern: self.expiresAt))
        state.absorb(self.idempotencyKey.high)
        state.absorb(self.idempotencyKey.low)
        for field in [self.destination, self.conversation, self.source] { Self.absorb(field, into: &state) }
        if let remoteID = self.remoteID {
            Self.absorb(remoteID, into: &state)
        } else {
            // No text is so long.
            state.absorb(.max)
        }
        self.payload.withUnsafeBytes { Self.absorb($0, into: &state) }
        return Int64(bitPattern: state.finish().first)
    }

    private static func absorb(_ text: String, into state: inout SipHash.State) {
        var text = text
        text.withUTF8 { Self.absorb(UnsafeRawBufferPointer($0), into: &state) }
    }

    /// The length in front keeps ("ab", "c") apart from ("a", "bc").
    private static func absorb(_ bytes: UnsafeRawBufferPointer, into state: inout SipHash.State) {
        state.absorb(UInt64(bytes.count))
        let rest = state.absorb(wordsOf: bytes)
        if bytes.count % 8 != 0 { state.absorb(rest) }
    }

    /// Written into every spool: it never changes.
    ///
    /// It is never nil, for the key has 16 bytes.
    private static let checksumHash = SipHash(key: Array("Plugboard spool1".utf8))
}
