package import IMModel
package import XMPPWire

extension StanzaError {
    /// The class of failure that a partner's error stands for (RFC 6120 §8.3.3).
    package var failureClass: FailureClass {
        switch self.condition {
        case .badRequest, .featureNotImplemented: .content
        case .conflict, .forbidden, .notAcceptable, .notAllowed, .policyViolation, .registrationRequired,
            .subscriptionRequired:
            .policy
        case .notAuthorized: .credentials
        // Servers answer so for a user that they do not have, too (RFC 6121 §8.5.1).
        case .serviceUnavailable: .recipient
        case .gone, .itemNotFound, .jidMalformed, .recipientUnavailable, .redirect: .recipient
        case .remoteServerNotFound: .unavailable
        case .remoteServerTimeout, .internalServerError: .transient
        case .resourceConstraint: .throttled
        case .unexpectedRequest: .protocolViolation
        case .undefinedCondition: self.kind.failureClass
        }
    }

    /// A sentence for people: the partner's own words, or else the condition.
    package var sentence: String {
        guard let text = self.text, !text.isEmpty else { return "the partner answered \(self.condition.rawValue)" }
        return text
    }

    /// The error that tells a partner why the router did not take a stanza.
    ///
    /// A network's own code that is the name of a condition is passed on as it is.
    package init(_ failureClass: FailureClass, code: String, text: String) {
        let text = text.isEmpty ? nil : text
        if let condition = Condition(rawValue: code) {
            self.init(condition, text: text)
            return
        }
        switch failureClass {
        case .transient: self.init(.remoteServerTimeout, text: text)
        case .throttled: self.init(.resourceConstraint, text: text)
        case .credentials: self.init(.notAuthorized, text: text)
        case .recipient: self.init(.serviceUnavailable, text: text)
        case .content: self.init(.badRequest, text: text)
        // The kind that belongs to the condition asks for a changed stanza, which would be refused as well.
        case .policy: self.init(.policyViolation, kind: .cancel, text: text)
        case .protocolViolation: self.init(.unexpectedRequest, kind: .modify, text: text)
        case .unavailable: self.init(.remoteServerNotFound, text: text)
        case .internal: self.init(.internalServerError, text: text)
        }
    }
}

extension StanzaError.Kind {
    /// All that an error without a known condition says (RFC 6120 §8.3.2).
    fileprivate var failureClass: FailureClass {
        switch self {
        case .auth: .policy
        case .cancel: .unavailable
        case .continue, .wait: .transient
        case .modify: .content
        }
    }
}
