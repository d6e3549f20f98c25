/// A message, a presence or an IQ (RFC 6120 §8).
package struct Stanza: Hashable, Sendable {
    /// Which of the three, with the `type` that it can have.
    package enum Kind: Hashable, Sendable {
        /// A message (RFC 6121 §5).
        case message(MessageType)
        /// A presence (RFC 6121 §4).
        case presence(PresenceType)
        /// A request or its answer (RFC 6120 §8.2.3).
        case iq(IQType)
    }

    /// Types of messages (RFC 6121 §5.2.2).
    package enum MessageType: String, Hashable, Sendable, CaseIterable {
        /// The default, also for a type that is not known.
        case normal
        /// Part of a conversation of two.
        case chat
        /// To or from a room.
        case groupchat
        /// An alert that expects no answer.
        case headline
        /// A message that came back.
        case error
    }

    /// Types of presences (RFC 6121 §4.7.1).
    package enum PresenceType: String, Hashable, Sendable, CaseIterable {
        /// Written as no type at all.
        case available
        /// Signs off.
        case unavailable
        /// Asks to see the receiver's presence.
        case subscribe
        /// Allows that.
        case subscribed
        /// Ends it from the side that saw.
        case unsubscribe
        /// Ends or denies it from the side that was seen.
        case unsubscribed
        /// A server asks for the current presence.
        case probe
        /// A presence that came back.
        case error
    }

    /// Types of IQs (RFC 6120 §8.2.3).
    package enum IQType: String, Hashable, Sendable, CaseIterable {
        /// Asks for data.
        case get
        /// Asks for a change.
        case set
        /// Answers.
        case result
        /// Answers that it went wrong.
        case error
    }

    /// Which of the three, and its type.
    package var kind: Kind
    /// Addressee; nil for none, which a server-to-server stream forbids (RFC 6120 §8.1.1.2).
    package var to: JID?
    /// Sender; nil for none, which a server-to-server stream forbids (RFC 6120 §8.1.2.2).
    package var from: JID?
    /// Chosen by the sender; nil for none, which an IQ forbids (RFC 6120 §8.1.3).
    package var id: String?
    /// Language of the text in it (RFC 6120 §8.1.5).
    package var lang: String?
    /// Namespace of the stanza and of its children that define none, such as `jabber:server`.
    package var namespace: String
    /// Child elements in order.
    package var payload: [Element]

    /// Makes a stanza.
    package init(
        _ kind: Kind,
        to: JID?,
        from: JID?,
        id: String? = nil,
        lang: String? = nil,
        namespace: String = Namespace.server,
        payload: [Element] = []
    ) {
        self.kind = kind
        self.to = to
        self.from = from
        self.id = id
        self.lang = lang
        self.namespace = namespace
        self.payload = payload
    }
}

extension Stanza {
    /// Whether the stanza says that another one went wrong; such a one is never answered (RFC 6120 §8.3.1).
    package var isError: Bool {
        switch self.kind {
        case .message(.error), .presence(.error), .iq(.error): true
        case .message, .presence, .iq: false
        }
    }

    /// What went wrong, in a stanza of type `error`.
    package var error: StanzaError? {
        guard self.isError else { return nil }
        return self.payload.lazy.filter { $0.namespace == self.namespace }.compactMap { StanzaError($0) }.first
    }

    /// The first child element with this name and namespace.
    package func firstChild(named name: String, namespace: String) -> Element? {
        self.payload.first { $0.isNamed(name, namespace: namespace) }
    }

    /// The same stanza with another content namespace, also in those descendants that had the old one.
    ///
    /// For passing a stanza from one kind of stream to another: `body` on a server's stream is in `jabber:server`, on a
    /// component's in `jabber:component:accept`.
    package func moved(to namespace: String) -> Stanza {
        var moved = self
        moved.payload = self.payload.map { $0.moved(from: self.namespace, to: namespace) }
        moved.namespace = namespace
        return moved
    }
}

extension Element {
    fileprivate func moved(from old: String, to new: String) -> Element {
        var moved = self
        if self.namespace == old {
            moved.namespace = new
        }
        moved.children = self.children.map { node in
            switch node {
            case .element(let element): .element(element.moved(from: old, to: new))
            case .text: node
            }
        }
        return moved
    }
}
