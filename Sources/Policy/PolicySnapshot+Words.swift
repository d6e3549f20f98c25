// Decisions in words.
extension PolicySnapshot {
    /// A refusal for the sender, the log and the audit.
    package func refusal(for reason: PolicyReason, _ question: PolicyQuestion) -> PolicyRefusal {
        PolicyRefusal(
            rule: reason.rule,
            code: reason.code,
            sentence: sentence(reason, question),
            place: place(reason)
        )
    }

    func refusalStep(_ reason: PolicyReason, _ question: PolicyQuestion) -> TrailStep {
        let refusal = refusal(for: reason, question)
        return TrailStep(refusal.rule, .refuses, refusal.sentence, at: refusal.place)
    }

    private func sentence(_ reason: PolicyReason, _ question: PolicyQuestion) -> String {
        let local = Self.text(question.local)
        let remote = Self.text(question.remote)
        switch reason {
        case .providerNotListed: return "the network that \(remote) belongs to is not enabled"
        case .providerDisabled(let provider): return "the provider \(name(provider)) is not enabled"
        case .federationOff: return "talking to other networks is switched off"
        case .domainBlocked: return "the domain \(Self.text(Self.domain(of: question.remote))) is blocked"
        case .partnerNotAllowed:
            return "the domain \(Self.text(Self.domain(of: question.remote))) is not an allowed partner"
        case .accessDenied(let right, _): return "\(local) may not \(Self.deed(right))"
        case .noSeat(let provider):
            let licence = rules.providers[provider].licence?.value ?? ""
            return "\(local) has no seat of the licence '\(licence)', which \(name(provider)) needs"
        case .seatNotBegun(let seat):
            return "the seat of the licence '\(seats[seat].licence)' of \(local) begins on \(seats[seat].from)"
        case .seatEnded(let seat):
            let day = seats[seat].until.map { " with \($0)" } ?? ""
            return "the seat of the licence '\(seats[seat].licence)' of \(local) ended\(day)"
        case .serviceEnded(let provider):
            let day = rules.providers[provider].endOfLife.map { " with \($0.value)" } ?? ""
            return "the service of \(name(provider)) ended\(day)"
        case .notVouched(let provider): return "\(name(provider)) does not say whether \(remote) is genuine"
        case .notContact, .notContactOfPartner: return "\(local) has to add \(remote) as a contact first"
        }
    }

    private func place(_ reason: PolicyReason) -> Place {
        switch reason {
        case .providerNotListed: return rules.place
        case .providerDisabled(let provider): return rules.providers[provider].enabled.place
        case .federationOff: return rules.federation.place
        case .domainBlocked(let entry): return rules.blocked[entry].place
        case .partnerNotAllowed: return rules.partnerDiscovery.place
        case .accessDenied(_, let place): return accessPlaces[place].place
        case .noSeat(let provider): return rules.providers[provider].licence?.place ?? rules.providers[provider].place
        case .seatNotBegun(let seat), .seatEnded(let seat): return seats[seat].place
        case .serviceEnded(let provider):
            // The choice refuses; the date alone would not.
            return rules.providers[provider].passedDates.place
        case .notVouched(let provider), .notContact(let provider): return rules.providers[provider].verification.place
        case .notContactOfPartner(let partner): return rules.allowed[partner].type.place
        }
    }

    private func name(_ provider: Int) -> String {
        rules.providers.indices.contains(provider) ? rules.providers[provider].name : "#\(provider)"
    }

    private static func deed(_ right: AccessRight) -> String {
        switch right {
        case .federation: "talk to partners"
        case .publicNetworks: "talk to public networks"
        case .publicAudioVideo: "make audio or video calls with public networks"
        case .xmpp: "talk to XMPP partners"
        }
    }

    // MARK: Steps that let it pass

    func providerStep(_ question: PolicyQuestion) -> TrailStep {
        let rule = rules.providers[question.provider]
        return TrailStep(
            .provider,
            .passes,
            "\(rule.name) is enabled, as \(rule.network.rawValue)",
            at: rule.enabled.place
        )
    }

    func partnerStep(_ question: PolicyQuestion, _ partner: Int?, isDiscovered: Bool) -> TrailStep {
        let domain = Self.text(Self.domain(of: question.remote))
        if let partner {
            let rule = rules.allowed[partner]
            return TrailStep(.partner, .passes, "\(domain) is allowed, as \(rule.type.value.rawValue)", at: rule.place)
        }
        if isDiscovered {
            let sentence = "\(domain) is not listed, and partners may be discovered"
            return TrailStep(.partner, .passes, sentence, at: rules.partnerDiscovery.place)
        }
        let rule = rules.providers[question.provider]
        return TrailStep(.partner, .passes, "\(domain) belongs to \(rule.name), and is not blocked", at: rule.place)
    }

    func accessStep(_ rule: PolicyRule, _ right: AccessRight, _ place: Int, _ question: PolicyQuestion) -> TrailStep {
        let found = accessPlaces[place]
        let by =
            switch found.scope {
            case .global: "everybody's policy"
            case .domain: "the domain's policy"
            case .user: "the user's own policy"
            case .nobody: "no policy"
            }
        let sentence = "\(Self.text(question.local)) may \(Self.deed(right)), by \(by)"
        return TrailStep(rule, .passes, sentence, at: found.place)
    }

    func seatStep(_ seat: Int) -> TrailStep {
        let seat = seats[seat]
        let until = seat.until.map { " until \($0)" } ?? ""
        let sentence = "\(seat.user) has a seat of the licence '\(seat.licence)' from \(seat.from)\(until)"
        return TrailStep(.licence, .passes, sentence, at: seat.place)
    }

    func endOfLifeStep(_ question: PolicyQuestion, _ verdict: TrailStep.Verdict) -> TrailStep {
        let rule = rules.providers[question.provider]
        let day = rule.endOfLife.map { " on \($0.value)" } ?? ""
        let sentence = "the end of \(rule.name) was announced\(day)"
        return TrailStep(.endOfLife, verdict, sentence, at: rule.endOfLife?.place ?? rule.place)
    }

    func verificationStep(
        _ question: PolicyQuestion,
        _ partner: Int?,
        needsContact: Bool
    ) -> TrailStep {
        let place =
            partner.map { rules.allowed[$0].type.place } ?? rules.providers[question.provider].verification.place
        let (local, remote) = (Self.text(question.local), Self.text(question.remote))
        let sentence =
            needsContact ? "\(local) has added \(remote)" : "\(remote) need not be a contact of \(local)"
        return TrailStep(.verification, .passes, sentence, at: place)
    }
}
