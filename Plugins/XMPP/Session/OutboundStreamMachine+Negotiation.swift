internal import XMPPWire

extension OutboundStreamMachine {
    /// Takes the next step from what the peer offers.
    mutating func negotiate(_ features: StreamFeatures) -> [StreamAction] {
        if self.isAuthenticated { return self.manage(features) }
        if !self.transport.isSecured {
            if features.startTLS != nil && self.partner.tls != .notSupported {
                self.state = .requestingTLS
                return [.send(StartTLSElement.startTLS.element)]
            }
            if features.startTLS == .required { return self.give(up: .tlsDemanded) }
            if self.partner.tls == .required { return self.give(up: .tlsNotOffered) }
        }
        switch self.purpose {
        case .verification(let request): return self.askAbout(request)
        case .stanzas(let pair): return self.authenticate(as: pair, features)
        }
    }

    mutating func establish(_ authentication: Authentication) -> [StreamAction] {
        self.state = .established
        self.isPeerProven = true
        let notResumed: [StreamAction] = self.resumption == nil ? [] : [.management(.notResumed(handled: nil))]
        self.resumption = nil
        return notResumed + [.setParserLimits(self.server.limits), .established(authentication)]
    }
}

// MARK: - STARTTLS

extension OutboundStreamMachine {
    mutating func startTLSAnswered(_ answer: StartTLSElement) -> [StreamAction] {
        switch answer {
        case .proceed:
            self.state = .securing
            return [.startTLS, .restartParser(self.server.limitsBeforeAuthentication)]
        case .failure: return self.give(up: .tlsRefused)
        case .startTLS: return self.refuse(StreamError(.unsupportedStanzaType))
        }
    }
}

// MARK: - Authentication

extension OutboundStreamMachine {
    /// Chooses SASL EXTERNAL where both certificates may prove something, else dialback, where the policy allows it.
    private mutating func authenticate(as pair: DomainPair, _ features: StreamFeatures) -> [StreamAction] {
        // Stanzas for a partner who must have a certificate may go to nobody else.
        let objection = self.certificateObjection
        if self.partner.sasl == .required, let objection {
            guard self.transport.isSecured else { return self.give(up: .tlsNotOffered) }
            return self.give(up: .certificateRejected(objection, domain: self.remoteDomain))
        }
        let request = self.askForBidi(features)
        let offersExternal = features.mechanisms.contains("EXTERNAL")
        if offersExternal && self.partner.sasl != .notSupported && objection == nil {
            self.state = .authenticating
            let identity = Array(pair.sender.utf8)
            return request + [.send(SASLElement.auth(mechanism: "EXTERNAL", initialResponse: identity).element)]
        }
        guard features.dialback || self.declaresDialback else { return self.give(up: .noCommonAuthentication) }
        let key = self.presentKey(for: pair, insteadOf: self.obstacle(offersExternal: offersExternal))
        if case .dialing = self.state { return request + key }
        return key
    }

    /// Why the peer's certificate proves nothing; `missing` without TLS.
    private var certificateObjection: CertificateObjection? {
        switch self.transport {
        case .plain: .missing
        case .tls(let peer): peer.objection(to: self.remoteDomain)
        }
    }

    /// What to report where dialback, the last resort, is not allowed either.
    private func obstacle(offersExternal: Bool) -> LinkFailure {
        if offersExternal && self.partner.sasl != .notSupported, let objection = self.certificateObjection {
            return .certificateRejected(objection, domain: self.remoteDomain)
        }
        return .noCommonAuthentication
    }

    mutating func saslAnswered(_ answer: SASLElement) -> [StreamAction] {
        guard case .stanzas(let pair) = self.purpose else { return [] }
        switch answer {
        case .success:
            self.isAuthenticated = true
            // The peer may send stanzas right behind its features, where both directions are used.
            let limits = self.isBidirectional ? self.server.limits : self.server.limitsBeforeAuthentication
            return [.restartParser(limits)] + self.open()
        case .challenge where !self.hasAnsweredChallenge:
            // A peer that did not take the initial response asks for it (RFC 6120 §6.4.3).
            self.hasAnsweredChallenge = true
            return [.send(SASLElement.response(Array(pair.sender.utf8)).element)]
        case .failure(let failure, _):
            // Some servers offer EXTERNAL to everybody and find out afterwards; the stream is still good for dialback.
            return self.presentKey(for: pair, insteadOf: .saslRefused(failure))
        case .auth, .challenge, .response, .abort:
            return self.refuse(StreamError(.badFormat, text: "SASL went on in a way that EXTERNAL does not."))
        }
    }
}
