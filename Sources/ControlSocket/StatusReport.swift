/// The commands that a router understands.
package enum ControlCommand: String, CaseIterable, Sendable {
    /// No arguments; one ``StatusReport``.
    case status
    /// No arguments; one ``PluginReport`` a library.
    case plugins
    /// A ``SendRequest``; one ``SendResult``.
    case send
    /// An ``InboxRequest``; one ``InboxItem`` a message, for ever if it follows.
    case inbox
    /// No arguments; one ``ReloadResult``.
    case reload
    /// An ``UpgradeRequest``; one ``UpgradeResult``.
    case upgrade
    /// A ``DeadLetterQuery``; one ``DeadLetterItem`` each.
    case deadLetters = "dead-letters"
    /// A ``DeadLetterChoice`` of one id; one ``DeadLetterItem``.
    case showDeadLetter = "show-dead-letter"
    /// A ``DeadLetterChoice``; one ``DeadLetterChange`` each.
    case retryDeadLetters = "retry-dead-letters"
    /// A ``DeadLetterChoice``; one ``DeadLetterChange`` each.
    case dropDeadLetters = "drop-dead-letters"
    /// A ``CallRequest``; one ``CallResult``, or one ``CommandReport`` a command.
    case call
    /// No arguments; the text in ``MetricsPart``s.
    case metrics
    /// An ``EnableRequest``; one ``EnableResult``.
    case enable
    /// An ``ExplainRequest``; one ``ExplainReport``.
    case explain
    /// A ``PolicyUserRequest``; one ``PolicyUserReport``.
    case policyRules = "policy-rules"
    case policyUser = "policy-user"
    /// An ``AuditRequest``; one ``AuditItem`` each.
    case audit
    /// No arguments; one ``ProviderItem`` each.
    case providers
    /// No arguments; one ``LicenceItem`` each.
    case licences
    /// No arguments; one ``SeatItem`` each.
    case seats
    /// A ``SeatRequest``; one ``SeatResult``.
    case assignSeat = "assign-seat"
    /// A ``SeatChoice``; one ``SeatResult``.
    case revokeSeat = "revoke-seat"
}

/// How the router and its instances fare.
package struct StatusReport: Codable, Hashable, Sendable {
    package var routerID: String
    package var version: String
    package var uptimeSeconds: Int64
    package var workers: Int
    package var instances: [InstanceStatus]
    package var spool: SpoolStatus

    package init(
        routerID: String,
        version: String,
        uptimeSeconds: Int64,
        workers: Int,
        instances: [InstanceStatus],
        spool: SpoolStatus
    ) {
        self.routerID = routerID
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.workers = workers
        self.instances = instances
        self.spool = spool
    }
}

/// One running plugin.
///
/// Counts are since the router's start.
package struct InstanceStatus: Codable, Hashable, Sendable {
    /// The name in the configuration.
    package var name: String
    package var plugin: String
    package var version: String
    /// `running`, `draining`, `stopped`, `failed`, `refused`, `quarantined`, `stuck`, `held up`, or `dead`.
    package var state: String
    /// Why it does not run.
    package var reason: String?
    /// Envelopes in the instance's lane now.
    package var laneDepth: Int
    package var laneCapacity: Int
    /// Envelopes that the instance handed to the router.
    package var submitted: UInt64
    /// Envelopes that the instance delivered to its network.
    package var delivered: UInt64
    /// Deliveries put off to be tried again.
    package var deferred: UInt64
    /// Deliveries that failed for good.
    package var failed: UInt64
    /// Envelopes of this instance that the router refused.
    package var refused: UInt64
    /// Times that the instance took nothing from its lane for long, although something was in it.
    package var stalls: UInt64
    /// Calls into the plugin that took long.
    package var slowCalls: UInt64?
    /// Submits that had to wait, for it had handed in more than its limits allow.
    package var throttled: UInt64?
    /// Envelopes that were taken back, for it did not settle them in time.
    package var overdue: UInt64?
    /// Presence and typing that it handed in and that a newer one took the place of.
    package var coalesced: UInt64?
    /// Discovered partners that have addressed more users than they may.
    package var watched: [String]?
    package var links: [LinkStatus]

    package init(
        name: String,
        plugin: String,
        version: String,
        state: String,
        reason: String? = nil,
        laneDepth: Int = 0,
        laneCapacity: Int = 0,
        submitted: UInt64 = 0,
        delivered: UInt64 = 0,
        deferred: UInt64 = 0,
        failed: UInt64 = 0,
        refused: UInt64 = 0,
        stalls: UInt64 = 0,
        slowCalls: UInt64? = nil,
        throttled: UInt64? = nil,
        overdue: UInt64? = nil,
        coalesced: UInt64? = nil,
        watched: [String]? = nil,
        links: [LinkStatus] = []
    ) {
        self.name = name
        self.plugin = plugin
        self.version = version
        self.state = state
        self.reason = reason
        self.laneDepth = laneDepth
        self.laneCapacity = laneCapacity
        self.submitted = submitted
        self.delivered = delivered
        self.deferred = deferred
        self.failed = failed
        self.refused = refused
        self.stalls = stalls
        self.slowCalls = slowCalls
        self.throttled = throttled
        self.overdue = overdue
        self.coalesced = coalesced
        self.watched = watched
        self.links = links
    }
}

/// A connection of an instance to a partner or an account's server.
package struct LinkStatus: Codable, Hashable, Sendable {
    /// The partner's domain or the account.
    package var peer: String
    /// `connecting`, `up`, `down` and the like.
    package var state: String
    /// Why it is so, if there is more to say.
    package var detail: String?

    package init(peer: String, state: String, detail: String? = nil) {
        self.peer = peer
        self.state = state
        self.detail = detail
    }
}

/// What the spool holds now.
package struct SpoolStatus: Codable, Hashable, Sendable {
    /// Envelopes that were accepted and are not yet delivered.
    package var waiting: UInt64
    /// Those of them that failed at least once and wait for another try.
    package var retrying: UInt64
    /// Envelopes given up, and kept for the operator.
    package var dead: UInt64
    /// Envelopes given up that were dropped since the router's start, for their age or number; nil from an older router.
    package var deadDropped: UInt64?

    package init(waiting: UInt64 = 0, retrying: UInt64 = 0, dead: UInt64 = 0, deadDropped: UInt64? = nil) {
        self.waiting = waiting
        self.retrying = retrying
        self.dead = dead
        self.deadDropped = deadDropped
    }
}
