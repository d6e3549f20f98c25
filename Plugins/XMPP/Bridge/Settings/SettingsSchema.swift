internal import ProviderKit
internal import XMPPSession

/// What an operator can write below `settings` of an XMPP instance.
enum XMPPSchema {
    /// A stanza must not have to be larger than what the router carries in one envelope.
    static let stanzaBytesRange: ClosedRange<Int64> = 10_000...524_288
    static let queueRange: ClosedRange<Int64> = 1...1_000_000
    static let establishmentRange: ClosedRange<Int64> = 1_000...600_000
    static let inactivityRange: ClosedRange<Int64> = 10_000...86_400_000
    static let keepAliveRange: ClosedRange<Int64> = 10_000...86_400_000

    static let pingTimeoutRange: ClosedRange<Int64> = 1_000...300_000

    static let negotiation = ["required", "optional", "not-supported"]
    static let directTLS = ["prefer", "never", "only"]

    static let settings: [SettingSchema] = own + partner

    private static let own: [SettingSchema] = [
        SettingSchema(
            "listen[]",
            .address,
            help: "Where partners' servers connect to, as host:port; usually port 5269."
        ),
        SettingSchema(
            "listen_tls[]",
            .address,
            help: "The same for TLS from the first byte (XEP-0368), as host:port; usually port 5270."
        ),
        SettingSchema(
            "dialback_secret",
            .secret,
            help: "The secret of dialback keys; all routers of the home domains need the same one. Without it: random."
        ),
        SettingSchema(
            "stanza_size_max",
            .size(stanzaBytesRange),
            standard: "256KiB",
            help: "The largest stanza that is taken from a partner."
        ),
        SettingSchema(
            "establishment_timeout",
            .duration(establishmentRange),
            standard: "60s",
            help: "How long a stream may take from its connection to its authentication."
        ),
        SettingSchema(
            "inactivity_timeout",
            .duration(inactivityRange),
            standard: "10m",
            help: "The silence after which a stream is closed."
        ),
        SettingSchema(
            "keep_alive_interval",
            .duration(keepAliveRange),
            standard: "5m",
            help: "The silence after which a space is sent to keep a stream alive."
        ),
        SettingSchema(
            "ping_interval",
            .duration(keepAliveRange),
            standard: "2m",
            help: "How often a partner's server is asked whether it is still there (XEP-0199)."
        ),
        SettingSchema(
            "ping_timeout",
            .duration(pingTimeoutRange),
            standard: "30s",
            help: "How long it may take to answer that, or to acknowledge stanzas, before the link counts as lost."
        ),
        SettingSchema(
            "partner_queue_max",
            .integer(queueRange),
            standard: "1000",
            help: "How many envelopes may wait for one partner; further ones are tried again later."
        ),
    ]

    private static let partner: [SettingSchema] = [
        SettingSchema("partners[].domain", .string, isRequired: true, help: "The partner's domain."),
        SettingSchema(
            "partners[].additional_domains[]",
            .string,
            help: "Other domains that the same agreement is about; sub-domains are never implied."
        ),
        SettingSchema(
            "partners[].tls",
            .choice(negotiation),
            standard: "required",
            help: "Whether streams must be encrypted."
        ),
        SettingSchema(
            "partners[].sasl",
            .choice(negotiation),
            standard: "required",
            help: "Whether the partner must prove itself by certificate (SASL EXTERNAL)."
        ),
        SettingSchema(
            "partners[].dialback",
            .boolean,
            standard: "true",
            help: "Whether the partner may prove itself by dialback; without effect while sasl is required."
        ),
        SettingSchema(
            "partners[].keep_alive",
            .boolean,
            standard: "true",
            help: "Whether silent streams are kept alive."
        ),
        SettingSchema(
            "partners[].connection_limit",
            .integer(1...Int64(PartnerPolicy.connectionLimitMax)),
            standard: "20",
            help: "How many streams the partner may have open to us."
        ),
        SettingSchema(
            "partners[].proxy",
            .string,
            help: "The host, or host:port, that all connections to the partner go to, instead of what DNS says."
        ),
        SettingSchema(
            "partners[].direct_tls",
            .choice(directTLS),
            standard: "prefer",
            help:
                "Whether connections to the partner begin with TLS (XEP-0368): where DNS offers it, never, or only so."
        ),
        SettingSchema(
            "partners[].stream_management",
            .boolean,
            standard: "true",
            help: "Whether stanzas are acknowledged and broken streams resumed (XEP-0198), where the partner can."
        ),
        SettingSchema(
            "partners[].bidirectional",
            .boolean,
            standard: "true",
            help: "Whether one stream carries both directions (XEP-0288), where the partner can; else each has its own."
        ),
        SettingSchema("partners[].description", .string, help: "Notes for people."),
    ]
}
