package import CPlugboard

/// An envelope in one block of memory: the ABI's structs, and behind them the bytes they point to.
///
/// That is the form in which an envelope travels through a lane: a provider can be handed a pointer
/// to it as it is. For the disk, pointers are replaced by offsets from the block's start.
///
///     plugboard_envelope_t | content struct | group spans (contacts only) | text
package enum FlatEnvelope {
    /// Why an envelope cannot be taken.
    package enum Flaw: Error, Hashable, Sendable {
        /// A struct is too short, a pointer missing, a text no UTF-8, an address no address, a value out of range.
        case malformed
        /// A field, or all together, is over its limit.
        case tooLarge
    }

    /// Checks a borrowed envelope and says how many bytes its copy will have.
    ///
    /// Every span is looked at, so that what is behind it is safe to copy.
    package static func measure(_ source: UnsafePointer<plugboard_envelope_t>) throws(Flaw) -> Int {
        guard source.pointee.struct_size >= FlatLayout.envelopeSize,
            let layout = FlatLayout.content(source.pointee.kind),
            let content = source.pointee.content,
            content.load(as: UInt32.self) >= layout.size
        else { throw .malformed }
        guard source.pointee.hops <= PLUGBOARD_HOPS_MAX else { throw .tooLarge }
        let envelope = UnsafeRawPointer(source)
        var total = FlatLayout.fixedSize(layout)
        for offset in FlatLayout.envelopeSpans {
            total += try checked(envelope.load(fromByteOffset: offset, as: plugboard_bytes_t.self))
        }
        for offset in layout.spans {
            total += try checked(content.load(fromByteOffset: offset, as: plugboard_bytes_t.self))
        }
        try checkAddress(source.pointee.from)
        try checkAddress(source.pointee.to)
        if source.pointee.kind == PLUGBOARD_CONTACT {
            try checkAddress(content.load(as: plugboard_contact_t.self).address)
            let groups = try groups(of: content)
            total += groups.count * MemoryLayout<plugboard_bytes_t>.stride
            for group in groups { total += try checked(group) }
        }
        guard source.pointee.from_device.count <= PLUGBOARD_DEVICE_BYTES_MAX,
            source.pointee.to_device.count <= PLUGBOARD_DEVICE_BYTES_MAX,
            source.pointee.id.count <= PLUGBOARD_ID_BYTES_MAX,
            source.pointee.conversation.count <= PLUGBOARD_ID_BYTES_MAX,
            source.pointee.origin.count <= PLUGBOARD_ID_BYTES_MAX,
            // The origin is the host's own addition: it may not push an envelope that was taken over the limit.
            total - source.pointee.origin.count <= PLUGBOARD_ENVELOPE_BYTES_MAX
        else { throw .tooLarge }
        return total
    }

    /// Copies a measured envelope into `memory`, which has room for what ``measure(_:)`` said.
    ///
    /// - Returns: the copy; its own address is `memory`.
    @discardableResult
    package static func copy(
        _ source: UnsafePointer<plugboard_envelope_t>,
        to memory: UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<plugboard_envelope_t> {
        guard let layout = FlatLayout.content(source.pointee.kind), let content = source.pointee.content else {
            preconditionFailure("only a measured envelope can be copied")
        }
        let envelope = memory.bindMemory(to: plugboard_envelope_t.self, capacity: 1)
        envelope.initialize(to: source.pointee)
        envelope.pointee.struct_size = UInt32(FlatLayout.envelopeSize)
        let contentCopy = memory + FlatLayout.contentOffset
        contentCopy.copyMemory(from: content, byteCount: layout.size)
        contentCopy.storeBytes(of: UInt32(layout.size), as: UInt32.self)
        envelope.pointee.content = UnsafeRawPointer(contentCopy)

        var end = memory + FlatLayout.fixedSize(layout)
        // What was in this memory before must not come to the disk with the gap behind the content.
        let gap = contentCopy + layout.size
        gap.initializeMemory(as: UInt8.self, repeating: 0, count: end - gap)
        if source.pointee.kind == PLUGBOARD_CONTACT {
            end = copyGroups(from: content, to: contentCopy, at: end)
        }
        for offset in FlatLayout.envelopeSpans { end = copySpan(at: memory + offset, to: end) }
        for offset in layout.spans { end = copySpan(at: contentCopy + offset, to: end) }
        return envelope
    }

    private static func copyGroups(
        from content: UnsafeRawPointer,
        to copy: UnsafeMutableRawPointer,
        at end: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        let contact = copy.assumingMemoryBound(to: plugboard_contact_t.self)
        let count = contact.pointee.group_count
        let spans = end.bindMemory(to: plugboard_bytes_t.self, capacity: count)
        if let groups = contact.pointee.groups { spans.initialize(from: groups, count: count) }
        contact.pointee.groups = UnsafePointer(spans)
        var end = end + count * MemoryLayout<plugboard_bytes_t>.stride
        for index in 0..<count { end = copySpan(at: UnsafeMutableRawPointer(spans + index), to: end) }
        return end
    }

    /// Moves the bytes that the span at `place` points to, and lets it point to the copy.
    private static func copySpan(
        at place: UnsafeMutableRawPointer,
        to end: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        let span = place.assumingMemoryBound(to: plugboard_bytes_t.self)
        guard let start = span.pointee.start, span.pointee.count > 0 else {
            span.pointee = plugboard_bytes_t(start: nil, count: 0)
            return end
        }
        end.copyMemory(from: start, byteCount: span.pointee.count)
        span.pointee.start = UnsafePointer(end.assumingMemoryBound(to: UInt8.self))
        return end + span.pointee.count
    }

    /// The length of a span that is well-formed UTF-8.
    private static func checked(_ span: plugboard_bytes_t) throws(Flaw) -> Int {
        guard span.count != 0 else { return 0 }
        // A count above Int.max shows as a negative one.
        guard (1...Int(PLUGBOARD_ENVELOPE_BYTES_MAX)).contains(span.count) else { throw .tooLarge }
        guard let start = span.start else { throw .malformed }
        let bytes = UnsafeBufferPointer(start: start, count: span.count)
        guard (try? UTF8Span(validating: bytes.span)) != nil else { throw .malformed }
        return span.count
    }

    static func groups(of content: UnsafeRawPointer) throws(Flaw) -> UnsafeBufferPointer<plugboard_bytes_t> {
        let contact = content.load(as: plugboard_contact_t.self)
        guard (0...Int(PLUGBOARD_CONTACT_GROUPS_MAX)).contains(contact.group_count) else { throw .tooLarge }
        guard contact.group_count == 0 || contact.groups != nil else { throw .malformed }
        return UnsafeBufferPointer(start: contact.groups, count: contact.group_count)
    }

    /// Whether a checked span is an address: `user@domain` or `domain`, split at the last `@`, neither part empty,
    /// no spaces or controls.
    private static func checkAddress(_ span: plugboard_bytes_t) throws(Flaw) {
        let bytes = UnsafeBufferPointer(start: span.start, count: span.count)
        var domain = bytes[...]
        if let at = bytes.lastIndex(of: UInt8(ascii: "@")) {
            guard at > 0 else { throw .malformed }
            guard at <= addressPartBytesMax else { throw .tooLarge }
            domain = bytes[(at + 1)...]
        }
        guard !domain.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw .malformed }
        guard domain.count <= addressPartBytesMax else { throw .tooLarge }
    }

    /// The most bytes on either side of an address's `@`.
    private static let addressPartBytesMax = (Int(PLUGBOARD_ADDRESS_BYTES_MAX) - 1) / 2
}
