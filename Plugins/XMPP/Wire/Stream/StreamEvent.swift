/// One thing that a ``StreamParser`` found, and where in the fed bytes it ended.
package struct StreamEvent: Hashable, Sendable {
    /// What was found.
    package enum Kind: Hashable, Sendable {
        /// The opening tag of the stream. Always the first event of a parser, unless that is `failed`.
        case opened(StreamHeader)
        /// A complete child of the stream: a stanza or a negotiation element.
        case element(Element)
        /// The closing tag of the stream.
        case closed
        /// The bytes broke a rule. Always the last event of a parser: it ignores all later bytes.
        ///
        /// An event and not a thrown error, so that the elements before it in the same bytes are not lost: one of them
        /// may have restarted the stream, and then the bytes that offended were not for this parser.
        case failed(StreamParserError)
    }

    /// What was found.
    package let kind: Kind
    /// Index in the bytes of this call to `parse` just after the event.
    ///
    /// After an element that restarts the stream, a fresh parser is fed what stands from here on. For `failed` it is the
    /// number of bytes of the call, for want of a better answer.
    package let endOffset: Int

    /// Makes an event.
    package init(_ kind: Kind, endOffset: Int) {
        self.kind = kind
        self.endOffset = endOffset
    }
}
