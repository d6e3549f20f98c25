/// Something that is wrong with a partner's policy, found before any connection is made.
package enum PartnerPolicyProblem: Hashable, Sendable {
    package enum Severity: Hashable, Sendable {
        /// No stream with the partner could be established, or the setting has no meaning.
        case error
        /// It works, but probably not as its author thinks.
        case warning
    }

    /// `domain` is not the domain part of a JID.
    case domainInvalid(String)
    /// One of `additionalDomains` is not the domain part of a JID.
    case additionalDomainInvalid(String)
    /// A domain is named twice, in one policy or in two.
    case domainRepeated(String)
    /// A partner's domain is one that this server itself serves.
    case domainServedHere(String)
    /// There are more additional domains than are allowed.
    case additionalDomainsTooMany(Int)
    /// Neither a certificate nor dialback may authenticate the partner.
    case authenticationImpossible
    /// SASL EXTERNAL is required, but it needs TLS, which is off.
    case saslWithoutTLS
    /// Direct TLS is required although TLS is off.
    case directTLSWithoutTLS
    /// Certificates are demanded, but TLS is not.
    case saslRequiredTLSOptional
    /// SASL EXTERNAL is optional but can never happen, because TLS is off.
    case saslOptionalWithoutTLS
    /// `keepAlive` is out of range.
    case keepAliveOutOfRange(Duration)
    /// `connectionLimit` is out of range.
    case connectionLimitOutOfRange(Int)
    /// `proxy` has no host, or port 0.
    case proxyInvalid(String)
}

extension PartnerPolicyProblem {
    /// The setting to look at.
    package var key: String {
        switch self {
        case .domainInvalid, .domainRepeated, .domainServedHere: "domain"
        case .additionalDomainInvalid, .additionalDomainsTooMany: "additional_domains"
        case .authenticationImpossible: "dialback"
        case .saslWithoutTLS, .saslRequiredTLSOptional: "tls"
        case .saslOptionalWithoutTLS: "sasl"
        case .directTLSWithoutTLS: "direct_tls"
        case .keepAliveOutOfRange: "keep_alive"
        case .connectionLimitOutOfRange: "connection_limit"
        case .proxyInvalid: "proxy"
        }
    }

    package var severity: Severity {
        switch self {
        case .saslRequiredTLSOptional, .saslOptionalWithoutTLS: .warning
        case .domainInvalid, .additionalDomainInvalid, .domainRepeated, .domainServedHere,
            .additionalDomainsTooMany, .authenticationImpossible, .saslWithoutTLS, .directTLSWithoutTLS,
            .keepAliveOutOfRange, .connectionLimitOutOfRange, .proxyInvalid:
            .error
        }
    }

    /// What is wrong, without a full stop.
    package var message: String {
        switch self {
        case .domainInvalid(let domain): "\"\(domain)\" is not a domain"
        case .additionalDomainInvalid(let domain): "\"\(domain)\" is not a domain"
        case .domainRepeated(let domain): "\(domain) is named more than once"
        case .domainServedHere(let domain): "\(domain) is one of this server's own domains"
        case .additionalDomainsTooMany(let count): "\(count) additional domains are too many"
        case .authenticationImpossible: "nothing may authenticate the partner"
        case .saslWithoutTLS: "sasl is required, but needs tls, which is not_supported"
        case .directTLSWithoutTLS: "direct_tls is required, but tls is not_supported"
        case .saslRequiredTLSOptional: "sasl is required, so tls is required too, but it says optional"
        case .saslOptionalWithoutTLS: "sasl is optional, but never happens without tls"
        case .keepAliveOutOfRange(let interval): "a keep_alive of \(interval) is out of range"
        case .connectionLimitOutOfRange(let limit): "connection_limit \(limit) is out of range"
        case .proxyInvalid(let proxy): "\"\(proxy)\" is not a host with an optional port"
        }
    }

