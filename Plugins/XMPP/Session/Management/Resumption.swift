/// An earlier stream that a new one is to go on with (XEP-0198 §5).
package struct Resumption: Hashable, Sendable {
    /// The id that the peer gave the earlier stream.
    package let id: String
    /// How many stanzas of it we handled.
    package let handled: UInt32

    /// A wish to resume.
    package init(id: String, handled: UInt32) {
        self.id = id
        self.handled = handled
    }
}

/// What the owner of a managed stream is told, beside stanzas.
package enum ManagementEvent: Hashable, Sendable {
    /// Stanzas are counted from now on, in both directions; with an id, the stream can be resumed.
    case enabled(id: String?)
    /// Outbound: the earlier stream goes on; the peer handled so many of its stanzas.
    case resumed(handled: UInt32)
    /// Outbound: it does not; the peer may still have said how many it handled.
    case notResumed(handled: UInt32?)
    /// Inbound: the peer wants to go on with an earlier stream; `resumptionAnswered` is the answer.
    case resumptionAsked(id: String, handled: UInt32)
    /// The peer has handled so many of our stanzas.
    case acknowledged(UInt32)
    /// The peer wants to know how many we handled.
    case acknowledgementAsked
}
