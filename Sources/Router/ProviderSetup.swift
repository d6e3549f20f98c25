internal import CPlugboard
package import Configuration
package import PluginHost

/// A configured provider, as far as it can be prepared without running it.
package struct ProviderSetup: Sendable {
    /// Its name in the configuration.
    package var name: String
    /// Its plugin, if it could be loaded.
    package var plugin: Plugin?
    /// Why it could not.
    package var refusal: PluginRefusal?
    /// What it is to be told at its creation; nil if its settings have errors.
    package var settings: InstanceSettings?
    /// What is wrong with its settings, in the order of the file.
    package var problems: [Problem] = []

    /// Why it is not started although it could be.
    package var quarantine: String?

    /// Whether it can be started.
    var isReady: Bool { plugin != nil && settings != nil && quarantine == nil }
}

/// Loads the configured plugins and checks their settings: what `check` reports and `run` starts.
package struct ProviderPreparation {
    let configuration: RouterConfiguration
    let connectors: ConnectorGroup
    private let loader: PluginLoader
    private var pathsByID: [String: String] = [:]
    private var loaded: [String: Plugin]

    /// - Parameters:
    ///   - linked: plugins that are part of this program, by the name that the configuration gives them;
    ///     they come before files of that name.
    ///   - connectors: where the sessions of connectors are noted.
    ///   - copies: where plugins are copied to before they are loaded; nil: below the state folder.
    package init(
        _ configuration: RouterConfiguration,
        linked: [String: Plugin] = [:],
        connectors: ConnectorGroup = ConnectorGroup(),
        copies: String? = nil
    ) {
        self.configuration = configuration
        self.connectors = connectors
        self.loaded = linked
        let searchPath = configuration.pluginPath + PluginLoader.standardSearchPath()
        loader = PluginLoader(searchPath: searchPath, copies: copies ?? "\(configuration.router.state)/plugins")
    }

    /// Prepares every provider of the configuration, in its order. [loader]
    package mutating func prepareAll() -> [ProviderSetup] {
        configuration.providers.map { prepare($0) }
    }

    /// The files in the search path that look like plugins.
    package func candidates() -> [String] { loader.candidates() }

    private mutating func prepare(_ section: ProviderSection) -> ProviderSetup {
        let name: String
        switch section.plugin {
        case .connector(let connector): return prepare(section, connector)
        case .named(let word): name = word
        case .file(let path): name = path
        }
        var setup = ProviderSetup(name: section.name)
        let plugin: Plugin
        do throws(PluginRefusal) {
            plugin = try load(name, pin: section.pin)
        } catch {
            setup.refuse(error, section, in: configuration)
            return setup
        }
        setup.plugin = plugin
        setup.problems = warnings(of: plugin, section) + check(section, plugin, &setup)
        return setup
    }

    /// Loads a plugin from a file, whatever the configuration names. [loader]
    func load(file: String, pin: String? = nil) throws(PluginRefusal) -> Plugin { try loader.load(file, pin: pin) }

    /// Prepares a provider with another plugin than its section names.
    func prepare(_ section: ProviderSection, with plugin: Plugin) -> ProviderSetup {
        var setup = ProviderSetup(name: section.name, plugin: plugin)
        setup.problems = check(section, plugin, &setup)
        return setup
    }

    /// Loads each file once, however many providers use it.
    private mutating func load(_ name: String, pin: String?) throws(PluginRefusal) -> Plugin {
        if let known = loaded[name] {
            guard let pin, pin != known.sha256 else { return known }
            guard let found = known.sha256 else { throw .noFile(name: name) }
            throw .wrongDigest(path: known.path, pinned: pin, found: found)
        }
        let plugin = try loader.load(name, pin: pin)
        let id = plugin.description.id
        if let other = pathsByID[id], other != plugin.path {
            throw .duplicateID(path: plugin.path, id: id, other: other)
        }
        pathsByID[id] = plugin.path
        loaded[name] = plugin
        return plugin
    }

    /// Commands that are declared wrongly, which keeps nobody from using the rest.
    private func warnings(of plugin: Plugin, _ section: ProviderSection) -> [Problem] {
        plugin.description.commandRefusals.map { refusal in
            Problem(
                severity: .warning,
                file: configuration.file,
                position: section.pluginPosition,
                keyPath: "providers.\(section.name).plugin",
                message: "\(plugin.path): \(refusal)"
            )
        }
    }

    private func check(_ section: ProviderSection, _ plugin: Plugin, _ setup: inout ProviderSetup) -> [Problem] {
        let schema: SettingSchema
        do throws(SchemaError) {
            schema = try SettingSchema(plugin.description.settings.map(SettingRule.init))
        } catch {
            let message = "the plugin's own schema is wrong: \(error)"
            return [problem(section, .error, "", message)]
        }
        let report = schema.check(
            section.settings,
            at: section.settingsPath,
            file: configuration.file,
            directory: configuration.directory
        )
        let secrets = report.resolve()
        var problems = report.problems + secrets.problems
        let wrong = Set(problems.filter { $0.severity == .error }.map { Self.element($0.keyPath) })
        let settings = InstanceSettings(
            id: section.name,
            entries: secrets.values.map { InstanceSettings.Entry(path: $0.path, value: $0.value) },
            homeDomains: configuration.home.domains.map(\.name)
        )
        for found in plugin.check(settings) {
            let problem = problem(section, found.isError ? .error : .warning, found.path, found.sentence)
            // A plugin cannot judge well what stands beside a value that was left out for being wrong.
            if !wrong.contains(Self.element(problem.keyPath)) { problems.append(problem) }
        }
        if !problems.contains(where: { $0.severity == .error }) { setup.settings = settings }
        return problems
    }

    /// The list element that a setting stands in, or the setting itself: `partners[1]` for `partners[1].tls`.
    private static func element(_ path: String) -> Substring {
        path.lastIndex(of: "]").map { path[...$0] } ?? path[...]
    }

    /// A problem at a setting's line, or at the settings as a whole.
    private func problem(
        _ section: ProviderSection,
        _ severity: Problem.Severity,
        _ path: String,
        _ sentence: String
    ) -> Problem {
        let below = SettingPath(parsing: path) ?? .root
        let full = SettingPath(section.settingsPath.steps + below.steps)
        return Problem(
            severity: severity,
            file: configuration.file,
            position: section.settings.position(of: below),
            keyPath: "\(full)",
            message: "\(full): \(sentence)"
        )
    }
}

