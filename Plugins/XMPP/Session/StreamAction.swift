package import XMPPWire

/// What the owner of a stream has to do after an event, in the order given.
///
/// The machines decide, the owner performs: it holds no rule of the protocol.
package enum StreamAction: Hashable, Sendable {
    // MARK: The connection

    /// Write a stream header. Its prefixes hold for all that is written until the next one.
    case sendHeader(StreamHeader)
    /// Write an element.
    case send(Element)
    /// Write the closing tag of the stream, after which nothing may be written.
    case sendStreamEnd
    /// Write one space, to keep the connection alive (RFC 6120 §4.6.1).
    case sendWhitespace
    /// Begin a TLS handshake as soon as what was sent is on its way; `tlsEstablished` is the answer.
    case startTLS
    /// Throw the parser away and feed what follows to a new one: the stream restarts (RFC 6120 §4.3.3).
    case restartParser(StreamParserLimits)
    /// Hold the parser to other limits from now on.
    case setParserLimits(StreamParserLimits)
    /// Close the connection when all that was sent is on its way; what follows only tells what the stream was worth.
    case finish

    // MARK: What the stream is worth

    /// Inbound: the peer may now send stanzas between these domains.
    case authenticated(DomainPair, Authentication)
    /// Inbound: stanzas between these domains, ours first, may be sent back on this stream (XEP-0288 §2.2).
    case reversible(DomainPair, Authentication)
    /// Outbound: stanzas between the stream's domains may be sent from now on.
    case established(Authentication)
    /// The stream came to grief; once at most. Not given for a stream that was closed in an orderly way.
    case failed(LinkFailure)

    // MARK: What goes through it

    /// A stanza whose addresses were checked; on an outbound stream only where it goes both ways. Its `from` and `to` are JIDs.
    case deliver(Element)
    /// Inbound: ask the sender domain's server about a key; `dialbackVerified` is the answer.
    case verifyDialback(DialbackRequest)
    /// Something of stream management (XEP-0198).
    case management(ManagementEvent)
    /// Outbound, for a stream opened to verify a key: the answer.
    case verified(DialbackRequest, DialbackVerdict)
}

/// By what a stream was authenticated.
package enum Authentication: Hashable, Sendable {
    /// A certificate over TLS, with SASL EXTERNAL: XEP-0178 (partial: between servers).
    case external
    /// Server Dialback (XEP-0220), over TLS or in the clear.
    case dialback(secured: Bool)
}
