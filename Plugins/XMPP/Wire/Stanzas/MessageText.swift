extension Stanza {
    /// A conversation's thread (RFC 6121 §5.2.5).
    package struct Thread: Hashable, Sendable {
        /// The thread's id, opaque.
        package var id: String
        /// Id of the thread that it came from.
        package var parent: String?

        /// Makes a thread.
        package init(id: String, parent: String? = nil) {
            self.id = id
            self.parent = parent
        }
    }

    /// The text of a message (RFC 6121 §5.2.3); nil for none.
    ///
    /// Setting it replaces the texts in all languages.
    ///
    /// Of several languages the one that is read is that of the stanza, or the first.
    package var body: String? {
        get { self.contentText("body") }
        set { self.setContent("body", newValue.map { Element("body", namespace: self.namespace, text: $0) }) }
    }

    /// The subject of a message (RFC 6121 §5.2.4); nil for none.
    ///
    /// Setting it replaces the subjects in all languages.
    ///
    /// An empty subject is something else than none: it clears the topic of a room.
    package var subject: String? {
        get { self.contentText("subject") }
        set { self.setContent("subject", newValue.map { Element("subject", namespace: self.namespace, text: $0) }) }
    }

    /// The thread that a message belongs to (RFC 6121 §5.2.5); nil for none.
    package var thread: Thread? {
        get {
            guard let thread = self.firstChild(named: "thread", namespace: self.namespace) else { return nil }
            return Thread(id: thread.text, parent: thread["parent"])
        }
        set {
            let thread = newValue.map {
                Element("thread", namespace: self.namespace, attributes: ["parent": $0.parent], text: $0.id)
            }
            self.setContent("thread", thread)
        }
    }

    func contentText(_ name: String) -> String? {
        let candidates = self.payload.filter { $0.isNamed(name, namespace: self.namespace) }
        let best = candidates.first { candidate in
            let lang = candidate["lang", namespace: Namespace.xml]
            return lang == nil || lang == self.lang
        }
        return (best ?? candidates.first)?.text
    }

    /// Puts `element` where the first child of this name was, or at the end; removes the others.
    mutating func setContent(_ name: String, _ element: Element?) {
        let index = self.payload.firstIndex { $0.isNamed(name, namespace: self.namespace) }
        self.payload.removeAll { $0.isNamed(name, namespace: self.namespace) }
        if let element {
            self.payload.insert(element, at: min(index ?? self.payload.count, self.payload.count))
        }
    }
}
