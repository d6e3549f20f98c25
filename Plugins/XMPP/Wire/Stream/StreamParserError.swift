/// Why a ``StreamParser`` refused a stream.
package enum StreamParserError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes are not well-formed XML (RFC 6120 §11.3). Expat's words, and the line of the stream, from 1.
    case notWellFormed(String, line: Int)
    /// A feature of XML that XMPP forbids (RFC 6120 §11.1).
    case restricted(RestrictedFeature)
    /// The stream is not in UTF-8 (RFC 6120 §11.6). The declared encoding, or a description of the bytes.
    case unsupportedEncoding(String)
    /// The XML declaration has a version other than 1.0 (RFC 6120 §11.5).
    case unsupportedXMLVersion(String)
    /// The outermost element is not a stream; its name.
    case notAStream(String)
    /// The outermost element is called `stream` in a namespace that is not the one for streams; that namespace.
    case wrongStreamNamespace(String)
    /// A stream header inside the stream.
    case secondHeader
    /// Text other than white space between stanzas (RFC 6120 §11.7).
    case textBetweenStanzas
    /// More than ``StreamParserLimits/stanzaBytesMax``.
    case stanzaTooLarge(bytesMax: Int)
    /// More than ``StreamParserLimits/tagBytesMax``.
    case tagTooLarge(bytesMax: Int)
    /// More than ``StreamParserLimits/depthMax``.
    case tooDeep(max: Int)
    /// More than ``StreamParserLimits/elementsMax``.
    case tooManyElements(max: Int)
    /// More than ``StreamParserLimits/attributesMax``.
    case tooManyAttributes(max: Int)
    /// More than ``StreamParserLimits/nameBytesMax``.
    case nameTooLong(bytesMax: Int)
    /// More than ``StreamParserLimits/distinctNamesMax``.
    case tooManyNames(max: Int)
    /// Expat had no memory.
    case outOfMemory

    /// What XMPP takes away from XML (RFC 6120 §11.1).
    package enum RestrictedFeature: String, Hashable, Sendable {
        /// `<!-- … -->`
        case comment = "a comment"
        /// `<? … ?>`
        case processingInstruction = "a processing instruction"
        /// `<!DOCTYPE … >`
        case documentType = "a document type declaration"
        /// An entity other than the five of XML.
        case entity = "a reference to an entity that XML does not predefine"
    }

    /// The stream error to send before the stream is closed (RFC 6120 §4.9.3).
    package var streamError: StreamError.Condition {
        switch self {
        case .notWellFormed, .unsupportedXMLVersion: .notWellFormed
        case .restricted: .restrictedXML
        case .unsupportedEncoding: .unsupportedEncoding
        case .wrongStreamNamespace: .invalidNamespace
        case .notAStream, .secondHeader, .textBetweenStanzas: .badFormat
        case .stanzaTooLarge, .tagTooLarge, .tooDeep, .tooManyElements, .tooManyAttributes, .nameTooLong,
            .tooManyNames:
            .policyViolation
        case .outOfMemory: .resourceConstraint
        }
    }

    package var description: String {
        switch self {
        case .notWellFormed(let reason, let line):
            "The stream is not well-formed XML at line \(line): \(reason)."
        case .restricted(let feature):
            "The stream has \(feature.rawValue), which XMPP forbids."
        case .unsupportedEncoding(let encoding):
            "The stream is in \(encoding); XMPP streams must be in UTF-8."
        case .unsupportedXMLVersion(let version):
            "The stream declares XML version \(version); it must be 1.0."
        case .notAStream(let name):
            "The outermost element is “\(name)”; it must be “stream”."
        case .wrongStreamNamespace(let namespace):
            "The stream element is in the namespace “\(namespace)”; it must be in \(Namespace.streams)."
        case .secondHeader:
            "A stream header came inside the stream, where only stanzas are allowed."
        case .textBetweenStanzas:
            "Text came between two stanzas, where only white space is allowed."
        case .stanzaTooLarge(let max):
            "A stanza or the stream header is larger than \(max) bytes."
        case .tagTooLarge(let max):
            "A tag or another token is larger than \(max) bytes."
        case .tooDeep(let max):
            "A stanza has more than \(max) levels of elements."
        case .tooManyElements(let max):
            "A stanza has more than \(max) elements."
        case .tooManyAttributes(let max):
            "An element has more than \(max) attributes and namespace declarations."
        case .nameTooLong(let max):
            "A name, with its namespace, is longer than \(max) bytes."
        case .tooManyNames(let max):
            "The stream has used more than \(max) distinct names; a new stream starts the count again."
        case .outOfMemory:
            "There is no memory to parse the stream."
        }
    }
}
