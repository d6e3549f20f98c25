/// The request of the initiating side to use the stream in both directions (XEP-0288 §2.2).
///
/// Nothing answers it.
package enum BidiElement {
    /// The element.
    package static let element = Element("bidi", namespace: Namespace.bidi)

    /// Whether an element is the request.
    package static func isOne(_ element: Element) -> Bool { element.isNamed("bidi", namespace: Namespace.bidi) }
}
