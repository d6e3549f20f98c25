/// What an entity is and what it can do, or the question for it (XEP-0030 §3).
package struct DiscoInfo: Payload {
    /// One thing that the entity is, such as `gateway/aim` (XEP-0030 §3.1).
    package struct Identity: Hashable, Sendable {
        /// Such as `gateway`; the registrar of XMPP lists them.
        package var category: String
        /// Such as `aim`.
        package var type: String
        /// A name for people; nil for none.
        package var name: String?

        /// Makes an identity.
        package init(category: String, type: String, name: String? = nil) {
            self.category = category
            self.type = type
            self.name = name
        }
    }

    /// What of the entity is meant; nil for itself.
    package var node: String?
    /// What it is; empty in a question.
    package var identities: [Identity]
    /// Namespaces that it understands; empty in a question.
    package var features: [String]

    /// Makes a question, or with identities an answer.
    package init(node: String? = nil, identities: [Identity] = [], features: [String] = []) {
        self.node = node
        self.identities = identities
        self.features = features
    }

    package init?(_ element: Element) {
        guard element.isNamed("query", namespace: Namespace.discoInfo) else { return nil }
        let parts = element.elements.filter { $0.namespace == Namespace.discoInfo }
        self.node = element["node"]
        self.identities = parts.compactMap { part in
            guard part.name == "identity", let category = part["category"], let type = part["type"] else { return nil }
            return Identity(category: category, type: type, name: part["name"])
        }
        self.features = parts.compactMap { $0.name == "feature" ? $0["var"] : nil }
    }

    package var element: Element {
        let identities = self.identities.map {
            Element(
                "identity",
                namespace: Namespace.discoInfo,
                attributes: ["category": $0.category, "type": $0.type, "name": $0.name]
            )
        }
        let features = self.features.map {
            Element("feature", namespace: Namespace.discoInfo, attributes: ["var": $0])
        }
        return Element(
            "query",
            namespace: Namespace.discoInfo,
            attributes: ["node": self.node],
            children: identities + features
        )
    }
}
