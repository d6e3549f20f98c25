internal import IMModel

// The rules themselves. `decide` and `explain` run the same code, with another recorder.
extension PolicySnapshot {
    /// Decides.
    ///
    /// Pure, with the contact list as an argument. No allocation, unless the contact list is asked.
    ///
    /// - Parameter contacts: nil: nobody is a contact.
    package func decide(_ question: PolicyQuestion, contacts: (any ContactList)?) -> PolicyDecision {
        var trail = NoTrail()
        return judge(question, contacts, &trail)
    }

    /// Decides, and tells each rule that was asked; the last one made the decision.
    package func explain(
        _ question: PolicyQuestion,
        contacts: (any ContactList)?
    ) -> (decision: PolicyDecision, trail: [TrailStep]) {
        var trail = Trail()
        return (judge(question, contacts, &trail), trail.steps)
    }

    @inline(__always)
    private func judge<R: TrailRecorder>(
        _ question: PolicyQuestion,
        _ contacts: (any ContactList)?,
        _ trail: inout R
    ) -> PolicyDecision {
        guard let provider = provider(question.provider) else { return refuse(.providerNotListed, question, &trail) }
        guard provider.isEnabled else {
            return refuse(.providerDisabled(provider: question.provider), question, &trail)
        }
        trail.note(providerStep(question))
        guard rules.federation.value else { return refuse(.federationOff, question, &trail) }
        trail.note(TrailStep(.edge, .passes, "federation is switched on", at: rules.federation.place))
        // A domain that is blocked is blocked whoever serves it.
        let remoteDomain = Self.domain(of: question.remote)
        if let entry = blockedEntry(remoteDomain) { return refuse(.domainBlocked(entry: entry), question, &trail) }
        let partner = provider.hasPartners ? partner(remoteDomain) : nil
        let isDiscovered = provider.hasPartners && partner == nil
        guard !isDiscovered || rules.partnerDiscovery.value else {
            return refuse(.partnerNotAllowed, question, &trail)
        }
        trail.note(partnerStep(question, partner, isDiscovered: isDiscovered))
        let user = record(of: question.local, domain: Self.domain(of: question.local))
        if let reason = judgeAccess(question, provider, user, &trail) { return refuse(reason, question, &trail) }
        if let reason = judgeLicence(question, provider, user, &trail) { return refuse(reason, question, &trail) }
        if let reason = judgeVerification(question, provider, partner, contacts, &trail) {
            return refuse(reason, question, &trail)
        }
        return .allow(isDiscovered: isDiscovered)
    }

    @inline(__always)
    private func refuse<R: TrailRecorder>(
        _ reason: PolicyReason,
        _ question: PolicyQuestion,
        _ trail: inout R
    ) -> PolicyDecision {
        trail.note(refusalStep(reason, question))
        return .refuse(reason)
    }

    /// What the external access policies say: of user, domain and everybody, the narrowest.
    @inline(__always)
    private func judgeAccess<R: TrailRecorder>(
        _ question: PolicyQuestion,
        _ provider: Provider,
        _ user: UserRecord,
        _ trail: inout R
    ) -> PolicyReason? {
        let access = user.access(provider.access)
        guard access.isAllowed else { return .accessDenied(provider.access, place: access.place) }
        trail.note(accessStep(.access, provider.access, access.place, question))
        guard question.kind == .call, provider.access == .publicNetworks else { return nil }
        let media = user.access(.publicAudioVideo)
        guard media.isAllowed else { return .accessDenied(.publicAudioVideo, place: media.place) }
        trail.note(accessStep(.audioVideo, .publicAudioVideo, media.place, question))
        return nil
    }

    /// Whether the user has the licence, and the service lives.
    @inline(__always)
    private func judgeLicence<R: TrailRecorder>(
        _ question: PolicyQuestion,
        _ provider: Provider,
        _ user: UserRecord,
        _ trail: inout R
    ) -> PolicyReason? {
        if provider.licence >= 0 {
            switch seat(user.seats, licence: provider.licence, now: question.now) {
            case .none: return .noSeat(provider: question.provider)
            case .notBegun(let seat): return .seatNotBegun(seat: seat)
            case .ended(let seat): return .seatEnded(seat: seat)
            case .active(let seat): trail.note(seatStep(seat))
            }
        }
        if question.now >= provider.serviceEnds {
            switch provider.passedDates {
            case .block: return .serviceEnded(provider: question.provider)
            case .warn: trail.note(endOfLifeStep(question, .warns))
            case .ignore: trail.note(endOfLifeStep(question, .passes))
            }
        }
        return nil
    }

    /// Whether the sender is who the address says, or is known to the recipient.
    @inline(__always)
    private func judgeVerification<R: TrailRecorder>(
        _ question: PolicyQuestion,
        _ provider: Provider,
        _ partner: Int?,
        _ contacts: (any ContactList)?,
        _ trail: inout R
    ) -> PolicyReason? {
        guard question.direction == .incoming else { return nil }
        let needsContact: Bool
        if let partner {
            needsContact = rules.allowed[partner].type.value == .publicUnverified
        } else {
            switch (provider.verification, question.vouching) {
            case (.provider, .absent): return .notVouched(provider: question.provider)
            case (.provider, .verified), (.all, _): needsContact = false
            case (.provider, .unverified), (.contacts, _): needsContact = true
            }
        }
        if needsContact, !isContact(question, contacts) {
            return partner.map { .notContactOfPartner(partner: $0) } ?? .notContact(provider: question.provider)
        }
        trail.note(verificationStep(question, partner, needsContact: needsContact))
        return nil
    }

    private func isContact(_ question: PolicyQuestion, _ contacts: (any ContactList)?) -> Bool {
        guard let contacts, let owner = Address(Self.text(question.local)),
            let contact = Address(Self.text(question.remote))
        else {
            return false
        }
        return contacts.hasAdded(owner: owner, contact: contact)
    }

    /// What follows the last `@`; all of it if there is none.
    static func domain(of address: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var index = address.count
        while index > 0 {
            if address[index - 1] == UInt8(ascii: "@") { return UnsafeRawBufferPointer(rebasing: address[index...]) }
            index -= 1
        }
        return address
    }

    static func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
}
