package import XMPPWire

/// What this server is, and what it lets a peer do: the same for all partners.
package struct ServerPolicy: Hashable, Sendable {
    /// The domain that is named where a peer asks for one that is not served.
    package let mainDomain: String
    /// All domains served here, normalised as the domain part of a JID where they are ones.
    package let domains: Set<String>

    /// Most inbound streams at once, of all partners together.
    package var connectionLimit = 1000
    /// Most domain pairs that one inbound stream may carry (XEP-0220 §2.6).
    package var domainPairsMax = 64
    /// Most dialback keys of one inbound stream that may wait for their verification at once.
    package var pendingVerificationsMax = 16
    /// Most SASL attempts on one inbound stream; the last failure ends it (RFC 6120 §6.4.5).
    package var saslAttemptsMax = 3
    /// What the parser takes from a peer that is not authenticated.
    package var limitsBeforeAuthentication = StreamParserLimits.unauthenticated
    /// What the parser takes from a peer that is.
    package var limits = StreamParserLimits()

    /// Time from the connection to the first authenticated domain pair.
    package var establishmentTimeout = Duration.seconds(60)
    /// Silence after which an established stream is closed.
    package var inactivityTimeout = Duration.seconds(600)
    /// How long the counts of a stream that broke are kept for its resumption (XEP-0198 §5); whole seconds.
    package var resumptionTime = Duration.seconds(300)
    /// Most streams that broke whose counts are kept, of all partners together.
    package var resumptionsMax = 1000
    /// Most stanzas of one stream that may wait for their acknowledgement; more are written after it.
    package var unackedMax = 500
    /// Time that a peer has to answer a request for an acknowledgement or a ping; then the link counts as lost.
    package var answerTimeout = Duration.seconds(30)
    /// Time that a peer has to close its half of a stream after we closed ours.
    package var closeTimeout = Duration.seconds(5)

    /// Makes a policy for a server of one domain or more, which are normalised here.
    package init(mainDomain: String, otherDomains: [String] = []) {
        self.mainDomain = normalisedDomain(mainDomain) ?? mainDomain
        self.domains = Set(([mainDomain] + otherDomains).map { normalisedDomain($0) ?? $0 })
    }

    /// Those of `domains` that are no domains, in order; empty if all is well.
    package var invalidDomains: [String] { self.domains.filter { normalisedDomain($0) == nil }.sorted() }

    /// Whether a domain is served here.
    ///
    /// Sub-domains are not implied.
    package func serves(_ domain: String) -> Bool { self.domains.contains(domain) }
}
