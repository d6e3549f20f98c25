/// Something that may pass or not.
package struct ExplainRequest: Codable, Hashable, Sendable {
    package var from: String
    package var to: String
    /// `message`, `presence` or `call`.
    package var kind: String
    /// What the network says of the sender: `verified`, `unverified` or, as nil, nothing.
    package var sender: String?

    package init(from: String, to: String, kind: String, sender: String? = nil) {
        (self.from, self.to, self.kind, self.sender) = (from, to, kind, sender)
    }
}

/// The decision, and how it came about.
package struct ExplainReport: Codable, Hashable, Sendable {
    package var allowed: Bool
    /// The network at the other end.
    package var provider: String?
    /// What the sender is told.
    package var refusal: String?
    package var code: String?
    /// Why no policy was asked.
    package var note: String?
    package var trail: [PolicyStep]

    package init(
        allowed: Bool,
        provider: String?,
        refusal: String?,
        code: String?,
        note: String?,
        trail: [PolicyStep]
    ) {
        (self.allowed, self.provider, self.refusal) = (allowed, provider, refusal)
        (self.code, self.note, self.trail) = (code, note, trail)
    }
}

/// One rule that was asked.
package struct PolicyStep: Codable, Hashable, Sendable {
    package var rule: String
    /// `passes`, `warns` or `refuses`.
    package var verdict: String
    package var sentence: String
    /// Where the rule stands.
    package var place: String

    package init(rule: String, verdict: String, sentence: String, place: String) {
        (self.rule, self.verdict, self.sentence, self.place) = (rule, verdict, sentence, place)
    }
}

/// One setting of the policy that is in force.
package struct PolicySetting: Codable, Hashable, Sendable {
    /// Such as `providers.yahoo.enabled`.
    package var setting: String
    package var value: String
    package var place: String

    package init(setting: String, value: String, place: String) {
        (self.setting, self.value, self.place) = (setting, value, place)
    }
}

/// A home user.
package struct PolicyUserRequest: Codable, Hashable, Sendable {
    package var user: String

    package init(user: String) {
        self.user = user
    }
}

/// What a home user may, and what licences they hold.
package struct PolicyUserReport: Codable, Hashable, Sendable {
    /// One external access setting.
    package struct Access: Codable, Hashable, Sendable {
        /// As in the configuration.
        package var setting: String
        package var allowed: Bool
        package var place: String

        package init(setting: String, allowed: Bool, place: String) {
            (self.setting, self.allowed, self.place) = (setting, allowed, place)
        }
    }

    package var user: String
    /// False: there is no policy, and everything is allowed.
    package var hasPolicy: Bool
    package var access: [Access]
    package var seats: [SeatItem]

    package init(user: String, hasPolicy: Bool, access: [Access], seats: [SeatItem]) {
        (self.user, self.hasPolicy, self.access, self.seats) = (user, hasPolicy, access, seats)
    }
}

/// How much of the audit log is wanted.
package struct AuditRequest: Codable, Hashable, Sendable {
    package var limit: Int

    package init(limit: Int) {
        self.limit = limit
    }
}

/// One entry of the audit log.
package struct AuditItem: Codable, Hashable, Sendable {
    /// In ms since 1970.
    package var at: Int64
    package var actor: String
    package var what: String
    package var detail: String

    package init(at: Int64, actor: String, what: String, detail: String) {
        (self.at, self.actor, self.what, self.detail) = (at, actor, what, detail)
    }
}

/// A provider in the eyes of policy.
package struct ProviderItem: Codable, Hashable, Sendable {
    package var name: String
    package var state: String
    package var network: String?
    package var enabled: Bool
    package var verification: String?
    package var licence: String?
    /// A day such as `2014-06-30`.
    package var endOfLife: String?
    /// What is done about a date that has passed.
    package var passedDates: String?
    /// Discovered partners that have addressed more users than they may.
    package var watched: [String]

    package init(name: String, state: String, enabled: Bool) {
        (self.name, self.state, self.enabled, self.watched) = (name, state, enabled, [])
    }
}

/// An entry of the licence catalogue.
package struct LicenceItem: Codable, Hashable, Sendable {
    package var licence: String
    package var name: String
    /// From this day on none is sold.
    package var closedFrom: String?
    /// Providers that need it.
    package var providers: [String]
    /// Seats that are active now.
    package var active: Int

    package init(licence: String, name: String, closedFrom: String?, providers: [String], active: Int) {
        (self.licence, self.name, self.closedFrom) = (licence, name, closedFrom)
        (self.providers, self.active) = (providers, active)
    }
}

/// A licence that a user holds.
package struct SeatItem: Codable, Hashable, Sendable {
    /// Nil: the configuration assigns it.
    package var id: Int64?
    package var user: String
    package var licence: String
    package var from: String
    package var until: String?
    /// `active`, `not begun` or `ended`.
    package var state: String

    package init(id: Int64?, user: String, licence: String, from: String, until: String?, state: String) {
        (self.id, self.user, self.licence) = (id, user, licence)
        (self.from, self.until, self.state) = (from, until, state)
    }
}

/// A seat that is to be assigned.
package struct SeatRequest: Codable, Hashable, Sendable {
    package var user: String
    package var licence: String
    /// The first day; nil: today.
    package var from: String?
    /// The last day.
    package var until: String?
    /// Instead of a last day.
    package var months: Int?

    package init(user: String, licence: String, from: String? = nil, until: String? = nil, months: Int? = nil) {
        (self.user, self.licence) = (user, licence)
        (self.from, self.until, self.months) = (from, until, months)
    }
}

/// A seat that is to be revoked.
package struct SeatChoice: Codable, Hashable, Sendable {
    package var id: Int64

    package init(id: Int64) {
        self.id = id
    }
}

/// What became of a change of seats.
package struct SeatResult: Codable, Hashable, Sendable {
    /// What was done; nil: nothing.
    package var done: String?
    /// Why nothing was done.
    package var refusal: String?
    package var warnings: [String]

    package init(done: String? = nil, refusal: String? = nil, warnings: [String] = []) {
        (self.done, self.refusal, self.warnings) = (done, refusal, warnings)
    }
}
