import Testing

@testable import XMPPSession

@Suite struct PartnerPolicyTests {
    @Test("A policy that names nothing but the domain demands a certificate over TLS")
    func defaults() {
        let policy = PartnerPolicy(domain: "a.test")
        #expect(policy.tls == .required)
        #expect(policy.sasl == .required)
        #expect(policy.dialback)
        #expect(policy.keepAlive == .seconds(300))
        #expect(policy.connectionLimit == 20)
        #expect(policy.problems().isEmpty)
    }

    @Test(
        "A combination that cannot work, or hardly as meant, is told",
        arguments: [
            (PartnerPolicy.Negotiation.required, PartnerPolicy.Negotiation.required, true, PartnerPolicyProblem?.none),
            (.required, .required, false, nil),
            (.required, .optional, true, nil),
            (.required, .optional, false, nil),
            (.required, .notSupported, true, nil),
            (.required, .notSupported, false, .authenticationImpossible),
            (.optional, .required, true, .saslRequiredTLSOptional),
            (.optional, .required, false, .saslRequiredTLSOptional),
            (.optional, .optional, true, nil),
            (.optional, .optional, false, .saslRequiredTLSOptional),
            (.optional, .notSupported, true, nil),
            (.optional, .notSupported, false, .authenticationImpossible),
            (.notSupported, .required, true, .saslWithoutTLS),
            (.notSupported, .required, false, .saslWithoutTLS),
            (.notSupported, .optional, true, .saslOptionalWithoutTLS),
            (.notSupported, .optional, false, .authenticationImpossible),
            (.notSupported, .notSupported, true, nil),
            (.notSupported, .notSupported, false, .authenticationImpossible),
        ]
    )
    func combinations(
        tls: PartnerPolicy.Negotiation,
        sasl: PartnerPolicy.Negotiation,
        dialback: Bool,
        expected: PartnerPolicyProblem?
    ) {
        let problems = PartnerPolicy(domain: "a.test", tls: tls, sasl: sasl, dialback: dialback).problems()
        #expect(problems == [expected].compactMap { $0 })
    }

    @Test("Two servers with a policy without errors can meet, and with a policy with errors never do")
    func problemsAgreeWithMachines() {
        for policy in PartnerPolicy.all(for: "b.test") {
            let duel = Duel(
                initiating: policy,
                receiving: PartnerPolicy(
                    domain: "a.test",
                    tls: policy.tls,
                    sasl: policy.sasl,
                    dialback: policy.dialback
                )
            )
            duel.run { _ in .valid }
            let hasErrors = policy.problems().contains { $0.severity == .error }
            #expect((duel.initiatingEnd == .none) == hasErrors, "\(policy)")
        }
    }

    @Test("Domains are normalised, and what is none is told")
    func domains() {
        let policy = PartnerPolicy(domain: "A.Test.", additionalDomains: ["Rooms.A.TEST", "x@y", ""])
        #expect(policy.domains == ["a.test", "rooms.a.test", "x@y", ""])
        #expect(policy.problems() == [.additionalDomainInvalid("x@y"), .additionalDomainInvalid("")])
        #expect(PartnerPolicy(domain: "a b").problems() == [.domainInvalid("a b")])
        let twice = PartnerPolicy(domain: "a.test", additionalDomains: ["b.test", "A.test"])
        #expect(twice.problems() == [.domainRepeated("a.test")])
        let server = ServerPolicy(mainDomain: "B.Test", otherDomains: ["@"])
        #expect(server.serves("b.test"))
        #expect(!server.serves("chat.b.test"))
        #expect(server.invalidDomains == ["@"])
    }

    @Test("Numbers are told where they are out of range, and not at its ends")
    func ranges() {
        var policy = PartnerPolicy(domain: "a.test")
        for interval in [PartnerPolicy.keepAliveRange.lowerBound, PartnerPolicy.keepAliveRange.upperBound] {
            policy.keepAlive = interval
            policy.connectionLimit = 1
            #expect(policy.problems().isEmpty)
        }
        policy.keepAlive = PartnerPolicy.keepAliveRange.upperBound + .seconds(1)
        #expect(policy.problems() == [.keepAliveOutOfRange(.seconds(86_401))])
        policy.keepAlive = nil
        policy.connectionLimit = PartnerPolicy.connectionLimitMax
        #expect(policy.problems().isEmpty)
        policy.connectionLimit += 1
        #expect(policy.problems() == [.connectionLimitOutOfRange(1001)])
        policy.connectionLimit = 0
        #expect(policy.problems() == [.connectionLimitOutOfRange(0)])
    }

    @Test("As many additional domains as are allowed are taken, and one more is told")
    func additionalDomainsLimit() {
        let domains = (0...PartnerPolicy.additionalDomainsMax).map { "d\($0).test" }
        #expect(PartnerPolicy(domain: "a.test", additionalDomains: domains.dropLast()).problems().isEmpty)
        let problems = PartnerPolicy(domain: "a.test", additionalDomains: domains).problems()
        #expect(problems == [.additionalDomainsTooMany(PartnerPolicy.additionalDomainsMax + 1)])
    }

    @Test("A proxy has a host, and a port that is not 0")
    func proxy() {
        var policy = PartnerPolicy(domain: "a.test", proxy: PartnerPolicy.Proxy(host: "192.0.2.1", port: 5269))
        #expect(policy.problems().isEmpty)
        policy.proxy = PartnerPolicy.Proxy(host: "a.test", port: 0)
        #expect(policy.problems() == [.proxyInvalid("a.test:0")])
        policy.proxy = PartnerPolicy.Proxy(host: "")
        #expect(policy.problems() == [.proxyInvalid("")])
    }

    @Test("Direct TLS cannot be required where TLS is off")
    func directTLS() {
        let policy = PartnerPolicy(domain: "a.test", tls: .notSupported, sasl: .notSupported, directTLS: .required)
        #expect(policy.problems() == [.directTLSWithoutTLS])
    }

    @Test("Partners are found by each of their domains, and by no sub-domain")
    func table() {
        let table = PartnerTable([
            PartnerPolicy(domain: "a.test", additionalDomains: ["rooms.a.test"]), PartnerPolicy(domain: "c.test"),
            PartnerPolicy(domain: "b.test", additionalDomains: ["c.test"]),
        ])
        #expect(table.policy(for: "rooms.a.test")?.domain == "a.test")
        #expect(table.policy(for: "c.test")?.domain == "c.test")
        #expect(table.policy(for: "chat.a.test") == nil)
        #expect(table.problems(servedDomains: ["b.test"]) == [.domainRepeated("c.test"), .domainServedHere("b.test")])
    }

    @Test("A problem names the setting and says what to do")
    func descriptions() {
        #expect(
            PartnerPolicyProblem.saslWithoutTLS.description
                == "tls: sasl is required, but needs tls, which is not_supported; "
                + "set tls: required, or sasl: not_supported with dialback: true"
        )
        #expect(PartnerPolicyProblem.saslRequiredTLSOptional.severity == .warning)
        #expect(
            PartnerPolicyProblem.keepAliveOutOfRange(.seconds(1)).description
                == "keep_alive: a keep_alive of 1.0 seconds is out of range; "
                + "give 10.0 seconds to 86400.0 seconds, or false"
        )
    }
}
