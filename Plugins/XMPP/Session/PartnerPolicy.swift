/// What an operator agreed with one federated domain: which security a stream to or from it must have.
///
/// The settings are those of an allowed XMPP partner in Lync Server 2013. Sub-domains are never implied: a domain
/// that is not named here is no partner.
package struct PartnerPolicy: Hashable, Sendable {
    /// How strongly a stage of stream negotiation is wanted.
    package enum Negotiation: String, Hashable, Sendable, CaseIterable {
        /// A stream without it is refused.
        case required
        /// Used where the partner offers it.
        case optional
        /// Neither offered nor used.
        case notSupported = "not_supported"
    }

    /// A host that all connections to the partner go to, instead of what DNS says.
    package struct Proxy: Hashable, Sendable {
        /// Name or IP literal.
        package var host: String
        /// 1 … 65535; `nil` is 5269.
        package var port: UInt16?

        package init(host: String, port: UInt16? = nil) {
            self.host = host
            self.port = port
        }
    }

    /// The connections to one partner that may be allowed at most.
    package static let connectionLimitMax = 1000
    /// Further domains that one partner may have.
    package static let additionalDomainsMax = 1000
    /// What `keepAlive` may be.
    package static let keepAliveRange = Duration.seconds(10)...Duration.seconds(86_400)

    /// The partner's domain, normalised as the domain part of a JID where it is one.
    package let domain: String
    /// Other domains to which the same agreement applies, normalised alike.
    package let additionalDomains: [String]
    /// Encryption of the stream, by STARTTLS (RFC 6120 §5) or direct TLS.
    package var tls: Negotiation
    /// Authentication by certificate with SASL EXTERNAL (RFC 6120 §6, XEP-0178).
    package var sasl: Negotiation
    /// Whether Server Dialback (XEP-0220) may authenticate a stream.
    ///
    /// Without effect while `sasl` is required.
    package var dialback: Bool
    /// Whether stanzas are counted and acknowledged, and streams resumed (XEP-0198), where the partner can.
    package var streamManagement: Bool
    /// Whether a stream may carry stanzas in both directions (XEP-0288), where the partner can.
    package var bidirectional: Bool
    /// Silence after which whitespace is sent (RFC 6120 §4.6.1); `nil`: never.
    package var keepAlive: Duration?
    /// Most connections from the partner at once.
    package var connectionLimit: Int
    /// Where to connect to; `nil`: ask DNS.
    package var proxy: Proxy?
    /// TLS from the first byte (XEP-0368): required, where DNS or the proxy offers it, or never.
    package var directTLS: Negotiation

    package init(
        domain: String,
        additionalDomains: [String] = [],
        tls: Negotiation = .required,
        sasl: Negotiation = .required,
        dialback: Bool = true,
        keepAlive: Duration? = .seconds(300),
        connectionLimit: Int = 20,
        proxy: Proxy? = nil,
        directTLS: Negotiation = .optional,
        streamManagement: Bool = true,
        bidirectional: Bool = true
    ) {
        // What is no domain is kept as it is, for problems() to show.
        self.domain = normalisedDomain(domain) ?? domain
        self.additionalDomains = additionalDomains.map { normalisedDomain($0) ?? $0 }
        self.tls = tls
        self.sasl = sasl
        self.dialback = dialback
        self.keepAlive = keepAlive
        self.connectionLimit = connectionLimit
        self.proxy = proxy
        self.directTLS = directTLS
        self.streamManagement = streamManagement
        self.bidirectional = bidirectional
    }

    /// All domains that the policy is about.
    package var domains: [String] { [self.domain] + self.additionalDomains }

    /// Why dialback must not authenticate a stream now, or `nil` if it may.
    ///
    /// - Parameter secured: whether the stream runs over TLS.
    package func objectionToDialback(secured: Bool) -> DialbackObjection? {
        if self.sasl == .required { return .certificateRequired }
        if !self.dialback { return .switchedOff }
        if self.tls == .required && !secured { return .encryptionRequired }
        return nil
    }
}

/// Why a partner's policy forbids dialback on a stream.
package enum DialbackObjection: Hashable, Sendable {
    /// The partner must authenticate by certificate.
    case certificateRequired
    /// The operator switched dialback off for the partner.
    case switchedOff
    /// The partner must use TLS first.
    case encryptionRequired
}
