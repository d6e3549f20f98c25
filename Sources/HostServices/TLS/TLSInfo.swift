/// What a finished TLS handshake established.
package struct TLSInfo: Hashable, Sendable {
    /// "TLSv1.2" or "TLSv1.3".
    package var version: String
    /// The application protocol agreed on, if any.
    package var alpn: String?
    /// The peer's certificate, and what is to be thought of it; nil if it showed none.
    package var peer: PeerCertificate?

    package init(version: String, alpn: String? = nil, peer: PeerCertificate? = nil) {
        self.version = version
        self.alpn = alpn
        self.peer = peer
    }

    /// Whether the peer showed a certificate.
    package var peerCertificatePresent: Bool { peer != nil }
    /// Whether that certificate leads to a trusted root and is valid now.
    package var chainTrusted: Bool { peer?.distrust == nil && peer != nil }
}

/// A peer's certificate as far as the router cares.
package struct PeerCertificate: Hashable, Sendable {
    /// Why the chain is not trusted; nil if it is.
    package var distrust: String?
    /// dNSName entries of the subject alternative names, lower case.
    package var dnsNames: [String]
    /// SRVName entries (RFC 4985), such as "_xmpp-server.example.org", lower case.
    package var srvNames: [String]
    /// For people to read; never compared with a name.
    package var subjectCommonName: String?
    /// SHA-256 of the certificate's DER form.
    package var sha256: [UInt8]

    package init(
        distrust: String?,
        dnsNames: [String],
        srvNames: [String],
        subjectCommonName: String?,
        sha256: [UInt8]
    ) {
        self.distrust = distrust
        self.dnsNames = dnsNames
        self.srvNames = srvNames
        self.subjectCommonName = subjectCommonName
        self.sha256 = sha256
    }

    /// Whether the certificate names `domain` (A-labels), by a dNSName or an SRVName.
    ///
    /// The common name does not count.
    ///
    /// - Parameter service: the service of the SRVNames that count, such as `_xmpp-server`; nil: none does.
    ///
    /// Source: RFC 6125 §6.4, RFC 4985, RFC 6120 §13.7.1.2.
    package func matches(domain: String, service: String? = nil) -> Bool {
        let domain = Self.normalised(domain)
        guard !domain.isEmpty else { return false }
        return dnsNames.contains { Self.dnsName($0, covers: domain) }
            || service.map { srvNames.contains("\($0.lowercased()).\(domain)") } == true
    }

    /// Whether one dNSName covers `domain`.
    ///
    /// A wildcard must be the whole left-most label, covers exactly one label, and needs two labels after it.
    static func dnsName(_ name: String, covers domain: String) -> Bool {
        let name = normalised(name)
        guard name.hasPrefix("*.") else { return !name.contains("*") && name == domain }
        let parent = name.dropFirst(2)
        guard parent.contains("."), !parent.contains("*"), let dot = domain.firstIndex(of: ".") else { return false }
        return dot != domain.startIndex && domain[domain.index(after: dot)...] == parent
    }

    private static func normalised(_ name: String) -> String {
        let lowered = name.lowercased()
        return lowered.hasSuffix(".") ? String(lowered.dropLast()) : lowered
    }
}
