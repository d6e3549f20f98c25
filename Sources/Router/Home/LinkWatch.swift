internal import PluginHost

/// Which domains cannot be reached at the moment, from what the providers report of their links.
///
/// Pure. A domain is lost when the provider that serves it does not run, or waits before it tries to connect again and has
/// no other link to it. One to which there simply is no link is not lost: links may be made when they are needed.
struct LinkWatch {
    /// What is seen of one provider.
    struct Sighting: Sendable {
        var provider: String
        var isRunning: Bool
        /// What it serves: domains and addresses.
        var claims: Set<String>
        var links: [InstanceLink]
    }

    enum Change: Hashable, Sendable {
        /// It is served for the first time.
        case found(domain: String)
        case lost(domain: String)
        case restored(domain: String)
    }

    /// Domains by the provider that serves them, or served them when it last ran.
    private var domains: [String: Set<String>] = [:]
    /// Domains that are lost, with whether the provider does not run.
    private var lost: [String: Bool] = [:]

    /// Takes what is seen now, and says what has changed, in the order of the domains.
    mutating func observe(_ sighting: Sighting) -> [Change] {
        guard sighting.isRunning else {
            return (domains[sighting.provider] ?? []).sorted().compactMap { domain in
                lost.updateValue(true, forKey: domain) == nil ? .lost(domain: domain) : nil
            }
        }
        let served = Set(sighting.claims.map(Self.domain)).union(sighting.links.map(\.name))
        let before = domains.updateValue(served, forKey: sighting.provider) ?? []
        let found = served.subtracting(before).sorted().map { Change.found(domain: $0) }
        var states: [String: Set<InstanceLink.State>] = [:]
        for link in sighting.links { states[link.name, default: []].insert(link.state) }
        // What is served no more is nobody's to lose.
        let gone = before.subtracting(served).sorted().compactMap { restore($0) }
        return gone + found
            + served.sorted().compactMap { domain in
                let links = states[domain] ?? []
                if links.contains(.up) { return restore(domain) }
                if links.contains(.backingOff) {
                    return lost.updateValue(false, forKey: domain) == nil ? .lost(domain: domain) : nil
                }
                // It runs again, and nothing is known against it.
                return lost[domain] == true || links.isEmpty ? restore(domain) : nil
            }
    }

    private mutating func restore(_ domain: String) -> Change? {
        lost.removeValue(forKey: domain) == nil ? nil : .restored(domain: domain)
    }

    private static func domain(_ claim: String) -> String {
        claim.lastIndex(of: "@").map { String(claim[claim.index(after: $0)...]) } ?? claim
    }
}
