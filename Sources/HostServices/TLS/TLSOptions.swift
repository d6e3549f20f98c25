/// How one stream, or a listener's streams, use TLS (1.2 or newer, always).
package struct TLSOptions: Hashable, Sendable {
    /// Which part of the handshake is ours.
    package enum Side: Hashable, Sendable {
        case client
        case server
    }

    /// What is asked of the peer's certificate.
    package enum Verification: Hashable, Sendable {
        /// The chain must lead to a trusted root and one dNSName must cover `name`, or the handshake fails.
        /// A client with nil takes ``TLSOptions/serverName``; a server with nil checks the chain alone, and always
        /// demands a certificate.
        case required(name: String?)
        /// The handshake goes on; ``TLSInfo`` has the verdict. A server asks for a certificate, the client may have none.
        case record
        /// No check. A server asks for no certificate.
        case none
    }

    package var side: Side
    /// Which of the configured identities to show.
    ///
    /// Nil: a server takes the one that fits the name the client asked for, else the default; a client shows none.
    package var identity: String?
    /// Client: the name sent in SNI (RFC 6066 §3; not sent if it is an IP address).
    package var serverName: String?
    /// Application protocols offered (client) or accepted (server, in order of preference), RFC 7301.
    package var alpn: [String]
    package var verification: Verification

    package init(
        side: Side,
        identity: String? = nil,
        serverName: String? = nil,
        alpn: [String] = [],
        verification: Verification
    ) {
        self.side = side
        self.identity = identity
        self.serverName = serverName
        self.alpn = alpn
        self.verification = verification
    }
}
