import Policy
import Testing

@testable import Configuration

@Suite("The policy section")
struct PolicySectionTests {
    /// Lines 1 to 3 of each file.
    private static let start = """
        home: { domains: { a.test: { users: [alice, ben] }, b.test: { users: any } } }
        providers: { y: { plugin: Yahoo }, x: { plugin: XMPP }, e: { plugin: EchoProvider } }

        """

    private func read(_ policy: String) -> (rules: PolicyRules?, problems: [Problem]) {
        let text = Self.start + policy
        let (draft, problems) = ConfigurationLoader.read(text, file: "p.yaml", directory: "/")
        return (draft?.policy, problems.filter { !$0.keyPath.hasPrefix("providers.") })
    }

    @Test("Without the section there is no policy")
    func absent() {
        let (draft, problems) = ConfigurationLoader.read(Self.start, file: "p.yaml", directory: "/")
        #expect(draft != nil && draft?.policy == nil)
        #expect(!problems.contains { $0.keyPath.contains("policy") || $0.message.contains("policy") })
    }

    @Test("An empty section allows nothing, and warns of each provider that it leaves out")
    func empty() throws {
        let (draft, problems) = ConfigurationLoader.read(
            Self.start + "policy: {federation: false}",
            file: "p.yaml",
            directory: "/"
        )
        let rules = try #require(draft?.policy)
        #expect(!rules.federation.value && !rules.partnerDiscovery.value && rules.providers.isEmpty)
        #expect(rules.discovered.value == DiscoveredLimits(messagesPerSecond: 20, targets: 1000))
        #expect(rules.licences == [.publicIM])
        #expect(
            problems.filter { $0.message.contains("policy") }.map(\.message)
                == ["y", "x", "e"].map { "policy.providers does not name \($0), which is not enabled then" }
        )
    }

    @Test("Every setting is read, with its place")
    func everything() throws {
        let (found, problems) = read(
            """
            policy:
              federation: true
              partner_discovery: true
              discovered: { messages_per_second: 5, targets: 10 }
              providers:
                y: { enabled: true, verification: contacts, passed_dates: block, proxy: Y.test }
                x: { enabled: true, network: sip, licence: gold, end_of_life: 2030-01-31 }
                e: { enabled: false }
              partners:
                allowed: [{ domain: P.test, other_domains: [chat.p.test], type: federated, proxy: p.test }]
                blocked: [bad.test]
              access:
                global: { federation: true, public: false }
                domains: { b.test: { xmpp: true } }
                users: { Alice@a.test: { public: true, public_audio_video: true } }
              licences:
                gold: { name: Gold, closed_from: 2020-02-29 }
              seats:
                - { user: alice@a.test, licence: pic, from: 2012-08-31, until: 2014-06-30 }
            """
        )
        let rules = try #require(found, "\(problems)")
        #expect(problems.isEmpty)
        let key = "policy.federation"
        #expect(rules.federation == Placed(true, at: Place(file: "p.yaml", line: 4, column: 15, keyPath: key)))
        #expect(rules.partnerDiscovery.value)
        #expect(rules.discovered.value == DiscoveredLimits(messagesPerSecond: 5, targets: 10))
        let yahoo = try #require(rules.providers.first)
        #expect(yahoo.network == .yahoo && yahoo.licence?.value == "pic")
        #expect(yahoo.endOfLife?.value == PolicyDate("2014-06-30"))
        #expect(yahoo.verification.value == .contacts && yahoo.passedDates.value == .block)
        #expect(yahoo.proxy?.value == "y.test")
        #expect(rules.providers[1].network == .sip && rules.providers[1].licence?.value == "gold")
        #expect(rules.providers[1].endOfLife?.value == PolicyDate("2030-01-31"))
        #expect(rules.providers[2].network == .other && !rules.providers[2].enabled.value)
        #expect(rules.allowed.map(\.domain) == ["p.test"] && rules.allowed[0].otherDomains == ["chat.p.test"])
        #expect(rules.allowed[0].type.value == .federated)
        #expect(rules.blocked.map(\.value) == ["bad.test"])
        #expect(rules.global.rights[.federation]?.value == true && rules.global.rights[.publicNetworks]?.value == false)
        #expect(rules.global.rights[.xmpp] == nil)
        #expect(rules.domains["b.test"]?.rights[.xmpp]?.value == true)
        let own = rules.users["alice@a.test"]?.rights[.publicAudioVideo]
        #expect(own?.place.keyPath == "policy.access.users[\"Alice@a.test\"].public_audio_video")
        #expect(rules.licences.map(\.id) == ["pic", "gold"])
        #expect(rules.licences[1].closedFrom?.value == PolicyDate("2020-02-29"))
        #expect(rules.seats.map(\.user) == ["alice@a.test"] && rules.seats[0].until == PolicyDate("2014-06-30"))
    }

    @Test("A network's dates and licence can be taken away, and so can the end of a licence's sale")
    func none() throws {
        let found = read(
            """
            policy:
              providers: { y: { enabled: true, licence: none, end_of_life: none } }
              licences: { pic: { closed_from: none } }
            """
        ).rules
        let rules = try #require(found)
        #expect(rules.providers[0].licence == nil && rules.providers[0].endOfLife == nil)
        #expect(rules.licences[0].closedFrom == nil && rules.licences[0].name == LicenceRule.publicIM.name)
    }

    @Test(
        "A seat that begins when none was sold any more is warned of, unless that is ignored",
        arguments: ["warn", "ignore"]
    )
    func closedSale(_ choice: String) {
        let (rules, problems) = read(
            """
            policy:
              providers: { y: { enabled: true, passed_dates: \(choice) } }
              seats: [{ user: ben@a.test, licence: pic, from: 2012-09-01 }]
            """
        )
        #expect(rules?.seats.count == 1)
        let warning =
            "p.yaml:5:11: warning: policy.seats[0] begins on 2012-09-01, and the licence 'pic' is not sold since 2012-09-01"
        #expect(problems.map(\.description) == (choice == "warn" ? [warning] : []))
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// Of line 4.
        var policy: String
        var problem: String

        init(_ name: String, _ policy: String, _ problem: String) {
            (testDescription, self.policy, self.problem) = (name, policy, problem)
        }
    }

    @Test(
        "What contradicts itself is told with its place",
        arguments: [
            Wrong(
                "a partner that is allowed and blocked",
                "partners: { allowed: [{ domain: p.test }], blocked: [P.test] }",
                "4:56: error: the domain p.test is in policy.partners.blocked[0] and in "
                    + "policy.partners.allowed[0].domain; keep one of them"
            ),
            Wrong(
                "a partner twice",
                "partners: { allowed: [{ domain: p.test, other_domains: [p.test] }] }",
                "4:59: error: the domain p.test is in policy.partners.allowed[0].other_domains[0] and in "
                    + "policy.partners.allowed[0].domain; keep one of them"
            ),
            Wrong(
                "a home domain as partner",
                "partners: { blocked: [a.test] }",
                "4:25: error: policy.partners.blocked[0] names a.test, which is a home domain; remove it here"
            ),
            Wrong(
                "a partner that is no domain",
                "partners: { blocked: ['bob@a'] }",
                "4:25: error: policy.partners.blocked[0] must be a domain name, not 'bob@a'"
            ),
            Wrong(
                "a proxy of a provider and of a partner",
                "{ providers: { y: { enabled: true, proxy: h.test } }, partners: { allowed: [{ domain: p.test, proxy: H.test }] } }",
                "4:104: error: the proxy h.test of p.test is y's already; a proxy has one owner"
            ),
            Wrong(
                "a provider that there is not",
                "providers: { yy: { enabled: true } }",
                "4:16: error: policy.providers.yy is about a provider that there is not; did you mean 'y'?"
            ),
            Wrong(
                "a licence that there is not",
                "providers: { y: { enabled: true, licence: gold } }",
                "4:45: error: policy.providers.y.licence names the licence 'gold', which is not in the catalogue; "
                    + "there are pic; policy.licences adds others"
            ),
            Wrong(
                "a seat outside the home domains",
                "seats: [{ user: alice@c.test, licence: pic, from: 2014-01-01 }]",
                "4:19: error: policy.seats[0].user: 'alice@c.test' is outside the home domains"
            ),
            Wrong(
                "a seat of nobody",
                "seats: [{ user: carl@a.test, licence: pic, from: 2014-01-01 }]",
                "4:19: error: policy.seats[0].user: 'carl@a.test' is no user of a.test"
            ),
            Wrong(
                "a seat that ends before it begins",
                "seats: [{ user: ben@a.test, licence: pic, from: 2014-01-02, until: 2014-01-01 }]",
                "4:11: error: policy.seats[0] ends before it begins"
            ),
            Wrong(
                "a seat that begins when none was sold any more, where that is blocked",
                "{ providers: { y: { enabled: true, passed_dates: block } }, "
                    + "seats: [{ user: ben@a.test, licence: pic, from: 2012-09-01 }] }",
                "4:71: error: policy.seats[0] begins on 2012-09-01, and the licence 'pic' is not sold since 2012-09-01; "
                    + "passed_dates of the providers that need it chooses"
            ),
            Wrong(
                "a day that there is not",
                "providers: { y: { enabled: true, end_of_life: 2014-06-31 } }",
                "4:49: error: policy.providers.y.end_of_life must be a day such as 2014-06-30, not '2014-06-31'"
            ),
            Wrong(
                "a policy of a user who is none",
                "access: { users: { carl@a.test: { xmpp: true } } }",
                "4:22: error: policy.access.users[\"carl@a.test\"]: 'carl@a.test' is no user of a.test"
            ),
            Wrong(
                "a policy of a domain that is not home",
                "access: { domains: { c.test: { xmpp: true } } }",
                "4:24: error: policy.access.domains[\"c.test\"] is about a domain that is no home domain"
            ),
        ]
    )
    func wrong(_ it: Wrong) {
        let text = "policy:\n  \(it.policy)"
        let (rules, problems) = read(text)
        #expect(rules == nil)
        #expect(problems.map(\.description) == ["p.yaml:\(it.problem)"])
    }
}
