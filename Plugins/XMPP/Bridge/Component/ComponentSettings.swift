internal import ProviderKit
internal import XMPPComponent
internal import XMPPWire

/// The settings of an instance that is a component of the organisation's XMPP server, read.
struct ComponentSettings {
    /// One connection, and the network that it stands for.
    struct Gateway {
        let names: GatewayNames
        let secret: String
        /// Such as `aim`, for clients.
        let type: String
        /// For people.
        let name: String
    }

    /// Where the server takes components; port nil is the standard one.
    let server: HostAndPort
    /// Whether the connection begins with TLS.
    let isTLS: Bool
    /// Envelopes that may wait for one stream.
    let queueMax: Int
    /// What the server may send once it has let us in.
    let limits: StreamParserLimits
    let establishmentTimeoutMs: UInt64
    let pingIntervalMs: UInt64
    let pingTimeoutMs: UInt64
    let homeDomains: [String]
    /// In the order of the settings.
    let gateways: [Gateway]

    /// Whether settings describe a component, and not federation.
    static func areMeant(by settings: Settings) -> Bool {
        settings["component.server"] != nil || !settings.elements("component.gateways").isEmpty
    }

    /// Reads the settings, as far as that is possible; `problems` gets what is wrong with them.
    init(_ instance: InstanceInfo, problems: inout Problems) {
        let settings = instance.settings
        self.server = Self.server(settings, problems: &problems)
        self.isTLS = settings.boolean("component.tls") ?? false
        self.queueMax = Int(settings.integer("component.queue_max") ?? 1000)
        var limits = StreamParserLimits()
        if let bytes = settings.integer("stanza_size_max") { limits.stanzaBytesMax = Int(bytes) }
        self.limits = limits
        self.establishmentTimeoutMs = UInt64(settings.integer("establishment_timeout") ?? 60_000)
        self.pingIntervalMs = UInt64(settings.integer("ping_interval") ?? 120_000)
        self.pingTimeoutMs = UInt64(settings.integer("ping_timeout") ?? 30_000)
        self.homeDomains = instance.homeDomains
        self.gateways = settings.elements("component.gateways").compactMap { element in
            Self.gateway(element.settings, path: element.path, problems: &problems)
        }
        if self.gateways.isEmpty, problems.all.isEmpty {
            problems.error("component.gateways", "is empty; name at least one domain of the component")
        }
        Self.reportFederation(settings, problems: &problems)
        self.reportRepeated(problems: &problems)
    }

    private static func server(_ settings: Settings, problems: inout Problems) -> HostAndPort {
        guard let text = settings["component.server"], !text.isEmpty else {
            problems.error(
                "component.server",
                "is missing; write where the XMPP server takes components: 127.0.0.1:5347"
            )
            return HostAndPort(host: "", port: nil)
        }
        do throws(BridgeError) {
            return try HostAndPort(text)
        } catch {
            problems.error("component.server", error.description)
            return HostAndPort(host: "", port: nil)
        }
    }

    private static func gateway(_ settings: Settings, path: String, problems: inout Problems) -> Gateway? {
        guard let domain = self.domain(settings["domain"] ?? "", "\(path).domain", problems: &problems) else {
            return nil
        }
        var network: String?
        if let written = settings["network"], !written.isEmpty {
            network = self.domain(written, "\(path).network", problems: &problems)
            if network == nil { return nil }
        }
        let secret = settings["secret"] ?? ""
        if secret.isEmpty { problems.error("\(path).secret", "is empty; write the secret that the XMPP server has") }
        return Gateway(
            names: GatewayNames(domain: domain, network: network),
            secret: secret,
            type: settings["type"] ?? "xmpp",
            name: settings["name"] ?? network ?? domain
        )
    }

    private static func domain(_ text: String, _ path: String, problems: inout Problems) -> String? {
        do throws(JIDError) {
            return try JID(local: nil, domain: text).domain
        } catch {
            problems.error(path, error.description)
            return nil
        }
    }

    private static func reportFederation(_ settings: Settings, problems: inout Problems) {
        let lists = ["listen", "listen_tls"].filter { !settings.list($0).isEmpty }
        for path in lists + (settings.elements("partners").isEmpty ? [] : ["partners"]) {
            problems.error(
                path,
                "has no place beside component; for federation, write another provider with the same plugin"
            )
        }
    }

    private func reportRepeated(problems: inout Problems) {
        for (index, gateway) in self.gateways.enumerated() {
            let earlier = self.gateways[..<index]
            if earlier.contains(where: { $0.names.domain == gateway.names.domain }) {
                problems.error(
                    "component.gateways[\(index)].domain",
                    "is that of another gateway, too; each needs its own"
                )
            }
            if earlier.contains(where: { $0.names.network == gateway.names.network }) {
                problems.error(
                    "component.gateways[\(index)].network",
                    "is that of another gateway, too; only one can stand for it"
                )
            }
            if self.homeDomains.contains(gateway.names.domain) {
                problems.error("component.gateways[\(index)].domain", "is a home domain; use a domain below it")
            }
        }
    }
}
