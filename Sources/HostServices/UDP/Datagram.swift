/// One datagram: where it goes, or where it came from.
package struct Datagram: Hashable, Sendable {
    /// An IP literal.
    package var address: String
    /// 1 to 65535.
    package var port: UInt16
    package var payload: [UInt8]

    /// The most that fits into a datagram over IPv4, in bytes.
    ///
    /// Source: RFC 768, RFC 791 §3.1: 65,535 less the two headers.
    package static let payloadBytesMax = 65_507

    package init(address: String, port: UInt16, payload: [UInt8]) {
        self.address = address
        self.port = port
        self.payload = payload
    }
}

/// What a socket has done since it was bound.
package struct UDPCounters: Hashable, Sendable {
    /// Datagrams that the delegate was given.
    package var received: UInt64 = 0
    /// Datagrams that were dropped, because more came than are kept.
    package var receivedLost: UInt64 = 0
    /// Datagrams that the system took.
    package var sent: UInt64 = 0
    /// Datagrams that it did not take.
    package var sentLost: UInt64 = 0
}

/// A datagram socket of one instance.
package struct UDPSocketHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Hears of datagrams, on the worker's loop, outside of any call into ``UDPService``.
package protocol UDPDelegate: AnyObject {
    /// What arrived since the last call, in order; not empty.
    func received(_ socket: UDPSocketHandle, _ datagrams: [Datagram])

    /// The system closed the socket. The handle is stale already.
    func closed(_ socket: UDPSocketHandle, _ reason: String)
}
