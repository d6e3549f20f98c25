import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Envelopes at the plugin boundary")
struct EnvelopeABITests {
    @Test("every kind, with every field set, comes back as it went", arguments: Samples.all)
    func roundTrip(envelope: Envelope) {
        #expect(envelope.withABI { Envelope(borrowing: $0) } == envelope)
    }

    @Test("an envelope of standard values comes back as it went")
    func roundTripOfLittle() {
        let envelope = Envelope(from: Samples.address("a"), to: Samples.address("b"), content: .typing(.gone))
        #expect(envelope.withABI { Envelope(borrowing: $0) } == envelope)
    }

    @Test("each flag of an envelope and a message is its own")
    func flags() {
        var envelope = Samples.envelope(.message(Message(text: "")))
        envelope.vouching = .absent
        (envelope.isRedelivered, envelope.isDelayed) = (false, true)
        #expect(envelope.withABI { $0.pointee.flags } == PLUGBOARD_ENVELOPE_DELAYED)
        (envelope.isRedelivered, envelope.isDelayed) = (true, false)
        #expect(envelope.withABI { $0.pointee.flags } == PLUGBOARD_ENVELOPE_REDELIVERED)
        envelope.isRedelivered = false
        for (vouching, flags) in [
            (Vouching.absent, 0), (.verified, PLUGBOARD_ENVELOPE_VERIFIED),
            (.unverified, PLUGBOARD_ENVELOPE_UNVERIFIED),
        ] {
            envelope.vouching = vouching
            #expect(envelope.withABI { $0.pointee.flags } == flags)
            #expect(Vouching(flags: flags) == vouching)
        }
        #expect(Vouching(flags: PLUGBOARD_ENVELOPE_VERIFIED | PLUGBOARD_ENVELOPE_UNVERIFIED) == .unverified)
        for index in 0..<3 {
            var message = Message(text: "")
            (message.wantsDelivered, message.wantsRead, message.isAttention) = (index == 0, index == 1, index == 2)
            envelope.content = .message(message)
            #expect(envelope.withABI { Envelope(borrowing: $0) } == envelope)
        }
    }

    @Test("structs say their size, and the router's own fields are zero")
    func sizes() {
        for envelope in Samples.all {
            envelope.withABI { abi in
                #expect(abi.pointee.struct_size == UInt32(MemoryLayout<plugboard_envelope_t>.size))
                #expect(abi.pointee.token == 0)
                #expect(abi.pointee.origin.count == 0)
                #expect(abi.pointee.reserved == 0)
                #expect(abi.pointee.content.load(as: UInt32.self) >= 8)
            }
        }
    }

    @Test("a kind that the kit does not know is refused", arguments: [0, 9, UInt16.max])
    func unknownKinds(kind: UInt16) {
        let envelope = Samples.envelope(.typing(.active))
        let isRefused = envelope.withABI { abi in
            var changed = abi.pointee
            changed.kind = kind
            return Envelope(borrowing: &changed) == nil
        }
        #expect(isRefused)
    }

    @Test("an envelope without content, or with an address that is none, is refused")
    func malformedEnvelopes() {
        Samples.envelope(.typing(.active)).withABI { abi in
            var changed = abi.pointee
            changed.content = nil
            #expect(Envelope(borrowing: &changed) == nil)
            changed = abi.pointee
            changed.to.count = 0
            #expect(Envelope(borrowing: &changed) == nil)
            changed = abi.pointee
            changed.from = abi.pointee.conversation
            #expect(Envelope(borrowing: &changed) == nil)
        }
    }

    @Test("a value that the kit does not know is refused in every kind")
    func unknownValues() {
        refused(plugboard_receipt_t(), PLUGBOARD_RECEIPT) { $0.receipt = 3 }
        refused(plugboard_receipt_t(), PLUGBOARD_RECEIPT) { $0.receipt = 0 }
        refused(plugboard_typing_t(), PLUGBOARD_TYPING) { $0.state = 6 }
        refused(plugboard_presence_t(), PLUGBOARD_PRESENCE) { $0.availability = 7 }
        refused(plugboard_subscription_t(), PLUGBOARD_SUBSCRIPTION) { $0.action = 6 }
        refused(plugboard_call_t(), PLUGBOARD_CALL) { $0.event = 8 }
        refused(plugboard_failure_t(), PLUGBOARD_FAILURE) { $0.failure_class = 10 }
        // The contact's address is missing.
        refused(plugboard_contact_t(), PLUGBOARD_CONTACT) { $0.change = 1 }
    }

    @Test("64 groups of a contact are read, 65 refused")
    func groups() {
        for (count, isRead) in [(64, true), (65, false)] {
            let groups = (0..<count).map { "group \($0)" }
            let envelope = Samples.envelope(.contact(ContactChange(.added, address: Samples.romeo, groups: groups)))
            #expect(envelope.withABI { Envelope(borrowing: $0) } == (isRead ? envelope : nil))
        }
    }

    @Test("bytes that are no UTF-8 are replaced, not refused")
    func badText() {
        let bytes: [UInt8] = [0x61, 0xFF, 0x62]
        bytes.withUnsafeBufferPointer { buffer in
            Samples.envelope(.typing(.active)).withABI { abi in
                var changed = abi.pointee
                changed.conversation = plugboard_bytes_t(start: buffer.baseAddress, count: 3)
                #expect(Envelope(borrowing: &changed)?.conversation == "a\u{FFFD}b")
            }
        }
    }

    @Test("every outcome comes back as it went")
    func outcomes() {
        var outcomes: [Outcome] = [.accepted, .delivered]
        for failureClass in FailureClass.allCases {
            let reason = Outcome.Reason(failureClass, "no room", code: "452", isUncertain: true, retryAfter: 90_000)
            outcomes += [.deferred(reason), .failed(reason), .failed(Outcome.Reason(failureClass, ""))]
        }
        for outcome in outcomes {
            #expect(outcome.withABI { Outcome($0.pointee) } == outcome)
        }
    }

    @Test("an outcome with an unknown result or class counts as an internal failure")
    func unknownOutcomes() {
        var outcome = plugboard_outcome_t()
        outcome.result = 99
        outcome.failure_class = 99
        #expect(Outcome(outcome) == .failed(Outcome.Reason(.internal, "")))
    }

    /// Expects that a content is refused after `change`.
    private func refused<T>(
        _ content: T,
        _ kind: UInt16,
        _ change: (inout T) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var content = content
        change(&content)
        withUnsafePointer(to: content) { pointer in
            Samples.envelope(.typing(.active)).withABI { abi in
                var changed = abi.pointee
                changed.kind = kind
                changed.content = UnsafeRawPointer(pointer)
                #expect(Envelope(borrowing: &changed) == nil, sourceLocation: sourceLocation)
            }
        }
    }
}
