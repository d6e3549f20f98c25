package import NativeCalls

/// `providers.*.connector:` an ordinary library that is used as a network.
package struct ConnectorSection: Hashable, Sendable {
    /// One account on the library's network.
    package struct Account: Hashable, Sendable {
        /// The home user it belongs to; nil: all of them.
        package var user: String?
        /// By name; what functions get as `account.NAME`.
        package var values: [String: Value]
        package var position: SourcePosition

        package static func == (left: Self, right: Self) -> Bool {
            left.user == right.user && left.values == right.values
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(user)
            hasher.combine(values)
        }
    }

    /// What an account has under one name.
    package enum Value: Hashable, Sendable {
        case text(String)
        case secret(SecretReference)
    }

    /// The library, by absolute path.
    package var library: String
    package var libraryPosition: SourcePosition
    package var manifest: ConnectorManifest
    /// Where each function is named.
    package var positions: [ConnectorManifest.Role: SourcePosition]
    /// In the order of the file; at least one.
    package var accounts: [Account]

    /// Where something stands in the file makes no difference: a reload leaves alone what only moved.
    package static func == (left: Self, right: Self) -> Bool {
        left.library == right.library && left.manifest == right.manifest && left.accounts == right.accounts
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(library)
        hasher.combine(manifest)
        hasher.combine(accounts)
    }

    /// The most accounts.
    package static let accountsMax = 1000

    static let rules: [SettingRule] = {
        let connector = "providers.*.connector"
        var rules = [
            SettingRule(connector, .map, help: "an ordinary library as the network, in place of a plugin"),
            SettingRule("\(connector).library", .string, isRequired: true, help: "the library's file"),
            SettingRule(
                "\(connector).domain",
                .string,
                isRequired: true,
                help: "the library's people are NAME@ this domain"
            ),
        ]
        let helps: [ConnectorManifest.Role: String] = [
            .initialise: "the function that is called once, before all else",
            .open: "the function that logs an account in",
            .register: "the function that takes an account's callback",
            .deliver: "the function that sends a message",
            .poll: "the function that is asked again and again whether a message has come",
            .close: "the function that logs an account out",
            .shutdown: "the function that is called once, after all else",
        ]
        for role in ConnectorManifest.Role.allCases {
            let path = "\(connector).\(role.rawValue)"
            rules += [
                SettingRule(path, .map, isRequired: role == .deliver, help: helps[role] ?? ""),
                SettingRule("\(path).function", .string, isRequired: true, help: "its name in the library"),
                SettingRule("\(path).signature", .string, isRequired: true, help: "such as 'i32(pointer,string)'"),
                SettingRule("\(path).arguments", .list, help: "what each parameter is given"),
                SettingRule("\(path).succeeds", .list, help: "results that mean that it was done"),
                SettingRule("\(path).retries", .list, help: "results that mean 'not now'"),
            ]
        }
        let callback = "\(connector).callback"
        rules += [
            SettingRule(callback, .map, help: "what the library calls when a message has come"),
            SettingRule("\(callback).signature", .string, isRequired: true, help: "such as 'void(string,string)'"),
            SettingRule("\(callback).arguments", .list, help: "what each parameter is"),
            SettingRule("\(callback).returns", .anyInteger, defaultValue: "0", help: "what the library is answered"),
            SettingRule(
                "\(callback).until",
                .choice(CallbackEnd.allCases.map(\.rawValue)),
                defaultValue: CallbackEnd.never.rawValue,
                help: "the function after which the library calls no more"
            ),
            SettingRule(
                "\(connector).poll.interval",
                .duration(ConnectorManifest.pollIntervals),
                defaultValue: "1s",
                help: "how long to wait after nothing was there"
            ),
            SettingRule("\(connector).accounts", .list, isRequired: true, help: "at least one"),
            SettingRule(
                "\(connector).accounts[].user",
                .string,
                help: "the home user it belongs to; all of them if absent"
            ),
            SettingRule("\(connector).accounts[].settings", .map, help: "what functions get as account.NAME"),
            SettingRule("\(connector).accounts[].settings.*", .string),
            SettingRule("\(connector).accounts[].secrets", .map, help: "the same, kept elsewhere"),
            SettingRule("\(connector).accounts[].secrets.*", .secret),
        ]
        return rules
    }()

    /// - Returns: `nil` when a part without a default is missing or wrong; the problem is noted.
    init?(_ node: SettingNode, at path: SettingPath, _ context: inout SectionContext) {
        guard let library = node["library"], library.text != nil else { return nil }
        self.library = context.existingPath(library, at: path.appending(key: "library"))
        self.libraryPosition = library.position
        var reader = ManifestReader(node, path, context)
        let manifest = reader.manifest()
        self.accounts = reader.accounts()
        self.positions = reader.positions
        context = reader.context
        guard let manifest else { return nil }
        self.manifest = manifest
    }
}
