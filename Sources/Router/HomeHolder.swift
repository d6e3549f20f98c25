internal import IMModel

/// The home provider, for those who are not on its worker.
///
/// Safe to share: the first worker's loop alone touches it, but for `surroundings`, which are set before that loop is
/// asked to make the provider.
final class HomeHolder: @unchecked Sendable {
    /// What the provider is made of; nil before the start and after the end.
    var surroundings: HomeProvider.Surroundings?
    /// Nil before it was made and after the end.
    var provider: HomeProvider?

    /// What senders are told while there is no router to take it.
    static let notRunning = Outcome.failed(Outcome.Reason(.unavailable, "the router does not run"))

    /// Whether all that was sent is answered.
    var hasAnswered: Bool { provider?.hasAnswered ?? true }

    /// Hands in what a home user has written.
    ///
    /// - Parameter then: called once, with the envelope's id and what became of it.
    func send(_ envelope: Envelope, then: @escaping (String, Outcome) -> Void) {
        guard let provider else { return then(envelope.id, Self.notRunning) }
        guard provider.serves(envelope.from) else {
            let reason = Outcome.Reason(.policy, "\(envelope.from) is not a home user")
            return then(envelope.id, provider.refusal(of: envelope, reason, .notHomeUser))
        }
        var envelope = envelope
        if envelope.id.isEmpty { envelope.id = provider.newID() }
        let id = envelope.id
        provider.submit(envelope) { then(id, $0) }
    }

    /// Forgets all, so that it can be kept for ever.
    func empty() {
        surroundings = nil
        provider = nil
    }
}
