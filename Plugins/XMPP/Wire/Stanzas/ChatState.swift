/// What somebody does in a conversation (XEP-0085 §2).
package enum ChatState: String, Payload, CaseIterable {
    /// Pays attention.
    case active
    /// Types.
    case composing
    /// Has stopped typing.
    case paused
    /// Has paid no attention for a while.
    case inactive
    /// Has left the conversation.
    case gone

    package init?(_ element: Element) {
        guard element.namespace == Namespace.chatStates, let state = Self(rawValue: element.name) else { return nil }
        self = state
    }

    package var element: Element {
        Element(self.rawValue, namespace: Namespace.chatStates)
    }
}
