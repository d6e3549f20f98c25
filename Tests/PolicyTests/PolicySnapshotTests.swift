import IMModel
import Testing

@testable import Policy

@Suite("PolicySnapshot")
struct PolicySnapshotTests {
    @Test("A provider that the policy does not list is refused, with the section's place")
    func notListed() {
        let refusal = Model().snapshot.refusal(Asked(provider: "elsewhere"))
        #expect(refusal?.code == "provider-not-listed")
        #expect(refusal?.place == place("policy"))
    }

    @Test("Rules that say nothing allow nothing")
    func defaultDeny() {
        let snapshot = PolicySnapshot(PolicyRules(place: place("policy")))
        #expect(snapshot.refusal(Asked()) != nil)
    }

    @Test("A user's policy leaves to the domain's what it does not set, and that to everybody's")
    func narrowest() {
        var rules = Model(network: .skype, listing: .none, global: nil).rules
        let right = { (right: AccessRight, isAllowed: Bool) in
            AccessRule([right: Placed(isAllowed, at: place("\(right)"))])
        }
        rules.global = right(.publicNetworks, true)
        rules.domains = ["home.example": right(.publicAudioVideo, false)]
        rules.users = ["ann@home.example": right(.publicAudioVideo, true)]
        let snapshot = PolicySnapshot(rules)
        #expect(snapshot.refusal(Asked(kind: .call)) == nil)
        #expect(snapshot.refusal(Asked(kind: .call, local: "ben@home.example"))?.code == "no-public-audio-video")
        #expect(snapshot.refusal(Asked(local: "ben@home.example")) == nil)
        #expect(snapshot.refusal(Asked(local: "ben@second.example")) == nil)
    }

    @Test("A user with a seat and no policy of their own keeps the domain's policy")
    func seatKeepsDomain() {
        var rules = Model(network: .yahoo, global: false).rules
        rules.domains = ["home.example": AccessRule([.publicNetworks: Placed(true, at: place("domain"))])]
        rules.users = [:]
        #expect(PolicySnapshot(rules).refusal(Asked()) == nil)
    }

    @Test("Sub-domains of a partner are allowed by name only, and one that is blocked stays blocked")
    func subdomains() {
        var rules = Model().rules
        rules.allowed[0].otherDomains = ["chat.other.example"]
        rules.blocked = [Placed("bad.other.example", at: place("blocked"))]
        let snapshot = PolicySnapshot(rules)
        #expect(snapshot.refusal(Asked(remote: "bob@chat.other.example")) == nil)
        #expect(snapshot.refusal(Asked(remote: "bob@sub.other.example"))?.code == "partner-not-allowed")
        #expect(snapshot.refusal(Asked(remote: "bob@bad.other.example"))?.code == "domain-blocked")
    }

    @Test("Services and addresses with several @ are judged by what follows the last")
    func domains() {
        let snapshot = Model().snapshot
        #expect(snapshot.refusal(Asked(remote: "other.example")) == nil)
        #expect(snapshot.refusal(Asked(remote: "a@b@other.example")) == nil)
        #expect(snapshot.refusal(Asked(remote: "other.example@bad.example"))?.code == "partner-not-allowed")
        #expect(snapshot.refusal(Asked(remote: ""))?.code == "partner-not-allowed")
        #expect(snapshot.refusal(Asked(local: "home.example")) == nil)
    }

    @Test("Only partners that nobody listed count as discovered")
    func discovered() {
        let isDiscovered = { (model: Model) in
            model.snapshot.with(Asked()) { model.snapshot.decide($0, contacts: nil) }
        }
        #expect(isDiscovered(Model(listing: .none, discovery: true)) == .allow(isDiscovered: true))
        #expect(isDiscovered(Model(discovery: true)) == .allow(isDiscovered: false))
        #expect(isDiscovered(Model(network: .skype, listing: .none)) == .allow(isDiscovered: false))
    }

