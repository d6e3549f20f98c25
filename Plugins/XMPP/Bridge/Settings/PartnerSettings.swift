internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// One element of `partners`, read.
struct PartnerSettings {
    /// Where it stands, such as `partners[0]`.
    let path: String
    let policy: PartnerPolicy
    /// Its domains and how the operator wrote them.
    let spellings: [String: String]

    /// Reads one partner, and reports all that its policy finds wrong with itself.
    init(_ settings: Settings, path: String, keepAlive: Duration, problems: inout Problems) {
        self.path = path
        let written = [settings["domain"] ?? ""] + settings.list("additional_domains")
        let domains = written.map(Self.normalised)
        self.spellings = Dictionary(zip(domains, written.map { $0.lowercased() })) { first, _ in first }
        var proxy: PartnerPolicy.Proxy?
        if let text = settings["proxy"], !text.isEmpty {
            let parsed = try? HostAndPort(text)
            // What cannot be read is left for the policy to object to.
            proxy = PartnerPolicy.Proxy(host: parsed?.host ?? "", port: parsed?.port)
        }
        self.policy = PartnerPolicy(
            domain: domains[0],
            additionalDomains: Array(domains.dropFirst()),
            tls: Self.negotiation(settings["tls"]) ?? .required,
            sasl: Self.negotiation(settings["sasl"]) ?? .required,
            dialback: settings.boolean("dialback") ?? true,
            keepAlive: settings.boolean("keep_alive") ?? true ? keepAlive : nil,
            connectionLimit: Int(settings.integer("connection_limit") ?? 20),
            proxy: proxy,
            directTLS: Self.directTLS(settings["direct_tls"]) ?? .optional,
            streamManagement: settings.boolean("stream_management") ?? true,
            bidirectional: settings.boolean("bidirectional") ?? true
        )
        for problem in self.policy.problems() { self.report(problem, problems: &problems) }
    }

    /// Reports domains that stand in several partners, or are served here.
    static func reportShared(_ partners: [PartnerSettings], servedDomains: Set<String>, problems: inout Problems) {
        for problem in PartnerTable(partners.map(\.policy)).problems(servedDomains: servedDomains) {
            let domain: String
            switch problem {
            case .domainRepeated(let repeated), .domainServedHere(let repeated): domain = repeated
            case .domainInvalid, .additionalDomainInvalid, .additionalDomainsTooMany, .authenticationImpossible,
                .saslWithoutTLS, .directTLSWithoutTLS, .saslRequiredTLSOptional, .saslOptionalWithoutTLS,
                .keepAliveOutOfRange, .connectionLimitOutOfRange, .proxyInvalid:
                continue
            }
            partners.last { $0.policy.domains.contains(domain) }?.report(problem, problems: &problems)
        }
    }

    private func report(_ problem: PartnerPolicyProblem, problems: inout Problems) {
        let path = self.settingPath(of: problem)
        let sentence = "\(problem.message); \(problem.suggestion)"
        switch problem.severity {
        case .error: problems.error(path, sentence)
        case .warning: problems.warning(path, sentence)
        }
    }

    /// The setting to look at, down to the element of a list.
    private func settingPath(of problem: PartnerPolicyProblem) -> String {
        let domain: String
        switch problem {
        case .additionalDomainInvalid(let name), .domainRepeated(let name), .domainServedHere(let name): domain = name
        case .domainInvalid, .additionalDomainsTooMany, .authenticationImpossible, .saslWithoutTLS,
            .directTLSWithoutTLS, .saslRequiredTLSOptional, .saslOptionalWithoutTLS, .keepAliveOutOfRange,
            .connectionLimitOutOfRange, .proxyInvalid:
            return "\(self.path).\(problem.key)"
        }
        if let index = self.policy.additionalDomains.lastIndex(of: domain) {
            return "\(self.path).additional_domains[\(index)]"
        }
        return "\(self.path).domain"
    }

    /// The domain as JIDs have it; what is none is kept, for the policy to object to.
    private static func normalised(_ domain: String) -> String {
        (try? JID(local: nil, domain: domain))?.domain ?? domain
    }

    private static func negotiation(_ text: String?) -> PartnerPolicy.Negotiation? {
        switch text {
        case "required": .required
        case "optional": .optional
        case "not-supported": .notSupported
        default: nil
        }
    }

    private static func directTLS(_ text: String?) -> PartnerPolicy.Negotiation? {
        switch text {
        case "prefer": .optional
        case "only": .required
        case "never": .notSupported
        default: nil
        }
    }
}
