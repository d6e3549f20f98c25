internal import CPlugboard

/// Where the spans are in each struct of an envelope: what copying and relocating walk along.
enum FlatLayout {
    /// One kind's content struct.
    struct Content {
        var size: Int
        /// Byte offsets of its spans.
        var spans: [Int]
    }

    static let envelopeSize = MemoryLayout<plugboard_envelope_t>.size
    /// The content struct follows the envelope, on its own alignment.
    static let contentOffset = aligned(envelopeSize)

    /// The envelope and its content struct, without what they point to.
    static func fixedSize(_ content: Content) -> Int { contentOffset + aligned(content.size) }

    /// Byte offsets of the spans in the envelope itself.
    static let envelopeSpans = offsets(
        plugboard_envelope_t.self,
        [\.from, \.from_device, \.to, \.to_device, \.id, \.conversation, \.origin, \.account]
    )

    /// The layout of one kind's content; nil for an unknown kind.
    static func content(_ kind: UInt16) -> Content? {
        let index = Int(kind) - Int(PLUGBOARD_MESSAGE)
        return contents.indices.contains(index) ? contents[index] : nil
    }

    /// In the order of the kinds' numbers.
    private static let contents: [Content] = [
        make(
            plugboard_message_t.self,
            [\.text, \.subject, \.language, \.replaces, \.formatted, \.formatted_type]
        ),
        make(plugboard_receipt_t.self, [\.message_id]),
        make(plugboard_typing_t.self, []),
        make(plugboard_presence_t.self, [\.status]),
        make(plugboard_subscription_t.self, [\.name, \.text]),
        make(plugboard_contact_t.self, [\.address, \.name]),
        make(plugboard_call_t.self, [\.call_id, \.description, \.reason]),
        make(plugboard_failure_t.self, [\.message_id, \.reason, \.code]),
    ]

    private static func make<T>(_ type: T.Type, _ spans: [PartialKeyPath<T>]) -> Content {
        Content(size: MemoryLayout<T>.size, spans: offsets(type, spans))
    }

    private static func offsets<T>(_ type: T.Type, _ paths: [PartialKeyPath<T>]) -> [Int] {
        paths.map { path in
            guard let offset = MemoryLayout<T>.offset(of: path) else {
                preconditionFailure("a field of an imported C struct has an offset")
            }
            return offset
        }
    }

    private static func aligned(_ size: Int) -> Int { (size + 15) & ~15 }
}
