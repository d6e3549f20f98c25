package import Configuration
package import PluginHost
internal import Policy

/// The difference between what a router runs and what a configuration asks for.
///
/// A value, made by a pure function: the same two configurations give the same plan. ``Router/reload(_:)`` carries it out.
package struct ReloadPlan: Hashable, Sendable {
    /// What is to become of one provider.
    package enum Change: Hashable, Sendable {
        /// It is new in the file.
        case added
        /// The file names it no more.
        case removed
        /// It is to be replaced; why.
        case changed([Reason])
        /// The home domains were all that was to change, and it has taken them over.
        ///
        /// In no plan that was made: only asking shows it.
        case told
        /// It is configured as before, and does not run: it is tried again.
        case retried
        case unchanged
    }

    /// Why a provider is replaced.
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        /// Another library.
        case plugin
        /// Its own settings, or the secrets that these name.
        case settings
        /// The organisation's domains, which every provider is told.
        case homeDomains = "home domains"
    }

    /// One provider of either configuration.
    package struct Provider: Hashable, Sendable {
        package var name: String
        package var change: Change

        package init(_ name: String, _ change: Change) {
            self.name = name
            self.change = change
        }
    }

    /// What changes among the organisation's own.
    package struct Home: Hashable, Sendable {
        package var domainsAdded: [String] = []
        package var domainsRemoved: [String] = []
        /// Users of domains that stay, as addresses; `*@domain` for all that nobody has listed.
        package var usersAdded: [String] = []
        package var usersRemoved: [String] = []

        package var isEmpty: Bool {
            domainsAdded.isEmpty && domainsRemoved.isEmpty && usersAdded.isEmpty && usersRemoved.isEmpty
        }
    }

    /// What runs, or is to run: a configuration, and what each provider is told by it.
    package struct Side {
        package var configuration: RouterConfiguration
        /// Settings with defaults and secrets, by provider; none for one that cannot run.
        package var settings: [String: InstanceSettings]

        package init(_ configuration: RouterConfiguration, _ settings: [String: InstanceSettings]) {
            self.configuration = configuration
            self.settings = settings
        }
    }

    /// First those of the new configuration, in its order, then those that are removed.
    package var providers: [Provider]
    package var home: Home
    /// Keys that have another value and take effect at once.
    package var changedKeys: [String]
    /// Keys that have another value and take effect at the next start.
    package var restartKeys: [String]

    /// Compares what runs with what is to run.
    ///
    /// - Parameter running: names of the providers that have an instance now.
    package init(from old: Side, to new: Side, running: Set<String>) {
        providers = new.configuration.providers.map { section in
            Provider(section.name, Self.change(section, old, new, isRunning: running.contains(section.name)))
        }
        let names = Set(new.configuration.providers.map(\.name))
        providers += old.configuration.providers.filter { !names.contains($0.name) }.map { Provider($0.name, .removed) }
        home = Home(old.configuration.home, new.configuration.home)
        changedKeys = Self.keys(Self.movable, old.configuration, new.configuration)
        restartKeys = Self.keys(Self.fixed, old.configuration, new.configuration)
        restartKeys += new.configuration.providers.filter { section in
            let before = old.configuration.providers.first { $0.name == section.name }
            return section.hasOwnWorker != (before?.hasOwnWorker ?? false)
        }.map { "providers.\($0.name).worker" }
        changedKeys += new.configuration.providers.filter { section in
            let before = old.configuration.providers.first { $0.name == section.name }
            return before.map { $0.limits != section.limits } ?? false
        }.map { "providers.\($0.name).limits" }
    }

    private static func change(_ section: ProviderSection, _ old: Side, _ new: Side, isRunning: Bool) -> Change {
        guard let before = old.configuration.providers.first(where: { $0.name == section.name }) else { return .added }
        guard isRunning else { return .retried }
        var reasons: [Reason] = []
        let (was, becomes) = (old.settings[section.name], new.settings[section.name])
        if before.plugin != section.plugin { reasons.append(.plugin) }
        if Self.sorted(was) != Self.sorted(becomes) { reasons.append(.settings) }
        if Set(was?.homeDomains ?? []) != Set(becomes?.homeDomains ?? []) { reasons.append(.homeDomains) }
        return reasons.isEmpty ? .unchanged : .changed(reasons)
    }

    /// Settings without regard to their order in the file, which says nothing.
    private static func sorted(_ settings: InstanceSettings?) -> [InstanceSettings.Entry] {
        (settings?.entries ?? []).sorted { $0.path < $1.path }
    }

    // MARK: Keys

    private typealias Key = (name: String, isSame: @Sendable (RouterConfiguration, RouterConfiguration) -> Bool)

    /// What the router takes over while it runs, apart from providers and home users.
    private static let movable: [Key] = [
        ("log", { $0.log == $1.log && $0.router.log == $1.router.log }),
        ("spool.expire", { $0.spool.expire == $1.spool.expire }),
        ("spool.retry", { $0.spool.retry == $1.spool.retry }),
        ("tls", { $0.tls == $1.tls }),
        ("policy", { $0.policy == $1.policy }),
        ("home.presence_grace", { $0.home.presenceGrace == $1.home.presenceGrace }),
        ("plugin_path", { $0.pluginPath == $1.pluginPath }),
    ]

    /// What threads, files and sockets were made of.
    private static let fixed: [Key] = [
        ("router.id", { $0.router.id == $1.router.id }),
        ("router.workers", { $0.router.workers == $1.router.workers }),
        ("router.state", { $0.router.state == $1.router.state }),
        ("router.control", { $0.router.control == $1.router.control }),
        ("spool.durable", { $0.spool.durable == $1.spool.durable }),
        ("spool.dead_letters", { $0.spool.deadLetters == $1.spool.deadLetters }),
        ("dns", { $0.dns == $1.dns }),
        ("home.domains.*.served_by", { $0.home.servers == $1.home.servers }),
        ("vault", { $0.vault == $1.vault }),
    ]

    private static func keys(_ keys: [Key], _ old: RouterConfiguration, _ new: RouterConfiguration) -> [String] {
        keys.filter { !$0.isSame(old, new) }.map(\.name)
    }
}

