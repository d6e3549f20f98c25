package import XMPPWire

/// One change of a user's roster (RFC 6121 §2.1; partial: what a component sets, one item).
package struct RosterChange: Payload {
    /// Whom it is about; bare.
    package var jid: JID
    /// As the user sees it; nil for none.
    package var name: String?
    /// In the order of the list.
    package var groups: [String]
    /// The item is taken off the roster.
    package var isRemoval: Bool

    private static let namespace = "jabber:iq:roster"

    /// A contact who is there, with a subscription in both directions; or one who is not any more.
    package init(_ jid: JID, name: String? = nil, groups: [String] = [], isRemoval: Bool = false) {
        self.jid = jid
        self.name = name
        self.groups = groups
        self.isRemoval = isRemoval
    }

    package init?(_ element: Element) {
        let items = element.elements.filter { $0.isNamed("item", namespace: Self.namespace) }
        guard element.isNamed("query", namespace: Self.namespace), items.count == 1, let item = items.first,
            let jid = item["jid"].flatMap({ try? JID($0) })
        else { return nil }
        self.jid = jid
        self.isRemoval = item["subscription"] == "remove"
        self.name = self.isRemoval ? nil : item["name"]
        self.groups =
            self.isRemoval ? [] : item.elements.filter { $0.isNamed("group", namespace: Self.namespace) }.map(\.text)
    }

    package var element: Element {
        let groups = self.isRemoval ? [] : self.groups.map { Element("group", namespace: Self.namespace, text: $0) }
        let item = Element(
            "item",
            namespace: Self.namespace,
            attributes: [
                "jid": self.jid.description, "name": self.isRemoval ? nil : self.name,
                "subscription": self.isRemoval ? "remove" : "both",
            ],
            children: groups
        )
        return Element("query", namespace: Self.namespace, children: [item])
    }
}
