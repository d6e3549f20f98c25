/// An extension that is one child element of a stanza, in a namespace of its own.
package protocol Payload: Hashable, Sendable {
    /// Reads the extension; nil when `element` is something else, or lacks what it needs to mean anything.
    init?(_ element: Element)

    /// The extension as an element.
    var element: Element { get }
}

extension Stanza {
    /// The first child that reads as this extension.
    package func first<P: Payload>(_ type: P.Type) -> P? {
        self.payload.lazy.compactMap { P($0) }.first
    }

    /// All children that read as this extension.
    package func all<P: Payload>(_ type: P.Type) -> [P] {
        self.payload.compactMap { P($0) }
    }

    /// Adds an extension after the other children.
    package mutating func append(_ payload: some Payload) {
        self.payload.append(payload.element)
    }
}
