import XMPPWire

@testable import XMPPSession

/// What a server of a test presents in a TLS handshake.
enum TestCertificate: CaseIterable {
    case missing
    case untrusted
    case wrongName
    case valid

    func identity(of domains: String...) -> PeerIdentity {
        switch self {
        case .missing: PeerIdentity(certificate: .missing, matches: { _ in false })
        case .untrusted: PeerIdentity(certificate: .untrusted, matches: domains.contains)
        case .wrongName: PeerIdentity(certificate: .trusted, matches: { _ in false })
        case .valid: PeerIdentity(certificate: .trusted, matches: domains.contains)
        }
    }
}

extension DialbackKey {
    static func test(secret: String = "s3cr3tf0rd14lb4ck") -> DialbackKey {
        DialbackKey(secretDigest: SHA256.hash(Array(secret.utf8)), hmacSHA256: SHA256.hmac)
    }
}

extension PartnerPolicy {
    /// Everything that may be: what a partner of a test has where its policy is not what is tested.
    static func open(_ domain: String, additionalDomains: [String] = []) -> PartnerPolicy {
        PartnerPolicy(domain: domain, additionalDomains: additionalDomains, tls: .optional, sasl: .optional)
    }

    /// All combinations of `tls`, `sasl` and `dialback`.
    static func all(for domain: String) -> [PartnerPolicy] {
        Negotiation.allCases.flatMap { tls in
            Negotiation.allCases.flatMap { sasl in
                [true, false].map { PartnerPolicy(domain: domain, tls: tls, sasl: sasl, dialback: $0) }
            }
        }
    }
}

extension [StreamAction] {
    var failure: LinkFailure? {
        for case .failed(let failure) in self { return failure }
        return nil
    }

    var delivered: [XMPPWire.Element] {
        self.compactMap { if case .deliver(let element) = $0 { element } else { nil } }
    }

    var verdict: DialbackVerdict? {
        for case .verified(_, let verdict) in self { return verdict }
        return nil
    }

    var request: DialbackRequest? {
        for case .verifyDialback(let request) in self { return request }
        return nil
    }

    var established: Authentication? {
        for case .established(let authentication) in self { return authentication }
        return nil
    }

    var authenticated: [DomainPair: Authentication] {
        var found: [DomainPair: Authentication] = [:]
        for case .authenticated(let pair, let authentication) in self { found[pair] = authentication }
        return found
    }
}
