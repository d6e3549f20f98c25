import Testing

@testable import Routing

@Suite("RouteTable")
struct RouteTableTests {
    private static let home = 0
    private static let net = 1
    private static let bot = 2

    /// Home users, two partners of one network, and a bot with an address of the home domain and one of a partner's.
    private let table = RouteTable(
        claims: [
            .init(.domain, "home.example", owner: home),
            .init(.domain, "partner.example", owner: net),
            .init(.domain, "friend.example", owner: net),
            .init(.address, "bot@home.example", owner: bot),
            .init(.address, "other-bot@home.example", owner: bot),
            .init(.address, "bot@partner.example", owner: bot),
        ],
        homeDomains: ["home.example"],
        names: ["home", "net", "bot"],
        version: 3
    )

    private func decide(
        _ from: String,
        _ to: String,
        source: Int,
        hops: UInt32 = 0,
        expires: Int64 = 0,
        now: Int64 = 1000
    ) -> RouteTable.Decision {
        let (from, to) = (Array(from.utf8), Array(to.utf8))
        return from.withUnsafeBytes { from in
            to.withUnsafeBytes { to in
                table.decide(.init(from: from, to: to, source: source, hops: hops, expires: expires, now: now))
            }
        }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var from: String
        var to: String
        var source: Int
        var decision: RouteTable.Decision
        var testDescription: String { "\(from) to \(to) by \(source)" }

        init(_ from: String, _ to: String, by source: Int, _ decision: RouteTable.Decision) {
            (self.from, self.to, self.source, self.decision) = (from, to, source, decision)
        }
    }

    @Test(
        "Where an envelope goes follows from both addresses and the source",
        arguments: [
            // Home users.
            Case("ann@home.example", "ben@home.example", by: home, .deliver(to: home)),
            Case("ann@home.example", "u@partner.example", by: home, .deliver(to: net)),
            Case("ann@home.example", "bot@home.example", by: home, .deliver(to: bot)),
            Case("ann@home.example", "bot@partner.example", by: home, .deliver(to: bot)),
            Case("home.example", "partner.example", by: home, .deliver(to: net)),
            Case("ann@home.example", "u@nowhere.example", by: home, .refuse(.noRoute(domain: "nowhere.example"))),
            Case("ann@home.example", "nowhere", by: home, .refuse(.noRoute(domain: "nowhere"))),
            // The network.
            Case("u@partner.example", "ann@home.example", by: net, .deliver(to: home)),
            Case("u@partner.example", "bot@home.example", by: net, .deliver(to: bot)),
            Case("u@partner.example", "u@friend.example", by: net, .refuse(.neitherSideHome)),
            Case("u@partner.example", "bot@partner.example", by: net, .refuse(.neitherSideHome)),
            Case("u@partner.example", "u@nowhere.example", by: net, .refuse(.noRoute(domain: "nowhere.example"))),
            // The bot, which is a home user and a partner's.
            Case("bot@home.example", "ann@home.example", by: bot, .deliver(to: home)),
            Case("bot@home.example", "other-bot@home.example", by: bot, .deliver(to: bot)),
            Case("bot@home.example", "bot@partner.example", by: bot, .refuse(.loop(provider: "bot"))),
            Case("bot@partner.example", "bot@home.example", by: bot, .refuse(.loop(provider: "bot"))),
            Case("bot@partner.example", "ann@home.example", by: bot, .deliver(to: home)),
            // Senders that are not the source's.
            Case("ann@home.example", "ben@home.example", by: net, foreign("ann@home.example", "net")),
            Case("u@partner.example", "ann@home.example", by: home, foreign("u@partner.example", "home")),
            Case("bot@home.example", "ann@home.example", by: home, foreign("bot@home.example", "home")),
            Case("bot@partner.example", "ann@home.example", by: net, foreign("bot@partner.example", "net")),
            Case("u@nowhere.example", "ann@home.example", by: net, foreign("u@nowhere.example", "net")),
            Case(
                "u@home.example@nowhere.example",
                "ann@home.example",
                by: home,
                foreign("u@home.example@nowhere.example", "home")
            ),
            Case("ann@home.example", "ben@home.example", by: 9, foreign("ann@home.example", "#9")),
            // Addresses are compared byte by byte.
            Case("ann@home.example", "u@PARTNER.example", by: home, .refuse(.noRoute(domain: "PARTNER.example"))),
            Case("ann@home.example", "a@b@partner.example", by: home, .deliver(to: net)),
        ]
    )
    func decision(_ it: Case) {
        #expect(decide(it.from, it.to, source: it.source) == it.decision)
    }

