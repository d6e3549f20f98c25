internal import XMPPWire

extension OutboundStreamMachine {
    /// Step 1, as initiating server: shows our key (XEP-0220 §2.1.1).
    ///
    /// The peer's certificate is not asked for.
    ///
    /// - Parameter failure: why the stream ends where the policy forbids dialback.
    mutating func presentKey(for pair: DomainPair, insteadOf failure: LinkFailure) -> [StreamAction] {
        guard self.partner.objectionToDialback(secured: self.transport.isSecured) == nil else {
            return self.give(up: failure)
        }
        guard let streamID = self.streamID, !streamID.isEmpty else { return self.give(up: .streamIDMissing) }
        self.state = .dialing
        let key = self.key.key(receiving: pair.target, originating: pair.sender, streamID: streamID)
        let shown = DialbackElement(.result, from: pair.sender, to: pair.target, content: .key(key)).element()
        // The peer may send stanzas right behind its verdict, where both directions are used.
        return (self.isBidirectional ? [.setParserLimits(self.server.limits)] : []) + [.send(shown)]
    }

    /// Step 2, as receiving server: asks the authoritative server about a key (XEP-0220 §2.1.2).
    mutating func askAbout(_ request: DialbackRequest) -> [StreamAction] {
        self.state = .verifying
        let question = DialbackElement(
            .verify,
            from: request.pair.target,
            to: request.pair.sender,
            id: request.streamID,
            content: .key(request.key)
        )
        return [.send(question.element())]
    }

    /// Step 3 or 4.
    ///
    /// What answers no question of this stream is dropped (XEP-0220 §3.1).
    mutating func dialbackReceived(_ element: DialbackElement) -> [StreamAction] {
        if case .key(let key) = element.content { return self.dialbackAsked(key, by: element) }
        guard element.from == self.remoteDomain && element.to == self.localDomain else { return [] }
        switch (self.state, self.purpose, element.kind) {
        case (.dialing, .stanzas, .result): return self.keyJudged(element.content)
        case (.verifying, .verification(let request), .verify) where element.id == request.streamID:
            return self.questionAnswered(element.content, request)
        default: return []
        }
    }

    private mutating func keyJudged(_ content: DialbackElement.Content) -> [StreamAction] {
        switch content {
        case .valid: self.establish(.dialback(secured: self.transport.isSecured))
        case .invalid: self.give(up: .dialbackInvalid)
        case .error(let error): self.give(up: .dialbackRefused(error?.condition ?? .undefinedCondition))
        case .key: []
        }
    }

    /// A stream for a question ends with its answer (XEP-0220 §2.1.2).
    private mutating func questionAnswered(
        _ content: DialbackElement.Content,
        _ request: DialbackRequest
    ) -> [StreamAction] {
        let verdict: DialbackVerdict
        switch content {
        case .valid: verdict = .valid
        case .invalid: verdict = .invalid
        case .error(let error):
            verdict = .failed(error?.condition == .itemNotFound ? .serverNotFound : .serverUnreachable)
        case .key: return []
        }
        return [.verified(request, verdict)] + self.close()
    }
}
