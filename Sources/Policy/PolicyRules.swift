/// Whom the organisation's users may talk to, as the operator wrote it.
///
/// ``PolicySnapshot`` is made of it, and decides.
package struct PolicyRules: Hashable, Sendable {
    /// Where the section stands.
    package var place: Place
    /// The edge's switch: whether anybody may talk to other networks at all.
    package var federation: Placed<Bool>
    /// Whether organisations that are neither allowed nor blocked may be talked to.
    package var partnerDiscovery: Placed<Bool>
    /// What those may do.
    package var discovered: Placed<DiscoveredLimits>
    package var providers: [ProviderRule]
    package var allowed: [PartnerRule]
    package var blocked: [Placed<String>]
    package var global: AccessRule
    /// By domain, in small letters.
    package var domains: [String: AccessRule]
    /// By address.
    package var users: [String: AccessRule]
    package var licences: [LicenceRule]
    /// Seats that the configuration assigns.
    package var seats: [Seat]

    /// Rules that allow nothing.
    package init(place: Place) {
        self.place = place
        federation = Placed(false, at: place)
        partnerDiscovery = Placed(false, at: place)
        discovered = Placed(DiscoveredLimits(), at: place)
        providers = []
        allowed = []
        blocked = []
        global = AccessRule()
        domains = [:]
        users = [:]
        licences = [.publicIM]
        seats = []
    }
}

/// Whose word counts for who a sender is (Lync: VerificationLevel).
package enum VerificationLevel: String, Hashable, Sendable, CaseIterable {
    /// The network marks each sender; who is not vouched for must be a contact, and without a mark nothing is accepted.
    case provider
    /// Only senders on the recipient's contact list.
    case contacts
    /// All.
    case all
}

/// What is done about a provider whose announced end, or whose licence's end of sale, has passed.
package enum PassedDates: String, Hashable, Sendable, CaseIterable {
    case block
    case warn
    case ignore
}

/// A provider in the eyes of policy.
package struct ProviderRule: Hashable, Sendable {
    /// Its name among the configured providers.
    package var name: String
    package var place: Place
    package var network: Network
    package var enabled: Placed<Bool>
    package var verification: Placed<VerificationLevel>
    /// The licence that a user needs for it; nil: none beyond the base licence.
    package var licence: Placed<String>?
    /// The last day of its service.
    package var endOfLife: Placed<PolicyDate>?
    package var passedDates: Placed<PassedDates>
    /// The name of the network's proxy; unique, if there is one.
    package var proxy: Placed<String>?

    /// A provider with what is known of its network.
    package init(_ name: String, network: Network, enabled: Bool, at place: Place) {
        self.name = name
        self.place = place
        self.network = network
        self.enabled = Placed(enabled, at: place)
        verification = Placed(.all, at: place)
        licence = network.licence.map { Placed($0, at: place) }
        endOfLife = network.endOfLife.map { Placed($0, at: place) }
        passedDates = Placed(.warn, at: place)
    }
}

/// How far an allowed partner is trusted (Lync: PartnerType).
package enum PartnerType: String, Hashable, Sendable, CaseIterable {
    /// Its users are known to it.
    case federated
    /// A public service that knows its users.
    case publicVerified = "public-verified"
    /// A public service that does not: the local user must have added the sender.
    case publicUnverified = "public-unverified"
}

/// Another organisation that is allowed.
package struct PartnerRule: Hashable, Sendable {
    /// In small letters.
    package var domain: String
    /// Sub-domains and others that it serves, each by name.
    package var otherDomains: [String]
    package var type: Placed<PartnerType>
    package var place: Place
    /// The name of its proxy; unique, if there is one.
    package var proxy: Placed<String>?

    package init(_ domain: String, otherDomains: [String] = [], type: PartnerType, at place: Place) {
        self.domain = domain
        self.otherDomains = otherDomains
        self.type = Placed(type, at: place)
        self.place = place
    }
}

/// An external access policy, of everybody, a domain, or a user.
///
/// What it leaves out, the wider one says.
package struct AccessRule: Hashable, Sendable {
    package var rights: [AccessRight: Placed<Bool>]

    package init(_ rights: [AccessRight: Placed<Bool>] = [:]) {
        self.rights = rights
    }
}

/// An entry of the licence catalogue.
package struct LicenceRule: Hashable, Sendable {
    /// How configuration and commands name it.
    package var id: String
    /// For people.
    package var name: String
    /// From this day on no seat can be bought.
    package var closedFrom: Placed<PolicyDate>?
    package var place: Place

    package init(_ id: String, name: String, closedFrom: Placed<PolicyDate>? = nil, at place: Place) {
        self.id = id
        self.name = name
        self.closedFrom = closedFrom
        self.place = place
    }

    /// Whether a text can name a licence: 1 to 64 ASCII letters, digits, `-` or `_`.
    package static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    }

    /// The public IM connectivity licence: per user and month, not sold since 1 September 2012.
    package static let publicIM: LicenceRule = {
        let place = Place(keyPath: "policy.licences.pic (built in)")
        let date = PolicyDate("2012-09-01").map { Placed($0, at: place) }
        return LicenceRule("pic", name: "public IM connectivity, per user and month", closedFrom: date, at: place)
    }()
}

/// A licence that a user holds for a time.
package struct Seat: Hashable, Sendable {
    /// The user's address.
    package var user: String
    /// The licence's id.
    package var licence: String
    package var from: PolicyDate
    /// The last day; nil: as long as the service lives.
    package var until: PolicyDate?
    package var place: Place

    package init(user: String, licence: String, from: PolicyDate, until: PolicyDate? = nil, at place: Place) {
        self.user = user
        self.licence = licence
        self.from = from
        self.until = until
        self.place = place
    }
}
