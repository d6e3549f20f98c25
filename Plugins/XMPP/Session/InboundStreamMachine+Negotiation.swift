package import XMPPWire

extension InboundStreamMachine {
    /// A child of the stream came.
    package mutating func elementReceived(_ element: Element) -> [StreamAction] {
        switch self.state {
        case .open(let open): self.received(element, open)
        case .closing(let open): self.receivedWhileClosing(element, open)
        case .opening, .securing, .closed: []
        }
    }

    /// Stanzas that were on their way still count, and so do acknowledgements.
    private mutating func receivedWhileClosing(_ element: Element, _ open: Open) -> [StreamAction] {
        if Self.isStanza(element) { return self.stanzaReceived(element, open) }
        guard case .enabled = open.management, case .answer(let handled)? = try? StreamManagementElement(element) else {
            return []
        }
        return [.management(.acknowledged(handled))]
    }

    private mutating func received(_ element: Element, _ open: Open) -> [StreamAction] {
        if Self.isStanza(element) { return self.stanzaReceived(element, open) }
        do throws(ElementError) {
            if BidiElement.isOne(element) { return self.bidiReceived(open) }
            if let startTLS = StartTLSElement(element) { return self.startTLSReceived(startTLS, open) }
            if let management = try StreamManagementElement(element) {
                return self.managementReceived(management, open)
            }
            if let dialback = try DialbackElement(element) { return self.dialbackReceived(dialback, open) }
        } catch {
            return self.refuse(StreamError(error.streamError, text: error.description))
        }
        if element.namespace == Namespace.sasl { return self.saslReceived(element, open) }
        if let error = StreamError(element) { return self.errorReceived(error) }
        return self.refuse(StreamError(.unsupportedStanzaType))
    }

    private mutating func errorReceived(_ error: StreamError) -> [StreamAction] {
        self.state = .closed
        return [.sendStreamEnd, .finish, .failed(.receivedError(error))]
    }
}

// MARK: - What is offered

extension InboundStreamMachine {
    /// The features for a peer that says it is `sender`, none of them if nothing is left to negotiate.
    func offer(to sender: String?, isLegacy: Bool) -> StreamFeatures {
        var features = StreamFeatures()
        features.dialback = self.dialbackIsOffered(to: sender, secured: self.transport.isSecured)
        guard !isLegacy else { return features }
        features.startTLS = self.startTLSOffer(to: sender)
        // Where TLS must come first, nothing else is offered (RFC 6120 §5.3.1).
        if features.startTLS == .required { features.dialback = false }
        if let sender, self.externalDomain == nil, self.objectionToExternal(for: sender) == nil {
            features.mechanisms = ["EXTERNAL"]
        }
        // With nothing to authenticate by, there is nothing to use in both directions.
        if self.externalDomain == nil, features.dialback || !features.mechanisms.isEmpty {
            features.bidi = self.policies(for: sender).contains { $0.bidirectional }
        }
        // Whoever authenticates by dialback gets no features afterwards, and so nothing to choose from.
        if let externalDomain = self.externalDomain {
            features.streamManagement = self.partners.policy(for: externalDomain)?.streamManagement ?? false
        }
        return features
    }

    /// Whether dialback may authenticate the sender; one that is not named may turn out to be any partner.
    func dialbackIsOffered(to sender: String?, secured: Bool) -> Bool {
        self.policies(for: sender).contains { $0.objectionToDialback(secured: secured) == nil }
    }

    private func startTLSOffer(to sender: String?) -> StreamFeatures.StartTLS? {
        guard !self.transport.isSecured, self.externalDomain == nil else { return nil }
        let policies = self.policies(for: sender).filter { $0.tls != .notSupported }
        if policies.isEmpty { return nil }
        // Where nothing may be done in the clear, TLS is required, whatever the policy calls it (RFC 6120 §5.3.1).
        return self.dialbackIsOffered(to: sender, secured: false) ? .optional : .required
    }

    private func policies(for sender: String?) -> [PartnerPolicy] {
        guard let sender else { return self.partners.all }
        return self.partners.policy(for: sender).map { [$0] } ?? []
    }

    /// Why a stream has no way to become authenticated.
    func deadEnd(for sender: String) -> StreamError {
        switch self.transport {
        case .plain: return StreamError(.policyViolation, text: "\(sender) may be authenticated over TLS only.")
        case .tls(let peer):
            let reason =
                switch peer.objection(to: sender) {
                case .missing: "No certificate was presented."
                case .untrusted: "The certificate is not trusted here."
                case .wrongName: "The certificate is not for \(sender)."
                case nil: "Nothing may authenticate \(sender)."
                }
            return StreamError(.notAuthorized, text: reason)
        }
    }
}

