/// Why a stream ended.
package enum CloseReason: Hashable, Sendable {
    /// ``StreamService/finish(_:)``: all output was handed over.
    case finished
    /// ``StreamService/finish(_:)``, but the peer did not take the rest within the limit (milliseconds).
    case finishTimedOut(UInt64)
    /// ``StreamService/abort(_:)``.
    case aborted
    /// The peer closed in order.
    case remoteClosed
    /// The connection broke: what the system or TLS said.
    case connectionLost(String)
    /// The host's name has no address, or nobody could say.
    case unresolved(host: String, ResolveError)
    /// No address of the host took the connection: what the last one said.
    case connectFailed(String)
    /// No connection within the limit, in milliseconds.
    case connectTimedOut(UInt64)
    /// The TLS handshake failed: the verdict on the certificate, or what TLS said.
    case tlsFailed(String)
    /// No TLS handshake within the limit, in milliseconds.
    case handshakeTimedOut(UInt64)
    /// The peer broke a rule that the host enforces.
    case protocolViolation(String)
    /// More unconsumed input than allowed, in bytes.
    case frameTooLong(limit: Int)
}

extension CloseReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .finished: "closed by us"
        case .finishTimedOut(let ms): "closed by us; the peer did not take the rest within \(ms) ms"
        case .aborted: "aborted by us"
        case .remoteClosed: "closed by the peer"
        case .connectionLost(let reason): "connection lost: \(reason)"
        case .unresolved(let host, let error): "cannot resolve \(host): \(error)"
        case .connectFailed(let reason): "cannot connect: \(reason)"
        case .connectTimedOut(let ms): "no connection within \(ms) ms"
        case .tlsFailed(let reason): "TLS handshake failed: \(reason)"
        case .handshakeTimedOut(let ms): "no TLS handshake within \(ms) ms"
        case .protocolViolation(let reason): "protocol violation: \(reason)"
        case .frameTooLong(let limit): "the peer sent more than \(limit) bytes without a complete unit"
        }
    }
}
