/// A delivery receipt, or the request for one (XEP-0184 §5).
package enum Receipt: Payload {
    /// Please confirm this message.
    case request
    /// The message with this id has arrived.
    case received(id: String)

    package init?(_ element: Element) {
        guard element.namespace == Namespace.receipts else { return nil }
        switch (element.name, element["id"]) {
        case ("request", _): self = .request
        case ("received", let id?): self = .received(id: id)
        default: return nil
        }
    }

    package var element: Element {
        switch self {
        case .request: Element("request", namespace: Namespace.receipts)
        case .received(let id): Element("received", namespace: Namespace.receipts, attributes: ["id": id])
        }
    }
}
