internal import IMModel

/// Who may talk to whom: rules and seats, prepared for quick answers.
///
/// Immutable: another configuration or another seat makes another snapshot. Any thread.
package final class PolicySnapshot: Sendable {
    /// What it was made of; its seats are those of the configuration and the assigned ones.
    package let rules: PolicyRules
    package let seats: [Seat]

    let providers: [Provider]
    private let providerNumbers: [String: Int]
    private let domains: NameTable
    private let blocked: NameTable
    private let partners: NameTable
    private let users: NameTable
    private let records: [UserRecord]
    /// Seats by user, each user's in one piece; indexes of `seats`.
    private let seatOrder: [SeatPeriod]
    /// Where the settings stand that access was decided by.
    let accessPlaces: [AccessPlace]

    /// What a decision reads of a provider.
    struct Provider {
        var isEnabled: Bool
        var access: AccessRight
        var hasPartners: Bool
        var verification: VerificationLevel
        /// Index in the catalogue; -1: none is needed.
        var licence: Int
        /// The end of the last day of service, in ms since 1970.
        var serviceEnds: Int64
        var passedDates: PassedDates
    }

    /// What a decision reads of a user, of a domain's other users, or of everybody else.
    struct UserRecord {
        /// By ``AccessRight/rawValue``: what is allowed, and which of `accessPlaces` says so.
        var allowed: (Bool, Bool, Bool, Bool) = (false, false, false, false)
        var places: (Int, Int, Int, Int) = (0, 0, 0, 0)
        var seats = 0..<0

        func access(_ right: AccessRight) -> (isAllowed: Bool, place: Int) {
            switch right {
            case .federation: (allowed.0, places.0)
            case .publicNetworks: (allowed.1, places.1)
            case .publicAudioVideo: (allowed.2, places.2)
            case .xmpp: (allowed.3, places.3)
            }
        }
    }

    struct SeatPeriod {
        var licence: Int
        /// In ms since 1970; the end is the first moment without.
        var begins: Int64
        var ends: Int64
        /// Index in `seats`.
        var seat: Int
    }

    /// Whose policy decided, and where it stands.
    struct AccessPlace: Hashable {
        enum Scope: Hashable {
            case global
            case domain
            case user
            case nobody
        }

        var scope: Scope
        var place: Place
    }

    /// Prepares rules for decisions.
    ///
    /// - Parameter assigned: seats beyond those of the rules.
    package init(_ rules: PolicyRules, assigned: [Seat] = []) {
        self.rules = rules
        seats = rules.seats + assigned
        let licences = Dictionary(rules.licences.enumerated().map { ($1.id, $0) }) { first, _ in first }
        // A licence that the catalogue lacks is nobody's: the provider is refused to all, and not given to all.
        providers = rules.providers.map { Provider($0, licence: $0.licence.map { licences[$0.value] ?? Int.max }) }
        providerNumbers = Dictionary(rules.providers.enumerated().map { ($1.name, $0) }) { first, _ in first }
        blocked = NameTable(Self.numbered(rules.blocked.map { [$0.value] }))
        partners = NameTable(Self.numbered(rules.allowed.map { [$0.domain] + $0.otherDomains }))
        var build = Build(rules)
        build.add(seats, licences)
        records = build.records
        accessPlaces = build.places
        seatOrder = build.seats
        domains = NameTable(build.domains)
        users = NameTable(build.users)
    }

    /// The number of a provider, for questions; -1 if the policy does not list it.
    package func number(of provider: String) -> Int { providerNumbers[provider] ?? -1 }

    /// What a user's external access is, setting by setting.
    package func access(of user: String) -> [(right: AccessRight, isAllowed: Bool, place: Place)] {
        Array(user.utf8).withUnsafeBytes { bytes in
            let record = record(of: bytes, domain: Self.domain(of: bytes))
            return AccessRight.allCases.map { right in
                let (isAllowed, place) = record.access(right)
                return (right, isAllowed, accessPlaces[place].place)
            }
        }
    }

    /// Whether a domain is an allowed partner's, or blocked.
    package func isListed(_ domain: String) -> Bool {
        rules.blocked.contains { $0.value == domain }
            || rules.allowed.contains { $0.domain == domain || $0.otherDomains.contains(domain) }
    }

    private static func numbered(_ names: [[String]]) -> [String: UInt32] {
        let pairs = names.enumerated().flatMap { index, names in names.map { ($0, UInt32(index)) } }
        return Dictionary(pairs) { first, _ in first }
    }

    // MARK: Look-ups

    func provider(_ number: Int) -> Provider? {
        providers.withUnsafeBufferPointer { $0.indices.contains(number) ? $0[number] : nil }
    }

    /// Index of the entry that blocks a domain.
    func blockedEntry(_ domain: UnsafeRawBufferPointer) -> Int? { blocked.value(of: domain).map(Int.init) }

    /// Index of the allowed partner that serves a domain.
    func partner(_ domain: UnsafeRawBufferPointer) -> Int? { partners.value(of: domain).map(Int.init) }

    /// The narrowest record that covers a user.
    func record(of user: UnsafeRawBufferPointer, domain: UnsafeRawBufferPointer) -> UserRecord {
        let index = users.value(of: user) ?? domains.value(of: domain) ?? 0
        return records.withUnsafeBufferPointer { $0[Int(index)] }
    }

    /// What the seats of a user say about a licence at a time.
    func seat(_ range: Range<Int>, licence: Int, now: Int64) -> SeatFinding {
        seatOrder.withUnsafeBufferPointer { periods in
            var finding = SeatFinding.none
            for index in range where periods[index].licence == licence {
                let period = periods[index]
                if now < period.begins {
                    finding = .notBegun(period.seat)
                } else if now >= period.ends {
                    if case .none = finding { finding = .ended(period.seat) }
                } else {
                    return .active(period.seat)
                }
            }
            return finding
        }
    }

    enum SeatFinding {
        case none
        case active(Int)
        case notBegun(Int)
        case ended(Int)
    }
}

