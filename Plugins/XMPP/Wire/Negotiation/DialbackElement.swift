/// One element of server dialback (XEP-0220 §2).
package struct DialbackElement: Hashable, Sendable {
    /// Which of the two elements.
    package enum Kind: String, Hashable, Sendable {
        /// Between the initiating and the receiving server.
        case result
        /// Between the receiving and the authoritative server.
        case verify
    }

    /// The question, or an answer to it.
    package enum Content: Hashable, Sendable {
        /// Please check this key.
        case key(String)
        /// The key is right: the domain is the one it says.
        case valid
        /// The key is wrong.
        case invalid
        /// The key could not be checked (XEP-0220 §2.5); nil when the peer gave no reason.
        case error(StanzaError?)
    }

    /// Which of the two elements.
    package var kind: Kind
    /// Domain of the sender.
    package var from: String
    /// Domain of the receiver.
    package var to: String
    /// Id of the stream on which the key was sent; only in ``Kind/verify``.
    package var id: String?
    /// The question, or an answer to it.
    package var content: Content

    /// Makes an element; the domains are in the form that ``JID/domain`` has.
    package init(_ kind: Kind, from: String, to: String, id: String? = nil, content: Content) {
        self.kind = kind
        self.from = from
        self.to = to
        self.id = id
        self.content = content
    }

    /// Reads a `db:result` or a `db:verify`; nil when `element` is not in the namespace of dialback.
    ///
    /// - Throws: ``ElementError`` when it is in the namespace but not one of them, or an address is missing or has more
    ///   than a domain, or `id` is missing from a `db:verify`, or `type` is not known.
    package init?(_ element: Element) throws(ElementError) {
        guard element.namespace == Namespace.dialback else { return nil }
        guard let kind = Kind(rawValue: element.name) else {
            throw .unexpectedElement(name: element.name, namespace: element.namespace)
        }
        self.kind = kind
        self.from = try Self.domain("from", of: element)
        self.to = try Self.domain("to", of: element)
        self.id = kind == .verify ? element["id"] : nil
        if kind == .verify, self.id == nil {
            throw .missingAttribute("id", element: "verify")
        }
        switch element["type"] {
        case nil: self.content = .key(element.trimmedText)
        case "valid": self.content = .valid
        case "invalid": self.content = .invalid
        case "error":
            // Its namespace is that of the stream's content, which is not known here (XEP-0220 §2.5).
            let error = element.elements.lazy.compactMap { StanzaError($0) }.first
            self.content = .error(error)
        case let type?: throw .badAttribute("type", value: type)
        }
    }

    /// The element, for a stream with this default namespace.
    ///
    /// Write it with the prefixes of a header that declares `db`, for some servers look for the prefix (XEP-0220 §2.4.1).
    package func element(in namespace: String = Namespace.server) -> Element {
        var element = Element(
            self.kind.rawValue,
            namespace: Namespace.dialback,
            attributes: ["from": self.from, "to": self.to, "id": self.kind == .verify ? self.id : nil]
        )
        switch self.content {
        case .key(let key): element.children = [.text(key)]
        case .valid: element["type"] = "valid"
        case .invalid: element["type"] = "invalid"
        case .error(let error):
            element["type"] = "error"
            element.children = [error].compactMap { $0.map { .element($0.element(in: namespace)) } }
        }
        return element
    }

    private static func domain(_ attribute: String, of element: Element) throws(ElementError) -> String {
        let jid = try element.requiredJID(attribute)
        guard jid.isDomain else {
            throw .badAttribute(attribute, value: jid.description)
        }
        return jid.domain
    }
}
