internal import Configuration
internal import HostServices
package import IMModel
internal import Logging
package import Policy
package import PolicyStore
internal import Routing

// Who may talk to whom.
extension Router {
    // MARK: The snapshot

    /// The policy of a configuration with the assigned seats; nil if everything is allowed.
    static func snapshot(_ rules: PolicyRules?, _ assigned: [AssignedSeat], _ store: SeatStore) -> PolicySnapshot? {
        rules.map { rules in
            let seats = assigned.map { seat in
                Policy.Seat(
                    user: seat.user,
                    licence: seat.licence,
                    from: seat.from,
                    until: seat.until,
                    at: Place(file: store.path, keyPath: "seat \(seat.id)")
                )
            }
            return PolicySnapshot(rules, assigned: seats)
        }
    }

    /// Lets the policy ask contact lists, from now on.
    package func setContacts(_ contacts: any ContactList) { core.setContacts(contacts) }

    /// Takes over the policy of another configuration.
    func takeOver(_ rules: PolicyRules?, _ answer: inout ReloadAnswer) {
        do throws(PolicyStoreError) {
            core.setPolicy(Self.snapshot(rules, try seats.seats(), seats))
            let detail = rules.map { "policy of \($0.place)" } ?? "no policy: everything is allowed"
            try seats.append([
                AuditEntry(at: HostClock.wallMs(), actor: "reload", what: "policy changed", detail: detail)
            ])
        } catch {
            answer.failed.append("the policy was not taken over as a whole: \(error)")
        }
        warnOfPolicy(rules)
    }

    /// Says what the operator should know of a policy.
    func warnOfPolicy(_ rules: PolicyRules?) {
        guard let rules else {
            logger.notice("there is no policy: every configured provider is open to every home user")
            return
        }
        for warning in rules.passed(at: HostClock.wallMs()) {
            logger.warning("\(warning.sentence)", metadata: ["place": "\(warning.place)"])
        }
    }

    // MARK: Questions

    /// What the router would do with an envelope, and why.
    package struct Explanation: Sendable {
        package var isAllowed: Bool
        /// The network that it would come from or go to; nil if there is none.
        package var provider: String?
        /// What the sender is told; nil if it is allowed.
        package var refusal: String?
        package var code: String?
        /// Why no rule of the policy was asked; nil if they were.
        package var note: String?
        package var trail: [TrailStep]
    }

    /// Decides as for an envelope, by the same code, and tells the rules.
    ///
    /// - Returns: nil if the router does not run.
    package func explain(from: Address, to: Address, kind: PolicyQuestion.Kind) async -> Explanation? {
        guard let home = core.runtimes.first, let table = await onLoop(of: home, { $0.context.table }) else {
            return nil
        }
        let (sender, recipient) = (Array(from.description.utf8), Array(to.description.utf8))
        return sender.withUnsafeBytes { sender in
            recipient.withUnsafeBytes { recipient in
                explain(table, sender, recipient, kind)
            }
        }
    }

    private func explain(
        _ table: RouteTable,
        _ from: UnsafeRawBufferPointer,
        _ to: UnsafeRawBufferPointer,
        _ kind: PolicyQuestion.Kind
    ) -> Explanation {
        let isFromHome = table.isHome(from)
        let other = table.owner(of: isFromHome ? to : from)
        let provider = other.map { core.runtimes[$0].name }
        guard let source = table.owner(of: from) else {
            let refusal = Refusal.noRoute(domain: String(decoding: RouteTable.domain(of: from), as: UTF8.self))
            return Explanation(
                isAllowed: false,
                refusal: refusal.description,
                code: refusal.code,
                note: "no policy is asked: the sender has no network",
                trail: []
            )
        }
        let explained = table.explain(
            RouteTable.Question(
                from: from,
                to: to,
                source: source,
                hops: 0,
                expires: 0,
                now: HostClock.wallMs(),
                kind: kind
            )
        )
        var refusal: Refusal?
        if case .refuse(let reason) = explained.decision { refusal = reason }
        let isInternal = isFromHome && table.isHome(to)
        var note: String?
        if !explained.isPolicyAsked {
            note =
                refusal != nil
                ? "the routes decide, before any policy"
                : isInternal
                    ? "home users among themselves: no policy is asked" : "there is no policy: every provider is open"
        }
        return Explanation(
            isAllowed: refusal == nil,
            provider: provider,
            refusal: refusal?.description,
            code: refusal?.code,
            note: note,
            trail: explained.trail
        )
    }

    // MARK: Seats

    /// The catalogue that counts.
    package var licences: [LicenceRule] { currentConfiguration.policy?.licences ?? [.publicIM] }

    /// All seats that operators have assigned.
    package func assignedSeats() throws(PolicyStoreError) -> [AssignedSeat] { try seats.seats() }

    /// The newest entries of the audit log, the newest last.
    package func auditLog(limit: Int) throws(PolicyStoreError) -> [AuditEntry] {
        core.audit?.flush()
        return try seats.audit(limit: limit)
    }

    /// Assigns a seat; it counts before this returns.
    ///
    /// - Parameter actor: who asks for it, for the audit log.
    /// - Returns: its number, and what the operator should know.
    package func assignSeat(
        user: String,
        licence: String,
        from: PolicyDate,
        until: PolicyDate?,
        by actor: String
    ) async throws(SeatRefusal) -> (id: Int64, warnings: [String]) {
        await turns.take()
        defer { turns.give() }
        let configuration = currentConfiguration
        if let reason = configuration.home.whyNoUser(user) { throw SeatRefusal(reason) }
        guard let entry = licences.first(where: { $0.id == licence }) else {
            throw SeatRefusal(
                "there is no licence '\(licence)': 'plugboard licences catalogue' shows those that there are"
            )
        }
        if let until, until < from { throw SeatRefusal("it would end before it begins") }
        let now = HostClock.wallMs()
        var warnings: [String] = []
        if configuration.policy == nil { warnings.append("there is no policy, so nobody needs a seat") }
        if let closed = entry.closedFrom?.value, now >= closed.begins {
            let sentence = "the licence '\(licence)' is not sold since \(closed)"
            switch configuration.policy?.strictest(licence) ?? .warn {
            case .block: throw SeatRefusal(sentence + ", and policy.providers.*.passed_dates blocks that")
            case .warn: warnings.append(sentence)
            case .ignore: break
            }
        }
        do throws(PolicyStoreError) {
            let id = try seats.assign(user: user, licence: licence, from: from, until: until, by: actor, at: now)
            core.setPolicy(Self.snapshot(configuration.policy, try seats.seats(), seats))
            return (id, warnings)
        } catch {
            throw SeatRefusal("\(error)")
        }
    }

    /// Takes a seat away; it does not count any more when this returns.
    ///
    /// - Returns: what it was.
    package func revokeSeat(_ id: Int64, by actor: String) async throws(SeatRefusal) -> AssignedSeat {
        await turns.take()
        defer { turns.give() }
        do throws(PolicyStoreError) {
            guard let seat = try seats.revoke(id, by: actor, at: HostClock.wallMs()) else {
                throw PolicyStoreError.unknown(seat: id)
            }
            core.setPolicy(Self.snapshot(currentConfiguration.policy, try seats.seats(), seats))
            return seat
        } catch {
            throw SeatRefusal("\(error)")
        }
    }

    /// Why a seat is not assigned or revoked, as a sentence.
    package struct SeatRefusal: Error, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }
}
