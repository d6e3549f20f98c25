import CPlugboard
import PluginHost
import Testing

@Suite("Envelopes that are not taken")
struct FlatEnvelopeLimitTests {
    let samples = Samples()
    var arena: Arena { samples.arena }

    /// What a measurement says of an envelope: its flaw, or nil.
    private func flaw(_ envelope: UnsafePointer<plugboard_envelope_t>) -> FlatEnvelope.Flaw? {
        do throws(FlatEnvelope.Flaw) {
            _ = try FlatEnvelope.measure(envelope)
            return nil
        } catch {
            return error
        }
    }

    private func flaw(
        _ kind: UInt16 = PLUGBOARD_TYPING,
        _ change: (inout plugboard_envelope_t) -> Void
    ) -> FlatEnvelope.Flaw? {
        let envelope = samples.envelope(kind)
        change(&envelope.pointee)
        return flaw(envelope)
    }

    private func run(_ count: Int) -> plugboard_bytes_t { arena.text(String(repeating: "x", count: count)) }

    @Test("each text has its limit", arguments: [1023, 1024])
    func textLimits(count: Int) {
        let expected: FlatEnvelope.Flaw? = count > 1023 ? .tooLarge : nil
        #expect(flaw { $0.from_device = run(count) } == expected)
        #expect(flaw { $0.to_device = run(count) } == expected)
        #expect(flaw { $0.id = run(count) } == expected)
        #expect(flaw { $0.conversation = run(count) } == expected)
        #expect(flaw { $0.origin = run(count) } == expected)
    }

    @Test("each side of an address has its limit", arguments: [1023, 1024])
    func addressLimits(count: Int) {
        let expected: FlatEnvelope.Flaw? = count > 1023 ? .tooLarge : nil
        let long = String(repeating: "x", count: count)
        let most = String(repeating: "y", count: 1023)
        for text in [long, "\(long)@\(most)", "\(most)@\(long)", "u@\(long)", "\(long)@d"] {
            #expect(flaw { $0.from = arena.text(text) } == expected)
            #expect(flaw { $0.to = arena.text(text) } == expected)
            #expect(contactFlaw { $0.address = arena.text(text) } == expected)
        }
    }

    @Test("hops are counted up to the limit")
    func hops() {
        #expect(flaw { $0.hops = UInt32(PLUGBOARD_HOPS_MAX) } == nil)
        #expect(flaw { $0.hops = UInt32(PLUGBOARD_HOPS_MAX) + 1 } == .tooLarge)
        #expect(flaw { $0.hops = .max } == .tooLarge)
    }

    @Test("all fields together have their limit, and the router's own addition does not count")
    func wholeLimit() throws {
        let envelope = samples.envelope(PLUGBOARD_RECEIPT)
        envelope.pointee.origin.count = 0
        let content = UnsafeMutablePointer(
            mutating: envelope.pointee.content.assumingMemoryBound(to: plugboard_receipt_t.self)
        )
        content.pointee.message_id.count = 0
        let rest = try Int(PLUGBOARD_ENVELOPE_BYTES_MAX) - FlatEnvelope.measure(envelope)
        content.pointee.message_id = run(rest)
        #expect(try FlatEnvelope.measure(envelope) == Int(PLUGBOARD_ENVELOPE_BYTES_MAX))
        envelope.pointee.origin = arena.text("xmpp-1")
        let count = try FlatEnvelope.measure(envelope)
        let copy = FlatEnvelope.copy(envelope, to: arena.memory(count))
        let stored = FlatEnvelope.stored(copy, byteCount: count)
        let restored = try stored.withUnsafeBytes {
            FlatEnvelope.restore($0, try FlatEnvelope.storedForm($0), to: arena.memory(count))
        }
        #expect(restored != nil)
        content.pointee.message_id = run(rest + 1)
        #expect(flaw(envelope) == .tooLarge)
    }

    @Test("one text that is longer than a whole envelope is not even looked at")
    func hugeText() {
        for count in [Int(PLUGBOARD_ENVELOPE_BYTES_MAX) + 1, Int.max, Int.min, -1] {
            #expect(flaw { $0.account.count = count } == .tooLarge)
            #expect(flaw { $0.from.count = count } == .tooLarge)
            #expect(contactFlaw { $0.name.count = count } == .tooLarge)
        }
    }

