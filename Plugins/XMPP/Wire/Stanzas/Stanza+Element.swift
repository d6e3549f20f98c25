extension Stanza {
    /// Whether an element in a content namespace has a stanza's name.
    package static func isStanza(_ element: Element, namespace: String) -> Bool {
        element.namespace == namespace && ["message", "presence", "iq"].contains(element.name)
    }

    /// Reads a stanza from an element in the content namespace of its stream.
    ///
    /// Text beside the child elements is dropped. A missing address is no error here: whether it may be missing depends
    /// on the stream.
    ///
    /// - Throws: ``ElementError`` for another name, an address that is no JID, a presence or IQ with a type that is not
    ///   known, an IQ without an id, a request without exactly one child (RFC 6120 §8.2.3).
    package init(_ element: Element) throws(ElementError) {
        switch element.name {
        case "message":
            self.kind = .message(element["type"].flatMap(MessageType.init(rawValue:)) ?? .normal)
        case "presence":
            self.kind = .presence(try Self.presenceType(of: element))
        case "iq":
            self.kind = .iq(try Self.iqType(of: element))
        default:
            throw .unexpectedElement(name: element.name, namespace: element.namespace)
        }
        self.to = try element.jid("to")
        self.from = try element.jid("from")
        self.id = element["id"]
        self.lang = element["lang", namespace: Namespace.xml]
        self.namespace = element.namespace
        self.payload = element.elements
    }

    /// The stanza as an element in its content namespace.
    package var element: Element {
        let name: String
        let type: String?
        switch self.kind {
        case .message(let message): (name, type) = ("message", message == .normal ? nil : message.rawValue)
        case .presence(let presence): (name, type) = ("presence", presence == .available ? nil : presence.rawValue)
        case .iq(let iq): (name, type) = ("iq", iq.rawValue)
        }
        var element = Element(
            name,
            namespace: self.namespace,
            attributes: ["from": self.from?.description, "to": self.to?.description, "id": self.id, "type": type],
            children: self.payload
        )
        element["lang", namespace: Namespace.xml] = self.lang
        return element
    }

    private static func presenceType(of element: Element) throws(ElementError) -> PresenceType {
        guard let value = element["type"] else { return .available }
        // "available" is the name of the absent type here; as an attribute it is not defined.
        guard let type = PresenceType(rawValue: value), type != .available else {
            throw .badAttribute("type", value: value)
        }
        return type
    }

    private static func iqType(of element: Element) throws(ElementError) -> IQType {
        guard let value = element["type"] else { throw .missingAttribute("type", element: "iq") }
        guard let type = IQType(rawValue: value) else { throw .badAttribute("type", value: value) }
        guard element["id"] != nil else { throw .missingAttribute("id", element: "iq") }
        let children = element.elements.count
        switch type {
        case .get, .set:
            guard children == 1 else { throw .wrongChildCount(children, element: "iq") }
        case .result:
            guard children <= 1 else { throw .wrongChildCount(children, element: "iq") }
        case .error:
            break
        }
        return type
    }
}
