/// A stanza error: the answer that says why a stanza was not delivered or not obeyed (RFC 6120 §8.3).
package struct StanzaError: Hashable, Sendable {
    /// What the sender may do about it (RFC 6120 §8.3.2).
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Retry after providing credentials.
        case auth
        /// Do not retry.
        case cancel
        /// Go on; the condition was only a warning.
        case `continue`
        /// Retry after changing the data.
        case modify
        /// Retry after waiting.
        case wait
    }

    /// What went wrong (RFC 6120 §8.3.3).
    package enum Condition: String, Hashable, Sendable, CaseIterable {
        /// XML that cannot be processed (§8.3.3.1).
        case badRequest = "bad-request"
        /// A resource or session with that name exists (§8.3.3.2).
        case conflict
        /// Not implemented here (§8.3.3.3).
        case featureNotImplemented = "feature-not-implemented"
        /// The sender may not do that (§8.3.3.4).
        case forbidden
        /// The addressee is not at this address any more; ``StanzaError/newAddress`` may say where (§8.3.3.5).
        case gone
        /// Something went wrong here (§8.3.3.6).
        case internalServerError = "internal-server-error"
        /// No such item (§8.3.3.7).
        case itemNotFound = "item-not-found"
        /// An address that is no JID (§8.3.3.8).
        case jidMalformed = "jid-malformed"
        /// The request does not meet the receiver's criteria (§8.3.3.9).
        case notAcceptable = "not-acceptable"
        /// Nobody may do that (§8.3.3.10).
        case notAllowed = "not-allowed"
        /// Credentials are needed first (§8.3.3.11).
        case notAuthorized = "not-authorized"
        /// A local rule was broken, such as a size limit (§8.3.3.12).
        case policyViolation = "policy-violation"
        /// The addressee is unavailable for the moment (§8.3.3.13).
        case recipientUnavailable = "recipient-unavailable"
        /// Ask another address, given in ``StanzaError/newAddress`` (§8.3.3.14).
        case redirect
        /// The sender has to register first (§8.3.3.15).
        case registrationRequired = "registration-required"
        /// No such server (§8.3.3.16).
        case remoteServerNotFound = "remote-server-not-found"
        /// The server did not answer in time, or could not be connected to (§8.3.3.17).
        case remoteServerTimeout = "remote-server-timeout"
        /// Too few resources for the request (§8.3.3.18).
        case resourceConstraint = "resource-constraint"
        /// The service is not provided here (§8.3.3.19).
        case serviceUnavailable = "service-unavailable"
        /// A subscription is needed first (§8.3.3.20).
        case subscriptionRequired = "subscription-required"
        /// None of the others; an application condition may say more (§8.3.3.21).
        case undefinedCondition = "undefined-condition"
        /// The request came at the wrong moment (§8.3.3.22).
        case unexpectedRequest = "unexpected-request"

        /// The kind that RFC 6120 §8.3.3 associates with the condition.
        package var defaultKind: Kind {
            switch self {
            case .badRequest, .jidMalformed, .notAcceptable, .policyViolation, .redirect: .modify
            case .conflict, .featureNotImplemented, .gone, .internalServerError, .itemNotFound, .notAllowed,
                .remoteServerNotFound, .serviceUnavailable, .undefinedCondition:
                .cancel
            case .forbidden, .notAuthorized, .registrationRequired, .subscriptionRequired: .auth
            case .recipientUnavailable, .remoteServerTimeout, .resourceConstraint, .unexpectedRequest: .wait
            }
        }
    }

    /// What went wrong.
    package var condition: Condition
    /// What the sender may do about it.
    package var kind: Kind
    /// A sentence for people; nil for none.
    package var text: String?
    /// Who reports the error, as it stands in the attribute (RFC 6120 §8.3.2); nil for the sender of the stanza.
    package var by: String?
    /// Where the addressee is now, a URI; only with ``Condition/gone`` and ``Condition/redirect`` (RFC 6120 §8.3.3.5).
    package var newAddress: String?

    /// Makes an error; `kind` nil means the one that belongs to the condition.
    package init(
        _ condition: Condition,
        kind: Kind? = nil,
        text: String? = nil,
        by: String? = nil,
        newAddress: String? = nil
    ) {
        self.condition = condition
        self.kind = kind ?? condition.defaultKind
        self.text = text
        self.by = by
        self.newAddress = newAddress
    }

    /// Reads an `error` element in any content namespace; nil when `element` is something else.
    ///
    /// A condition that RFC 6120 does not list, or none, reads as ``Condition/undefinedCondition``; a `type` that it does
    /// not list reads as the condition's own (RFC 6120 §8.3.2).
    package init?(_ element: Element) {
        guard element.name == "error" else { return nil }
        let parts = element.elements.filter { $0.namespace == Namespace.stanzaErrors }
        let named = parts.first { $0.name != "text" }
        self.init(
            named.flatMap { Condition(rawValue: $0.name) } ?? .undefinedCondition,
            kind: element["type"].flatMap(Kind.init(rawValue:)),
            text: parts.first { $0.name == "text" }?.text,
            by: element["by"]
        )
        if self.condition == .gone || self.condition == .redirect, let address = named?.trimmedText, !address.isEmpty {
            self.newAddress = address
        }
    }

    /// The `error` element in a content namespace, such as `jabber:server`.
    package func element(in namespace: String) -> Element {
        let address = self.condition == .gone || self.condition == .redirect ? self.newAddress ?? "" : ""
        var children = [Element(self.condition.rawValue, namespace: Namespace.stanzaErrors, text: address)]
        if let text = self.text {
            children.append(Element("text", namespace: Namespace.stanzaErrors, text: text))
        }
        return Element(
            "error",
            namespace: namespace,
            attributes: ["type": self.kind.rawValue, "by": self.by],
            children: children
        )
    }
}
