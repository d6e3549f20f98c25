internal import ProviderKit
internal import XMPPSession

/// How our streams use TLS.
enum TLSNegotiation {
    /// The protocol name for TLS from the first byte (XEP-0368 §3).
    static let alpn = "xmpp-server"
    /// The service of an SRVName in a certificate (RFC 6120 §13.7.1.2.1).
    static let service = "_xmpp-server"

    /// Options that let every handshake succeed: whom to believe, the policy for the partner says.
    ///
    /// - Parameters:
    ///   - identity: the domain whose certificate is presented; empty: by the name that the peer asks for.
    ///   - peerName: the domain to ask for; empty on the receiving side.
    static func options(identity: String, peerName: String = "", isDirect: Bool) -> TLSOptions {
        TLSOptions(
            verification: .record,
            identity: identity,
            peerName: peerName,
            alpn: isDirect ? [Self.alpn] : []
        )
    }

    /// What a handshake told of the peer.
    ///
    /// - Parameter spelling: how certificates write a domain.
    static func identity(
        _ info: TLSInfo,
        of stream: Stream,
        spelling: @escaping (String) -> String
    ) -> PeerIdentity {
        let certificate: PeerIdentity.Certificate =
            info.isTrusted ? .trusted : info.hasCertificate ? .untrusted : .missing
        // Weak, for the stream holds its session, and that holds the identity.
        return PeerIdentity(certificate: certificate) { [weak stream] domain in
            stream?.certificateMatches(domain: spelling(domain), service: Self.service) ?? false
        }
    }
}