    @Test("The domain of the address before changes no answer", arguments: -1...4)
    func lastDomain(last: Int32) {
        let addresses = [
            "ann@home.example", "bot@home.example", "u@partner.example", "u@friend.example", "u@nowhere.example",
            "home.example", "@home.example", "a@b@home.example", "u@xhome.example", "u.home.example",
            "u@home.example@x",
            "e.example", "", "@", "u@HOME.example",
        ]
        for address in addresses {
            Array(address.utf8).withUnsafeBytes { bytes in
                let (found, plain) = (table.locate(bytes, last: last), table.locate(bytes))
                #expect(found.place == plain.place, "\(address)")
                for sender in addresses {
                    Array(sender.utf8).withUnsafeBytes { from in
                        var (some, none) = (last, Int32(-1))
                        let target = table.target(from: from, source: Self.net, to: found, last: &some)
                        #expect(target == table.target(from: from, source: Self.net, to: plain, last: &none))
                        #expect(some == none, "\(sender) after \(address)")
                    }
                }
            }
        }
    }

    private static func foreign(_ address: String, _ provider: String) -> RouteTable.Decision {
        .refuse(.foreignSender(address: address, provider: provider))
    }

    @Test("The last hop but one is taken, the next is not")
    func hops() {
        let (from, to) = ("ann@home.example", "u@partner.example")
        #expect(decide(from, to, source: 0, hops: RouteTable.hopsMax - 1) == .deliver(to: 1))
        #expect(decide(from, to, source: 0, hops: RouteTable.hopsMax) == .refuse(.hopLimit(RouteTable.hopsMax)))
        #expect(decide(from, to, source: 0, hops: .max) == .refuse(.hopLimit(.max)))
    }

    @Test("An envelope lives until its time; 0 is for ever")
    func expiry() {
        let (from, to) = ("ann@home.example", "u@partner.example")
        #expect(decide(from, to, source: 0, expires: 1001, now: 1000) == .deliver(to: 1))
        #expect(decide(from, to, source: 0, expires: 1000, now: 1000) == .refuse(.expired))
        #expect(decide(from, to, source: 0, expires: -1, now: 1000) == .refuse(.expired))
        #expect(decide(from, to, source: 0, expires: 0, now: .max) == .deliver(to: 1))
    }

    @Test("Without claims nobody is anybody's")
    func empty() {
        let empty = RouteTable(claims: [], homeDomains: [], names: [])
        let address = Array("ann@home.example".utf8)
        address.withUnsafeBytes { address in
            #expect(empty.owner(of: address) == nil)
            #expect(!empty.isHome(address))
        }
    }

    @Test(
        "Each refusal says what was wrong, and has a short name",
        arguments: [
            (Refusal.noRoute(domain: "x.example"), "no provider serves x.example", "no-route"),
            (
                .foreignSender(address: "a@b", provider: "p"), "a@b is not an address of the provider p",
                "foreign-sender"
            ),
            (.neitherSideHome, "neither the sender nor the recipient belongs to a home domain", "neither-side-home"),
            (.loop(provider: "p"), "it would go back to p, where it came from", "loop"),
            (.hopLimit(16), "it has crossed 16 routers, which is the limit", "hop-limit"),
            (.expired, "it expired on the way", "expired"),
            (.spoolFull, "too many messages are waiting; try again later", "spool-full"),
            (.spoolFailed("why"), "the router cannot store it: why", "spool-failed"),
            (.tooLarge, "it is too large to be stored", "too-large"),
        ]
    )
    func sentences(refusal: Refusal, sentence: String, code: String) {
        #expect(refusal.description == sentence)
        #expect(refusal.code == code)
    }
}
