/// The elements of stream management (XEP-0198 §3, §4, §5).
package enum StreamManagementElement: Hashable, Sendable {
    /// The initiating side wants stanzas counted, and perhaps the stream to be resumable.
    case enable(canResume: Bool)
    /// The receiving side counts them; with an id, the stream can be resumed by it for so many seconds.
    case enabled(id: String?, resumableSeconds: UInt32?)
    /// How many stanzas have you handled?
    case request
    /// So many, modulo 2^32.
    case answer(handled: UInt32)
    /// The initiating side wants to go on with an earlier stream, of which it handled so many stanzas.
    case resume(previousID: String, handled: UInt32)
    /// The receiving side agrees; it handled so many stanzas of the earlier stream.
    case resumed(previousID: String, handled: UInt32)
    /// It does not; it may still know how many it handled.
    case failed(StanzaError.Condition, handled: UInt32?)

    /// The longest id of a stream that is read, in bytes (XEP-0198 §14 says 4000 characters).
    package static let idBytesMax = 4000

    /// Reads one of them; nil when `element` is something else.
    ///
    /// - Throws: ``ElementError`` for a count that is none, or an id that is missing or too long.
    package init?(_ element: Element) throws(ElementError) {
        guard element.namespace == Namespace.streamManagement else { return nil }
        switch element.name {
        case "enable": self = .enable(canResume: Self.isTrue(element["resume"]))
        case "enabled":
            let canResume = Self.isTrue(element["resume"])
            let id = element["id"].flatMap { $0.isEmpty || $0.utf8.count > Self.idBytesMax ? nil : $0 }
            self = .enabled(id: canResume ? id : nil, resumableSeconds: element["max"].flatMap { UInt32($0) })
        case "r": self = .request
        case "a": self = .answer(handled: try Self.count(element))
        case "resume": self = .resume(previousID: try Self.previousID(element), handled: try Self.count(element))
        case "resumed": self = .resumed(previousID: try Self.previousID(element), handled: try Self.count(element))
        case "failed":
            let condition = element.elements.lazy
                .filter { $0.namespace == Namespace.stanzaErrors }
                .compactMap { StanzaError.Condition(rawValue: $0.name) }
                .first
            let handled = element["h"] == nil ? nil : try Self.count(element)
            self = .failed(condition ?? .undefinedCondition, handled: handled)
        default: return nil
        }
    }

    /// The element.
    package var element: Element {
        let namespace = Namespace.streamManagement
        switch self {
        case .enable(let canResume):
            return Element("enable", namespace: namespace, attributes: ["resume": canResume ? "true" : nil])
        case .enabled(let id, let seconds):
            return Element(
                "enabled",
                namespace: namespace,
                attributes: ["id": id, "resume": id == nil ? nil : "true", "max": seconds.map { String($0) }]
            )
        case .request: return Element("r", namespace: namespace)
        case .answer(let handled): return Element("a", namespace: namespace, attributes: ["h": String(handled)])
        case .resume(let id, let handled):
            return Element("resume", namespace: namespace, attributes: ["previd": id, "h": String(handled)])
        case .resumed(let id, let handled):
            return Element("resumed", namespace: namespace, attributes: ["previd": id, "h": String(handled)])
        case .failed(let condition, let handled):
            let reason = Element(condition.rawValue, namespace: Namespace.stanzaErrors)
            return Element(
                "failed",
                namespace: namespace,
                attributes: ["h": handled.map { String($0) }],
                children: [reason]
            )
        }
    }

    private static func isTrue(_ text: String?) -> Bool { text == "true" || text == "1" }

    private static func count(_ element: Element) throws(ElementError) -> UInt32 {
        guard let text = element["h"] else { throw .missingAttribute("h", element: element.name) }
        guard let count = UInt32(text) else { throw .badAttribute("h", value: text) }
        return count
    }

    private static func previousID(_ element: Element) throws(ElementError) -> String {
        guard let id = element["previd"] else { throw .missingAttribute("previd", element: element.name) }
        guard !id.isEmpty, id.utf8.count <= Self.idBytesMax else { throw .badAttribute("previd", value: "") }
        return id
    }
}
