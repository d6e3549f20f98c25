package import Policy

/// What one configuration file says, with every default filled in and every path absolute.
package struct RouterConfiguration: Hashable, Sendable {
    /// The file, as the caller named it.
    package var file: String
    /// The absolute directory of the file, which relative paths start from.
    package var directory: String
    package var router: RouterSection
    package var log: LogSection
    package var home: HomeSection
    package var spool: SpoolSection
    package var tls: TLSSection
    package var dns: DNSSection
    package var vault: VaultSection
    /// Directories that are searched for plugins, in this order; absolute paths.
    package var pluginPath: [String]
    /// In the order of the file.
    package var providers: [ProviderSection]
    /// Whom the home users may talk to; nil: anybody whom a provider serves.
    package var policy: PolicyRules?

    static let pluginPathRules = [
        SettingRule("plugin_path", .list, help: "directories that are searched for plugins"),
        SettingRule("plugin_path[]", .string),
    ]

    /// The rules of a configuration file, in the order of its sections.
    package static let rules: [SettingRule] =
        RouterSection.rules + LogSection.rules + HomeSection.rules + SpoolSection.rules + TLSSection.rules
        + DNSSection.rules + VaultSection.rules + Self.pluginPathRules + ProviderSection.rules + PolicySection.rules

    /// The schema of a configuration file.
    package static let schema: SettingSchema = {
        do {
            return try SettingSchema(Self.rules)
        } catch {
            preconditionFailure("the router's own schema is wrong: \(error)")
        }
    }()

    init(_ root: SettingNode, file: String, _ context: inout SectionContext) {
        self.file = file
        self.directory = context.directory
        self.router = RouterSection(root, &context)
        self.log = LogSection(root, &context)
        self.home = HomeSection(root, &context)
        self.spool = SpoolSection(root, &context)
        self.tls = TLSSection(root, &context)
        self.dns = DNSSection(root, &context)
        self.vault = VaultSection(root, &context)
        let path = SettingPath([.key("plugin_path")])
        self.pluginPath = (root["plugin_path"]?.elements ?? []).enumerated().map { index, element in
            context.existingPath(element, isDirectory: true, at: path.appending(index: index))
        }
        self.providers = (root["providers"]?.members ?? []).compactMap { ProviderSection($0, &context) }
        self.policy = PolicyReader.read(
            root["policy"],
            file: file,
            home: self.home,
            providers: self.providers,
            &context
        )
        self.checkWorkers(root, &context)
        self.checkServers(root, &context)
        if root["providers"]?.members.isEmpty ?? true {
            context.problems.warning(
                "no providers: the router would have no network to talk to",
                at: root["providers"]?.position ?? root.position,
                path: SettingPath([.key("providers")])
            )
        }
    }

    /// Whoever serves a home domain must be there.
    private func checkServers(_ root: SettingNode, _ context: inout SectionContext) {
        let names = Set((root["providers"]?.members ?? []).map(\.key))
        for member in root["home"]?["domains"]?.members ?? [] {
            guard let node = member.node["served_by"], let name = node.text, !names.contains(name) else { continue }
            context.problems.error(
                "there is no provider \(Shown.quoted(name)) to serve the home domain \(member.key)",
                at: node.position,
                path: SettingPath([.key("home"), .key("domains"), .key(member.key), .key("served_by")]),
                suggestion: "name one that is under providers"
            )
        }
    }

    /// Providers with a worker of their own add to the workers.
    private func checkWorkers(_ root: SettingNode, _ context: inout SectionContext) {
        let own = self.providers.filter(\.hasOwnWorker)
        guard let last = own.last, self.router.workers + own.count > RouterSection.workersMax else { return }
        context.problems.error(
            "\(own.count) providers have workers of their own, which makes \(self.router.workers + own.count) workers, "
                + "and there may be \(RouterSection.workersMax)",
            at: last.pluginPosition,
            path: SettingPath([.key("providers"), .key(last.name), .key("worker")])
        )
    }
}
