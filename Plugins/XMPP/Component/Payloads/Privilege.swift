package import XMPPWire

/// What the server lets the component do for its users (XEP-0356 §4; namespaces `urn:xmpp:privilege:1` and `:2`).
package struct Privilege: Payload {
    /// What may be done with rosters (XEP-0356 §5).
    package enum Access: String, Hashable, Sendable, CaseIterable {
        case none
        case get
        case set
        case both
    }

    /// What may be done with rosters.
    package var roster: Access
    /// 1 or 2: of the namespace.
    package var version: Int

    /// Makes a privilege.
    package init(roster: Access, version: Int = 2) {
        self.roster = roster
        self.version = version
    }

    private static func namespace(_ version: Int) -> String { "urn:xmpp:privilege:\(version)" }

    /// Permissions other than the roster's are not read; one that is not known counts as none.
    package init?(_ element: Element) {
        guard element.name == "privilege",
            let version = [1, 2].first(where: { element.namespace == Self.namespace($0) })
        else { return nil }
        self.version = version
        let permission = element.elements.first { $0.name == "perm" && $0["access"] == "roster" }
        self.roster = permission?["type"].flatMap(Access.init(rawValue:)) ?? .none
    }

    package var element: Element {
        let namespace = Self.namespace(self.version)
        let permission = Element(
            "perm",
            namespace: namespace,
            attributes: ["access": "roster", "type": self.roster.rawValue]
        )
        return Element("privilege", namespace: namespace, children: [permission])
    }

    /// Whether rosters may be changed.
    package var maySet: Bool { self.roster == .set || self.roster == .both }
}
