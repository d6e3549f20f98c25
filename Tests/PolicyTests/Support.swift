import IMModel

@testable import Policy

/// A question of whole values.
struct Asked: Hashable, Sendable {
    var kind = PolicyQuestion.Kind.message
    var direction = PolicyQuestion.Direction.outgoing
    var vouching = Vouching.absent
    var local = "ann@home.example"
    var remote = "bob@other.example"
    var provider = "net"
    var now: Int64 = 1_400_000_000_000
}

extension PolicySnapshot {
    /// Lends a question's bytes.
    func with<Result>(_ asked: Asked, _ body: (PolicyQuestion) -> Result) -> Result {
        let isOutgoing = asked.direction == .outgoing
        let from = Array((isOutgoing ? asked.local : asked.remote).utf8)
        let to = Array((isOutgoing ? asked.remote : asked.local).utf8)
        return from.withUnsafeBytes { from in
            to.withUnsafeBytes { to in
                body(
                    PolicyQuestion(
                        from: from,
                        to: to,
                        kind: asked.kind,
                        direction: asked.direction,
                        provider: number(of: asked.provider),
                        vouching: asked.vouching,
                        now: asked.now
                    )
                )
            }
        }
    }

    /// What a refusal says; nil: it is allowed.
    func refusal(_ asked: Asked, contacts: (any ContactList)? = nil) -> PolicyRefusal? {
        with(asked) { question in
            guard case .refuse(let reason) = decide(question, contacts: contacts) else { return nil }
            return refusal(for: reason, question)
        }
    }
}

func place(_ key: String) -> Place { Place(file: "a.yaml", line: 1, column: 1, keyPath: key) }

/// One choice for each setting of the model.
struct Model: Sendable {
    enum Listing: CaseIterable, Sendable { case blocked, federated, verified, unverified, none }
    enum SeatState: CaseIterable, Sendable { case none, active, notBegun, ended }
    enum EndOfLife: CaseIterable, Sendable { case none, ahead, passedBlock, passedWarn, passedIgnore }
    enum Contacts: CaseIterable, Sendable { case noList, added, notAdded }

    static let networks: [Network] = [.yahoo, .skype, .xmpp, .sip]
    static let choices: [Bool?] = [nil, false, true]

    var network = Network.sip
    var isEnabled = true
    var edge = true
    var listing = Listing.federated
    var discovery = false
    /// Of the permission that the network needs.
    var global: Bool? = true
    var domain: Bool?
    var user: Bool?
    /// Of everybody.
    var audioVideo: Bool?
    var seat = SeatState.active
    var endOfLife = EndOfLife.none
    var verification = VerificationLevel.all
    var contacts = Contacts.notAdded

    var snapshot: PolicySnapshot { PolicySnapshot(rules) }

    var rules: PolicyRules {
        var rules = PolicyRules(place: place("policy"))
        rules.federation = Placed(edge, at: place("edge"))
        rules.partnerDiscovery = Placed(discovery, at: place("discovery"))
        var provider = ProviderRule("net", network: network, enabled: isEnabled, at: place("net"))
        provider.verification = Placed(verification, at: place("verification"))
        provider.endOfLife = endOfLife == .none ? nil : Placed(day(endOfLife == .ahead ? 20 : 10), at: place("end"))
        let passed: PassedDates = endOfLife == .passedBlock ? .block : endOfLife == .passedIgnore ? .ignore : .warn
        provider.passedDates = Placed(passed, at: place("passed"))
        rules.providers = [provider]
        switch listing {
        case .blocked: rules.blocked = [Placed("other.example", at: place("blocked"))]
        case .federated: rules.allowed = [partner(.federated)]
        case .verified: rules.allowed = [partner(.publicVerified)]
        case .unverified: rules.allowed = [partner(.publicUnverified)]
        case .none: break
        }
        rules.global = access(global, "global")
        if let audioVideo { rules.global.rights[.publicAudioVideo] = Placed(audioVideo, at: place("video")) }
        rules.domains = ["home.example": access(domain, "domain")]
        rules.users = ["ann@home.example": access(user, "user")]
        rules.seats = seats
        return rules
    }

    private func access(_ isAllowed: Bool?, _ key: String) -> AccessRule {
        AccessRule(isAllowed.map { [network.access: Placed($0, at: place(key))] } ?? [:])
    }

    private func partner(_ type: PartnerType) -> PartnerRule {
        var rule = PartnerRule("other.example", type: type, at: place("partner"))
        rule.type.place = place("type")
        return rule
    }

    private var seats: [Seat] {
        switch seat {
        case .none: []
        case .active: [Seat(user: "ann@home.example", licence: "pic", from: day(10), until: day(20), at: place("seat"))]
        case .notBegun: [Seat(user: "ann@home.example", licence: "pic", from: day(14), at: place("seat"))]
        case .ended: [Seat(user: "ann@home.example", licence: "pic", from: day(1), until: day(12), at: place("seat"))]
        }
    }

    /// Questions are asked on 13 May 2014.
    private func day(_ day: Int) -> PolicyDate {
        PolicyDate(milliseconds: 1_399_939_200_000 + Int64(day - 13) * 86_400_000)
    }

    var contactList: (any ContactList)? {
        switch contacts {
        case .noList: nil
        case .added: ContactLookup { "\($0)" == "ann@home.example" && "\($1)" == "bob@other.example" }
        case .notAdded: ContactLookup { _, _ in false }
        }
    }

    /// What should be said: code and place of the refusal, written down as sip-federation manuals tell it, a line a rule.
    func expected(_ asked: Asked) -> [String]? {
        let isPublic = network == .yahoo || network == .skype
        let isListed = listing != .none && listing != .blocked
        let (allowed, by) =
            user.map { ($0, "user") } ?? domain.map { ($0, "domain") } ?? global.map { ($0, "global") }
            ?? (false, "policy.access")
        let right = isPublic ? "no-public-access" : network == .xmpp ? "no-xmpp-access" : "no-federation-access"
        let isUnknown = contacts != .added
        let isIncoming = asked.direction == .incoming
        let usesLevel = isIncoming && (isPublic || !isListed)
        let rules: [(Bool, String, String)] = [
            (!isEnabled, "provider-disabled", "net"),
            (!edge, "federation-off", "edge"),
            (listing == .blocked, "domain-blocked", "blocked"),
            (!isPublic && !isListed && !discovery, "partner-not-allowed", "discovery"),
            (!allowed, right, by),
            (
                isPublic && asked.kind == .call && audioVideo != true, "no-public-audio-video",
                audioVideo == nil ? "policy.access" : "video"
            ),
            (network == .yahoo && seat == .none, "no-seat", "net"),
            (network == .yahoo && seat == .notBegun, "seat-not-begun", "seat"),
            (network == .yahoo && seat == .ended, "seat-ended", "seat"),
            (endOfLife == .passedBlock, "service-ended", "passed"),
            (usesLevel && verification == .provider && asked.vouching == .absent, "not-vouched", "verification"),
            (
                usesLevel && verification == .provider && asked.vouching == .unverified && isUnknown, "not-a-contact",
                "verification"
            ),
            (usesLevel && verification == .contacts && isUnknown, "not-a-contact", "verification"),
            (isIncoming && !isPublic && listing == .unverified && isUnknown, "not-a-contact", "type"),
        ]
        return rules.first { $0.0 }.map { [$0.1, $0.2] }
    }
}

/// Numbers that are the same each time (SplitMix64).
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