    @Test("A seat holds from the first moment of its first day to the last of its last")
    func seatBounds() throws {
        var rules = Model(network: .yahoo).rules
        let from = try #require(PolicyDate("2014-05-01"))
        let until = try #require(PolicyDate("2014-05-31"))
        rules.seats = [Seat(user: "ann@home.example", licence: "pic", from: from, until: until, at: place("seat"))]
        let snapshot = PolicySnapshot(rules)
        #expect(snapshot.refusal(Asked(now: from.begins - 1))?.code == "seat-not-begun")
        #expect(snapshot.refusal(Asked(now: from.begins)) == nil)
        #expect(snapshot.refusal(Asked(now: until.ends - 1)) == nil)
        #expect(snapshot.refusal(Asked(now: until.ends))?.code == "seat-ended")
    }

    @Test("Of several seats one that is active is enough, also an assigned one, and another licence's is none")
    func severalSeats() throws {
        let rules = Model(network: .yahoo, seat: .ended).rules
        let from = try #require(PolicyDate("2014-01-01"))
        let active = Seat(user: "ann@home.example", licence: "pic", from: from, at: place("second"))
        #expect(PolicySnapshot(rules).refusal(Asked())?.code == "seat-ended")
        #expect(PolicySnapshot(rules, assigned: [active]).refusal(Asked()) == nil)
        let other = Seat(user: "ann@home.example", licence: "other", from: from, at: place("second"))
        #expect(PolicySnapshot(rules, assigned: [other]).refusal(Asked())?.code == "seat-ended")
    }

    @Test("A service lives through its last day, and then the operator's choice counts")
    func endOfLife() throws {
        var rules = Model().rules
        let last = try #require(PolicyDate("2014-06-30"))
        rules.providers[0].endOfLife = Placed(last, at: place("end"))
        rules.providers[0].passedDates = Placed(.block, at: place("passed"))
        let snapshot = PolicySnapshot(rules)
        #expect(snapshot.refusal(Asked(now: last.ends - 1)) == nil)
        #expect(snapshot.refusal(Asked(now: last.ends))?.sentence == "the service of net ended with 2014-06-30")
    }

    @Test("A licence that the catalogue lacks is nobody's")
    func unknownLicence() {
        var rules = Model().rules
        rules.providers[0].licence = Placed("gold", at: place("licence"))
        rules.seats = []
        #expect(PolicySnapshot(rules).refusal(Asked())?.code == "no-seat")
    }

    @Test("What is known of the networks: permission, licence and announced end")
    func networks() {
        #expect(Network.allCases.filter { $0.licence == "pic" } == [.yahoo])
        #expect(Network.allCases.filter { $0.endOfLife == PolicyDate("2014-06-30") } == [.aol, .yahoo])
        #expect(Network.allCases.filter { !$0.hasPartners } == [.aol, .windowsLive, .yahoo, .skype])
        #expect(LicenceRule.publicIM.closedFrom?.value == PolicyDate("2012-09-01"))
        let guesses: [(String, Network)] = [
            ("AOL", .aol), ("WindowsLive", .windowsLive), ("/opt/libYahoo.so", .yahoo), ("XMPP", .xmpp), ("SIP", .sip),
            ("Skype", .skype), ("EchoProvider", .other), ("/opt/xmpp/libEcho.so", .other),
        ]
        for (plugin, network) in guesses { #expect(Network(guessedFrom: plugin) == network, "\(plugin)") }
    }

    @Test("Names are found among many, and only they")
    func names() {
        let names = (0..<5000).map { "user\($0)@home.example" }
        let table = NameTable(Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, UInt32($0)) }))
        let find = { (name: String) in Array(name.utf8).withUnsafeBytes { table.value(of: $0) } }
        for (index, name) in names.enumerated() { #expect(find(name) == UInt32(index)) }
        for name in ["", "user", "user5000@home.example", "User1@home.example"] { #expect(find(name) == nil) }
        #expect(Array("a".utf8).withUnsafeBytes { NameTable([:]).value(of: $0) } == nil)
    }
}
