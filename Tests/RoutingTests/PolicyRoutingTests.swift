import Policy
import Testing

@testable import Routing

@Suite("Routes with a policy")
struct PolicyRoutingTests {
    private static let place = Place(keyPath: "policy")

    /// A network with one allowed partner, and another that the policy does not list.
    private static func table(discovery: Bool = false, withPolicy: Bool = true) -> RouteTable {
        var rules = PolicyRules(place: place)
        rules.federation = Placed(true, at: place)
        rules.partnerDiscovery = Placed(discovery, at: place)
        rules.providers = [ProviderRule("net", network: .sip, enabled: true, at: place)]
        rules.allowed = [PartnerRule("partner.example", type: .publicUnverified, at: place)]
        rules.global = AccessRule([.federation: Placed(true, at: place)])
        return RouteTable(
            claims: [
                .init(.domain, "home.example", owner: 0),
                .init(.domain, "partner.example", owner: 1),
                .init(.domain, "stranger.example", owner: 1),
                .init(.domain, "other.example", owner: 2),
            ],
            homeDomains: ["home.example"],
            names: ["home", "net", "other"],
            policy: withPolicy ? PolicySnapshot(rules) : nil,
            contacts: ContactLookup { "\($0) \($1)" == "ann@home.example bob@partner.example" }
        )
    }

    private func ask<T>(_ from: String, _ to: String, _ body: (RouteTable.Question) -> T) -> T {
        let (from, to) = (Array(from.utf8), Array(to.utf8))
        return from.withUnsafeBytes { from in
            to.withUnsafeBytes { to in
                let sender = String(decoding: from, as: UTF8.self)
                let source = sender.hasSuffix("home.example") ? 0 : sender.hasSuffix("other.example") ? 2 : 1
                return body(.init(from: from, to: to, source: source, hops: 0, expires: 0, now: 1000))
            }
        }
    }

    /// The code of the refusal, or where it goes.
    private func decide(_ table: RouteTable, _ from: String, _ to: String) -> String {
        ask(from, to) { question in
            let decision = table.decide(question)
            // Asked or explained, it is the same.
            #expect(table.explain(question).decision == decision)
            switch decision {
            case .deliver(let target): return "to \(target)"
            case .deliverLimited(let target): return "limited to \(target)"
            case .refuse(let refusal): return refusal.code
            }
        }
    }

    @Test("What passes between home users and others is policy's, both ways; what home users say to each other is not")
    func decisions() {
        let table = Self.table()
        #expect(decide(table, "ann@home.example", "bob@partner.example") == "to 1")
        #expect(decide(table, "bob@partner.example", "ann@home.example") == "to 0")
        #expect(decide(table, "bob@partner.example", "ben@home.example") == "not-a-contact")
        #expect(decide(table, "ann@home.example", "eve@stranger.example") == "partner-not-allowed")
        #expect(decide(table, "eve@stranger.example", "ann@home.example") == "partner-not-allowed")
        #expect(decide(table, "ann@home.example", "joe@other.example") == "provider-not-listed")
        #expect(decide(table, "joe@other.example", "ann@home.example") == "provider-not-listed")
        #expect(decide(table, "ann@home.example", "ben@home.example") == "to 0")
        #expect(decide(table, "ann@home.example", "u@nowhere.example") == "no-route")
    }

    @Test("Without a policy everything passes that has a route")
    func open() {
        let table = Self.table(withPolicy: false)
        #expect(decide(table, "ann@home.example", "joe@other.example") == "to 2")
        #expect(decide(table, "eve@stranger.example", "ann@home.example") == "to 0")
    }

    @Test("Only what a discovered partner sends is limited")
    func discovered() {
        let table = Self.table(discovery: true)
        #expect(decide(table, "eve@stranger.example", "ann@home.example") == "limited to 0")
        #expect(decide(table, "ann@home.example", "eve@stranger.example") == "to 1")
        #expect(decide(table, "bob@partner.example", "ann@home.example") == "to 0")
    }

    @Test("An explanation tells the policy's rules, and that none was asked where the routes decide")
    func explanation() {
        let table = Self.table()
        let explain = { (from: String, to: String) in self.ask(from, to) { table.explain($0) } }
        let refused = explain("bob@partner.example", "ben@home.example")
        #expect(refused.isPolicyAsked)
        #expect(refused.trail.map(\.rule) == [.provider, .edge, .partner, .access, .verification])
        #expect(refused.trail.last?.sentence == "ben@home.example has to add bob@partner.example as a contact first")
        for (from, to) in [("ann@home.example", "ben@home.example"), ("ann@home.example", "u@nowhere.example")] {
            let explained = explain(from, to)
            #expect(!explained.isPolicyAsked && explained.trail.isEmpty)
        }
    }
}