extension ReloadPlan.Home {
    init(_ old: HomeSection, _ new: HomeSection) {
        let before = Dictionary(old.domains.map { ($0.name, $0.users) }) { first, _ in first }
        let after = Dictionary(new.domains.map { ($0.name, $0.users) }) { first, _ in first }
        domainsAdded = new.domains.map(\.name).filter { before[$0] == nil }
        domainsRemoved = old.domains.map(\.name).filter { after[$0] == nil }
        for domain in new.domains {
            guard let users = before[domain.name] else { continue }
            let (was, becomes) = (Self.addresses(users, domain.name), Self.addresses(domain.users, domain.name))
            usersAdded += becomes.filter { !was.contains($0) }
            usersRemoved += was.filter { !becomes.contains($0) }
        }
    }

    private static func addresses(_ users: HomeSection.Users, _ domain: String) -> [String] {
        switch users {
        case .any: ["*@\(domain)"]
        case .listed(let names): names.map { "\($0)@\(domain)" }
        }
    }
}

extension RouterConfiguration {
    /// The same with the keys of ``ReloadPlan/restartKeys`` as they are in what runs.
    func keepingFixed(of running: RouterConfiguration) -> RouterConfiguration {
        var kept = self
        kept.router = running.router
        kept.router.log = router.log
        kept.spool.durable = running.spool.durable
        kept.spool.deadLetters = running.spool.deadLetters
        kept.dns = running.dns
        kept.vault = running.vault
        for index in kept.providers.indices {
            let before = running.providers.first { $0.name == kept.providers[index].name }
            kept.providers[index].hasOwnWorker = before?.hasOwnWorker ?? false
        }
        return kept
    }
}
