/// `providers:` one plugin that is to run.
package struct ProviderSection: Hashable, Sendable {
    /// Which library is loaded.
    package enum Plugin: Hashable, Sendable {
        /// `lib<name>.so` in a directory of `plugin_path`.
        case named(String)
        /// This file, by absolute path.
        case file(String)
        /// An ordinary library, by a manifest.
        case connector(ConnectorSection)
    }

    /// The key below `providers`.
    package var name: String
    package var plugin: Plugin
    package var pluginPosition: SourcePosition
    /// The SHA-256 that the file must have, in small hexadecimal digits; nil: any.
    package var pin: String?
    package var pinPosition: SourcePosition
    /// The plugin's own settings; an empty map when none are written.
    package var settings: SettingNode
    /// Whether it has a worker, and so a thread, of its own.
    package var hasOwnWorker: Bool
    package var limits: ProviderLimits

    static let nameLengthMax = 64

    static let rules =
        [
            SettingRule("providers", .map),
            SettingRule(
                "providers.*.plugin",
                .string,
                help: "the plugin's name, as in lib<name>.so, or a path to its file"
            ),
            SettingRule(
                "providers.*.sha256",
                .string,
                help: "the SHA-256 that the plugin's file must have; 'plugboard plugins' shows it"
            ),
            SettingRule("providers.*.settings", .map, help: "the plugin's own settings"),
            SettingRule(
                "providers.*.worker",
                .choice(["shared", "own"]),
                defaultValue: "shared",
                help: "whether the plugin has a thread of its own"
            ),
        ] + ConnectorSection.rules + ProviderLimits.rules

    /// The path of the settings, for messages: `providers.xmpp.settings`.
    package var settingsPath: SettingPath {
        SettingPath([.key("providers"), .key(self.name), .key("settings")])
    }

    /// - Returns: `nil` when a part without a default is missing or wrong.
    init?(_ member: SettingNode.Member, _ context: inout SectionContext) {
        let providers = SettingPath([.key("providers")])
        let path = providers.appending(key: member.key)
        let isName =
            (1...Self.nameLengthMax).contains(member.key.utf8.count)
            && member.key.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        if !isName {
            context.problems.error(
                "a provider's name must be 1 to \(Self.nameLengthMax) letters, digits, '-' or '_', "
                    + "not \(Shown.quoted(member.key))",
                at: member.keyPosition,
                path: path
            )
        }
        let nodes = ["plugin", "connector"].compactMap { member.node[$0] }.filter { !$0.isNull }
        guard let place = nodes.first, nodes.count == 1 else {
            context.problems.error(
                nodes.isEmpty ? "missing key 'plugin' in \(path)" : "\(path) has both a plugin and a connector",
                at: nodes.isEmpty ? member.node.position : nodes[1].position,
                path: path,
                suggestion: "a provider is a plugin, or a connector to an ordinary library"
            )
            return nil
        }
        let isConnector = member.node["connector"]?.isNull == false
        guard
            let plugin = isConnector
                ? Self.connector(place, member, path, &context) : Self.plugin(place, path, &context)
        else { return nil }
        self.plugin = plugin
        if case .connector(let section) = plugin {
            self.pluginPosition = section.libraryPosition
        } else {
            self.pluginPosition = place.position
        }
        self.name = member.key
        self.pin = Self.pin(member.node["sha256"], at: path.appending(key: "sha256"), &context)
        self.pinPosition = member.node["sha256"]?.position ?? self.pluginPosition
        self.settings = member.node["settings"] ?? SettingNode(.map([]), at: member.keyPosition)
        self.hasOwnWorker = member.node["worker"]?.text == "own"
        self.limits = ProviderLimits(member.node["limits"], at: path.appending(key: "limits"), &context)
    }
}

extension ProviderSection {
    private static func plugin(
        _ plugin: SettingNode,
        _ path: SettingPath,
        _ context: inout SectionContext
    ) -> Plugin? {
        guard let text = plugin.text else { return nil }
        let own = path.appending(key: "plugin")
        if text.contains("/") || text.hasSuffix(".so") {
            return .file(context.existingPath(plugin, at: own))
        }
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        if text.isEmpty || !isPlain {
            context.problems.error(
                "\(own) must be a plugin's name or a path, not \(Shown.quoted(text))",
                at: plugin.position,
                path: own
            )
        }
        return .named(text)
    }

    private static func connector(
        _ node: SettingNode,
        _ member: SettingNode.Member,
        _ path: SettingPath,
        _ context: inout SectionContext
    ) -> Plugin? {
        if let settings = member.node["settings"], !settings.isNull {
            context.problems.error(
                "\(path.appending(key: "settings")) belong to a plugin, and this provider is a connector",
                at: settings.position,
                path: path.appending(key: "settings"),
                suggestion: "its accounts have settings: connector.accounts[].settings"
            )
        }
        return ConnectorSection(node, at: path.appending(key: "connector"), &context).map(Plugin.connector)
    }

    /// A digest as it is pinned, or `nil` with a problem.
    private static func pin(
        _ node: SettingNode?,
        at path: SettingPath,
        _ context: inout SectionContext
    ) -> String? {
        guard let node, let text = node.text else { return nil }
        guard text.utf8.count == 64, text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            context.problems.error(
                "\(path) must be a SHA-256, 64 hexadecimal digits, not \(Shown.quoted(text))",
                at: node.position,
                path: path,
                suggestion: "'plugboard check' shows the digest of each plugin"
            )
            return nil
        }
        return text.lowercased()
    }

    /// What the plugin says of its settings, with the place in the file that it is about.
    ///
    /// - Parameters:
    ///   - path: the setting below `settings`, for example `partners[0].tls`; a path that cannot be read stands
    ///     for all settings.
    ///   - sentence: what is wrong and how to mend it.
    package func problem(_ severity: Problem.Severity, at path: String, _ sentence: String, file: String) -> Problem {
        let path = SettingPath(parsing: path) ?? .root
        let full = SettingPath(self.settingsPath.steps + path.steps)
        return Problem(
            severity: severity,
            file: file,
            position: self.settings.position(of: path),
            keyPath: full.description,
            message: "\(full): \(sentence)"
        )
    }
}
