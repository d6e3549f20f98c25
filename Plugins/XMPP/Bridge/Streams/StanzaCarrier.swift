internal import XMPPSession
internal import XMPPWire

/// A stream that a link's stanzas can go on: one that we opened, or a partner's that goes both ways (XEP-0288).
protocol StanzaCarrier: AnyObject {
    /// The server that was connected to; nil if it connected to us.
    var target: ServerTarget? { get }
    /// Whether the peer counts and acknowledges stanzas.
    var isManaged: Bool { get }
    /// The counts that the stream can be gone on with after its connection broke; nil where it cannot.
    var resumable: HandledStanzas? { get }
    /// Whether we opened it, and so are to resume it.
    var isOurs: Bool { get }
    /// Whether stanzas come on it, too.
    var isBidirectional: Bool { get }
    /// Whether it is worth trying to write: another link on the stream may have filled its buffer.
    var canTake: Bool { get }
    /// Envelopes that came on it, where no other report tells of them.
    var receivedBack: UInt64 { get }

    /// How the way out is secured and acknowledged, for the operator.
    func outDetail(_ authentication: Authentication) -> String
    /// Writes a stanza.
    func write(_ element: Element) -> StreamChannel.Written
    /// Writes what nobody waits for, and what does not count as use of the stream.
    func writeBeside(_ element: Element)
    /// Asks the peer how many stanzas it has handled.
    func askForAcknowledgement()
    /// Ends the stream, whose peer acknowledged what it was never sent.
    func refuse(_ error: StreamManagementError)
    /// Ends the stream at once, because of what is wrong with it.
    func abort(_ reason: EndReason)
    /// Ends the stream in an orderly way.
    func close()
    /// The link wants to hear nothing of it any more.
    func leave()
}

/// What hears of a stream that it writes stanzas to.
protocol CarrierOwner: AnyObject {
    /// The write buffer has drained.
    func writable(_ carrier: any StanzaCarrier)
    /// The peer has handled so many of the stream's stanzas, modulo 2^32 (XEP-0198 §4).
    func acknowledged(_ carrier: any StanzaCarrier, _ count: UInt32)
    /// The stream is of no use any more; the last call, exactly once.
    ///
    /// - Parameter reason: nil if it was closed by us in an orderly way.
    func ended(_ carrier: any StanzaCarrier, _ reason: EndReason?)
}
