internal import XMPPWire

extension InboundStreamMachine {
    mutating func dialbackReceived(_ element: DialbackElement, _ open: Open) -> [StreamAction] {
        guard case .key(let key) = element.content else {
            // An answer to a question that was never asked: an attempt to authenticate by surprise (XEP-0220 §3.1).
            return self.refuse(StreamError(.policyViolation, text: "Dialback answers do not belong on this stream."))
        }
        switch element.kind {
        case .result: return self.keyPresented(key, by: element, open)
        case .verify: return self.verificationAsked(key, by: element, open)
        }
    }

    /// The outcome of `verifyDialback`.
    ///
    /// Dropped where the stream has restarted or ended since.
    package mutating func dialbackVerified(_ request: DialbackRequest, _ verdict: DialbackVerdict) -> [StreamAction] {
        guard case .open(var open) = self.state, let index = open.pending.firstIndex(of: request) else { return [] }
        open.pending.remove(at: index)
        self.state = .open(open)
        let pair = request.pair
        switch verdict {
        case .valid:
            open.pairs.insert(pair)
            self.state = .open(open)
            return [
                .setParserLimits(self.server.limits),
                .send(Self.result(.valid, for: pair)),
            ] + self.letIn(pair, .dialback(secured: self.transport.isSecured))
        case .invalid:
            return self.keyForged(pair, open)
        case .failed(let failure):
            return [.send(Self.result(.error(StanzaError(failure.condition)), for: pair))]
        }
    }

    /// Somebody claims a domain that is not his.
    ///
    /// `invalid` ends the stream, so that a stream with other domains on it gets an error instead (XEP-0220
    /// §2.1.2).
    private mutating func keyForged(_ pair: DomainPair, _ open: Open) -> [StreamAction] {
        guard open.pairs.isEmpty && open.pending.isEmpty else {
            return [.send(Self.result(.error(StanzaError(.forbidden)), for: pair))]
        }
        self.state = .closed
        let error = StreamError(.notAuthorized, text: "The dialback key of \(pair.sender) is invalid.")
        return [.send(Self.result(.invalid, for: pair)), .sendStreamEnd, .finish, .failed(.sentError(error))]
    }
}

// MARK: - Receiving server

extension InboundStreamMachine {
    /// Step 1: the initiating server shows a key (XEP-0220 §2.2.1).
    private mutating func keyPresented(_ key: String, by element: DialbackElement, _ open: Open) -> [StreamAction] {
        let pair = DomainPair(sender: element.from, target: element.to)
        if open.pairs.contains(pair) { return [.send(Self.result(.valid, for: pair))] }
        // The answer to the first key is the answer to both.
        if open.pending.contains(where: { $0.pair == pair }) { return [] }
        if let refusal = self.refusal(of: pair, key: key, open) {
            return [.send(Self.result(.error(refusal), for: pair))]
        }
        let request = DialbackRequest(pair: pair, streamID: open.streamID, key: key)
        var open = open
        open.pending.append(request)
        self.state = .open(open)
        return [.verifyDialback(request)]
    }

    private func refusal(of pair: DomainPair, key: String, _ open: Open) -> StanzaError? {
        if let refusal = self.refusal(partner: pair.sender, own: pair.target) { return refusal }
        if key.isEmpty || key.utf8.count > DialbackKey.bytesMax { return StanzaError(.notAcceptable) }
        let isFull =
            open.pairs.count + open.pending.count >= self.server.domainPairsMax
            || open.pending.count >= self.server.pendingVerificationsMax
        return isFull ? StanzaError(.resourceConstraint) : nil
    }

    private static func result(_ content: DialbackElement.Content, for pair: DomainPair) -> Element {
        DialbackElement(.result, from: pair.target, to: pair.sender, content: content).element()
    }
}

// MARK: - Authoritative server

extension InboundStreamMachine {
    /// Step 2: a receiving server asks whether a key that it was shown is ours (XEP-0220 §2.2.2).
    private mutating func verificationAsked(
        _ key: String,
        by element: DialbackElement,
        _ open: Open
    ) -> [StreamAction] {
        let content: DialbackElement.Content
        if let refusal = self.refusal(partner: element.from, own: element.to) {
            content = .error(refusal)
        } else {
            let isOurs = self.key.isValid(
                key,
                receiving: element.from,
                originating: element.to,
                streamID: element.id ?? ""
            )
            self.hasAnsweredVerification = true
            content = isOurs ? .valid : .invalid
        }
        let answer = DialbackElement(.verify, from: element.to, to: element.from, id: element.id, content: content)
        return [.send(answer.element())]
    }

    /// Why there is no dialback between these domains, in either role (XEP-0220 §2.5).
    private func refusal(partner: String, own: String) -> StanzaError? {
        guard self.server.serves(own) else { return StanzaError(.itemNotFound) }
        guard let policy = self.partners.policy(for: partner) else {
            return StanzaError(.policyViolation, text: "\(partner) is not a partner of this server.")
        }
        return policy.objectionToDialback(secured: self.transport.isSecured).map { StanzaError($0.condition) }
    }
}
