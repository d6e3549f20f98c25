package import XMPPWire

/// Asks for the receiver's attention (XEP-0224 §2).
package struct Attention: Payload {
    private static let namespace = "urn:xmpp:attention:0"

    package init() {}

    package init?(_ element: Element) {
        guard element.isNamed("attention", namespace: Self.namespace) else { return nil }
    }

    package var element: Element { Element("attention", namespace: Self.namespace) }
}

/// Says that a message was seen, or asks to be told so.
///
/// XEP-0333 §4 (partial: `markable` and `displayed`, the others are older).
package enum ChatMarker: Payload {
    /// Please tell me when this message was seen.
    case markable
    /// The message with this id was seen.
    case displayed(id: String)

    private static let namespace = "urn:xmpp:chat-markers:0"

    package init?(_ element: Element) {
        guard element.namespace == Self.namespace else { return nil }
        switch (element.name, element["id"]) {
        case ("markable", _): self = .markable
        case ("displayed", let id?): self = .displayed(id: id)
        default: return nil
        }
    }

    package var element: Element {
        switch self {
        case .markable: Element("markable", namespace: Self.namespace)
        case .displayed(let id): Element("displayed", namespace: Self.namespace, attributes: ["id": id])
        }
    }
}

/// How somebody calls themselves (XEP-0172 §2).
package struct Nickname: Payload {
    /// The name; never empty.
    package var name: String

    private static let namespace = "http://jabber.org/protocol/nick"

    /// Makes a name.
    package init(_ name: String) {
        self.name = name
    }

    package init?(_ element: Element) {
        guard element.isNamed("nick", namespace: Self.namespace), !element.text.isEmpty else { return nil }
        self.name = element.text
    }

    package var element: Element { Element("nick", namespace: Self.namespace, text: self.name) }
}
