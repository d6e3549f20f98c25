internal import Configuration
internal import HostServices
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

    /// Takes over the policy of another configuration.
    func takeOver(_ rules: PolicyRules?, by actor: String, _ answer: inout ReloadAnswer) {
        do throws(PolicyStoreError) {
            core.setPolicy(Self.snapshot(rules, try seats.seats(), seats))
            try record(rules, by: actor)
        } catch {
            answer.failed.append("the policy was not taken over as a whole: \(error)")
        }
        warnOfPolicy(rules)
    }

    /// Writes into the audit log what has changed since the policy that was in force last.
    func record(_ rules: PolicyRules?, by actor: String) throws(PolicyStoreError) {
        let settings = rules.map { rules in
            Dictionary(rules.settings.map { ($0.name, $0.value) }) { first, _ in first }
        }
        let origin = rules.map { "\($0.place.file):\($0.place.line)" } ?? ""
        try seats.apply(settings, from: origin, by: actor, at: HostClock.wallMs())
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
