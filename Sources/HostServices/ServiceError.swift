/// Why a call to a host service was refused.
///
/// Nothing has happened when one is thrown.
package enum ServiceError: Error, Hashable, Sendable {
    /// A stream, listener, timer or resolution that this instance does not have (any more).
    case unknownHandle(UInt64)
    /// The stream is being closed: ``StreamService/finish(_:)`` or ``StreamService/abort(_:)`` was called before.
    case closing(StreamHandle)
    /// The call does not fit what the stream is doing now, for example a write during a TLS handshake.
    case badState(String)
    /// A bound of ``ServiceLimits``.
    case limitReached(Limit, limit: Int)
    /// The write would take the stream's unsent bytes past the bound.
    case writeBufferFull(unsent: Int, asked: Int, limit: Int)
    /// An option that makes no sense: which, and why.
    case invalidArgument(String)
    /// A listening socket could not be opened.
    case cannotListen(address: String, port: UInt16, reason: String)
    /// No identity (certificate and key) has this name.
    case unknownIdentity(String)
    /// TLS could not be set up with these options.
    case tlsUnusable(String)
    /// There is another of this name.
    case conflict(String)
    /// The configuration does not provide this.
    case notConfigured(String)
    /// The instance is stopped.
    case stopped

    /// A bound that an instance reached.
    package enum Limit: String, Hashable, Sendable {
        case streams
        case listeners
        case timers
        case timerDelay = "milliseconds of timer delay"
        case resolutions = "pending DNS questions"
        case randomBytes = "random bytes at once"
        case httpRequests = "HTTP requests in flight"
        case httpFields = "header fields in a request"
        case httpHeadBytes = "bytes of header fields in a request"
        case httpBodyBytes = "bytes of body in a request"
        case httpRedirects = "redirects followed"
        case metrics
        case metricSeries = "series of metrics"
        case metricLabels = "labels of a metric"
        case udpSockets = "datagram sockets"
        case storeRequests = "requests to the store without an answer"
        case storeRequestBytes = "bytes in requests to the store without an answer"
        case storeValueBytes = "bytes in a value"
        case accountRequests = "questions for passwords without an answer"
    }
}

extension ServiceError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownHandle(let raw):
            "handle 0x\(String(raw, radix: 16)) is not open in this instance: it was closed, or belongs to another one"
        case .closing(let stream):
            "stream 0x\(String(stream.rawValue, radix: 16)) is already closing: nothing can be asked of it any more"
        case .badState(let reason):
            "not possible now: \(reason)"
        case .limitReached(let limit, let value):
            "this instance may not have more than \(value) \(limit.rawValue)"
        case .writeBufferFull(let unsent, let asked, let limit):
            "\(asked) more bytes on top of \(unsent) unsent would pass \(limit): wait for the stream to be writable"
        case .invalidArgument(let reason):
            "invalid argument: \(reason)"
        case .cannotListen(let address, let port, let reason):
            "cannot listen on \(address) port \(port): \(reason)"
        case .unknownIdentity(let name):
            "no TLS identity is called \"\(name)\": configure its certificate and key"
        case .tlsUnusable(let reason):
            "TLS cannot be used with these options: \(reason)"
        case .conflict(let reason):
            reason
        case .notConfigured(let what):
            "the configuration has no \(what)"
        case .stopped:
            "the instance is stopped"
        }
    }
}
