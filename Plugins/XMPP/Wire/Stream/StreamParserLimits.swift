/// What a peer may send at most; one more ends the stream with `policy-violation`.
package struct StreamParserLimits: Hashable, Sendable {
    /// Most bytes of one stanza, from the first of its opening tag to the last of its closing tag; the stream header is
    /// held to the same number.
    ///
    /// RFC 6120 §13.12 forbids a limit under 10 000 bytes.
    package var stanzaBytesMax = 262_144
    /// Most bytes of one tag, or of another token that Expat must see whole.
    ///
    /// Expat looks at an unfinished tag from its start whenever bytes are added to it, so this bounds the square of work
    /// that a peer can cause by sending one byte at a time (CVE-2023-52425).
    package var tagBytesMax = 16_384
    /// Most levels of elements in a stanza, the stanza itself being the first.
    package var depthMax = 64
    /// Most elements in one stanza, itself included.
    package var elementsMax = 16_384
    /// Most attributes and namespace declarations of one element, together.
    package var attributesMax = 64
    /// Most bytes of one name with its namespace and prefix.
    package var nameBytesMax = 1024
    /// Most distinct names in the life of a parser: of elements, of attributes, and of prefixes in declarations.
    ///
    /// The same name under another prefix or in another namespace counts again. Expat keeps every name until it is freed,
    /// so that without this a peer fills the memory with names that it uses once.
    package var distinctNamesMax = 8192

    /// The limits for an authenticated peer.
    package init() {}

    /// The limits for a peer that has not proved who it is.
    package static let unauthenticated: StreamParserLimits = {
        var limits = StreamParserLimits()
        limits.stanzaBytesMax = 10_000
        return limits
    }()
}
