/// Why an element, though well-formed, is not what its name promises.
package enum ElementError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not one of the elements that may stand here; its name and namespace.
    case unexpectedElement(name: String, namespace: String)
    /// A required attribute is missing.
    case missingAttribute(String, element: String)
    /// An attribute has a value that its definition does not list.
    case badAttribute(String, value: String)
    /// An attribute that must hold a JID does not.
    case badAddress(attribute: String, JIDError)
    /// An element has more or fewer child elements than it may have.
    case wrongChildCount(Int, element: String)
    /// Text that must be Base64 (RFC 4648 §4) is not.
    case badBase64(element: String)

    /// The stream error for an element that is not a stanza (RFC 6120 §4.9.3).
    package var streamError: StreamError.Condition {
        switch self {
        case .unexpectedElement: .unsupportedStanzaType
        case .missingAttribute("to", _), .missingAttribute("from", _), .badAddress: .improperAddressing
        case .missingAttribute, .badAttribute, .wrongChildCount, .badBase64: .badFormat
        }
    }

    /// The stanza error to answer a stanza with (RFC 6120 §8.3.3).
    package var stanzaError: StanzaError.Condition {
        switch self {
        case .unexpectedElement, .missingAttribute, .badAttribute, .wrongChildCount, .badBase64: .badRequest
        case .badAddress: .jidMalformed
        }
    }

    package var description: String {
        switch self {
        case .unexpectedElement(let name, let namespace):
            "The element “\(name)” in the namespace “\(namespace)” is not expected here."
        case .missingAttribute(let attribute, let element):
            "The element “\(element)” lacks the attribute “\(attribute)”."
        case .badAttribute(let attribute, let value):
            "The attribute “\(attribute)” has the value “\(value)”, which is not one of those defined."
        case .badAddress(let attribute, let error):
            "The attribute “\(attribute)” is not an address. \(error.description)"
        case .wrongChildCount(let count, let element):
            "The element “\(element)” has \(count) child elements, which its type does not allow."
        case .badBase64(let element):
            "The text of the element “\(element)” is not Base64."
        }
    }
}

extension Element {
    /// The JID in an attribute; nil when there is no such attribute.
    package func jid(_ attribute: String) throws(ElementError) -> JID? {
        guard let value = self[attribute] else { return nil }
        do throws(JIDError) {
            return try JID(value)
        } catch {
            throw .badAddress(attribute: attribute, error)
        }
    }

    /// The JID in an attribute that must be there.
    package func requiredJID(_ attribute: String) throws(ElementError) -> JID {
        guard let jid = try self.jid(attribute) else {
            throw .missingAttribute(attribute, element: self.name)
        }
        return jid
    }
}
