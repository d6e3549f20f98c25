import ProviderKit
import Testing
import XMPPSession
import XMPPWire

@testable import XMPPBridge

@Suite struct SettingsTests {
    private func check(_ settings: [(String, String)], homeDomains: [String] = ["a.test"]) -> [String] {
        var problems = Problems()
        let info = InstanceInfo(id: "xmpp", settings: Settings(settings), homeDomains: homeDomains)
        XMPPProvider.check(info, problems: &problems)
        return problems.all.map { "\($0.isError ? "error" : "warning") \($0.path)" }
    }

    @Test("Each mistake is reported at its setting")
    func mistakes() {
        let partner = [("partners[0].domain", "b.test")]
        let cases: [([(String, String)], [String])] = [
            (partner, []),
            ([("partners[0].domain", "b_test")], ["error partners[0].domain"]),
            ([("partners[0].domain", "a.test")], ["error partners[0].domain"]),
            (partner + [("partners[1].domain", "B.test")], ["error partners[1].domain"]),
            (
                partner + [
                    ("partners[0].additional_domains[0]", "c.test"), ("partners[0].additional_domains[1]", "-"),
                ],
                ["error partners[0].additional_domains[1]"]
            ),
            (
                partner + [("partners[1].domain", "c.test"), ("partners[1].additional_domains[0]", "b.test")],
                ["error partners[1].additional_domains[0]"]
            ),
            (partner + [("partners[0].tls", "not-supported")], ["error partners[0].tls"]),
            (
                partner + [("partners[0].tls", "not-supported"), ("partners[0].sasl", "optional")],
                ["warning partners[0].sasl"]
            ),
            (
                partner + [("partners[0].sasl", "not-supported"), ("partners[0].dialback", "false")],
                ["error partners[0].dialback"]
            ),
            (partner + [("partners[0].tls", "optional")], ["warning partners[0].tls"]),
            (
                partner + [
                    ("partners[0].tls", "not-supported"), ("partners[0].sasl", "not-supported"),
                    ("partners[0].direct_tls", "only"),
                ],
                ["error partners[0].direct_tls"]
            ),
            (partner + [("partners[0].proxy", "a b")], ["error partners[0].proxy"]),
            (partner + [("partners[0].proxy", "proxy.test:0")], ["error partners[0].proxy"]),
            (partner + [("listen[0]", "0.0.0.0:5269"), ("listen[1]", "[::1")], ["error listen[1]"]),
            (partner + [("dialback_secret", "")], ["error dialback_secret"]),
        ]
        for (settings, expected) in cases {
            #expect(self.check(settings) == expected, "\(settings)")
        }
    }

    @Test("A home domain is needed, and must be one")
    func homeDomains() {
        #expect(self.check([], homeDomains: []) == ["error "])
        #expect(self.check([], homeDomains: ["a_test"]) == ["error "])
    }

