package import XMPPWire

/// Why the stream of a component ended, or never came to be.
package enum ComponentFailure: Error, Hashable, Sendable {
    /// The server has no component of this name (XEP-0114 §3).
    case hostUnknown(domain: String)
    /// The server has a connection of this component already.
    case conflict(domain: String)
    /// The server did not accept the secret.
    case notAuthorized(domain: String)
    /// The server ended the stream for another reason.
    case streamError(StreamError.Condition, text: String)
    /// The server speaks another kind of stream at this port; its namespace.
    case notForComponents(namespace: String)
    /// The header has no stream id, without which nothing can be proved.
    case noStreamID
    /// What came broke the rules of XML streams.
    case unreadable(StreamParserError)
    /// An element that has no place in a component's stream, or not yet; its name.
    case unexpectedElement(String)
    /// The stream was not established in time.
    case establishmentTimedOut
    /// The server did not answer a ping in time.
    case silent
    /// The server takes nothing any more.
    case stalled
    /// The server ended the stream in an orderly way.
    case closedByServer
    /// The connection could not be made, or broke; what the host says.
    case disconnected(String)
}

extension ComponentFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .hostUnknown(let domain):
            "the XMPP server has no component \(domain) (host-unknown): add Component \"\(domain)\" to Prosody's "
                + "configuration, or \(domain) to the hosts of ejabberd's listener ejabberd_service, and reload the server"
        case .conflict(let domain):
            "the XMPP server has a connection of \(domain) already (conflict): end the other one, or give this router "
                + "another domain"
        case .notAuthorized(let domain):
            "the XMPP server does not accept the secret of \(domain) (not-authorized): the component's secret in the "
                + "server's configuration and in this one must be the same"
        case .streamError(let condition, let text):
            "the XMPP server ended the stream: \(condition.rawValue)" + (text.isEmpty ? "" : " (\(text))")
        case .notForComponents(let namespace):
            "the server at this port speaks \(namespace) and not \(Namespace.component): components have a port of "
                + "their own, usually 5347"
        case .noStreamID: "the XMPP server's header has no stream id"
        case .unreadable(let error): "what the XMPP server sent cannot be read: \(error)"
        case .unexpectedElement(let name): "the XMPP server sent an element “\(name)”, which has no place there"
        case .establishmentTimedOut:
            "the XMPP server did not let the component in in time: is it the port for components?"
        case .silent: "the XMPP server did not answer a ping in time"
        case .stalled: "the XMPP server takes nothing any more"
        case .closedByServer: "the XMPP server closed the stream"
        case .disconnected(let detail): detail
        }
    }

    /// The same as one word, for logs and machines.
    package var code: String {
        switch self {
        case .hostUnknown: "host-unknown"
        case .conflict: "conflict"
        case .notAuthorized: "not-authorized"
        case .streamError(let condition, _): condition.rawValue
        case .notForComponents: "invalid-namespace"
        case .noStreamID: "no-stream-id"
        case .unreadable: "unreadable"
        case .unexpectedElement: "unexpected-element"
        case .establishmentTimedOut, .silent, .stalled: "timeout"
        case .closedByServer: "closed"
        case .disconnected: "disconnected"
        }
    }

    /// The failure that a stream error of the server is.
    init(_ error: StreamError, domain: String) {
        switch error.condition {
        case .hostUnknown, .hostGone: self = .hostUnknown(domain: domain)
        case .conflict: self = .conflict(domain: domain)
        case .notAuthorized: self = .notAuthorized(domain: domain)
        default: self = .streamError(error.condition, text: error.text ?? "")
        }
    }
}
