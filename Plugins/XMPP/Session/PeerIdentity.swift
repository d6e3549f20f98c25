/// What a TLS handshake told of the peer.
///
/// The host decides what is trusted. A certificate for server authentication only is as good as one for both uses:
/// public authorities issue no others any more.
package struct PeerIdentity {
    /// The peer's certificate, regardless of the names in it.
    package enum Certificate: Hashable, Sendable {
        /// None was presented.
        case missing
        /// Self-signed, expired, or from an authority that is not trusted here.
        case untrusted
        /// In date, with a chain to a trusted root.
        case trusted
    }

    package let certificate: Certificate
    private let matches: (String) -> Bool

    /// Makes an identity.
    ///
    /// - Parameters:
    ///   - certificate: the verdict of the host.
    ///   - matches: whether the certificate names a domain, by RFC 6125 (dNSName or SRVName). It is asked for
    ///     normalised domains with international labels in Unicode, only while the connection is open.
    package init(certificate: Certificate, matches: @escaping (_ domain: String) -> Bool) {
        self.certificate = certificate
        self.matches = matches
    }

    /// Why the certificate does not prove that the peer is `domain`, or `nil` if it does (RFC 6120 §13.7.2).
    package func objection(to domain: String) -> CertificateObjection? {
        switch self.certificate {
        case .missing: .missing
        case .untrusted: .untrusted
        case .trusted: self.matches(domain) ? nil : .wrongName
        }
    }
}

/// Why a certificate proves nothing.
package enum CertificateObjection: Hashable, Sendable {
    /// There is none.
    case missing
    /// It is not trusted.
    case untrusted
    /// It is trusted, for other domains.
    case wrongName
}

/// What a stream runs over.
enum Transport {
    case plain
    case tls(PeerIdentity)

    var isSecured: Bool {
        switch self {
        case .plain: false
        case .tls: true
        }
    }
}
