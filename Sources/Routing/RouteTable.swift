internal import CMemory
package import IMModel
package import Policy

/// Who is served by whom: an immutable snapshot of all claims, and the decisions that follow from it.
///
/// Pure: the same envelope, table and time give the same decision. A change of claims makes a new table.
package final class RouteTable: Sendable {
    /// One provider's claim to a domain, or to a single address.
    package struct Claim: Hashable, Sendable {
        /// How much is claimed.
        package enum Scope: Sendable {
            /// Every address at a domain.
            case domain
            /// One address; it beats the claim of its domain.
            case address
        }

        package var scope: Scope
        /// A domain, or `user@domain`, as addresses spell it.
        package var subject: String
        /// Index of the provider instance.
        package var owner: Int

        package init(_ scope: Scope, _ subject: String, owner: Int) {
            self.scope = scope
            self.subject = subject
            self.owner = owner
        }
    }

    /// What is to become of an envelope.
    package enum Decision: Hashable, Sendable {
        /// To the provider instance with this index.
        case deliver(to: Int)
        /// The same, unless the sender's organisation sends too much: nobody has listed it.
        case deliverLimited(to: Int)
        case refuse(Refusal)
    }

    /// What a decision depends on, apart from the table.
    ///
    /// Borrowed for the call.
    package struct Question {
        /// Bytes of the sender's address.
        package var from: UnsafeRawBufferPointer
        /// Bytes of the recipient's address.
        package var to: UnsafeRawBufferPointer
        /// Index of the instance that handed it in.
        package var source: Int
        /// Routers it has crossed.
        package var hops: UInt32
        /// When it becomes worthless, in ms since 1970; 0: never.
        package var expires: Int64
        /// In ms since 1970.
        package var now: Int64
        /// What it carries, in the eyes of policy.
        package var kind: PolicyQuestion.Kind
        /// What the source says about the sender.
        package var vouching: Vouching

        @inlinable
        package init(
            from: UnsafeRawBufferPointer,
            to: UnsafeRawBufferPointer,
            source: Int,
            hops: UInt32,
            expires: Int64,
            now: Int64,
            kind: PolicyQuestion.Kind = .message,
            vouching: Vouching = .absent
        ) {
            self.from = from
            self.to = to
            self.source = source
            self.hops = hops
            self.expires = expires
            self.now = now
            self.kind = kind
            self.vouching = vouching
        }
    }

    /// A place for each domain that is claimed, is home, or has claimed addresses; the value is its index in `places`.
    private let domains: ByteTable
    /// User parts, in the scope of their domain's index; the value is the owner.
    private let users: ByteTable
    /// In memory of its own, written by the initialiser alone: an array would be retained for each message.
    // Safe to share for that reason.
    nonisolated(unsafe) private let places: UnsafeMutablePointer<Place>

    private let placeCount: Int
    /// The bytes of all domains, for `places`.
    private nonisolated(unsafe) let domainBytes: UnsafeMutablePointer<UInt8>

    /// What is known of a domain, while the table is built.
    private struct KnownDomain {
        var name: String
        var owner: Int32 = -1
        var isHome = false
        var hasUsers = false
    }

    /// The same in the table.
    private struct Place {
        /// Who claimed all of it; -1: nobody.
        var owner: Int32
        var isHome: Bool
        /// Single addresses of it are claimed.
        var hasUsers: Bool
        /// The domain itself, in `domainBytes`.
        var name: UnsafePointer<UInt8>
        var nameCount: Int
    }

    /// An address that was found, or not, in the table; valid as long as the address's bytes.
    ///
    /// Four words, so that it is returned and passed on in registers: a struct that goes through memory is waited for.
    package struct Located {
        /// Of the domain's place in the table; -1: it has none.
        package fileprivate(set) var place: Int32
        /// Length of the user part, if single addresses of its domain are claimed; else 0.
        fileprivate var userCount: UInt32 = 0
        fileprivate var user: UnsafeRawPointer?
        fileprivate var userHash: UInt64 = 0
    }

    private let names: [String]
    /// Whom the home users may talk to; nil: anybody who is served.
    package let policy: PolicySnapshot?
    private let contacts: (any ContactList)?
    /// The policy's numbers of the instances, by index.
    private let policyNumbers: [Int]
    /// Of two tables, the one with the higher number is the newer.
    package let version: Int

    /// The most claims of all instances together.
    ///
    /// A million users, each with an address on several networks.
    package static let claimsMax = 4_000_000
    /// The most routers an envelope may cross.
    @inlinable package static var hopsMax: UInt32 { 16 }

    /// Builds a table, in time proportional to the claims.
    ///
    /// - Parameters:
    ///   - homeDomains: the organisation's own, as addresses spell them.
    ///   - names: of the instances, by index, for refusals.
    ///   - version: the number of the snapshot.
    ///   - policy: asked about what passes between home users and others; nil: everything may.
    ///   - contacts: for the policy; nil: nobody is a contact.
    package init(
        claims: [Claim],
        homeDomains: [String],
        names: [String],
        version: Int = 0,
        policy: PolicySnapshot? = nil,
        contacts: (any ContactList)? = nil
    ) {
        self.names = names
        self.policy = policy
        self.contacts = contacts
        policyNumbers = names.map { policy?.number(of: $0) ?? -1 }
        self.version = version
        var indexes: [String: UInt32] = [:]
        var known: [KnownDomain] = []
        func index(of domain: String) -> Int {
            if let index = indexes[domain] { return Int(index) }
            indexes[domain] = UInt32(known.count)
            known.append(KnownDomain(name: domain))
            return known.count - 1
        }
        for domain in homeDomains { known[index(of: domain)].isHome = true }
        var users: [ByteTable.Entry] = []
        for claim in claims {
            switch claim.scope {
            case .domain:
                known[index(of: claim.subject)].owner = Int32(claim.owner)
            case .address:
                guard let at = claim.subject.utf8.lastIndex(of: UInt8(ascii: "@")) else { continue }
                let domain = index(of: String(claim.subject[claim.subject.utf8.index(after: at)...]))
                known[domain].hasUsers = true
                users.append(
                    ByteTable.Entry(
                        scope: UInt32(domain),
                        key: String(claim.subject[..<at]),
                        value: UInt32(claim.owner)
                    )
                )
            }
        }
        (places, placeCount, domainBytes) = Self.lay(known)
        self.users = ByteTable(users)
        self.domains = ByteTable(indexes.map { ByteTable.Entry(key: $0.key, value: $0.value) })
    }

    deinit {
        places.deallocate()
        domainBytes.deallocate()
    }

    /// Writes what is known of the domains into memory of its own.
    private static func lay(
        _ known: [KnownDomain]
    ) -> (places: UnsafeMutablePointer<Place>, count: Int, bytes: UnsafeMutablePointer<UInt8>) {
        let places = UnsafeMutablePointer<Place>.allocate(capacity: max(1, known.count))
        let bytes = UnsafeMutablePointer<UInt8>.allocate(
            capacity: max(1, known.reduce(0) { $0 + $1.name.utf8.count })
        )
        var end = bytes
        for (index, domain) in known.enumerated() {
            let count = domain.name.utf8.count
            _ = UnsafeMutableBufferPointer(start: end, count: count).initialize(fromContentsOf: domain.name.utf8)
            (places + index).initialize(
                to: Place(
                    owner: domain.owner,
                    isHome: domain.isHome,
                    hasUsers: domain.hasUsers,
                    name: UnsafePointer(end),
                    nameCount: count
                )
            )
            end += count
        }
        return (places, known.count, bytes)
    }

    /// Looks up an address's domain, and begins to fetch from memory what else ``decide(_:to:)`` will need.
    ///
    /// The look-up of one of many addresses waits for memory: what is done between the two calls costs nothing.
    ///
    /// - Parameter last: ``Located/place`` of an address that was located before, in whichever table; -1: none. It is
    ///   tried first, for most addresses have the same domain as the one before. It changes no answer.
    package func locate(_ address: UnsafeRawBufferPointer, last: Int32 = -1) -> Located {
        let (place, userCount) = domain(of: address, last: last)
        guard place >= 0, userCount > 0, places[Int(place)].hasUsers else { return Located(place: place) }
        let user = UnsafeRawBufferPointer(start: address.baseAddress, count: userCount)
        let hash = ByteTable.Key.hash(user, scope: UInt32(bitPattern: place))
        users.prefetch(hash)
        return Located(place: place, userCount: UInt32(userCount), user: user.baseAddress, userHash: hash)
    }

    /// The place of an address's domain, -1 if it has none, and the length of what is before the `@`.
    @inline(__always)
    private func domain(of address: UnsafeRawBufferPointer, last: Int32) -> (place: Int32, userCount: Int) {
        if last >= 0, Int(last) < placeCount {
            let (name, count) = (places[Int(last)].name, places[Int(last)].nameCount)
            let userCount = address.count - count - 1
            // No domain has an @, so that this one is the last.
            if userCount > 0, let start = address.baseAddress?.assumingMemoryBound(to: UInt8.self),
                start[userCount] == UInt8(ascii: "@"), memory_is_equal(start + userCount + 1, name, count) != 0
            {
                return (last, userCount)
            }
        }
        let at = Self.at(in: address)
        let domain = at.map { UnsafeRawBufferPointer(rebasing: address[($0 + 1)...]) } ?? address
        guard let index = domains.value(of: ByteTable.Key(domain)) else { return (-1, 0) }
        return (Int32(bitPattern: index), at ?? 0)
    }

    /// The instance that serves an address; nil if none does.
    package func owner(of address: UnsafeRawBufferPointer) -> Int? {
        let owner = owner(of: locate(address))
        return owner < 0 ? nil : owner
    }

    /// The same; -1: none.
    @inline(__always)
    private func owner(of located: Located) -> Int {
        guard located.place >= 0 else { return -1 }
        if located.userCount > 0 {
            let user = UnsafeRawBufferPointer(start: located.user, count: Int(located.userCount))
            let key = ByteTable.Key(user, scope: UInt32(bitPattern: located.place), hash: located.userHash)
            if let owner = users.value(of: key) { return Int(owner) }
        }
        return Int(places[Int(located.place)].owner)
    }

    private func isHome(_ located: Located) -> Bool { located.place >= 0 && places[Int(located.place)].isHome }

    /// Whether an address is one of the organisation's.
    package func isHome(_ address: UnsafeRawBufferPointer) -> Bool { isHome(locate(address)) }

    /// Decides what becomes of an envelope.
    ///
    /// No allocation unless it is refused.
    package func decide(_ question: Question) -> Decision { decide(question, to: locate(question.to)) }

    /// The same, with the recipient located before.
    package func decide(_ question: Question, to recipient: Located) -> Decision {
        switch route(question, to: recipient) {
        case .refuse(let refusal): return .refuse(refusal)
        case .deliver(let target): return .deliver(to: target)
        case .ask(let policy, let asked, let target):
            return Self.decision(policy, asked, policy.decide(asked, contacts: contacts), target)
        }
    }

    /// Decides, and tells what the policy asked on the way; by the code that decides.
    package func explain(_ question: Question) -> Explanation {
        let recipient = locate(question.to)
        switch route(question, to: recipient) {
        case .refuse(let refusal): return Explanation(decision: .refuse(refusal), isPolicyAsked: false, trail: [])
        case .deliver(let target): return Explanation(decision: .deliver(to: target), isPolicyAsked: false, trail: [])
        case .ask(let policy, let asked, let target):
            let (said, trail) = policy.explain(asked, contacts: contacts)
            return Explanation(decision: Self.decision(policy, asked, said, target), isPolicyAsked: true, trail: trail)
        }
    }

    /// A decision with its reasons.
    package struct Explanation: Hashable, Sendable {
        package var decision: Decision
        /// False where the routes alone decide, or there is no policy.
        package var isPolicyAsked: Bool
        /// The policy's rules, in the order in which they were asked.
        package var trail: [TrailStep]
    }

    /// What the routes say, before the policy is asked.
    private enum Routed {
        case refuse(Refusal)
        case deliver(to: Int)
        case ask(PolicySnapshot, PolicyQuestion, to: Int)
    }

    @inline(__always)
    private func route(_ question: Question, to recipient: Located) -> Routed {
        guard question.hops < Self.hopsMax else { return .refuse(.hopLimit(question.hops)) }
        guard question.expires == 0 || question.expires > question.now else { return .refuse(.expired) }
        let sender = locate(question.from)
        let target = target(from: sender, source: question.source, to: recipient)
        guard target >= 0 else { return .refuse(refusal(of: question, from: sender, to: recipient)) }
        let isFromHome = isHome(sender)
        guard let policy, isFromHome != isHome(recipient) else { return .deliver(to: target) }
        let asked = PolicyQuestion(
            from: question.from,
            to: question.to,
            kind: question.kind,
            direction: isFromHome ? .outgoing : .incoming,
            provider: policyNumber(isFromHome ? target : question.source),
            vouching: question.vouching,
            now: question.now
        )
        return .ask(policy, asked, to: target)
    }

    /// The instance that is to deliver an envelope which is neither late nor went round in a circle, and which no policy
    /// is to judge; -1: ``decide(_:to:)`` says what becomes of it.
    ///
    /// It takes and gives what fits into registers.
    ///
    /// - Parameter last: as for ``locate(_:last:)``, of the sender before; it becomes this one's.
    package func target(
        from sender: UnsafeRawBufferPointer,
        source: Int,
        to recipient: Located,
        last: inout Int32
    ) -> Int {
        let sender = locate(sender, last: last)
        last = sender.place
        // What home users say to each other is nobody's business.
        guard policy == nil || isHome(sender) == isHome(recipient) else { return -1 }
        return target(from: sender, source: source, to: recipient)
    }

    /// Whom the claims name; -1: nobody, or it may not go there.
    @inline(__always)
    private func target(from sender: Located, source: Int, to recipient: Located) -> Int {
        guard owner(of: sender) == source else { return -1 }
        let target = owner(of: recipient)
        let (isFromHome, isToHome) = (isHome(sender), isHome(recipient))
        // Two home users may well be served by one instance; a network gets nothing of its own back.
        guard isFromHome || isToHome, target != source || (isFromHome && isToHome) else { return -1 }
        return target
    }

    /// Why the claims name nobody.
    private func refusal(of question: Question, from sender: Located, to recipient: Located) -> Refusal {
        guard owner(of: sender) == question.source else {
            return .foreignSender(address: Self.text(question.from), provider: name(question.source))
        }
        guard owner(of: recipient) >= 0 else { return .noRoute(domain: Self.text(Self.domain(of: question.to))) }
        guard isHome(sender) || isHome(recipient) else { return .neitherSideHome }
        return .loop(provider: name(question.source))
    }

    /// What the policy calls an instance; -1: it does not list it.
    private func policyNumber(_ index: Int) -> Int {
        policyNumbers.withUnsafeBufferPointer { $0.indices.contains(index) ? $0[index] : -1 }
    }

    @inline(__always)
    private static func decision(
        _ policy: PolicySnapshot,
        _ question: PolicyQuestion,
        _ said: PolicyDecision,
        _ target: Int
    ) -> Decision {
        switch said {
        case .allow(let isDiscovered):
            isDiscovered && question.direction == .incoming ? .deliverLimited(to: target) : .deliver(to: target)
        case .refuse(let reason): .refuse(.policy(policy.refusal(for: reason, question)))
        }
    }

    private func name(_ index: Int) -> String { names.indices.contains(index) ? names[index] : "#\(index)" }

    /// What follows the last `@`; all of it if there is none.
    package static func domain(of address: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        at(in: address).map { UnsafeRawBufferPointer(rebasing: address[($0 + 1)...]) } ?? address
    }

    /// Where the last `@` is.
    private static func at(in address: UnsafeRawBufferPointer) -> Int? {
        guard let start = address.baseAddress else { return nil }
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        let index = memory_last_index(bytes, address.count, UInt8(ascii: "@"))
        return index < 0 ? nil : index
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
}
