/// What the receiving side of a stream offers (RFC 6120 §4.3.2).
package struct StreamFeatures: Hashable, Sendable {
    /// Whether TLS is offered.
    package enum StartTLS: Hashable, Sendable {
        /// Offered; the stream may go on without it.
        case optional
        /// Nothing else may be negotiated before it (RFC 6120 §5.4.1).
        case required
    }

    /// The offer of TLS; nil for none.
    package var startTLS: StartTLS?
    /// Names of the SASL mechanisms that are offered, best first (RFC 6120 §6.4.1); empty for none.
    package var mechanisms: [String]
    /// Whether dialback is offered (XEP-0220 §2.4.2).
    package var dialback: Bool
    /// Whether the stream may be used in both directions (XEP-0288 §2.1).
    package var bidi: Bool
    /// Whether stream management is offered (XEP-0198 §3).
    package var streamManagement: Bool

    /// Most mechanisms that are read; those after them are ignored.
    package static let mechanismsMax = 32

    /// Makes a set of features, by default an empty one, which means that negotiation is complete (RFC 6120 §4.3.5).
    package init(
        startTLS: StartTLS? = nil,
        mechanisms: [String] = [],
        dialback: Bool = false,
        bidi: Bool = false,
        streamManagement: Bool = false
    ) {
        self.startTLS = startTLS
        self.mechanisms = mechanisms
        self.dialback = dialback
        self.bidi = bidi
        self.streamManagement = streamManagement
    }

    /// Reads a `stream:features` element; nil when `element` is something else.
    ///
    /// Unknown features are ignored.
    package init?(_ element: Element) {
        guard element.isNamed("features", namespace: Namespace.streams) else { return nil }
        self.init()
        if let startTLS = element.firstChild(named: "starttls", namespace: Namespace.startTLS) {
            let required = startTLS.firstChild(named: "required", namespace: Namespace.startTLS)
            self.startTLS = required == nil ? .optional : .required
        }
        if let mechanisms = element.firstChild(named: "mechanisms", namespace: Namespace.sasl) {
            self.mechanisms = mechanisms.elements.lazy
                .filter { $0.isNamed("mechanism", namespace: Namespace.sasl) }
                .prefix(Self.mechanismsMax)
                .map(\.trimmedText)
        }
        self.dialback = element.firstChild(named: "dialback", namespace: Namespace.dialbackFeature) != nil
        self.bidi = element.firstChild(named: "bidi", namespace: Namespace.bidiFeature) != nil
        self.streamManagement = element.firstChild(named: "sm", namespace: Namespace.streamManagement) != nil
    }

    /// The `stream:features` element.
    package var element: Element {
        var features: [Element] = []
        if let startTLS = self.startTLS {
            let required = Element("required", namespace: Namespace.startTLS)
            let children = startTLS == .required ? [required] : []
            features.append(Element("starttls", namespace: Namespace.startTLS, children: children))
        }
        if !self.mechanisms.isEmpty {
            let children = self.mechanisms.map { Element("mechanism", namespace: Namespace.sasl, text: $0) }
            features.append(Element("mechanisms", namespace: Namespace.sasl, children: children))
        }
        if self.dialback {
            // Errors in answers to dialback are understood here (XEP-0220 §2.4.2).
            let errors = Element("errors", namespace: Namespace.dialbackFeature)
            features.append(Element("dialback", namespace: Namespace.dialbackFeature, children: [errors]))
        }
        if self.bidi {
            features.append(Element("bidi", namespace: Namespace.bidiFeature))
        }
        if self.streamManagement {
            features.append(Element("sm", namespace: Namespace.streamManagement))
        }
        return Element("features", namespace: Namespace.streams, children: features)
    }
}