// MARK: - STARTTLS

extension InboundStreamMachine {
    /// The TLS handshake is done, after STARTTLS or on a connection that began with it.
    package mutating func tlsEstablished(_ peer: PeerIdentity) -> [StreamAction] {
        switch (self.state, self.transport) {
        case (.securing, .plain), (.opening, .plain):
            self.transport = .tls(peer)
            self.state = .opening
            // Whoever said so in the clear may have been anybody (XEP-0288 §2.1).
            self.isBidirectional = false
        case (.opening, .tls), (.securing, .tls), (.open, _), (.closing, _), (.closed, _): break
        }
        return []
    }

    private mutating func startTLSReceived(_ element: StartTLSElement, _ open: Open) -> [StreamAction] {
        guard element == .startTLS else { return self.refuse(StreamError(.unsupportedStanzaType)) }
        guard open.offersStartTLS, open.pairs.isEmpty else {
            // RFC 6120 §5.4.2.2: a refusal ends the stream.
            self.state = .closed
            let error = StreamError(.policyViolation, text: "STARTTLS was not offered.")
            return [.send(StartTLSElement.failure.element), .sendStreamEnd, .finish, .failed(.sentError(error))]
        }
        self.state = .securing
        return [
            .send(StartTLSElement.proceed.element), .startTLS,
            .restartParser(self.server.limitsBeforeAuthentication),
        ]
    }
}

// MARK: - SASL EXTERNAL

extension InboundStreamMachine {
    /// Why the peer may not authenticate as `sender` by its certificate, as the failure to answer with.
    private func objectionToExternal(for sender: String) -> SASLElement.Failure? {
        guard let policy = self.partners.policy(for: sender), policy.sasl != .notSupported else {
            return .invalidMechanism
        }
        switch self.transport {
        case .plain: return .encryptionRequired
        case .tls(let peer): return peer.objection(to: sender) == nil ? nil : .notAuthorized
        }
    }

    private mutating func saslReceived(_ element: Element, _ open: Open) -> [StreamAction] {
        guard open.pairs.isEmpty else {
            return self.refuse(StreamError(.policyViolation, text: "The stream is authenticated already."))
        }
        let message: SASLElement?
        do throws(ElementError) {
            message = try SASLElement(element)
        } catch .badBase64 {
            return self.saslFailed(.incorrectEncoding, open)
        } catch {
            return self.saslFailed(.malformedRequest, open)
        }
        switch message {
        case .auth("EXTERNAL", let response): return self.externalBegun(response, open)
        case .auth: return self.saslFailed(.invalidMechanism, open)
        case .response(let response) where open.awaitsSASLResponse: return self.authorise(response, open)
        case .abort: return self.saslFailed(.aborted, open)
        case .response, .challenge, .failure, .success, nil: return self.saslFailed(.malformedRequest, open)
        }
    }

    private mutating func externalBegun(_ response: [UInt8]?, _ open: Open) -> [StreamAction] {
        guard let sender = open.sender else { return self.saslFailed(.notAuthorized, open) }
        if let objection = self.objectionToExternal(for: sender) { return self.saslFailed(objection, open) }
        if let response { return self.authorise(response, open) }
        var open = open
        open.awaitsSASLResponse = true
        self.state = .open(open)
        return [.send(SASLElement.challenge([]).element)]
    }

    /// Ends EXTERNAL, for which the certificate was found good: the peer may only act as what its header says.
    ///
    /// - Parameter identity: the domain to act as, in UTF-8; empty: that of the header (XEP-0178 §3).
    private mutating func authorise(_ identity: [UInt8], _ open: Open) -> [StreamAction] {
        guard let sender = open.sender else { return self.saslFailed(.notAuthorized, open) }
        if !identity.isEmpty && normalisedDomain(String(validating: identity, as: UTF8.self)) != sender {
            return self.saslFailed(.invalidAuthzid, open)
        }
        self.externalDomain = sender
        self.state = .opening
        return [.send(SASLElement.success(nil).element), .restartParser(self.server.limits)]
    }

    private mutating func saslFailed(_ failure: SASLElement.Failure, _ open: Open) -> [StreamAction] {
        var open = open
        open.saslFailures += 1
        open.awaitsSASLResponse = false
        self.state = .open(open)
        let answer = StreamAction.send(SASLElement.failure(failure, text: nil).element)
        guard open.saslFailures >= self.server.saslAttemptsMax else { return [answer] }
        return [answer] + self.refuse(StreamError(.policyViolation, text: "Too many attempts to authenticate."))
    }
}
