/// Says that a message replaces an earlier one of the same sender (XEP-0308 §4).
package struct Correction: Payload {
    /// Id of the message that is replaced.
    package var replacedID: String

    /// Makes a correction.
    package init(replacing id: String) {
        self.replacedID = id
    }

    package init?(_ element: Element) {
        guard element.isNamed("replace", namespace: Namespace.correction), let id = element["id"] else { return nil }
        self.replacedID = id
    }

    package var element: Element {
        Element("replace", namespace: Namespace.correction, attributes: ["id": self.replacedID])
    }
}
