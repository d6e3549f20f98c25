import CPlugboard
import ProviderKit
import Testing

@testable import PluginHost

/// What a later version's header might say: an envelope's first fields, and one behind them.
private struct Grown: BitwiseCopyable {
    var size: UInt32
    var first: UInt32
    var added: UInt64
}

@Suite("Sizes of ABI 1.0")
struct ABISizeTests {
    @Test("No struct is shorter than it was in 1.0")
    func sizes() {
        let sizes: [(Int, Int)] = [
            (MemoryLayout<plugboard_bytes_t>.size, ABISize.bytes),
            (MemoryLayout<plugboard_outcome_t>.size, ABISize.outcome),
            (MemoryLayout<plugboard_envelope_t>.size, ABISize.envelope),
            (MemoryLayout<plugboard_message_t>.size, ABISize.message),
            (MemoryLayout<plugboard_receipt_t>.size, ABISize.receipt),
            (MemoryLayout<plugboard_typing_t>.size, ABISize.typing),
            (MemoryLayout<plugboard_presence_t>.size, ABISize.presence),
            (MemoryLayout<plugboard_subscription_t>.size, ABISize.subscription),
            (MemoryLayout<plugboard_contact_t>.size, ABISize.contact),
            (MemoryLayout<plugboard_call_t>.size, ABISize.call),
            (MemoryLayout<plugboard_failure_t>.size, ABISize.failure),
            (MemoryLayout<plugboard_submitted_t>.size, ABISize.submitted),
            (MemoryLayout<plugboard_provider_t>.size, ABISize.provider),
            (MemoryLayout<plugboard_plugin_t>.size, ABISize.plugin),
            (MemoryLayout<plugboard_descriptor_t>.size, ABISize.descriptor),
            (MemoryLayout<plugboard_capability_t>.size, ABISize.capability),
            (MemoryLayout<plugboard_setting_schema_t>.size, ABISize.settingSchema),
            (MemoryLayout<plugboard_command_t>.size, ABISize.command),
            (MemoryLayout<plugboard_link_t>.size, ABISize.link),
            (MemoryLayout<plugboard_status_extension_t>.size, ABISize.statusExtension),
            (MemoryLayout<plugboard_tls_options_t>.size, ABISize.tlsOptions),
            (MemoryLayout<plugboard_connect_options_t>.size, ABISize.connectOptions),
            (MemoryLayout<plugboard_listen_options_t>.size, ABISize.listenOptions),
        ]
        for (index, (now, then)) in sizes.enumerated() { #expect(now >= then, "number \(index)") }
        // While the headers say 1.0, they say these sizes.
        if PLUGBOARD_ABI_VERSION == 0x0001_0000 { #expect(sizes.allSatisfy { $0.0 == $0.1 }) }
    }

    @Test("What a shorter struct lacks is 0, and what lies behind it is not looked at")
    func shorter() {
        withUnsafePointer(to: Grown(size: 8, first: 7, added: .max)) { pointer in
            let read = readABI(pointer)
            #expect((read.size, read.first, read.added) == (8, 7, 0))
        }
    }

    @Test("A struct of the present size or a longer one is read whole", arguments: [16 as UInt32, 24])
    func whole(size: UInt32) {
        withUnsafePointer(to: Grown(size: size, first: 7, added: 9)) { pointer in
            let read = readABI(pointer)
            #expect((read.size, read.first, read.added) == (size, 7, 9))
        }
    }

    @Test("Spans lie where the layout says, side by side")
    func spans() {
        let envelope: [PartialKeyPath<plugboard_envelope_t>] = [
            \.from, \.from_device, \.to, \.to_device, \.id, \.conversation, \.origin, \.account,
        ]
        #expect(FlatLayout.envelopeSpans.count == envelope.count)
        for (index, path) in envelope.enumerated() {
            #expect(MemoryLayout<plugboard_envelope_t>.offset(of: path) == FlatLayout.envelopeSpans.offset + 16 * index)
        }
        check(
            PLUGBOARD_MESSAGE,
            [\plugboard_message_t.text, \.subject, \.language, \.replaces, \.formatted, \.formatted_type]
        )
        check(PLUGBOARD_RECEIPT, [\plugboard_receipt_t.message_id])
        check(PLUGBOARD_TYPING, [PartialKeyPath<plugboard_typing_t>]())
        check(PLUGBOARD_PRESENCE, [\plugboard_presence_t.status])
        check(PLUGBOARD_SUBSCRIPTION, [\plugboard_subscription_t.name, \.text])
        check(PLUGBOARD_CONTACT, [\plugboard_contact_t.address, \.name])
        check(PLUGBOARD_CALL, [\plugboard_call_t.call_id, \.description, \.reason])
        check(PLUGBOARD_FAILURE, [\plugboard_failure_t.message_id, \.reason, \.code])
        #expect(FlatLayout.content(0) == nil)
        #expect(FlatLayout.content(9) == nil)
    }

    private func check<T>(_ kind: UInt16, _ paths: [PartialKeyPath<T>]) {
        guard let content = FlatLayout.content(kind) else {
            Issue.record("kind \(kind) has no layout")
            return
        }
        #expect(content.size == MemoryLayout<T>.size)
        #expect(content.spans.count == paths.count)
        for (index, path) in paths.enumerated() {
            #expect(MemoryLayout<T>.offset(of: path) == content.spans.offset + 16 * index)
        }
    }
}