    /// What to do about it, without a full stop.
    package var suggestion: String {
        switch self {
        case .domainInvalid, .additionalDomainInvalid: "write a bare domain such as example.org"
        case .domainRepeated: "keep one of them"
        case .domainServedHere: "remove it here, or from the server's domains"
        case .additionalDomainsTooMany:
            "name at most \(PartnerPolicy.additionalDomainsMax), and make another partner of the rest"
        case .authenticationImpossible: "set dialback: true, or sasl: required with tls: required"
        case .saslWithoutTLS: "set tls: required, or sasl: not_supported with dialback: true"
        case .directTLSWithoutTLS: "set tls: required, or direct_tls: not_supported"
        case .saslRequiredTLSOptional: "set tls: required"
        case .saslOptionalWithoutTLS: "set sasl: not_supported, or tls: optional"
        case .keepAliveOutOfRange:
            "give \(PartnerPolicy.keepAliveRange.lowerBound) to \(PartnerPolicy.keepAliveRange.upperBound), or false"
        case .connectionLimitOutOfRange: "give 1 to \(PartnerPolicy.connectionLimitMax)"
        case .proxyInvalid: "write host or host:port, with a port from 1 to 65535"
        }
    }
}

extension PartnerPolicyProblem: CustomStringConvertible {
    package var description: String { "\(self.key): \(self.message); \(self.suggestion)" }
}

extension PartnerPolicy {
    /// All that is wrong with the policy, errors and warnings; empty if it can be used as it is.
    package func problems() -> [PartnerPolicyProblem] {
        self.domainProblems() + self.negotiationProblems() + self.limitProblems()
    }

    private func domainProblems() -> [PartnerPolicyProblem] {
        var problems: [PartnerPolicyProblem] = []
        if normalisedDomain(self.domain) == nil { problems.append(.domainInvalid(self.domain)) }
        for domain in self.additionalDomains where normalisedDomain(domain) == nil {
            problems.append(.additionalDomainInvalid(domain))
        }
        if self.additionalDomains.count > Self.additionalDomainsMax {
            problems.append(.additionalDomainsTooMany(self.additionalDomains.count))
        }
        return problems + repeatedDomains(in: self.domains).map(PartnerPolicyProblem.domainRepeated)
    }

    private func negotiationProblems() -> [PartnerPolicyProblem] {
        var problems: [PartnerPolicyProblem] = []
        let certificatePossible = self.sasl != .notSupported && self.tls != .notSupported
        if self.sasl == .required && self.tls == .notSupported {
            problems.append(.saslWithoutTLS)
        } else if !certificatePossible && !self.dialback {
            problems.append(.authenticationImpossible)
        } else if self.sasl == .optional && self.tls == .notSupported {
            problems.append(.saslOptionalWithoutTLS)
        }
        // Without dialback, an optional certificate is the only way in, and so is required in all but name.
        let certificateNeeded = self.sasl == .required || (self.sasl == .optional && !self.dialback)
        if certificateNeeded && self.tls == .optional { problems.append(.saslRequiredTLSOptional) }
        if self.directTLS == .required && self.tls == .notSupported { problems.append(.directTLSWithoutTLS) }
        return problems
    }

    private func limitProblems() -> [PartnerPolicyProblem] {
        var problems: [PartnerPolicyProblem] = []
        if let interval = self.keepAlive, !Self.keepAliveRange.contains(interval) {
            problems.append(.keepAliveOutOfRange(interval))
        }
        if !(1...Self.connectionLimitMax).contains(self.connectionLimit) {
            problems.append(.connectionLimitOutOfRange(self.connectionLimit))
        }
        if let proxy = self.proxy, proxy.host.isEmpty || proxy.host.contains(" ") || proxy.port == 0 {
            problems.append(.proxyInvalid(proxy.port.map { "\(proxy.host):\($0)" } ?? proxy.host))
        }
        return problems
    }
}

/// The domains that occur more than once, each named once, in order.
func repeatedDomains(in domains: [String]) -> [String] {
    var counts: [String: Int] = [:]
    var repeated: [String] = []
    for domain in domains {
        counts[domain, default: 0] += 1
        if counts[domain] == 2 { repeated.append(domain) }
    }
    return repeated
}
