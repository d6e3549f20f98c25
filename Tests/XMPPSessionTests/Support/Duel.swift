import XMPPWire

@testable import XMPPSession

/// Our outbound machine at a.test against our inbound machine at b.test, over bytes in memory.
struct Duel {
    /// How it ended, as both sides see it.
    enum End: Hashable {
        case none
        case plainDialback
        case tlsDialback
        case external

        init(_ authentication: Authentication?) {
            switch authentication {
            case nil: self = .none
            case .external: self = .external
            case .dialback(secured: true): self = .tlsDialback
            case .dialback(secured: false): self = .plainDialback
            }
        }
    }

    /// More passes than any negotiation takes.
    static let passesMax = 20

    let initiating: Endpoint
    let receiving: Endpoint
    var initiatingCertificate = TestCertificate.valid
    var receivingCertificate = TestCertificate.valid

    init(initiating: Endpoint, receiving: Endpoint) {
        self.initiating = initiating
        self.receiving = receiving
    }

    init(initiating: PartnerPolicy, receiving: PartnerPolicy) {
        self.init(initiating: .outbound(initiating), receiving: .inbound(partners: [receiving]))
    }

    /// Runs until neither side has anything to say.
    ///
    /// - Parameter verify: answers the questions of the receiving side about keys.
    func run(verify: (DialbackRequest) -> DialbackVerdict) {
        self.initiating.perform(outbound: { $0.connected() })
        for _ in 0..<Self.passesMax {
            let request = self.initiating.sent()
            let asked = self.receiving.receive(request).request
            if let asked {
                let verdict = verify(asked)
                self.receiving.perform(inbound: { $0.dialbackVerified(asked, verdict) })
            }
            let answer = self.receiving.sent()
            self.initiating.receive(answer)
            if self.initiating.wantsTLS && self.receiving.wantsTLS {
                self.receiving.establishTLS(with: self.initiatingCertificate.identity(of: "a.test"))
                self.initiating.establishTLS(with: self.receivingCertificate.identity(of: "b.test"))
            } else if request.isEmpty && answer.isEmpty && asked == nil {
                return
            }
        }
    }

    var initiatingEnd: End { End(self.initiating.actions.established) }

    var receivingEnd: End {
        End(self.receiving.actions.authenticated[DomainPair(sender: "a.test", target: "b.test")])
    }
}
