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

        package init(
            from: UnsafeRawBufferPointer,
            to: UnsafeRawBufferPointer,
            source: Int,
            hops: UInt32,
            expires: Int64,
            now: Int64
        ) {
            self.from = from
            self.to = to
            self.source = source
            self.hops = hops
            self.expires = expires
            self.now = now
        }
    }

    private let domains: ByteTable
    private let addresses: ByteTable
    private let homeDomains: ByteTable
    private let names: [String]
    /// Of two tables, the one with the higher number is the newer.
    package let version: Int

    /// The most claims of all instances together.
    package static let claimsMax = 4_000_000
    /// The most routers an envelope may cross.
    package static let hopsMax: UInt32 = 16

    /// Builds a table, in time proportional to the claims.
    ///
    /// - Parameters:
    ///   - homeDomains: the organisation's own, as addresses spell them.
    ///   - names: of the instances, by index, for refusals.
    ///   - version: the number of the snapshot.
    package init(claims: [Claim], homeDomains: [String], names: [String], version: Int = 0) {
        self.names = names
        self.version = version
        self.domains = ByteTable(claims.filter { $0.scope == .domain }.map { ($0.subject, $0.owner) })
        self.addresses = ByteTable(claims.filter { $0.scope == .address }.map { ($0.subject, $0.owner) })
        self.homeDomains = ByteTable(homeDomains.map { ($0, 1) })
    }

    /// The instance that serves an address; nil if none does.
    package func owner(of address: UnsafeRawBufferPointer) -> Int? {
        addresses.value(of: address) ?? domains.value(of: Self.domain(of: address))
    }

    /// Whether an address is one of the organisation's.
    package func isHome(_ address: UnsafeRawBufferPointer) -> Bool {
        homeDomains.value(of: Self.domain(of: address)) != nil
    }

    /// Decides what becomes of an envelope.
    ///
    /// No allocation unless it is refused.
    package func decide(_ question: Question) -> Decision {
        guard question.hops < Self.hopsMax else { return .refuse(.hopLimit(question.hops)) }
        guard question.expires == 0 || question.expires > question.now else { return .refuse(.expired) }
        guard owner(of: question.from) == question.source else {
            return .refuse(.foreignSender(address: Self.text(question.from), provider: name(question.source)))
        }
        guard let target = owner(of: question.to) else {
            return .refuse(.noRoute(domain: Self.text(Self.domain(of: question.to))))
        }
        let isFromHome = isHome(question.from)
        let isToHome = isHome(question.to)
        guard isFromHome || isToHome else { return .refuse(.neitherSideHome) }
        // Two home users may well be served by one instance; a network gets nothing of its own back.
        guard target != question.source || (isFromHome && isToHome) else {
            return .refuse(.loop(provider: name(question.source)))
        }
        return .deliver(to: target)
    }

    private func name(_ index: Int) -> String { names.indices.contains(index) ? names[index] : "#\(index)" }

    /// What follows the last `@`; all of it if there is none.
    private static func domain(of address: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let at = address.lastIndex(of: UInt8(ascii: "@")) else { return address }
        return UnsafeRawBufferPointer(rebasing: address[(at + 1)...])
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
}
