extension Stanza {
    /// The answer to a request: addresses swapped, the same id (RFC 6120 §8.2.3).
    ///
    /// Nil unless this is a get or a set.
    package func result(_ payload: [Element] = []) -> Stanza? {
        switch self.kind {
        case .iq(.get), .iq(.set):
            Stanza(
                .iq(.result),
                to: self.from,
                from: self.to,
                id: self.id,
                namespace: self.namespace,
                payload: payload
            )
        case .iq(.result), .iq(.error), .message, .presence: nil
        }
    }

    /// The stanza that tells the sender what went wrong: addresses swapped, the same id, the payload dropped.
    ///
    /// Nil for a stanza that must not be answered with an error, because it is one or is itself an answer
    /// (RFC 6120 §8.3.1).
    package func reply(_ error: StanzaError) -> Stanza? {
        let kind: Kind
        switch self.kind {
        case .message(.error), .presence(.error), .iq(.error), .iq(.result): return nil
        case .message: kind = .message(.error)
        case .presence: kind = .presence(.error)
        case .iq: kind = .iq(.error)
        }
        return Stanza(
            kind,
            to: self.from,
            from: self.to,
            id: self.id,
            namespace: self.namespace,
            payload: [error.element(in: self.namespace)]
        )
    }
}
