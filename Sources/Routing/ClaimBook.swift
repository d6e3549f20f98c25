/// Who has claimed what: the changing thing of which each ``RouteTable`` is a snapshot.
package struct ClaimBook: Sendable {
    /// What became of a claim.
    package enum Answer: Hashable, Sendable {
        /// It counts from the next table on.
        case noted
        /// The same instance had made it before.
        case known
        /// Another instance holds it; its index.
        case taken(by: Int)
        /// The book is full.
        case full
    }

    /// All claims, in the order in which they were made.
    package private(set) var claims: [RouteTable.Claim] = []
    private var owners: [String: Int] = [:]
    /// Grows with each change.
    package private(set) var version = 0
    private let claimsMax: Int

    /// An empty book.
    ///
    /// - Parameter claimsMax: the most claims of all instances together.
    package init(claimsMax: Int = RouteTable.claimsMax) {
        self.claimsMax = claimsMax
    }

    /// Notes a claim, unless another instance has it.
    package mutating func add(_ claim: RouteTable.Claim) -> Answer {
        // A domain has no `@` and an address has one, so that they cannot be taken for each other.
        if let owner = owners[claim.subject] { return owner == claim.owner ? .known : .taken(by: owner) }
        guard claims.count < claimsMax else { return .full }
        owners[claim.subject] = claim.owner
        claims.append(claim)
        version += 1
        return .noted
    }

    /// Forgets the claims of an instance that are not among `subjects`; false if there are none.
    @discardableResult
    package mutating func retain(_ subjects: Set<String>, of owner: Int) -> Bool {
        let count = claims.count
        claims.removeAll { $0.owner == owner && !subjects.contains($0.subject) }
        guard claims.count < count else { return false }
        owners = owners.filter { $0.value != owner || subjects.contains($0.key) }
        version += 1
        return true
    }

    /// Makes the next table count as newer, though the claims are the same.
    package mutating func touch() {
        version += 1
    }
}
