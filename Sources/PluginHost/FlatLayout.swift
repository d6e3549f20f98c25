internal import CPlugboard

/// Where the spans are in each struct of an envelope: what copying and relocating walk along.
///
/// The spans of a struct lie side by side. The numbers are those of `layout.c`, written down so that the compiler
/// knows them: this is looked at for every message.
enum FlatLayout {
    /// Spans side by side in a struct.
    struct Spans: Equatable {
        /// Byte offset of the first.
        var offset: Int
        var count: Int
    }

    /// One kind's content struct.
    struct Content: Equatable {
        /// Its size here, in bytes.
        var size: Int
        /// Its size in ABI 1.0.
        var sizeMin: Int
        var spans: Spans
    }

    /// Its size here, in bytes; ``ABISize/envelope`` is the least that a plugin may say.
    static var envelopeSize: Int { MemoryLayout<plugboard_envelope_t>.size }
    /// The content struct follows the envelope, on its own alignment.
    static var contentOffset: Int { aligned(envelopeSize) }

    /// The envelope and its content struct, without what they point to.
    static func fixedSize(_ content: Content) -> Int { contentOffset + aligned(content.size) }

    /// From, from_device, to, to_device, id, conversation, origin, account.
    static var envelopeSpans: Spans { Spans(offset: 56, count: 8) }

    /// The layout of one kind's content; nil for an unknown kind.
    @inline(__always)
    static func content(_ kind: UInt16) -> Content? {
        switch kind {
        case PLUGBOARD_MESSAGE: make(plugboard_message_t.self, ABISize.message, at: 8, 6)
        case PLUGBOARD_RECEIPT: make(plugboard_receipt_t.self, ABISize.receipt, at: 8, 1)
        case PLUGBOARD_TYPING: make(plugboard_typing_t.self, ABISize.typing, at: 8, 0)
        case PLUGBOARD_PRESENCE: make(plugboard_presence_t.self, ABISize.presence, at: 24, 1)
        case PLUGBOARD_SUBSCRIPTION: make(plugboard_subscription_t.self, ABISize.subscription, at: 8, 2)
        case PLUGBOARD_CONTACT: make(plugboard_contact_t.self, ABISize.contact, at: 8, 2)
        case PLUGBOARD_CALL: make(plugboard_call_t.self, ABISize.call, at: 16, 3)
        case PLUGBOARD_FAILURE: make(plugboard_failure_t.self, ABISize.failure, at: 16, 3)
        default: nil
        }
    }

    @inline(__always)
    private static func make<T>(_ type: T.Type, _ sizeMin: Int, at offset: Int, _ count: Int) -> Content {
        Content(size: MemoryLayout<T>.size, sizeMin: sizeMin, spans: Spans(offset: offset, count: count))
    }

    /// The next multiple of 16.
    static func aligned(_ size: Int) -> Int { (size + 15) & ~15 }
}
