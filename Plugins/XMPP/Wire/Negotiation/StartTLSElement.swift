/// The three elements of STARTTLS (RFC 6120 §5.4.2).
package enum StartTLSElement: String, Hashable, Sendable, CaseIterable {
    /// The initiating side asks for TLS.
    case startTLS = "starttls"
    /// The receiving side agrees: the next bytes are TLS.
    case proceed
    /// The receiving side refuses, and closes the stream.
    case failure

    /// Reads one of the three; nil when `element` is something else.
    package init?(_ element: Element) {
        guard element.namespace == Namespace.startTLS, let known = Self(rawValue: element.name) else { return nil }
        self = known
    }

    /// The element.
    package var element: Element {
        Element(self.rawValue, namespace: Namespace.startTLS)
    }
}
