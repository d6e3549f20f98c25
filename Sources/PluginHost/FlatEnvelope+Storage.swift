package import CPlugboard

extension FlatEnvelope {
    /// The block with offsets from its start in place of pointers: the form on disk.
    ///
    /// - Parameter byteCount: the block's size, as ``measure(_:)`` said.
    package static func stored(_ envelope: UnsafePointer<plugboard_envelope_t>, byteCount: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            let memory = UnsafeMutableRawPointer(base)
            memory.copyMemory(from: envelope, byteCount: byteCount)
            let origin = UInt(bitPattern: envelope)
            forEachSpan(in: memory, contentOf: UnsafeRawPointer(envelope)) { span in
                span.pointee.start =
                    span.pointee.count == 0
                    ? nil : UnsafePointer(bitPattern: UInt(bitPattern: span.pointee.start) - origin)
            }
            if envelope.pointee.kind == PLUGBOARD_CONTACT {
                let contact = (memory + FlatLayout.contentOffset).assumingMemoryBound(to: plugboard_contact_t.self)
                contact.pointee.groups = contact.pointee.groups.flatMap {
                    UnsafePointer(bitPattern: UInt(bitPattern: $0) - origin)
                }
            }
            memory.storeBytes(
                of: UInt(FlatLayout.contentOffset),
                toByteOffset: MemoryLayout<plugboard_envelope_t>.offset(of: \.content) ?? 0,
                as: UInt.self
            )
            initialized = byteCount
        }
    }

    /// Why what is on disk is no envelope.
    package enum StoredFlaw: Error, Hashable, Sendable {
        /// The bytes are no envelope.
        case damaged
        /// Its structs are longer, or its kind is a later one, than this version knows: a newer one has stored it.
        case newer
    }

    /// How a block is laid out on disk: its structs have the sizes of the version that stored it.
    package struct StoredForm {
        /// What the block takes in memory, in bytes: more than on disk if its structs have grown since.
        package let byteCount: Int
        fileprivate let envelopeSize: Int
        fileprivate let contentOffset: Int
        fileprivate let contentSize: Int
        /// Where the text begins, or the spans of groups.
        fileprivate let fixedSize: Int
        fileprivate let layout: FlatLayout.Content
    }

    /// Looks at the structs of a block on disk.
    package static func storedForm(_ bytes: UnsafeRawBufferPointer) throws(StoredFlaw) -> StoredForm {
        try self.storedForm(bytes, envelopeSizeMin: ABISize.envelope, contentSizeMin: nil)
    }

    /// The same with other sizes for the first version of the structs, which tests need until one has grown.
    static func storedForm(
        _ bytes: UnsafeRawBufferPointer,
        envelopeSizeMin: Int,
        contentSizeMin: Int?
    ) throws(StoredFlaw) -> StoredForm {
        guard bytes.count >= envelopeSizeMin else { throw .damaged }
        let envelopeSize = Int(bytes.loadUnaligned(as: UInt32.self))
        let contentOffset = FlatLayout.aligned(envelopeSize)
        guard envelopeSize >= envelopeSizeMin, contentOffset + 4 <= bytes.count else { throw .damaged }
        let contentSize = Int(bytes.loadUnaligned(fromByteOffset: contentOffset, as: UInt32.self))
        let fixedSize = contentOffset + FlatLayout.aligned(contentSize)
        guard contentSize >= 4, fixedSize <= bytes.count else { throw .damaged }
        let kindOffset = MemoryLayout<plugboard_envelope_t>.offset(of: \.kind) ?? 0
        let kind = bytes.loadUnaligned(fromByteOffset: kindOffset, as: UInt16.self)
        guard let layout = FlatLayout.content(kind) else { throw kind > PLUGBOARD_FAILURE ? .newer : .damaged }
        guard contentSize >= contentSizeMin ?? layout.sizeMin else { throw .damaged }
        // What a longer struct says behind its known end would be lost.
        guard envelopeSize <= FlatLayout.envelopeSize, contentSize <= layout.size else { throw .newer }
        return StoredForm(
            byteCount: FlatLayout.fixedSize(layout) + bytes.count - fixedSize,
            envelopeSize: envelopeSize,
            contentOffset: contentOffset,
            contentSize: contentSize,
            fixedSize: fixedSize,
            layout: layout
        )
    }

    /// Rebuilds a block from its form on disk, with structs of this version's sizes: what older ones lack is 0.
    ///
    /// The bytes may be damaged: every offset is checked against the block before it becomes a pointer.
    ///
    /// - Parameters:
    ///   - form: as ``storedForm(_:)`` has found it in these bytes.
    ///   - memory: room for `form.byteCount` bytes, aligned to 16.
    /// - Returns: nil if the bytes are no envelope; what is in `memory` is undefined then.
    package static func restore(
        _ bytes: UnsafeRawBufferPointer,
        _ form: StoredForm,
        to memory: UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<plugboard_envelope_t>? {
        guard let base = bytes.baseAddress else { return nil }
        let content = memory + FlatLayout.contentOffset
        let rest = memory + FlatLayout.fixedSize(form.layout)
        expand(base, form.envelopeSize, to: memory, FlatLayout.envelopeSize, upTo: content)
        expand(base + form.contentOffset, form.contentSize, to: content, form.layout.size, upTo: rest)
        rest.copyMemory(from: base + form.fixedSize, byteCount: bytes.count - form.fixedSize)

        let envelope = memory.bindMemory(to: plugboard_envelope_t.self, capacity: 1)
        envelope.pointee.content = UnsafeRawPointer(content)
        if envelope.pointee.kind == PLUGBOARD_CONTACT {
            guard restoreGroups(content, memory, form.byteCount) else { return nil }
        }
        var isSound = true
        forEachSpan(in: memory, contentOf: UnsafeRawPointer(memory)) { span in
            isSound = isSound && restoreSpan(span, memory, form)
        }
        guard isSound, (try? measure(envelope)) == form.byteCount else { return nil }
        return envelope
    }

    /// Copies a struct, perhaps a shorter one of an earlier version, and fills with zeros what is between it and `end`.
    private static func expand(
        _ source: UnsafeRawPointer,
        _ sourceSize: Int,
        to memory: UnsafeMutableRawPointer,
        _ size: Int,
        upTo end: UnsafeMutableRawPointer
    ) {
        memory.copyMemory(from: source, byteCount: sourceSize)
        let gap = memory + sourceSize
        gap.initializeMemory(as: UInt8.self, repeating: 0, count: end - gap)
        memory.storeBytes(of: UInt32(size), as: UInt32.self)
    }

    /// Visits all spans of a block at `memory`; `original` tells the kind and the groups.
    private static func forEachSpan(
        in memory: UnsafeMutableRawPointer,
        contentOf original: UnsafeRawPointer,
        _ body: (UnsafeMutablePointer<plugboard_bytes_t>) -> Void
    ) {
        let envelope = original.assumingMemoryBound(to: plugboard_envelope_t.self)
        guard let layout = FlatLayout.content(envelope.pointee.kind) else { return }
        let own = FlatLayout.envelopeSpans
        let first = (memory + own.offset).assumingMemoryBound(to: plugboard_bytes_t.self)
        for index in 0..<own.count { body(first + index) }
        let content = memory + FlatLayout.contentOffset
        let firstOfContent = (content + layout.spans.offset).assumingMemoryBound(to: plugboard_bytes_t.self)
        for index in 0..<layout.spans.count { body(firstOfContent + index) }
        if envelope.pointee.kind == PLUGBOARD_CONTACT {
            let contact = content.assumingMemoryBound(to: plugboard_contact_t.self)
            let spans = (memory + FlatLayout.fixedSize(layout)).assumingMemoryBound(to: plugboard_bytes_t.self)
            for index in 0..<contact.pointee.group_count { body(spans + index) }
        }
    }

    private static func restoreSpan(
        _ span: UnsafeMutablePointer<plugboard_bytes_t>,
        _ memory: UnsafeMutableRawPointer,
        _ form: StoredForm
    ) -> Bool {
        let count = span.pointee.count
        guard count > 0 else {
            span.pointee = plugboard_bytes_t(start: nil, count: 0)
            return count == 0
        }
        let place = UInt(bitPattern: span.pointee.start)
        // All text lies behind the structs, which may have grown.
        guard place >= form.fixedSize, place <= form.byteCount else { return false }
        let offset = Int(place) - form.fixedSize + FlatLayout.fixedSize(form.layout)
        guard offset <= form.byteCount, count <= form.byteCount - offset else { return false }
        span.pointee.start = UnsafePointer((memory + offset).assumingMemoryBound(to: UInt8.self))
        return true
    }

    /// Points the contact's groups to the spans behind it; the spans themselves are restored with all others.
    private static func restoreGroups(
        _ content: UnsafeMutableRawPointer,
        _ memory: UnsafeMutableRawPointer,
        _ size: Int
    ) -> Bool {
        let contact = content.assumingMemoryBound(to: plugboard_contact_t.self)
        guard let layout = FlatLayout.content(PLUGBOARD_CONTACT) else { return false }
        let count = contact.pointee.group_count
        let start = FlatLayout.fixedSize(layout)
        guard (0...Int(PLUGBOARD_CONTACT_GROUPS_MAX)).contains(count),
            start + count * MemoryLayout<plugboard_bytes_t>.stride <= size
        else { return false }
        let spans = (memory + start).bindMemory(to: plugboard_bytes_t.self, capacity: count)
        contact.pointee.groups = UnsafePointer(spans)
        return true
    }
}