    @Test("structs that are too short are refused")
    func shortStructs() {
        #expect(flaw { $0.struct_size = 0 } == .malformed)
        #expect(flaw { $0.struct_size -= 1 } == .malformed)
        for kind in Samples.kinds {
            let envelope = samples.envelope(kind)
            let size = UnsafeMutableRawPointer(mutating: envelope.pointee.content)?.assumingMemoryBound(to: UInt32.self)
            size?.pointee -= 1
            #expect(flaw(envelope) == .malformed)
            size?.pointee = 0
            #expect(flaw(envelope) == .malformed)
            size?.pointee = .max
            #expect(flaw(envelope) == nil)
        }
    }

    @Test("an envelope without content is refused", arguments: Samples.kinds)
    func withoutContent(kind: UInt16) {
        #expect(flaw(kind) { $0.content = nil } == .malformed)
    }

    @Test("an unknown kind is refused", arguments: [0, 9, UInt16.max])
    func unknownKinds(kind: UInt16) {
        #expect(flaw { $0.kind = kind } == .malformed)
    }

    @Test("a count without a pointer is refused, in every span")
    func missingTexts() {
        let spans: [WritableKeyPath<plugboard_envelope_t, plugboard_bytes_t>] = [
            \.from, \.from_device, \.to, \.to_device, \.id, \.conversation, \.origin, \.account,
        ]
        for span in spans { #expect(flaw { $0[keyPath: span] = .missing } == .malformed) }
        for span in [\plugboard_contact_t.address, \.name] {
            #expect(contactFlaw { $0[keyPath: span] = .missing } == .malformed)
        }
        #expect(contactFlaw { UnsafeMutablePointer(mutating: $0.groups)?[2] = .missing } == .malformed)
    }

    @Test(
        "bytes that are no UTF-8 are refused, in every span",
        arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x61, 0x80]]
            as [[UInt8]]
    )
    func badText(bytes: [UInt8]) {
        for kind in Samples.kinds {
            let count = Facts.spans(samples.envelope(kind)).count
            for index in 0..<count {
                let envelope = samples.envelope(kind)
                // Written over the text itself, so that no span need be known by name.
                let span = Facts.spans(envelope)[index]
                guard let start = UnsafeMutablePointer(mutating: span.start), span.count >= bytes.count else {
                    continue
                }
                for offset in bytes.indices { start[span.count - bytes.count + offset] = bytes[offset] }
                #expect(flaw(envelope) == .malformed, "span \(index) of kind \(kind)")
            }
        }
    }

    @Test(
        "what is no address is refused, as sender, recipient and contact",
        arguments: ["", "@", "@d", "u@", "a b@d", "u@d d", "u@d\n", "u\0@d", "\u{7F}@d", "u@b@", "\t"]
    )
    func badAddresses(text: String) {
        #expect(flaw { $0.from = arena.text(text) } == .malformed)
        #expect(flaw { $0.to = arena.text(text) } == .malformed)
        #expect(contactFlaw { $0.address = arena.text(text) } == .malformed)
    }

    @Test("what is an address is taken", arguments: ["d", "u@d", "a@b@d", "@@d", "ü@ö.example"])
    func goodAddresses(text: String) {
        #expect(flaw { $0.from = arena.text(text) } == nil)
        #expect(flaw { $0.to = arena.text(text) } == nil)
        #expect(contactFlaw { $0.address = arena.text(text) } == nil)
    }

    @Test("65 groups, fewer than none, and groups that are missing are refused")
    func groups() {
        #expect(flaw(samples.envelope(PLUGBOARD_CONTACT, groups: 65)) == .tooLarge)
        #expect(contactFlaw { $0.group_count = -1 } == .tooLarge)
        #expect(contactFlaw { $0.group_count = .max } == .tooLarge)
        #expect(contactFlaw { $0.groups = nil } == .malformed)
    }

    private func contactFlaw(_ change: (inout plugboard_contact_t) -> Void) -> FlatEnvelope.Flaw? {
        let envelope = samples.envelope(PLUGBOARD_CONTACT)
        let content = envelope.pointee.content.assumingMemoryBound(to: plugboard_contact_t.self)
        change(&UnsafeMutablePointer(mutating: content).pointee)
        return flaw(envelope)
    }
}
