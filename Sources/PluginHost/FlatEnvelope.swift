internal import CMemory
package import CPlugboard

/// An envelope in one block of memory: the ABI's structs, and behind them the bytes they point to.
///
/// That is the form in which an envelope travels through a lane: a provider can be handed a pointer
/// to it as it is. For the disk, pointers are replaced by offsets from the block's start.
///
///     plugboard_envelope_t | content struct | group spans (contacts only) | text
package enum FlatEnvelope {
    /// Why an envelope cannot be taken.
    package enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
        /// A struct is too short, a pointer missing, a text no UTF-8, an address no address, a value out of range.
        case malformed
        /// A field, or all together, is over its limit.
        case tooLarge

        package var description: String {
            switch self {
            case .malformed:
                "it breaks the plugin ABI's rules: a struct too short, a text no UTF-8, or an address no address"
            case .tooLarge: "a field of it, or all together, is over the plugin ABI's limit"
            }
        }
    }

    /// Checks a borrowed envelope and says how many bytes its copy will have.
    ///
    /// Every span is looked at, so that what is behind it is safe to copy.
    package static func measure(_ source: UnsafePointer<plugboard_envelope_t>) throws(Flaw) -> Int {
        guard source.pointee.struct_size >= ABISize.envelope,
            let layout = FlatLayout.content(source.pointee.kind),
            let content = source.pointee.content,
            content.load(as: UInt32.self) >= layout.sizeMin
        else { throw .malformed }
        guard source.pointee.hops <= PLUGBOARD_HOPS_MAX else { throw .tooLarge }
        var total = FlatLayout.fixedSize(layout)
        // No sum of so few spans, each of them within the limit, overflows.
        for span in spans(FlatLayout.envelopeSpans, in: UnsafeRawPointer(source)) { total &+= try checked(span) }
        for span in spans(layout.spans, in: content) { total &+= try checked(span) }
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
    /// - Parameter origin: takes the place of the envelope's own; its bytes need room, too.
    /// - Returns: the copy; its own address is `memory`.
    @discardableResult
    package static func copy(
        _ source: UnsafePointer<plugboard_envelope_t>,
        origin: plugboard_bytes_t? = nil,
        to memory: UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<plugboard_envelope_t> {
        guard let layout = FlatLayout.content(source.pointee.kind), let content = source.pointee.content else {
            preconditionFailure("only a measured envelope can be copied")
        }
        let envelope = memory.bindMemory(to: plugboard_envelope_t.self, capacity: 1)
        copyStruct(from: source, to: memory, size: FlatLayout.envelopeSize)
        if let origin { envelope.pointee.origin = origin }
        let contentCopy = memory + FlatLayout.contentOffset
        copyStruct(from: content, to: contentCopy, size: layout.size)
        envelope.pointee.content = UnsafeRawPointer(contentCopy)

        var end = memory + FlatLayout.fixedSize(layout)
        // What was in this memory before must not come to the disk with the gap behind the content.
        let gap = contentCopy + layout.size
        gap.initializeMemory(as: UInt8.self, repeating: 0, count: end - gap)
        if source.pointee.kind == PLUGBOARD_CONTACT {
            end = copyGroups(from: content, to: contentCopy, at: end)
        }
        end = copySpans(FlatLayout.envelopeSpans, in: memory, to: end)
        _ = copySpans(layout.spans, in: contentCopy, to: end)
        return envelope
    }

    /// Copies a struct of the size that it says itself: what a shorter one of an earlier version lacks is 0.
    @inline(__always)
    private static func copyStruct(from source: UnsafeRawPointer, to copy: UnsafeMutableRawPointer, size: Int) {
        let sourceSize = Int(source.load(as: UInt32.self))
        if sourceSize >= size {
            copy.copyMemory(from: source, byteCount: size)
        } else {
            copy.copyMemory(from: source, byteCount: sourceSize)
            (copy + sourceSize).initializeMemory(as: UInt8.self, repeating: 0, count: size - sourceSize)
        }
        copy.storeBytes(of: UInt32(size), as: UInt32.self)
    }

    /// The spans of a struct, which lie side by side.
    @inline(__always)
    private static func spans(
        _ spans: FlatLayout.Spans,
        in structure: UnsafeRawPointer
    ) -> UnsafeBufferPointer<plugboard_bytes_t> {
        let first = (structure + spans.offset).assumingMemoryBound(to: plugboard_bytes_t.self)
        return UnsafeBufferPointer(start: first, count: spans.count)
    }

    @inline(__always)
    private static func copySpans(
        _ spans: FlatLayout.Spans,
        in structure: UnsafeMutableRawPointer,
        to end: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        var end = end
        for index in 0..<spans.count {
            end = copySpan(at: structure + spans.offset + index * MemoryLayout<plugboard_bytes_t>.stride, to: end)
        }
        return end
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
    @inline(__always)
    private static func copySpan(
        at place: UnsafeMutableRawPointer,
        to end: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        let span = place.assumingMemoryBound(to: plugboard_bytes_t.self)
        guard let start = span.pointee.start, span.pointee.count > 0 else {
            span.pointee = plugboard_bytes_t(start: nil, count: 0)
            return end
        }
        memory_copy(end, start, span.pointee.count)
        span.pointee.start = UnsafePointer(end.assumingMemoryBound(to: UInt8.self))
        return end + span.pointee.count
    }

    /// The length of a span that is well-formed UTF-8.
    @inline(__always)
    private static func checked(_ span: plugboard_bytes_t) throws(Flaw) -> Int {
        guard span.count != 0 else { return 0 }
        // A count above Int.max shows as a negative one.
        guard UInt(bitPattern: span.count) <= UInt(PLUGBOARD_ENVELOPE_BYTES_MAX) else { throw .tooLarge }
        guard let start = span.start else { throw .malformed }
        guard TextCheck.isUTF8(UnsafeBufferPointer(start: start, count: span.count)) else { throw .malformed }
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
    @inline(__always)
    private static func checkAddress(_ span: plugboard_bytes_t) throws(Flaw) {
        let bytes = UnsafeBufferPointer(start: span.start, count: span.count)
        guard let start = span.start else { throw .malformed }
        let at = memory_last_index(start, span.count, UInt8(ascii: "@"))
        guard at != 0 else { throw .malformed }
        guard at <= addressPartBytesMax else { throw .tooLarge }
        let domainBytes = span.count - at - 1
        guard domainBytes > 0, TextCheck.isVisible(bytes) else { throw .malformed }
        guard domainBytes <= addressPartBytesMax else { throw .tooLarge }
    }

    /// Whether a span that was not checked is an address, or a domain.
    package static func checkSubject(_ span: plugboard_bytes_t) throws(Flaw) {
        _ = try checked(span)
        try checkAddress(span)
    }

    /// The most bytes on either side of an address's `@`.
    private static let addressPartBytesMax = (Int(PLUGBOARD_ADDRESS_BYTES_MAX) - 1) / 2
}
