/// The partners of this server, found by domain.
package struct PartnerTable: Hashable, Sendable {
    private var policies: [PartnerPolicy]
    private var indexByDomain: [String: Int]

    /// Makes a table.
    ///
    /// Where two policies name one domain, the first one counts; `problems()` tells of it.
    package init(_ policies: [PartnerPolicy]) {
        self.policies = policies
        self.indexByDomain = [:]
        for (index, policy) in policies.enumerated() {
            for domain in policy.domains where self.indexByDomain[domain] == nil {
                self.indexByDomain[domain] = index
            }
        }
    }

    /// All policies, in the order they were given.
    package var all: [PartnerPolicy] { self.policies }

    /// The policy for exactly this domain: `chat.example.org` is not covered by `example.org`.
    ///
    /// - Parameter domain: normalised as the domain part of a JID.
    package func policy(for domain: String) -> PartnerPolicy? {
        self.indexByDomain[domain].map { self.policies[$0] }
    }

    /// What is wrong with the policies taken together: domains claimed twice, or served here.
    ///
    /// - Parameter domains: the domains of this server.
    package func problems(servedDomains domains: Set<String>) -> [PartnerPolicyProblem] {
        let repeated = repeatedDomains(in: self.policies.flatMap { Array(Set($0.domains)).sorted() })
        let own = self.policies.flatMap(\.domains).filter(domains.contains)
        return repeated.map(PartnerPolicyProblem.domainRepeated) + own.map(PartnerPolicyProblem.domainServedHere)
    }
}
