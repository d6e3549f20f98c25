extension Stanza {
    /// How available the sender of a presence is (RFC 6121 §4.7.2.1).
    package enum Show: String, Hashable, Sendable, CaseIterable {
        /// Away for a while.
        case away
        /// Interested in talking.
        case chat
        /// Do not disturb.
        case doNotDisturb = "dnd"
        /// Away for longer.
        case extendedAway = "xa"
    }

    /// How available the sender of a presence is; nil for simply available, also when the value is not known.
    package var show: Show? {
        get { self.firstChild(named: "show", namespace: self.namespace).flatMap { Show(rawValue: $0.trimmedText) } }
        set { self.setContent("show", newValue.map { Element("show", namespace: self.namespace, text: $0.rawValue) }) }
    }

    /// The sender's own words about their presence (RFC 6121 §4.7.2.2); nil for none.
    package var status: String? {
        get { self.contentText("status") }
        set { self.setContent("status", newValue.map { Element("status", namespace: self.namespace, text: $0) }) }
    }

    /// The priority of the sender's resource, -128...127 (RFC 6121 §4.7.2.3); 0 when there is none or it is no number.
    package var priority: Int8 {
        get { self.firstChild(named: "priority", namespace: self.namespace).flatMap { Int8($0.trimmedText) } ?? 0 }
        set {
            let element = Element("priority", namespace: self.namespace, text: String(newValue))
            self.setContent("priority", newValue == 0 ? nil : element)
        }
    }
}
