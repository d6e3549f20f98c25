import Testing

@testable import XMPPSession

/// Both machines against each other, through all policies, certificates and verdicts.
@Suite struct PolicyMatrixTests {
    /// How it ends when both sides have the same policy and kind of certificate, and every dialback key is valid.
    ///
    /// E: EXTERNAL. T: dialback over TLS. P: dialback in the clear. -: nothing. Columns: certificate missing, untrusted,
    /// for another name, valid.
    static let symmetric: [(PartnerPolicy.Negotiation, PartnerPolicy.Negotiation, Bool, String)] = [
        (.required, .required, true, "---E"),
        (.required, .required, false, "---E"),
        (.required, .optional, true, "TTTE"),
        (.required, .optional, false, "---E"),
        (.required, .notSupported, true, "TTTT"),
        (.required, .notSupported, false, "----"),
        (.optional, .required, true, "---E"),
        (.optional, .required, false, "---E"),
        (.optional, .optional, true, "TTTE"),
        (.optional, .optional, false, "---E"),
        (.optional, .notSupported, true, "TTTT"),
        (.optional, .notSupported, false, "----"),
        (.notSupported, .required, true, "----"),
        (.notSupported, .required, false, "----"),
        (.notSupported, .optional, true, "PPPP"),
        (.notSupported, .optional, false, "----"),
        (.notSupported, .notSupported, true, "PPPP"),
        (.notSupported, .notSupported, false, "----"),
    ]

    /// The same with a peer that has neither TLS nor SASL, only dialback: as initiating and as receiving server.
    static let plainPeer: [(PartnerPolicy.Negotiation, PartnerPolicy.Negotiation, Bool, String)] =
        symmetric.map { tls, sasl, dialback, _ in
            (tls, sasl, dialback, tls != .required && sasl != .required && dialback ? "P" : "-")
        }

    @Test("Two servers with the same policy end where its row says", arguments: Self.symmetric)
    func sameOnBothSides(
        tls: PartnerPolicy.Negotiation,
        sasl: PartnerPolicy.Negotiation,
        dialback: Bool,
        row: String
    ) {
        for (certificate, expected) in zip(TestCertificate.allCases, row) {
            var duel = Duel(
                initiating: PartnerPolicy(domain: "b.test", tls: tls, sasl: sasl, dialback: dialback),
                receiving: PartnerPolicy(domain: "a.test", tls: tls, sasl: sasl, dialback: dialback)
            )
            duel.initiatingCertificate = certificate
            duel.receivingCertificate = certificate
            duel.run { _ in .valid }
            #expect(duel.initiatingEnd == Self.end(expected), "\(certificate)")
            #expect(duel.receivingEnd == Self.end(expected), "\(certificate)")
        }
    }

    @Test("A peer without TLS and SASL is met as the policy says", arguments: Self.plainPeer)
    func againstPlainPeer(
        tls: PartnerPolicy.Negotiation,
        sasl: PartnerPolicy.Negotiation,
        dialback: Bool,
        row: String
    ) {
        let ours = { PartnerPolicy(domain: $0, tls: tls, sasl: sasl, dialback: dialback) }
        let plain = { PartnerPolicy(domain: $0, tls: .notSupported, sasl: .notSupported, directTLS: .notSupported) }
        let duels = [
            Duel(initiating: ours("b.test"), receiving: plain("a.test")),
            Duel(initiating: plain("b.test"), receiving: ours("a.test")),
        ]
        for duel in duels {
            duel.run { _ in .valid }
            #expect(duel.initiatingEnd == Self.end(row.first))
            #expect(duel.receivingEnd == Self.end(row.first))
        }
    }

    @Test(
        "Any two policies, certificates and verdicts end as the rule says",
        arguments: PartnerPolicy.all(for: "b.test")
    )
    func everything(initiating: PartnerPolicy) {
        for receiving in PartnerPolicy.all(for: "a.test") {
            for initiatingCertificate in TestCertificate.allCases {
                for receivingCertificate in TestCertificate.allCases {
                    for verdict in [DialbackVerdict.valid, .invalid, .failed(.serverUnreachable)] {
                        var duel = Duel(initiating: initiating, receiving: receiving)
                        duel.initiatingCertificate = initiatingCertificate
                        duel.receivingCertificate = receivingCertificate
                        let expected = Self.rule(duel, initiating, receiving, verdict)
                        duel.run { _ in verdict }
                        Self.check(duel, expected, "\(receiving) \(initiatingCertificate) \(receivingCertificate)")
                    }
                }
            }
        }
    }

    /// What must hold of every ended negotiation.
    private static func check(_ duel: Duel, _ expected: Duel.End, _ comment: Comment) {
        #expect(duel.initiatingEnd == expected, comment)
        #expect(duel.receivingEnd == expected, comment)
        let failures = [duel.initiating, duel.receiving].map { endpoint in
            endpoint.actions.filter { if case .failed = $0 { true } else { false } }.count
        }
        #expect(failures.allSatisfy { $0 <= 1 }, comment)
        if expected == .none {
            #expect(failures[0] == 1, comment)
            #expect(duel.initiating.isFinished, comment)
            #expect(duel.receiving.isFinished, comment)
        } else {
            #expect(failures == [0, 0], comment)
        }
    }

    /// The negotiation matrix in one place, written down apart from the machines.
    private static func rule(
        _ duel: Duel,
        _ initiating: PartnerPolicy,
        _ receiving: PartnerPolicy,
        _ verdict: DialbackVerdict
    ) -> Duel.End {
        let policies = [initiating, receiving]
        let secured = policies.allSatisfy { $0.tls != .notSupported }
        if !secured && policies.contains(where: { $0.tls == .required }) { return .none }
        let bothCertificatesProve = duel.initiatingCertificate == .valid && duel.receivingCertificate == .valid
        if secured && bothCertificatesProve && policies.allSatisfy({ $0.sasl != .notSupported }) { return .external }
        if policies.contains(where: { $0.sasl == .required || !$0.dialback }) { return .none }
        guard verdict == .valid else { return .none }
        return secured ? .tlsDialback : .plainDialback
    }

    private static func end(_ letter: Character?) -> Duel.End {
        switch letter {
        case "E": .external
        case "T": .tlsDialback
        case "P": .plainDialback
        default: .none
        }
    }
}