extension ProviderSetup {
    /// Notes why there is no library, at the line that names it or its digest.
    mutating func refuse(_ error: PluginRefusal, _ section: ProviderSection, in configuration: RouterConfiguration) {
        refusal = error
        let isConnector = if case .connector = section.plugin { true } else { false }
        let key = error.isAboutPin ? "sha256" : isConnector ? "connector.library" : "plugin"
        problems = [
            Problem(
                severity: .error,
                file: configuration.file,
                position: error.isAboutPin ? section.pinPosition : section.pluginPosition,
                keyPath: "providers.\(section.name).\(key)",
                message: "\(error)"
            )
        ]
    }
}

extension PluginRefusal {
    /// Whether it is the digest in the configuration that does not fit.
    fileprivate var isAboutPin: Bool {
        switch self {
        case .wrongDigest, .noFile: true
        case .notFound, .unreadable, .notASharedObject, .truncated, .linkFailed, .missingSymbol, .declined,
            .wrongVersion,
            .malformed, .duplicateID:
            false
        }
    }
}

extension SettingRule {
    /// The rule that a plugin declares for one of its settings.
    fileprivate init(_ source: PluginDescription.Setting) {
        let range = source.minimum...max(source.minimum, source.maximum)
        let isUnbounded = source.minimum == 0 && source.maximum == 0
        let type: SettingType =
            switch source.type {
            case PLUGBOARD_SETTING_INTEGER: isUnbounded ? .anyInteger : .integer(range)
            case PLUGBOARD_SETTING_BOOLEAN: .boolean
            case PLUGBOARD_SETTING_DURATION:
                isUnbounded
                    ? .anyDuration : .duration(.milliseconds(range.lowerBound) ... .milliseconds(range.upperBound))
            case PLUGBOARD_SETTING_SIZE: isUnbounded ? .anySize : .size(range)
            case PLUGBOARD_SETTING_CHOICE: .choice(source.choices)
            case PLUGBOARD_SETTING_ADDRESS: .address
            case PLUGBOARD_SETTING_SECRET: .secret
            default: .string
            }
        self.init(
            source.path,
            type,
            isRequired: source.isRequired,
            defaultValue: source.standard,
            help: source.help
        )
    }
}
