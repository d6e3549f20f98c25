internal import ProviderKit
internal import XMPPWire

/// One envelope from a partner on its way to the router, with the stanza to answer if it is refused.
struct Submission {
    let envelope: Envelope
    /// Nil where nobody waits for an answer.
    let stanza: Stanza?
    /// Of the stanza it came from, where those are counted.
    var ticket: StanzaTicket?

    /// The submission of one of the envelopes that a stanza was taken apart into.
    init(_ envelope: Envelope, of stanza: Stanza) {
        self.envelope = envelope
        self.stanza = Self.isAnswered(envelope.content) ? stanza : nil
    }

    /// The submission of something that was no stanza's content.
    init(unanswered envelope: Envelope) {
        self.envelope = envelope
        self.stanza = nil
    }

    /// Whether a refusal is worth a stanza error: the author learns that a message or a request went nowhere.
    ///
    /// A lost receipt, chat state or presence concerns nobody, and an error is never answered (RFC 6120 §8.3.1).
    private static func isAnswered(_ content: Envelope.Content) -> Bool {
        switch content {
        case .message: true
        case .subscription(let subscription): subscription.action == .request
        case .receipt, .typing, .presence, .contact, .call, .failure: false
        }
    }

    /// The stanza error for a refusal; nil if there is none to send.
    func refusal(_ reason: Outcome.Reason) -> Stanza? {
        self.stanza?.reply(StanzaError(reason.failureClass, code: reason.code, text: reason.text))
    }

    /// The stanza error for an envelope that the host does not even take.
    func refusal(_ error: HostError) -> Stanza? {
        let (failureClass, text): (FailureClass, String) =
            switch error {
            case .limitReached: (.content, "The message is larger than what is carried here.")
            case .invalidArgument: (.content, "The message cannot be carried here.")
            case .shuttingDown: (.transient, "The server is stopping.")
            case .unknownHandle, .badState, .unsupported, .system, .conflict: (.internal, "")
            }
        return self.refusal(Outcome.Reason(failureClass, text))
    }
}
