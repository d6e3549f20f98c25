internal import ProviderKit

/// What an operator can write below `settings.component` of an XMPP instance.
enum ComponentSchema {
    /// What the component's port is usually (XEP-0114 has none; both servers' manuals do).
    static let port: UInt16 = 5347

    static let settings: [SettingSchema] = [
        SettingSchema(
            "component.server",
            .string,
            help: "Where the organisation's XMPP server takes components, as host or host:port; usually port 5347."
        ),
        SettingSchema(
            "component.tls",
            .boolean,
            standard: "false",
            help: "Whether the connection to it is encrypted from the first byte."
        ),
        SettingSchema(
            "component.queue_max",
            .integer(XMPPSchema.queueRange),
            standard: "1000",
            help: "How many envelopes may wait for one gateway's stream; further ones are tried again later."
        ),
        SettingSchema(
            "component.gateways[].domain",
            .string,
            isRequired: true,
            help: "The component's domain, as the XMPP server's configuration has it, such as aim.example.org."
        ),
        SettingSchema(
            "component.gateways[].secret",
            .secret,
            isRequired: true,
            help: "The component's secret in the XMPP server's configuration."
        ),
        SettingSchema(
            "component.gateways[].network",
            .string,
            help:
                "The domain of the network that name@DOMAIN stands for. Without it, whole addresses are escaped there."
        ),
        SettingSchema(
            "component.gateways[].type",
            .string,
            standard: "xmpp",
            help: "What clients take the gateway for (XEP-0030): aim, icq, msn, yahoo, lcs, simple, xmpp…"
        ),
        SettingSchema(
            "component.gateways[].name",
            .string,
            help: "What people call the network."
        ),
    ]
}
