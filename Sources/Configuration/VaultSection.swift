/// `vault:` where plugins' and users' secrets are sealed.
package struct VaultSection: Hashable, Sendable {
    /// Where the key is; nil: there is no vault.
    ///
    /// Whether it is a key, and whether others can read its file, is looked at when the vault is opened.
    package var key: SecretReference?

    static let rules = [
        SettingRule("vault", .map, help: "passwords and tokens that plugins keep, sealed on disk; none if absent"),
        SettingRule(
            "vault.key",
            .secret,
            isRequired: true,
            help: "the key that seals them: 'file:PATH' or 'env:NAME'; plugboard vault init makes one"
        ),
    ]

    init(_ root: SettingNode, _ context: inout SectionContext) {
        key = root["vault"]?["key"]?.text.flatMap { SecretReference(parsing: $0, in: context.directory) }
    }
}
