internal import Configuration
internal import ControlSocket
internal import Foundation
internal import IMModel
internal import Policy
internal import PolicyStore
internal import Router

extension RouterControl {
    private var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    // MARK: explain and policy

    func explain(_ request: ExplainRequest) async throws(ControlFailure) -> ExplainReport {
        guard let kind = PolicyQuestion.Kind(rawValue: request.kind) else {
            throw ControlFailure(.badRequest, "'\(request.kind)' is none of message, presence, call")
        }
        let vouchings: [String: Vouching] = ["absent": .absent, "verified": .verified, "unverified": .unverified]
        guard let vouching = vouchings[request.sender ?? "absent"] else {
            throw ControlFailure(.badRequest, "'\(request.sender ?? "")' is none of verified, unverified, absent")
        }
        let (from, to) = (try address(request.from), try address(request.to))
        guard let explained = await router.explain(from: from, to: to, kind: kind, vouching: vouching) else {
            throw ControlFailure(.internal, "the router does not run")
        }
        return ExplainReport(
            allowed: explained.isAllowed,
            provider: explained.provider,
            refusal: explained.refusal,
            code: explained.code,
            note: explained.note,
            trail: explained.trail.map {
                PolicyStep(
                    rule: $0.rule.rawValue,
                    verdict: $0.verdict.rawValue,
                    sentence: $0.sentence,
                    place: "\($0.place)"
                )
            }
        )
    }

    func policyRules() -> [PolicySetting] {
        (router.currentConfiguration.policy?.settings ?? []).map {
            PolicySetting(setting: $0.name, value: $0.value, place: "\($0.place)")
        }
    }

    func policyUser(_ request: PolicyUserRequest) async throws(ControlFailure) -> PolicyUserReport {
        let user = request.user.lowercased()
        if let reason = router.currentConfiguration.home.whyNoUser(user) { throw ControlFailure(.notFound, reason) }
        let policy = router.currentConfiguration.policy.map { PolicySnapshot($0) }
        let access = policy?.access(of: user).map { setting in
            PolicyUserReport.Access(setting: setting.right.key, allowed: setting.isAllowed, place: "\(setting.place)")
        }
        return PolicyUserReport(
            user: user,
            hasPolicy: policy != nil,
            access: access ?? [],
            seats: try seats().filter { $0.user == user }
        )
    }

    func audit(_ request: AuditRequest) throws(ControlFailure) -> [AuditItem] {
        do throws(PolicyStoreError) {
            return try router.auditLog(limit: request.limit).map {
                AuditItem(at: $0.at, actor: $0.actor, what: $0.what, detail: $0.detail)
            }
        } catch {
            throw ControlFailure(.internal, "\(error)")
        }
    }

    // MARK: providers

    func providers() async -> [ProviderItem] {
        let status = await router.status()
        let rules = router.currentConfiguration.policy
        return setups.map { setup in
            let instance = status.instances.first { $0.name == setup.name }
            let state = instance?.state ?? (setup.quarantine == nil ? "refused" : "quarantined")
            var item = ProviderItem(name: setup.name, state: state, enabled: rules == nil)
            item.watched = instance?.watched ?? []
            guard let rule = rules?.providers.first(where: { $0.name == setup.name }) else { return item }
            item.enabled = rule.enabled.value
            item.network = rule.network.rawValue
            item.verification = rule.verification.value.rawValue
            item.licence = rule.licence?.value
            item.endOfLife = rule.endOfLife.map { "\($0.value)" }
            item.passedDates = rule.passedDates.value.rawValue
            return item
        }
    }

    // MARK: licences

    func licences() throws(ControlFailure) -> [LicenceItem] {
        let seats = try seats()
        return router.licences.map { licence in
            LicenceItem(
                licence: licence.id,
                name: licence.name,
                closedFrom: licence.closedFrom.map { "\($0.value)" },
                providers: (router.currentConfiguration.policy?.providers ?? [])
                    .filter { $0.licence?.value == licence.id }.map(\.name),
                active: seats.filter { $0.licence == licence.id && $0.state == "active" }.count
            )
        }
    }

    /// The seats of the configuration, then the assigned ones.
    func seats() throws(ControlFailure) -> [SeatItem] {
        let written = (router.currentConfiguration.policy?.seats ?? []).map { seat in
            SeatItem(nil, seat.user, seat.licence, seat.from, seat.until, now: now)
        }
        do throws(PolicyStoreError) {
            return written
                + (try router.assignedSeats()).map { seat in
                    SeatItem(seat.id, seat.user, seat.licence, seat.from, seat.until, now: now)
                }
        } catch {
            throw ControlFailure(.internal, "\(error)")
        }
    }

    func assignSeat(_ request: SeatRequest, peer: UInt32?) async throws(ControlFailure) -> SeatResult {
        let from = try day(request.from) ?? PolicyDate(milliseconds: now)
        var until = try day(request.until)
        if let months = request.months {
            guard until == nil, (1...1200).contains(months) else {
                throw ControlFailure(.badRequest, "the months must be 1 to 1200, and not beside a last day")
            }
            until = from.adding(months: months).before
        }
        let user = request.user.lowercased()
        do {
            let (id, warnings) = try await router.assignSeat(
                user: user,
                licence: request.licence,
                from: from,
                until: until,
                by: Self.actor(peer)
            )
            let last = until.map { " until \($0)" } ?? ""
            return SeatResult(
                done: "seat \(id): \(user) has the licence '\(request.licence)' from \(from)\(last)",
                warnings: warnings
            )
        } catch {
            return SeatResult(refusal: "\(error)")
        }
    }

    func revokeSeat(_ choice: SeatChoice, peer: UInt32?) async -> SeatResult {
        do {
            let seat = try await router.revokeSeat(choice.id, by: Self.actor(peer))
            return SeatResult(done: "seat \(seat.id): \(seat.user) has the licence '\(seat.licence)' no more")
        } catch {
            return SeatResult(refusal: "\(error)")
        }
    }

    private func day(_ text: String?) throws(ControlFailure) -> PolicyDate? {
        guard let text else { return nil }
        guard let day = PolicyDate(text) else {
            throw ControlFailure(.badRequest, "'\(text)' is no day such as 2014-06-30")
        }
        return day
    }

    /// Who is at the other end, for the audit log.
    static func actor(_ peer: UInt32?) -> String { peer.map { "uid \($0)" } ?? "unknown user" }
}

extension SeatItem {
    fileprivate init(
        _ id: Int64?,
        _ user: String,
        _ licence: String,
        _ from: PolicyDate,
        _ until: PolicyDate?,
        now: Int64
    ) {
        let isEnded = until.map { now >= $0.ends } ?? false
        self.init(
            id: id,
            user: user,
            licence: licence,
            from: "\(from)",
            until: until.map { "\($0)" },
            state: now < from.begins ? "not begun" : isEnded ? "ended" : "active"
        )
    }
}