    @Test("All settings are read")
    func everything() throws {
        var problems = Problems()
        let settings = Settings([
            ("listen[0]", "192.0.2.1:5269"), ("listen_tls[0]", "[2001:db8::1]:5270"), ("dialback_secret", "s"),
            ("stanza_size_max", "20000"), ("establishment_timeout", "1000"), ("inactivity_timeout", "20000"),
            ("keep_alive_interval", "30000"), ("partner_queue_max", "7"), ("partners[0].domain", "B.Test"),
            ("partners[0].additional_domains[0]", "c.test"), ("partners[0].tls", "optional"),
            ("partners[0].sasl", "not-supported"), ("partners[0].dialback", "true"),
            ("partners[0].keep_alive", "true"), ("partners[0].connection_limit", "3"),
            ("partners[0].proxy", "proxy.test:1"), ("partners[0].direct_tls", "never"),
            ("partners[1].domain", "d.test"), ("partners[1].keep_alive", "false"),
        ])
        let info = InstanceInfo(id: "xmpp", settings: settings, homeDomains: ["a.test", "e.test"])
        let read = XMPPSettings(info, problems: &problems)
        #expect(problems.all.isEmpty)
        #expect(read.listen == [HostAndPort(host: "192.0.2.1", port: 5269)])
        #expect(read.listenTLS == [HostAndPort(host: "2001:db8::1", port: 5270)])
        #expect(read.dialbackSecret == "s")
        #expect(read.partnerQueueMax == 7)
        #expect(read.server.domains == ["a.test", "e.test"])
        #expect(read.server.mainDomain == "a.test")
        #expect(read.server.limits.stanzaBytesMax == 20_000)
        #expect(read.server.establishmentTimeout == .seconds(1))
        #expect(read.server.inactivityTimeout == .seconds(20))
        #expect(
            read.partners == [
                PartnerPolicy(
                    domain: "b.test",
                    additionalDomains: ["c.test"],
                    tls: .optional,
                    sasl: .notSupported,
                    dialback: true,
                    keepAlive: .seconds(30),
                    connectionLimit: 3,
                    proxy: PartnerPolicy.Proxy(host: "proxy.test", port: 1),
                    directTLS: .notSupported
                ),
                PartnerPolicy(domain: "d.test", keepAlive: nil),
            ]
        )
    }

    @Test("Without a place to listen, it is the standard port of all addresses")
    func listening() {
        var problems = Problems()
        let info = InstanceInfo(id: "xmpp", settings: Settings([]), homeDomains: ["a.test"])
        #expect(XMPPSettings(info, problems: &problems).listen == [HostAndPort(host: "", port: 5269)])
    }

    @Test("International domains are compared in one form, and looked up as they are written")
    func international() {
        var problems = Problems()
        let settings = Settings([("partners[0].domain", "XN--MNCHEN-3YA.test")])
        let info = InstanceInfo(id: "xmpp", settings: settings, homeDomains: ["a.test"])
        let read = XMPPSettings(info, problems: &problems)
        #expect(read.partners.map(\.domain) == ["m\u{FC}nchen.test"])
        #expect(read.spelling("m\u{FC}nchen.test") == "xn--mnchen-3ya.test")
        #expect(read.spelling("other.test") == "other.test")
    }

    @Test("The schema's standards are those that the code takes where nothing is written")
    func standards() {
        var problems = Problems()
        let bare = Settings([("partners[0].domain", "b.test")])
        let standards = Settings([
            ("stanza_size_max", "262144"), ("establishment_timeout", "60000"), ("inactivity_timeout", "600000"),
            ("keep_alive_interval", "300000"), ("partner_queue_max", "1000"), ("partners[0].domain", "b.test"),
            ("partners[0].tls", "required"), ("partners[0].sasl", "required"), ("partners[0].dialback", "true"),
            ("partners[0].keep_alive", "true"), ("partners[0].connection_limit", "20"),
            ("partners[0].direct_tls", "prefer"),
        ])
        let read = [bare, standards].map {
            XMPPSettings(InstanceInfo(id: "x", settings: $0, homeDomains: ["a.test"]), problems: &problems)
        }
        #expect(read[0].server == read[1].server)
        #expect(read[0].partners == read[1].partners)
        #expect(read[0].partnerQueueMax == read[1].partnerQueueMax)
    }

    @Test("A host and a port are read in all their forms")
    func hostAndPort() {
        let cases: [(String, HostAndPort?)] = [
            ("b.test", HostAndPort(host: "b.test", port: nil)), ("b.test:1", HostAndPort(host: "b.test", port: 1)),
            ("192.0.2.1:65535", HostAndPort(host: "192.0.2.1", port: 65535)), ("b.test:65536", nil),
            ("[::1]", HostAndPort(host: "::1", port: nil)), ("[::1]:5", HostAndPort(host: "::1", port: 5)),
            ("::1", nil), ("b.test:0", nil), ("b.test:", nil), ("b.test:x", nil), ("b.test:+1", nil), ("[b]:1", nil),
            ("a b:1", nil), (":5269", HostAndPort(host: "", port: 5269)),
        ]
        for (text, expected) in cases {
            #expect((try? HostAndPort(text)) == expected, "\(text)")
        }
    }
}
