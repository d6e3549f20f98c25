/// One element of a SASL negotiation (RFC 6120 §6.4).
package enum SASLElement: Hashable, Sendable {
    /// The initiating side begins (§6.4.2). Data nil for no initial response, which is not the same as an empty one.
    case auth(mechanism: String, initialResponse: [UInt8]?)
    /// The receiving side asks for more (§6.4.3).
    case challenge([UInt8])
    /// The initiating side answers (§6.4.3).
    case response([UInt8])
    /// The initiating side gives up (§6.4.4).
    case abort
    /// The receiving side refuses (§6.4.5).
    case failure(Failure, text: String?)
    /// Authenticated (§6.4.6): the stream restarts. Data nil for none.
    case success([UInt8]?)

    /// Why a negotiation failed (RFC 6120 §6.5).
    package enum Failure: String, Hashable, Sendable, CaseIterable {
        /// The initiating side gave up (§6.5.1).
        case aborted
        /// The account may not be used (§6.5.2).
        case accountDisabled = "account-disabled"
        /// The credentials have expired (§6.5.3).
        case credentialsExpired = "credentials-expired"
        /// The mechanism needs TLS (§6.5.4).
        case encryptionRequired = "encryption-required"
        /// The data is not Base64 (§6.5.5).
        case incorrectEncoding = "incorrect-encoding"
        /// The initiating side may not act as that identity (§6.5.6).
        case invalidAuthzid = "invalid-authzid"
        /// The mechanism is not offered (§6.5.7).
        case invalidMechanism = "invalid-mechanism"
        /// The request cannot be understood (§6.5.8).
        case malformedRequest = "malformed-request"
        /// The mechanism is too weak for that identity (§6.5.9).
        case mechanismTooWeak = "mechanism-too-weak"
        /// The credentials are wrong; also for any condition that is not known (§6.5.10).
        case notAuthorized = "not-authorized"
        /// Something went wrong for the moment (§6.5.11).
        case temporaryAuthFailure = "temporary-auth-failure"
    }

    /// Reads one of them; nil when `element` is not in SASL's namespace.
    ///
    /// - Throws: ``ElementError`` when it is in the namespace but not one of them; `badBase64` is answered with
    ///   ``Failure/incorrectEncoding``.
    package init?(_ element: Element) throws(ElementError) {
        guard element.namespace == Namespace.sasl else { return nil }
        switch element.name {
        case "auth":
            guard let mechanism = element["mechanism"] else {
                throw .missingAttribute("mechanism", element: "auth")
            }
            self = .auth(mechanism: mechanism, initialResponse: try Self.data(of: element))
        case "challenge": self = .challenge(try Self.data(of: element) ?? [])
        case "response": self = .response(try Self.data(of: element) ?? [])
        case "abort": self = .abort
        case "failure":
            let parts = element.elements.filter { $0.namespace == Namespace.sasl }
            let condition = parts.first { $0.name != "text" }.flatMap { Failure(rawValue: $0.name) }
            self = .failure(condition ?? .notAuthorized, text: parts.first { $0.name == "text" }?.text)
        case "success": self = .success(try Self.data(of: element))
        default: throw .unexpectedElement(name: element.name, namespace: element.namespace)
        }
    }

    /// The element.
    package var element: Element {
        switch self {
        case .auth(let mechanism, let data):
            let attributes: KeyValuePairs<String, String?> = ["mechanism": mechanism]
            return Element("auth", namespace: Namespace.sasl, attributes: attributes, text: Self.text(of: data))
        case .challenge(let data):
            return Element("challenge", namespace: Namespace.sasl, text: Base64.encode(data))
        case .response(let data):
            return Element("response", namespace: Namespace.sasl, text: Base64.encode(data))
        case .abort:
            return Element("abort", namespace: Namespace.sasl)
        case .failure(let failure, let text):
            var children = [Element(failure.rawValue, namespace: Namespace.sasl)]
            if let text {
                children.append(Element("text", namespace: Namespace.sasl, text: text))
            }
            return Element("failure", namespace: Namespace.sasl, children: children)
        case .success(let data):
            return Element("success", namespace: Namespace.sasl, text: Self.text(of: data))
        }
    }

    /// No text means no data; `=` means data of no bytes (RFC 6120 §6.4.2, §6.4.6).
    private static func data(of element: Element) throws(ElementError) -> [UInt8]? {
        let text = element.trimmedText
        if text.isEmpty { return nil }
        if text == "=" { return [] }
        guard let data = Base64.decode(text) else { throw .badBase64(element: element.name) }
        return data
    }

    private static func text(of data: [UInt8]?) -> String {
        guard let data else { return "" }
        return data.isEmpty ? "=" : Base64.encode(data)
    }
}
