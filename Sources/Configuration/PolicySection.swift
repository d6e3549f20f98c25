internal import Policy

/// `policy:` whom the home users may talk to.
///
/// Without it the router is open: every configured provider serves every home user. With it, what it does not allow is
/// refused.
enum PolicySection {
    static let rules: [SettingRule] =
        [
            SettingRule("policy", .map, help: "whom the home users may talk to; anybody if absent"),
            SettingRule(
                "policy.federation",
                .boolean,
                defaultValue: "false",
                help: "the edge's switch: whether anybody may talk to other networks"
            ),
            SettingRule(
                "policy.partner_discovery",
                .boolean,
                defaultValue: "false",
                help: "whether organisations that are not listed may be talked to"
            ),
            SettingRule("policy.discovered", .map),
            SettingRule(
                "policy.discovered.messages_per_second",
                .integer(1...1_000_000),
                defaultValue: "20",
                help: "what an organisation that is not listed may send within a second"
            ),
            SettingRule(
                "policy.discovered.targets",
                .integer(1...100_000),
                defaultValue: "1000",
                help: "users that it may address; one that tries more is watched"
            ),
        ] + providerRules + partnerRules + accessRules + licenceRules

    private static let providerRules = [
        SettingRule("policy.providers", .map, help: "by provider; one that is not here is not enabled"),
        SettingRule(
            "policy.providers.*.network",
            .choice(Network.allCases.map(\.rawValue)),
            help: "what it connects with; guessed from the plugin's name if absent"
        ),
        SettingRule("policy.providers.*.enabled", .boolean, isRequired: true, help: "whether it may be used"),
        SettingRule(
            "policy.providers.*.verification",
            .choice(VerificationLevel.allCases.map(\.rawValue)),
            defaultValue: "all",
            help: "whose messages are accepted: those the provider vouches for, those of contacts, or all"
        ),
        SettingRule("policy.providers.*.licence", .string, help: "the licence that each user needs, or 'none'"),
        SettingRule("policy.providers.*.end_of_life", .string, help: "the last day of its service, or 'none'"),
        SettingRule(
            "policy.providers.*.passed_dates",
            .choice(PassedDates.allCases.map(\.rawValue)),
            defaultValue: "warn",
            help: "whether a date that has passed, of the service or of its licence's sale, stops it"
        ),
        SettingRule(
            "policy.providers.*.proxy",
            .string,
            help: "the name of the network's proxy, which is nobody else's"
        ),
    ]

    private static let partnerRules = [
        SettingRule("policy.partners", .map),
        SettingRule("policy.partners.allowed", .list, help: "organisations that may be talked to"),
        SettingRule("policy.partners.allowed[].domain", .string, isRequired: true),
        SettingRule("policy.partners.allowed[].other_domains", .list, help: "sub-domains and others, each by name"),
        SettingRule("policy.partners.allowed[].other_domains[]", .string),
        SettingRule(
            "policy.partners.allowed[].type",
            .choice(PartnerType.allCases.map(\.rawValue)),
            defaultValue: "public-unverified",
            help: "how far it is trusted; of a public-unverified one the user must have added the sender"
        ),
        SettingRule("policy.partners.allowed[].proxy", .string, help: "the name of its proxy, which is nobody else's"),
        SettingRule("policy.partners.blocked", .list, help: "domains that may not be talked to"),
        SettingRule("policy.partners.blocked[]", .string),
    ]

    private static let accessRules: [SettingRule] =
        [
            SettingRule(
                "policy.access",
                .map,
                help: "external access policies; the narrowest that says something wins"
            ),
            SettingRule("policy.access.global", .map),
            SettingRule("policy.access.domains", .map),
            SettingRule("policy.access.domains.*", .map),
            SettingRule("policy.access.users", .map),
            SettingRule("policy.access.users.*", .map),
        ]
        + ["global", "domains.*", "users.*"].flatMap { scope in
            AccessRight.allCases.map { SettingRule("policy.access.\(scope).\($0.key)", .boolean, help: help(of: $0)) }
        }

    private static let licenceRules = [
        SettingRule("policy.licences", .map, help: "the catalogue; 'pic' is in it"),
        SettingRule("policy.licences.*.name", .string, help: "for people"),
        SettingRule("policy.licences.*.closed_from", .string, help: "the day from which none is sold, or 'none'"),
        SettingRule("policy.seats", .list, help: "licences that users hold, beside those of 'plugboard licences'"),
        SettingRule("policy.seats[].user", .string, isRequired: true),
        SettingRule("policy.seats[].licence", .string, isRequired: true),
        SettingRule("policy.seats[].from", .string, isRequired: true, help: "the first day"),
        SettingRule("policy.seats[].until", .string, help: "the last day"),
    ]

    private static func help(of right: AccessRight) -> String {
        switch right {
        case .federation: "other organisations"
        case .publicNetworks: "public networks"
        case .publicAudioVideo: "audio and video with public networks"
        case .xmpp: "other organisations by XMPP"
        }
    }
}
