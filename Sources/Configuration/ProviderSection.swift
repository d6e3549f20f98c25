/// `providers:` one plugin that is to run.
package struct ProviderSection: Hashable, Sendable {
    /// Which library is loaded.
    package enum Plugin: Hashable, Sendable {
        /// `lib<name>.so` in a directory of `plugin_path`.
        case named(String)
        /// This file, by absolute path.
        case file(String)
    }

    /// The key below `providers`.
    package var name: String
    package var plugin: Plugin
    package var pluginPosition: SourcePosition
    /// The plugin's own settings; an empty map when none are written.
    package var settings: SettingNode

    static let nameLengthMax = 64

    static let rules = [
        SettingRule("providers", .map),
        SettingRule(
            "providers.*.plugin",
            .string,
            isRequired: true,
            help: "the plugin's name, as in lib<name>.so, or a path to its file"
        ),
        SettingRule("providers.*.settings", .map, help: "the plugin's own settings"),
    ]

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
        guard let plugin = member.node["plugin"], let text = plugin.text else { return nil }
        if text.contains("/") || text.hasSuffix(".so") {
            self.plugin = .file(context.existingPath(plugin, at: path.appending(key: "plugin")))
        } else {
            let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
            if text.isEmpty || !isPlain {
                context.problems.error(
                    "\(path.appending(key: "plugin")) must be a plugin's name or a path, not \(Shown.quoted(text))",
                    at: plugin.position,
                    path: path.appending(key: "plugin")
                )
            }
            self.plugin = .named(text)
        }
        self.name = member.key
        self.pluginPosition = plugin.position
        self.settings = member.node["settings"] ?? SettingNode(.map([]), at: member.keyPosition)
    }
}

extension ProviderSection {
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
