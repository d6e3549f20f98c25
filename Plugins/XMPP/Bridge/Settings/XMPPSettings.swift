package import ProviderKit
package import XMPPSession
internal import XMPPWire

/// The settings of an instance, read.
package struct XMPPSettings: Sendable {
    /// Where to listen; port nil is the standard one.
    package var listen: [HostAndPort] = []
    /// Where to listen for TLS from the first byte.
    package var listenTLS: [HostAndPort] = []
    /// Of dialback keys; nil: to be made up.
    package var dialbackSecret: String?
    /// Envelopes that may wait for one partner.
    package var partnerQueueMax: Int
    /// How often the peer of an outbound stream is asked whether it is there, unless its policy forbids keep-alive.
    package var pingInterval: Duration
    /// The home domains' part.
    package var server: ServerPolicy
    /// Who may federate, in the order of the settings.
    package var partners: [PartnerPolicy] = []
    /// Normalised domains, ours and partners', and how the operator writes them: so DNS and certificates know them.
    package var spellings: [String: String] = [:]

    /// The port of server-to-server streams (RFC 6120 §14.7).
    package static let port: UInt16 = 5269
    /// The port on which servers usually take streams with TLS from the first byte.
    package static let directTLSPort: UInt16 = 5270
    /// All addresses, at the standard port.
    package static let listenStandard = HostAndPort(host: "", port: port)

    /// Reads the settings, as far as that is possible; `problems` gets what is wrong with them.
    package init(_ instance: InstanceInfo, problems: inout Problems) {
        let settings = instance.settings
        let homes = Self.homeDomains(instance.homeDomains, problems: &problems)
        self.server = Self.serverPolicy(settings, homes: homes.map(\.domain))
        self.partnerQueueMax = Int(settings.integer("partner_queue_max") ?? 1000)
        self.pingInterval = .milliseconds(settings.integer("ping_interval") ?? 120_000)
        self.dialbackSecret = settings["dialback_secret"]
        self.listen = Self.addresses("listen", settings, problems: &problems)
        self.listenTLS = Self.addresses("listen_tls", settings, problems: &problems)
        if self.listen.isEmpty && self.listenTLS.isEmpty { self.listen = [Self.listenStandard] }
        if self.dialbackSecret?.isEmpty == true {
            problems.error("dialback_secret", "is empty; write a long random text, or leave it out")
        }
        for home in homes { self.spellings[home.domain] = home.spelling }

        let keepAlive = Duration.milliseconds(settings.integer("keep_alive_interval") ?? 300_000)
        let partners = settings.elements("partners").map { element in
            PartnerSettings(element.settings, path: element.path, keepAlive: keepAlive, problems: &problems)
        }
        self.partners = partners.map(\.policy)
        for partner in partners { self.spellings.merge(partner.spellings) { first, _ in first } }
        PartnerSettings.reportShared(partners, servedDomains: self.server.domains, problems: &problems)
    }

    /// How DNS and certificates write a domain.
    package func spelling(_ domain: String) -> String { self.spellings[domain] ?? domain }

    private static func homeDomains(
        _ spellings: [String],
        problems: inout Problems
    ) -> [(domain: String, spelling: String)] {
        if spellings.isEmpty {
            problems.error("", "there is no home domain to federate; name one under home.domains")
        }
        return spellings.compactMap { spelling in
            do throws(JIDError) {
                return (try JID(local: nil, domain: spelling).domain, spelling)
            } catch {
                problems.error("", "the home domain \(spelling) cannot be federated: \(error)")
                return nil
            }
        }
    }

    private static func serverPolicy(_ settings: Settings, homes: [String]) -> ServerPolicy {
        var server = ServerPolicy(mainDomain: homes.first ?? "", otherDomains: Array(homes.dropFirst()))
        if let bytes = settings.integer("stanza_size_max") { server.limits.stanzaBytesMax = Int(bytes) }
        if let ms = settings.integer("establishment_timeout") { server.establishmentTimeout = .milliseconds(ms) }
        if let ms = settings.integer("inactivity_timeout") { server.inactivityTimeout = .milliseconds(ms) }
        if let ms = settings.integer("ping_timeout") { server.answerTimeout = .milliseconds(ms) }
        return server
    }

    private static func addresses(_ path: String, _ settings: Settings, problems: inout Problems) -> [HostAndPort] {
        var addresses: [HostAndPort] = []
        for (index, text) in settings.list(path).enumerated() {
            do throws(BridgeError) {
                addresses.append(try HostAndPort(text))
            } catch {
                problems.error("\(path)[\(index)]", error.description)
            }
        }
        return addresses
    }
}