extension PolicySnapshot.Provider {
    fileprivate init(_ rule: ProviderRule, licence: Int?) {
        isEnabled = rule.enabled.value
        access = rule.network.access
        hasPartners = rule.network.hasPartners
        verification = rule.verification.value
        self.licence = licence ?? -1
        serviceEnds = rule.endOfLife?.value.ends ?? .max
        passedDates = rule.passedDates.value
    }
}

/// Gathers the records of users and domains.
private struct Build {
    var records: [PolicySnapshot.UserRecord] = []
    var places: [PolicySnapshot.AccessPlace] = []
    var seats: [PolicySnapshot.SeatPeriod] = []
    var domains: [String: UInt32] = [:]
    var users: [String: UInt32] = [:]

    init(_ rules: PolicyRules) {
        places = [.init(scope: .nobody, place: Place(file: rules.place.file, keyPath: "policy.access"))]
        places[0].place.line = rules.place.line
        places[0].place.column = rules.place.column
        // Record 0 is everybody's whom no other covers.
        records = [record(rules.global, .global, within: PolicySnapshot.UserRecord())]
        for (domain, rule) in rules.domains.sorted(by: { $0.key < $1.key }) {
            domains[domain] = append(record(rule, .domain, within: records[0]))
        }
        for (user, rule) in rules.users.sorted(by: { $0.key < $1.key }) {
            users[user] = append(record(rule, .user, within: wider(user)))
        }
    }

    /// Gives each user with seats a record that has them.
    mutating func add(_ all: [Seat], _ licences: [String: Int]) {
        let byUser = Dictionary(grouping: all.indices) { all[$0].user }
        for (user, indexes) in byUser.sorted(by: { $0.key < $1.key }) {
            let start = seats.count
            for index in indexes {
                guard let licence = licences[all[index].licence] else { continue }
                seats.append(
                    PolicySnapshot.SeatPeriod(
                        licence: licence,
                        begins: all[index].from.begins,
                        ends: all[index].until?.ends ?? .max,
                        seat: index
                    )
                )
            }
            let number = users[user] ?? append(wider(user))
            users[user] = number
            records[Int(number)].seats = start..<seats.count
        }
    }

    /// The record that covers a user who has none of their own.
    private func wider(_ user: String) -> PolicySnapshot.UserRecord {
        let domain = Address(user)?.domain ?? ""
        return records[Int(domains[domain] ?? 0)]
    }

    private mutating func append(_ record: PolicySnapshot.UserRecord) -> UInt32 {
        records.append(record)
        return UInt32(records.count - 1)
    }

    private mutating func record(
        _ rule: AccessRule,
        _ scope: PolicySnapshot.AccessPlace.Scope,
        within wider: PolicySnapshot.UserRecord
    ) -> PolicySnapshot.UserRecord {
        var record = wider
        for right in AccessRight.allCases {
            guard let setting = rule.rights[right] else { continue }
            places.append(.init(scope: scope, place: setting.place))
            record.set(right, setting.value, place: places.count - 1)
        }
        return record
    }
}

extension PolicySnapshot.UserRecord {
    fileprivate mutating func set(_ right: AccessRight, _ isAllowed: Bool, place: Int) {
        switch right {
        case .federation: (allowed.0, places.0) = (isAllowed, place)
        case .publicNetworks: (allowed.1, places.1) = (isAllowed, place)
        case .publicAudioVideo: (allowed.2, places.2) = (isAllowed, place)
        case .xmpp: (allowed.3, places.3) = (isAllowed, place)
        }
    }
}
