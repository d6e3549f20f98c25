import Testing
import XMPPWire

@testable import XMPPSession

/// A peer that says the right things in any order, and some wrong ones.
@Suite struct RandomPeerTests {
    static let sequencesMax = 3000
    static let stepsMax = 12

    private static let headers = [
        Script.header(), Script.header(from: nil), Script.header(version: nil), Script.header(from: "c.test"),
    ]

    private static let toInbound = [
        Script.startTLS, Script.auth("="), Script.auth(""), Script.auth(InboundNegotiationTests.otherIdentity),
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>",
        Script.key(), Script.key(from: "c.test"), Script.key(to: "rooms.b.test"),
        "<db:verify id='1' from='a.test' to='b.test'>abc</db:verify>",
        "<db:result from='a.test' to='b.test' type='valid'/>", Script.message,
        "<iq from='c.test' to='b.test' type='get' id='1'/>", "<presence from='x@a.test' to='rooms.b.test'/>",
        Script.streamError("reset"), Script.end, " ",
    ]

    private static let answers = [Script.answer(), Script.answer(version: nil), Script.answer(id: nil)]

    private static let toOutbound = [
        Script.features(),
        Script.features(Script.startTLS), Script.features(Script.dialbackFeature), Script.features(Script.external),
        Script.features(Script.external + Script.dialbackFeature), Script.proceed, Script.success, Script.saslFailure,
        "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<db:result from='b.test' to='a.test' type='valid'/>",
        "<db:result from='b.test' to='a.test' type='invalid'/>", Script.message, Script.streamError("reset"),
        Script.end, " ",
    ]

    @Test("No order of events gets a stanza through that was not authenticated")
    func inbound() {
        var random = SplitMix(state: 1)
        var deliveries = 0
        for _ in 0..<Self.sequencesMax {
            let endpoint = Endpoint.inbound(partners: [.open("a.test"), .open("c.test")])
            for _ in 0..<Self.stepsMax {
                let wasFinished = endpoint.isFinished
                let actions = Self.step(endpoint, &random)
                #expect(!wasFinished || actions.isEmpty)
            }
            deliveries += Self.checkDeliveries(endpoint)
            Self.checkEnd(endpoint)
        }
        // The property would hold of a machine that delivers nothing, too.
        #expect(deliveries > 50)
    }

    @Test("No order of events establishes an outbound stream twice, or after it failed")
    func outbound() {
        var random = SplitMix(state: 2)
        var established = 0
        for _ in 0..<Self.sequencesMax {
            let endpoint = Endpoint.connected()
            for _ in 0..<Self.stepsMax {
                let wasFinished = endpoint.isFinished
                let before = endpoint.actions.count
                endpoint.receive(random.pick(endpoint.awaitsHeader ? Self.answers : Self.toOutbound))
                if endpoint.wantsTLS { endpoint.establishTLS(with: TestCertificate.valid.identity(of: "b.test")) }
                #expect(!wasFinished || endpoint.actions.count == before)
            }
            let count = endpoint.actions.filter { if case .established = $0 { true } else { false } }.count
            #expect(count <= 1)
            established += count
            Self.checkEnd(endpoint)
        }
        #expect(established > 10)
    }

    private static let bothWays = "<bidi xmlns='urn:xmpp:features:bidi'/>"
    private static let valid = "<db:result from='b.test' to='a.test' type='valid'/>"

    private static let right = [
        Script.features(Script.external + bothWays), Script.features(Script.dialbackFeature + bothWays),
        Script.success, valid, "<message from='y@b.test' to='x@a.test'/>", "<message from='y@b.test' to='x@a.test'/>",
    ]

    private static let wrong = [
        Script.features(), Script.saslFailure, "<db:result from='b.test' to='a.test'>abc</db:result>",
        "<db:verify from='b.test' to='a.test' id='1'>abc</db:verify>", "<enabled xmlns='urn:xmpp:sm:3'/>",
        "<message from='y@c.test' to='x@a.test'/>", "<iq from='b.test' to='c.test' type='get' id='1'/>", Script.end,
    ]

    @Test("No order of events gets a stanza in on an outbound stream whose server has not proved its domain")
    func outboundBothWays() {
        var random = SplitMix(state: 3)
        var deliveries = 0
        for _ in 0..<Self.sequencesMax {
            let certificate = random.pick(TestCertificate.allCases)
            let endpoint = Endpoint.outbound()
            if random.pick([true, false]) {
                endpoint.establishTLS(with: certificate.identity(of: "b.test"))
            } else {
                endpoint.perform(outbound: { $0.connected() })
            }
            var (heard, said) = ("", "")
            for _ in 0..<Self.stepsMax {
                let next = random.pick([Self.right, Self.right, Self.right, Self.wrong])
                let piece = endpoint.awaitsHeader ? Script.answer() : random.pick(next)
                heard += piece
                let delivered = endpoint.receive(piece).delivered
                said += endpoint.sent()
                guard !delivered.isEmpty else { continue }
                deliveries += 1
                let isCertified = said.contains("<auth") && heard.contains(Script.success) && certificate == .valid
                let isDialed = said.contains("<db:result from='a.test'") && heard.contains(Self.valid)
                #expect(said.contains("urn:xmpp:bidi'") && (isCertified || isDialed), "\(heard)")
                #expect(delivered.allSatisfy { $0["from"] == "y@b.test" && $0["to"] == "x@a.test" })
            }
            Self.checkEnd(endpoint)
        }
        #expect(deliveries > 5)
    }

    /// One thing that happens to an inbound stream.
    private static func step(_ endpoint: Endpoint, _ random: inout SplitMix) -> [StreamAction] {
        let before = endpoint.actions.count
        endpoint.receive(random.pick(endpoint.awaitsHeader ? self.headers : self.toInbound))
        if endpoint.wantsTLS {
            let certificate = random.pick(TestCertificate.allCases)
            endpoint.establishTLS(with: certificate.identity(of: "a.test", "c.test"))
        }
        if let request = Array(endpoint.actions[before...]).request {
            let verdict = random.pick([DialbackVerdict.valid, .valid, .invalid, .failed(.serverNotFound)])
            endpoint.perform(inbound: { $0.dialbackVerified(request, verdict) })
        }
        return Array(endpoint.actions[before...])
    }

    private static func checkDeliveries(_ endpoint: Endpoint) -> Int {
        var pairs: Set<DomainPair> = []
        var deliveries = 0
        for action in endpoint.actions {
            switch action {
            case .authenticated(let pair, _): pairs.insert(pair)
            case .restartParser: pairs = []
            case .deliver(let stanza):
                let from = self.domain(stanza["from"])
                let to = self.domain(stanza["to"])
                #expect(pairs.contains(DomainPair(sender: from, target: to)))
                deliveries += 1
            default: break
            }
        }
        return deliveries
    }

    private static func domain(_ address: String?) -> String {
        (try? JID(address ?? ""))?.domain ?? ""
    }

    private static func checkEnd(_ endpoint: Endpoint) {
        let failures = endpoint.actions.filter { if case .failed = $0 { true } else { false } }.count
        let finishes = endpoint.actions.filter { $0 == .finish }.count
        #expect(failures <= 1)
        #expect(finishes <= 1)
    }
}

/// SplitMix64: the same numbers in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<Choice>(_ choices: [Choice]) -> Choice {
        choices[Int.random(in: 0..<choices.count, using: &self)]
    }
}
