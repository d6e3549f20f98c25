/// The id that the sending client gave a message (XEP-0359 §3.2).
package struct OriginID: Payload {
    /// The id, opaque.
    package var id: String

    /// Makes an id.
    package init(_ id: String) {
        self.id = id
    }

    package init?(_ element: Element) {
        guard element.isNamed("origin-id", namespace: Namespace.stanzaIDs), let id = element["id"] else { return nil }
        self.id = id
    }

    package var element: Element {
        Element("origin-id", namespace: Namespace.stanzaIDs, attributes: ["id": self.id])
    }
}

/// The id that a service on the way gave a stanza (XEP-0359 §3.1).
///
/// Anybody can write one: it means something only when `by` is a service that is known to remove forged ones
/// (XEP-0359 §6).
package struct StanzaID: Payload {
    /// The id, opaque.
    package var id: String
    /// Who gave it.
    package var by: JID

    /// Makes an id.
    package init(_ id: String, by: JID) {
        self.id = id
        self.by = by
    }

    package init?(_ element: Element) {
        guard element.isNamed("stanza-id", namespace: Namespace.stanzaIDs), let id = element["id"],
            let by = element["by"].flatMap({ try? JID($0) })
        else { return nil }
        self.id = id
        self.by = by
    }

    package var element: Element {
        Element("stanza-id", namespace: Namespace.stanzaIDs, attributes: ["id": self.id, "by": self.by.description])
    }
}
