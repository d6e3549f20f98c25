/// Whom to connect to, and how.
package struct ConnectOptions: Hashable, Sendable {
    /// A host name (its A and AAAA records are asked for) or an IP address in text form.
    package var host: String
    /// The TCP port, 1 to 65535.
    package var port: UInt16
    /// TLS from the first byte on; nil for a plain stream.
    package var tls: TLSOptions?
    /// For everything up to the TCP connection, names and all addresses included; nil takes
    /// ``ServiceLimits/connectTimeoutMs``.
    package var timeoutMs: UInt64?
    /// Unconsumed input allowed, in bytes; nil takes ``ServiceLimits/frameMax``.
    package var frameMax: Int?

    package init(
        host: String,
        port: UInt16,
        tls: TLSOptions? = nil,
        timeoutMs: UInt64? = nil,
        frameMax: Int? = nil
    ) {
        self.host = host
        self.port = port
        self.tls = tls
        self.timeoutMs = timeoutMs
        self.frameMax = frameMax
    }
}

/// Where to listen, and for what.
package struct ListenOptions: Hashable, Sendable {
    /// An IP address in text form: "127.0.0.1", "::", "0.0.0.0".
    package var address: String
    /// The TCP port; 0 lets the system choose (``StreamService/port(of:)`` tells).
    package var port: UInt16
    /// TLS from the first byte on; nil for plain streams.
    package var tls: TLSOptions?
    /// Connections that may wait to be accepted.
    package var backlog: Int32
    /// Accepted streams of this listener open at once; more are closed at once.
    package var acceptedMax: Int
    /// Unconsumed input allowed on accepted streams, in bytes; nil takes ``ServiceLimits/frameMax``.
    package var frameMax: Int?

    package init(
        address: String,
        port: UInt16,
        tls: TLSOptions? = nil,
        backlog: Int32 = 511,
        acceptedMax: Int = .max,
        frameMax: Int? = nil
    ) {
        self.address = address
        self.port = port
        self.tls = tls
        self.backlog = backlog
        self.acceptedMax = acceptedMax
        self.frameMax = frameMax
    }
}

extension ConnectOptions {
    /// A connect that waits longer is a mistake, in milliseconds.
    static let timeoutMsMax: UInt64 = 24 * 3600 * 1000

    /// Refuses what makes no sense.
    func check(_ limits: ServiceLimits) throws(ServiceError) {
        guard port != 0 else { throw .invalidArgument("nobody can be reached at port 0") }
        guard IPAddress(host) != nil || DNSName.checked(host) != nil else {
            throw .invalidArgument("\"\(host.prefix(80))\" is neither a host name nor an IP address")
        }
        if let timeoutMs, timeoutMs == 0 || timeoutMs > Self.timeoutMsMax {
            throw .invalidArgument("a connect may take 1 to \(Self.timeoutMsMax) ms, not \(timeoutMs)")
        }
        try checkFrameMax(frameMax, limits)
    }
}

extension ListenOptions {
    /// Refuses what makes no sense.
    ///
    /// - Returns: the address.
    func check(_ limits: ServiceLimits) throws(ServiceError) -> IPAddress {
        guard let parsed = IPAddress(address) else {
            throw .invalidArgument("\"\(address.prefix(80))\" is no IP address to listen on")
        }
        guard backlog > 0, acceptedMax > 0 else {
            throw .invalidArgument("a listener needs a backlog and a number of streams above 0")
        }
        try checkFrameMax(frameMax, limits)
        return parsed
    }
}

private func checkFrameMax(_ frameMax: Int?, _ limits: ServiceLimits) throws(ServiceError) {
    guard let frameMax, !(1...limits.heldInputMax).contains(frameMax) else { return }
    throw .invalidArgument("unconsumed input may be 1 to \(limits.heldInputMax) bytes, not \(frameMax)")
}

/// How full a stream's output is after a write that was taken.
package enum WriteResult: Hashable, Sendable {
    /// Go on.
    case ok
    /// The bytes are taken, but stop: ``StreamDelegate/writable(_:)`` says when to go on.
    case high
}
