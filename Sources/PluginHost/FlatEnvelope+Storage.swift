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

    /// Rebuilds a block from its form on disk.
    ///
    /// The bytes may be damaged: every offset is checked against the block before it becomes a pointer.
    ///
    /// - Parameter memory: room for `bytes.count` bytes, aligned to 16.
    /// - Returns: nil if the bytes are no envelope; what is in `memory` is undefined then.
    package static func restore(
        _ bytes: UnsafeRawBufferPointer,
        to memory: UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<plugboard_envelope_t>? {
        guard let base = bytes.baseAddress, bytes.count >= FlatLayout.contentOffset else { return nil }
        memory.copyMemory(from: base, byteCount: bytes.count)
        let envelope = memory.bindMemory(to: plugboard_envelope_t.self, capacity: 1)
        guard envelope.pointee.struct_size == FlatLayout.envelopeSize,
            let layout = FlatLayout.content(envelope.pointee.kind),
            bytes.count >= FlatLayout.fixedSize(layout)
        else { return nil }
        let content = memory + FlatLayout.contentOffset
        guard content.load(as: UInt32.self) == layout.size else { return nil }
        envelope.pointee.content = UnsafeRawPointer(content)
        if envelope.pointee.kind == PLUGBOARD_CONTACT {
            guard restoreGroups(content, memory, bytes.count) else { return nil }
        }
        var isSound = true
        forEachSpan(in: memory, contentOf: UnsafeRawPointer(memory)) { span in
            isSound = isSound && restoreSpan(span, memory, bytes.count)
        }
        guard isSound, (try? measure(envelope)) == bytes.count else { return nil }
        return envelope
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
        _ size: Int
    ) -> Bool {
        let count = span.pointee.count
        guard count > 0 else {
            span.pointee = plugboard_bytes_t(start: nil, count: 0)
            return count == 0
        }
        let offset = UInt(bitPattern: span.pointee.start)
        guard offset >= FlatLayout.contentOffset, offset <= size, count <= size - Int(offset) else { return false }
        span.pointee.start = UnsafePointer((memory + Int(offset)).assumingMemoryBound(to: UInt8.self))
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
