/// A stream error: after it the sender closes the stream (RFC 6120 §4.9).
package struct StreamError: Hashable, Sendable {
    /// Why the stream ends (RFC 6120 §4.9.3).
    package enum Condition: String, Hashable, Sendable, CaseIterable {
        /// XML that cannot be processed (§4.9.3.1).
        case badFormat = "bad-format"
        /// A namespace prefix that is not supported (§4.9.3.2).
        case badNamespacePrefix = "bad-namespace-prefix"
        /// Another stream for the same name pair is kept instead (§4.9.3.3).
        case conflict
        /// The peer has been silent too long (§4.9.3.4).
        case connectionTimeout = "connection-timeout"
        /// The `to` domain is no longer served here (§4.9.3.5).
        case hostGone = "host-gone"
        /// The `to` domain is not served here (§4.9.3.6).
        case hostUnknown = "host-unknown"
        /// A stanza lacks an address, or has one that is no JID (§4.9.3.7).
        case improperAddressing = "improper-addressing"
        /// Something went wrong here (§4.9.3.8).
        case internalServerError = "internal-server-error"
        /// The `from` address is not the one that was authorised (§4.9.3.9).
        case invalidFrom = "invalid-from"
        /// The stream or content namespace is not supported (§4.9.3.10).
        case invalidNamespace = "invalid-namespace"
        /// XML that violates a schema that is enforced (§4.9.3.11).
        case invalidXML = "invalid-xml"
        /// Data before the sender was authenticated (§4.9.3.12).
        case notAuthorized = "not-authorized"
        /// XML that is not well-formed (§4.9.3.13).
        case notWellFormed = "not-well-formed"
        /// A local rule was broken, such as a size limit (§4.9.3.14).
        case policyViolation = "policy-violation"
        /// A server that is needed to answer cannot be reached (§4.9.3.15).
        case remoteConnectionFailed = "remote-connection-failed"
        /// The stream ends so that new security rules apply (§4.9.3.16).
        case reset
        /// Too few resources to serve the stream (§4.9.3.17).
        case resourceConstraint = "resource-constraint"
        /// XML features that XMPP forbids (§4.9.3.18).
        case restrictedXML = "restricted-xml"
        /// The peer should connect elsewhere; ``StreamError/otherHost`` says where (§4.9.3.19).
        case seeOtherHost = "see-other-host"
        /// The server is going down (§4.9.3.20).
        case systemShutdown = "system-shutdown"
        /// None of the others; an application condition may say more (§4.9.3.21).
        case undefinedCondition = "undefined-condition"
        /// The stream is not in UTF-8 (§4.9.3.22).
        case unsupportedEncoding = "unsupported-encoding"
        /// The peer requires a stream feature that is not supported (§4.9.3.23).
        case unsupportedFeature = "unsupported-feature"
        /// A child of the stream that is not understood (§4.9.3.24).
        case unsupportedStanzaType = "unsupported-stanza-type"
        /// A stream version that is not supported (§4.9.3.25).
        case unsupportedVersion = "unsupported-version"
    }

    /// Why the stream ends.
    package var condition: Condition
    /// A sentence for people; nil for none.
    package var text: String?
    /// Where to connect instead; only with ``Condition/seeOtherHost``: RFC 6120 §4.9.3.19 (partial: it is told
    /// to the operator, and not followed).
    package var otherHost: String?

    /// Makes an error.
    package init(_ condition: Condition, text: String? = nil, otherHost: String? = nil) {
        self.condition = condition
        self.text = text
        self.otherHost = otherHost
    }

    /// Reads a `stream:error` element; nil when `element` is something else.
    ///
    /// A condition that RFC 6120 does not list reads as ``Condition/undefinedCondition`` (RFC 6120 §4.9.2).
    package init?(_ element: Element) {
        guard element.isNamed("error", namespace: Namespace.streams) else { return nil }
        let parts = element.elements.filter { $0.namespace == Namespace.streamErrors }
        let named = parts.first { $0.name != "text" }
        self.condition = named.flatMap { Condition(rawValue: $0.name) } ?? .undefinedCondition
        self.text = parts.first { $0.name == "text" }?.text
        self.otherHost = nil
        if self.condition == .seeOtherHost, let host = named?.text, !host.isEmpty {
            self.otherHost = host
        }
    }

    /// The `stream:error` element.
    package var element: Element {
        let host = self.condition == .seeOtherHost ? self.otherHost ?? "" : ""
        var children = [Element(self.condition.rawValue, namespace: Namespace.streamErrors, text: host)]
        if let text = self.text {
            children.append(Element("text", namespace: Namespace.streamErrors, text: text))
        }
        return Element("error", namespace: Namespace.streams, children: children)
    }
}
