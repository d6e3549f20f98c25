import CPlugboard
import Testing

@testable import PluginHost

/// What other versions have stored, whose structs are shorter or longer than this version's.
@Suite("Envelopes on disk of other versions")
struct FlatEnvelopeGrowthTests {
    let samples = Samples()
    let arena = Arena()

    private func stored(_ source: UnsafePointer<plugboard_envelope_t>) throws -> [UInt8] {
        let count = try FlatEnvelope.measure(source)
        return FlatEnvelope.stored(FlatEnvelope.copy(source, to: arena.memory(count)), byteCount: count)
    }

    /// The same block with structs of other sizes, which differ by multiples of 16.
    private func resized(_ bytes: [UInt8], envelope: Int = 0, content: Int = 0) throws -> [UInt8] {
        let kind = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: UInt16.self) }
        let layout = try #require(FlatLayout.content(kind))
        let fixed = FlatLayout.fixedSize(layout)
        let contentOffset = FlatLayout.contentOffset
        var head = resize(bytes[..<contentOffset], FlatLayout.envelopeSize, by: envelope)
        var body = resize(bytes[contentOffset..<fixed], layout.size, by: content)
        var rest = Array(bytes[fixed...])
        // What the structs point to has moved.
        let shift = head.count + body.count - fixed
        move(&head, FlatLayout.envelopeSpans, by: shift)
        move(&body, layout.spans, by: shift)
        if kind == PLUGBOARD_CONTACT {
            let place = contentOffset + (MemoryLayout<plugboard_contact_t>.offset(of: \.group_count) ?? 0)
            let count = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: Int.self) }
            move(&rest, FlatLayout.Spans(offset: 0, count: count), by: shift)
        }
        return head + body + rest
    }

    private func resize(_ structure: ArraySlice<UInt8>, _ size: Int, by growth: Int) -> [UInt8] {
        var result = Array(structure.prefix(min(size, size + growth)))
        result += [UInt8](repeating: 0, count: FlatLayout.aligned(size + growth) - result.count)
        withUnsafeBytes(of: UInt32(size + growth)) { result.replaceSubrange(0..<4, with: $0) }
        return result
    }

    private func move(_ block: inout [UInt8], _ spans: FlatLayout.Spans, by shift: Int) {
        for index in 0..<spans.count {
            let place = spans.offset + index * 16
            guard place + 16 <= block.count else { return }
            let old = block.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: Int.self) }
            if old > 0 { withUnsafeBytes(of: old + shift) { block.replaceSubrange(place..<place + 8, with: $0) } }
        }
    }

    /// What is read if structs once began as short as this.
    private func restore(
        _ bytes: [UInt8],
        envelopeSizeMin: Int = ABISize.envelope,
        contentSizeMin: Int? = nil
    ) throws -> (envelope: UnsafeMutablePointer<plugboard_envelope_t>, byteCount: Int)? {
        try bytes.withUnsafeBytes { bytes in
            let form = try FlatEnvelope.storedForm(
                bytes,
                envelopeSizeMin: envelopeSizeMin,
                contentSizeMin: contentSizeMin
            )
            let memory = arena.memory(form.byteCount, fill: 0xA5)
            return FlatEnvelope.restore(bytes, form, to: memory).map { ($0, form.byteCount) }
        }
    }

    private func flaw(_ bytes: [UInt8]) -> FlatEnvelope.StoredFlaw? {
        bytes.withUnsafeBytes { bytes in
            do throws(FlatEnvelope.StoredFlaw) {
                _ = try FlatEnvelope.storedForm(bytes)
                return nil
            } catch {
                return error
            }
        }
    }

    @Test("a shorter envelope is read, and the field that it lacked is empty", arguments: Samples.kinds)
    func olderEnvelope(kind: UInt16) throws {
        // The account is the last field.
        let source = samples.envelope(kind)
        source.pointee.account = plugboard_bytes_t()
        let bytes = try stored(source)
        let older = try resized(bytes, envelope: -16)
        #expect(older.count == bytes.count - 16)
        #expect(flaw(older) == .damaged, "none was so short in any version so far")
        let restored = try #require(try restore(older, envelopeSizeMin: ABISize.envelope - 16))
        #expect(restored.byteCount == bytes.count)
        #expect(Facts(restored.envelope) == Facts(source))
        expectContained(restored.envelope, restored.byteCount)
        #expect(FlatEnvelope.stored(restored.envelope, byteCount: bytes.count) == bytes)
    }

    @Test("a shorter content is read, and the field that it lacked is empty")
    func olderContent() throws {
        // The id of a message is the last field of a receipt.
        let source = samples.envelope(PLUGBOARD_RECEIPT)
        let content = UnsafeMutablePointer(
            mutating: source.pointee.content.assumingMemoryBound(to: plugboard_receipt_t.self)
        )
        content.pointee.message_id = plugboard_bytes_t()
        let bytes = try stored(source)
        let older = try resized(bytes, content: -16)
        #expect(flaw(older) == .damaged, "none was so short in any version so far")
        let restored = try #require(try restore(older, contentSizeMin: ABISize.receipt - 16))
        #expect(restored.byteCount == bytes.count)
        #expect(Facts(restored.envelope) == Facts(source))
        expectContained(restored.envelope, restored.byteCount)
        #expect(FlatEnvelope.stored(restored.envelope, byteCount: bytes.count) == bytes)
    }

    @Test("text that would lie within the structs is no text, whichever version has stored it")
    func textInStructs() throws {
        let source = samples.envelope(PLUGBOARD_MESSAGE)
        source.pointee.account = plugboard_bytes_t()
        for growth in [0, -16] {
            var bytes = try resized(stored(source), envelope: growth)
            #expect(try restore(bytes, envelopeSizeMin: ABISize.envelope - 16) != nil)
            withUnsafeBytes(of: 64) { bytes.replaceSubrange(56..<64, with: $0) }
            #expect(try restore(bytes, envelopeSizeMin: ABISize.envelope - 16) == nil)
        }
    }

    @Test("what a newer version has stored is told from what is damaged", arguments: Samples.kinds)
    func newer(kind: UInt16) throws {
        let bytes = try stored(samples.envelope(kind))
        #expect(flaw(bytes) == nil)
        for (envelope, content) in [(16, 0), (64, 0), (0, 16), (0, 64), (16, 16)] {
            #expect(flaw(try resized(bytes, envelope: envelope, content: content)) == .newer)
        }
        var other = bytes
        other[4] = UInt8(PLUGBOARD_FAILURE) + 1
        #expect(flaw(other) == .newer)
        other[4] = 0
        #expect(flaw(other) == .damaged)
        // A size that the block has no room for is no size.
        other = bytes
        other.replaceSubrange(0..<4, with: [0xFF, 0xFF, 0xFF, 0x7F])
        #expect(flaw(other) == .damaged)
    }
}
