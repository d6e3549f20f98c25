/// How services on the way should treat a message (XEP-0334 §4).
package enum Hint: String, Payload, CaseIterable {
    /// Keep it nowhere for good.
    case noPermanentStore = "no-permanent-store"
    /// Keep it nowhere at all.
    case noStore = "no-store"
    /// Send no copies to other resources.
    case noCopy = "no-copy"
    /// Keep it although it has no text.
    case store

    package init?(_ element: Element) {
        guard element.namespace == Namespace.hints, let hint = Self(rawValue: element.name) else { return nil }
        self = hint
    }

    package var element: Element {
        Element(self.rawValue, namespace: Namespace.hints)
    }
}
