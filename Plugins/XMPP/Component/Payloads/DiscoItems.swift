package import XMPPWire

/// What belongs to an entity, or the question for it (XEP-0030 §4).
package struct DiscoItems: Payload {
    /// One thing that belongs to it.
    package struct Item: Hashable, Sendable {
        /// Where it is.
        package var jid: JID
        /// Which of the things there; nil for the whole.
        package var node: String?
        /// For people; nil for none.
        package var name: String?

        /// Makes an item.
        package init(jid: JID, node: String? = nil, name: String? = nil) {
            self.jid = jid
            self.node = node
            self.name = name
        }
    }

    /// What of the entity is meant; nil for itself.
    package var node: String?
    /// Empty in a question.
    package var items: [Item]

    /// Makes a question, or an answer.
    package init(node: String? = nil, items: [Item] = []) {
        self.node = node
        self.items = items
    }

    package init?(_ element: Element) {
        guard element.isNamed("query", namespace: Namespace.discoItems) else { return nil }
        self.node = element["node"]
        self.items = element.elements.compactMap { item in
            guard item.isNamed("item", namespace: Namespace.discoItems), let jid = item["jid"].flatMap({ try? JID($0) })
            else { return nil }
            return Item(jid: jid, node: item["node"], name: item["name"])
        }
    }

    package var element: Element {
        let items = self.items.map {
            Element(
                "item",
                namespace: Namespace.discoItems,
                attributes: ["jid": $0.jid.description, "node": $0.node, "name": $0.name]
            )
        }
        return Element("query", namespace: Namespace.discoItems, attributes: ["node": self.node], children: items)
    }
}
