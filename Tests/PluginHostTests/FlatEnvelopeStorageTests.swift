import CPlugboard
import PluginHost
import Testing

@Suite("Envelopes on disk")
struct FlatEnvelopeStorageTests {
    let samples = Samples()

    /// The form on disk of an envelope of a kind with every field set.
    ///
    /// - Parameter fill: what was in the memory of the copy before.
    private func stored(_ kind: UInt16, fill: UInt8 = 0xA5) throws -> [UInt8] {
        let source = samples.envelope(kind)
        let count = try FlatEnvelope.measure(source)
        let copy = FlatEnvelope.copy(source, to: samples.arena.memory(count, fill: fill))
        return FlatEnvelope.stored(copy, byteCount: count)
    }

    /// What is read from the disk; its memory belongs to `arena`.
    private func restore(_ bytes: [UInt8], _ arena: Arena) -> UnsafeMutablePointer<plugboard_envelope_t>? {
        bytes.withUnsafeBytes { bytes in
            guard let form = try? FlatEnvelope.storedForm(bytes) else { return nil }
            return FlatEnvelope.restore(bytes, form, to: arena.memory(form.byteCount))
        }
    }

    @Test("what is stored comes back as it went", arguments: Samples.kinds)
    func roundTrip(kind: UInt16) throws {
        let bytes = try stored(kind)
        let arena = Arena()
        let restored = try #require(restore(bytes, arena))
        #expect(Facts(restored) == Facts(samples.envelope(kind)))
        expectContained(restored, bytes.count)
        #expect(FlatEnvelope.stored(restored, byteCount: bytes.count) == bytes)
    }

    @Test("the same envelope is stored as the same bytes, whatever its memory held before", arguments: Samples.kinds)
    func repeatable(kind: UInt16) throws {
        #expect(try stored(kind, fill: 0x00) == stored(kind, fill: 0xFF))
    }

    @Test("the form on disk holds no addresses of memory", arguments: Samples.kinds)
    func withoutPointers(kind: UInt16) throws {
        let bytes = try stored(kind)
        let envelope = MemoryLayout<plugboard_envelope_t>.self
        let offsets = [\plugboard_envelope_t.from.start, \.to.start, \.account.start].map { envelope.offset(of: $0) }
        for offset in offsets {
            let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset ?? -1, as: UInt.self) }
            #expect((1..<UInt(bytes.count)).contains(value))
        }
    }

    @Test("an envelope that was cut short anywhere is no envelope", arguments: Samples.kinds)
    func truncation(kind: UInt16) throws {
        let bytes = try stored(kind)
        for count in 0..<bytes.count {
            let arena = Arena()
            #expect(restore(Array(bytes.prefix(count)), arena) == nil, "\(count) of \(bytes.count) bytes")
        }
    }

    @Test("an envelope with bytes behind it is no envelope", arguments: Samples.kinds)
    func trailingBytes(kind: UInt16) throws {
        let bytes = try stored(kind)
        #expect(restore(bytes + [0], Arena()) == nil)
        #expect(restore(bytes + bytes, Arena()) == nil)
    }

    @Test("one damaged byte never makes a span leave the block", arguments: Samples.kinds)
    func singleBytes(kind: UInt16) throws {
        let bytes = try stored(kind)
        var random = SeededGenerator(seed: UInt64(kind))
        for _ in 0..<2000 {
            var damaged = bytes
            damaged[Int.random(in: damaged.indices, using: &random)] = .random(in: 0...255, using: &random)
            expectSound(damaged)
        }
    }

    @Test("damage in many bytes never makes a span leave the block", arguments: Samples.kinds)
    func manyBytes(kind: UInt16) throws {
        let bytes = try stored(kind)
        var random = SeededGenerator(seed: 100 + UInt64(kind))
        for _ in 0..<1000 {
            var damaged = bytes
            // Most of the damage is in the structs, where the offsets are.
            for _ in 0..<Int.random(in: 2...8, using: &random) {
                damaged[Int.random(in: 0..<min(320, damaged.count), using: &random)] = .random(
                    in: 0...255,
                    using: &random
                )
            }
            expectSound(damaged)
        }
    }

    @Test("each word of the structs is tried with values that an attacker would choose", arguments: Samples.kinds)
    func chosenWords(kind: UInt16) throws {
        let bytes = try stored(kind)
        let size = UInt64(bytes.count)
        let values: [UInt64] = [
            0, 1, size - 1, size, size + 1, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max, .max - 8, .max - size,
        ]
        for offset in stride(from: 0, to: bytes.count - 8, by: 8) {
            for value in values {
                var damaged = bytes
                withUnsafeBytes(of: value) { damaged.replaceSubrange(offset..<offset + 8, with: $0) }
                expectSound(damaged)
            }
        }
    }

    @Test("bytes that were never an envelope are none")
    func rubbish() {
        var random = SeededGenerator(seed: 7)
        for count in [0, 1, 191, 192, 200, 4096] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(restore(bytes, Arena()) == nil)
            #expect(restore([UInt8](repeating: 0, count: count), Arena()) == nil)
        }
    }

    /// Expects that bytes are refused, or all that they point to lies in their block and can be read.
    private func expectSound(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
        let arena = Arena()
        guard let envelope = restore(bytes, arena) else { return }
        expectContained(envelope, bytes.count, sourceLocation: sourceLocation)
        #expect(Facts(envelope).key.count == 16, sourceLocation: sourceLocation)
        // A second copy must fit what it is measured at.
        let count = try? FlatEnvelope.measure(envelope)
        #expect(count == bytes.count, sourceLocation: sourceLocation)
    }
}
