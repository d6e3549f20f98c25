import CPlugboard
import PluginHost
import Testing

@Suite("Envelopes in one block")
struct FlatEnvelopeTests {
    let samples = Samples()

    @Test("a copy says the same, and depends on nothing outside its block", arguments: Samples.kinds)
    func copying(kind: UInt16) throws {
        let facts: Facts
        let count: Int
        let memory: UnsafeMutableRawPointer
        do {
            let short = Samples()
            let source = short.envelope(kind)
            facts = Facts(source)
            count = try FlatEnvelope.measure(source)
            memory = samples.arena.memory(count)
            #expect(UnsafeMutableRawPointer(FlatEnvelope.copy(source, to: memory)) == memory)
        }
        // The source is gone.
        let copy = memory.assumingMemoryBound(to: plugboard_envelope_t.self)
        #expect(Facts(copy) == facts)
        expectContained(copy, count)
    }

    @Test("a copy of a copy has the same size and says the same", arguments: Samples.kinds)
    func copyingTwice(kind: UInt16) throws {
        let source = samples.envelope(kind)
        let count = try FlatEnvelope.measure(source)
        let first = FlatEnvelope.copy(source, to: samples.arena.memory(count))
        #expect(try FlatEnvelope.measure(first) == count)
        let second = FlatEnvelope.copy(first, to: samples.arena.memory(count))
        #expect(Facts(second) == Facts(source))
        expectContained(second, count)
    }

    @Test("what is measured is what is written, to the byte", arguments: Samples.kinds)
    func measuring(kind: UInt16) throws {
        let source = samples.envelope(kind)
        let count = try FlatEnvelope.measure(source)
        let memory = samples.arena.memory(count + 64)
        FlatEnvelope.copy(source, to: memory)
        let bytes = UnsafeRawBufferPointer(start: memory, count: count + 64)
        #expect(bytes[count...].allSatisfy { $0 == 0xA5 })
        // The last text ends the block.
        let copy = memory.assumingMemoryBound(to: plugboard_envelope_t.self)
        let ends = Facts.spans(copy).compactMap { span in span.start.map { UnsafeRawPointer($0 + span.count) } }
        #expect(ends.max() == UnsafeRawPointer(memory + count))
    }

    @Test("an envelope of a later minor version is cut down to the fields known here")
    func longerStructs() throws {
        struct LongEnvelope {
            var envelope: plugboard_envelope_t
            var added = UInt64.max
        }
        struct LongTyping {
            var typing: plugboard_typing_t
            var added = UInt64.max
        }
        var typing = LongTyping(typing: plugboard_typing_t(struct_size: 0, state: 2))
        typing.typing.struct_size = structSize(LongTyping.self)
        let plain = samples.envelope(PLUGBOARD_TYPING)
        var long = LongEnvelope(envelope: plain.pointee)
        long.envelope.struct_size = structSize(LongEnvelope.self)
        long.envelope.content = UnsafeRawPointer(samples.arena.put(typing))
        let source = UnsafeRawPointer(samples.arena.put(long)).assumingMemoryBound(to: plugboard_envelope_t.self)
        let count = try FlatEnvelope.measure(source)
        #expect(try count == FlatEnvelope.measure(plain))
        let copy = FlatEnvelope.copy(source, to: samples.arena.memory(count))
        #expect(Facts(copy) == Facts(plain))
    }

    @Test("empty texts become empty spans, wherever they pointed", arguments: Samples.kinds)
    func emptyTexts(kind: UInt16) throws {
        let source = samples.envelope(kind)
        source.pointee.conversation.count = 0
        source.pointee.account = plugboard_bytes_t(start: nil, count: 0)
        let copy = FlatEnvelope.copy(source, to: samples.arena.memory(try FlatEnvelope.measure(source)))
        for span in [copy.pointee.conversation, copy.pointee.account] {
            #expect(span.start == nil)
            #expect(span.count == 0)
        }
    }

    @Test("a contact without groups, and one with the most", arguments: [0, 1, 64])
    func groups(count: Int) throws {
        let source = samples.envelope(PLUGBOARD_CONTACT, groups: count)
        if count == 0 { contact(source).pointee.groups = nil }
        let size = try FlatEnvelope.measure(source)
        let copy = FlatEnvelope.copy(source, to: samples.arena.memory(size))
        #expect(Facts(copy) == Facts(source))
        expectContained(copy, size)
        let stored = FlatEnvelope.stored(copy, byteCount: size)
        let restored = try stored.withUnsafeBytes {
            FlatEnvelope.restore($0, try FlatEnvelope.storedForm($0), to: samples.arena.memory(size))
        }
        #expect(restored.map { Facts($0) } == Facts(source))
    }

    private func contact(_ envelope: UnsafePointer<plugboard_envelope_t>) -> UnsafeMutablePointer<plugboard_contact_t> {
        UnsafeMutablePointer(mutating: envelope.pointee.content.assumingMemoryBound(to: plugboard_contact_t.self))
    }
}

/// Expects that everything an envelope points to lies in the block of `count` bytes that begins with it.
func expectContained(
    _ envelope: UnsafePointer<plugboard_envelope_t>,
    _ count: Int,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let start = UnsafeRawPointer(envelope)
    let block = start..<(start + count)
    #expect(block.contains(envelope.pointee.content), sourceLocation: sourceLocation)
    if envelope.pointee.kind == PLUGBOARD_CONTACT {
        let contact = envelope.pointee.content.load(as: plugboard_contact_t.self)
        if let groups = contact.groups {
            let end = UnsafeRawPointer(groups + contact.group_count)
            #expect(UnsafeRawPointer(groups) >= start && end <= block.upperBound, sourceLocation: sourceLocation)
        }
    }
    for span in Facts.spans(envelope) where span.count != 0 {
        guard let first = span.start, span.count > 0, span.count <= count else {
            Issue.record("a span of \(span.count) bytes cannot be", sourceLocation: sourceLocation)
            continue
        }
        let isInside = UnsafeRawPointer(first) >= start && UnsafeRawPointer(first + span.count) <= block.upperBound
        #expect(isInside, sourceLocation: sourceLocation)
    }
}
