internal import CoreMetrics
internal import NIOConcurrencyHelpers
internal import PluginHost
internal import Spool
internal import Telemetry

extension Router {
    /// Everything that the router and its plugins count, in the text format of Prometheus.
    ///
    /// The router's own numbers are those of ``status()``, read when they are asked for: counting costs the message path
    /// nothing but what it counts anyway.
    package func metricsText() async -> String {
        let status = await status()
        routerMetrics.update(status)
        return metrics.text()
    }
}

/// The router's own metrics; `Watching.md` beside Telemetry has a table of them.
///
/// Labels are providers' names, kinds of envelopes, and words of which the router has a list: their number is bounded,
/// whatever peers send.
///
/// Any thread.
final class RouterMetrics: Sendable {
    private let registry: MetricsRegistry
    /// What each counter had reached when it was read the last time.
    private let lastValues = NIOLockedValueBox<[String: UInt64]>([:])

    init(_ registry: MetricsRegistry) {
        self.registry = registry
        for (name, kind, help) in Self.descriptions { registry.describe(name, kind, help: help) }
    }

    static let descriptions: [(name: String, kind: MetricKind, help: String)] = [
        ("plugboard_submitted_total", .counter, "Envelopes that a provider handed in, by kind."),
        ("plugboard_refused_total", .counter, "Envelopes that the router did not take, by kind and reason."),
        ("plugboard_busy_total", .counter, "Submits that were put off for want of room."),
        ("plugboard_settled_total", .counter, "Deliveries, by kind and outcome."),
        ("plugboard_failures_total", .counter, "Deliveries that were put off or failed, by kind and class of failure."),
        ("plugboard_throttled_total", .counter, "Submits that were put off for they were more than the limits allow."),
        ("plugboard_coalesced_total", .counter, "States that a newer one took the place of."),
        ("plugboard_overdue_total", .counter, "Envelopes that were taken back for they were not settled in time."),
        ("plugboard_slow_calls_total", .counter, "Calls into a plugin that took long."),
        ("plugboard_stalls_total", .counter, "Times that a lane stood still with envelopes in it."),
        ("plugboard_lane_depth", .gauge, "Envelopes in a provider's lane."),
        ("plugboard_lane_capacity", .gauge, "Envelopes that a provider's lane has room for."),
        ("plugboard_in_flight", .gauge, "Envelopes that a provider has taken and not settled."),
        ("plugboard_parked_conversations", .gauge, "Conversations that wait for another attempt."),
        ("plugboard_streams", .gauge, "Open streams of a provider."),
        ("plugboard_provider_up", .gauge, "Whether a provider runs."),
        ("plugboard_links", .gauge, "Links to a network, by their state."),
        ("plugboard_spool_messages", .gauge, "Messages on disk: waiting, of them to be retried, and given up."),
        ("plugboard_foreign_closures", .gauge, "C functions that were made for libraries to call back, and are alive."),
        ("plugboard_uptime_seconds", .gauge, "How long the router has run."),
        ("plugboard_workers", .gauge, "Threads that carry messages."),
    ]

    func update(_ status: RouterStatus) {
        for instance in status.instances { update(instance) }
        set("plugboard_uptime_seconds", [], Double(status.uptimeMs) / 1000)
        set("plugboard_workers", [], Double(status.workers))
        set("plugboard_foreign_closures", [], Double(ForeignConnector.liveClosures))
        if let spool = status.spool {
            set("plugboard_spool_messages", [("state", "waiting")], Double(spool.pending))
            set("plugboard_spool_messages", [("state", "retrying")], Double(spool.deferred))
            set("plugboard_spool_messages", [("state", "dead")], Double(spool.deadLetters))
        }
    }

    private func update(_ instance: RouterStatus.InstanceStatus) {
        let labels = [("provider", instance.name)]
        set("plugboard_provider_up", labels, instance.state == "running" ? 1 : 0)
        guard instance.hasAnswered else { return }
        update(instance.counters, labels)
        count("plugboard_slow_calls_total", labels, instance.slowCalls)
        set("plugboard_lane_depth", labels, Double(instance.laneDepth))
        set("plugboard_lane_capacity", labels, Double(instance.laneCapacity))
        set("plugboard_in_flight", labels, Double(instance.inFlight))
        set("plugboard_parked_conversations", labels, Double(instance.parked))
        set("plugboard_streams", labels, Double(instance.streams))
        let states: [(String, InstanceLink.State)] = [
            ("down", .down), ("connecting", .connecting), ("up", .up), ("backing-off", .backingOff),
        ]
        guard !instance.links.isEmpty else { return }
        for (name, state) in states {
            set("plugboard_links", labels + [("state", name)], Double(instance.links.count { $0.state == state }))
        }
    }

    private func update(_ counters: InstanceCounters, _ labels: [(String, String)]) {
        for (kind, value) in counters.submittedKinds.byName {
            count("plugboard_submitted_total", labels + [("kind", kind)], value)
        }
        for (refusal, value) in counters.refusals {
            count("plugboard_refused_total", labels + [("kind", refusal.kind), ("reason", refusal.cause)], value)
        }
        for (failure, value) in counters.failures {
            count("plugboard_failures_total", labels + [("kind", failure.kind), ("class", failure.cause)], value)
        }
        let outcomes = [
            ("delivered", counters.deliveredKinds), ("deferred", counters.deferredKinds),
            ("failed", counters.failedKinds), ("dropped", counters.droppedKinds),
        ]
        for (outcome, kinds) in outcomes {
            for (kind, value) in kinds.byName {
                count("plugboard_settled_total", labels + [("kind", kind), ("outcome", outcome)], value)
            }
        }
        count("plugboard_busy_total", labels, counters.busy)
        count("plugboard_throttled_total", labels, counters.throttled)
        count("plugboard_coalesced_total", labels, counters.coalesced)
        count("plugboard_overdue_total", labels, counters.overdue)
        count("plugboard_stalls_total", labels, counters.stalls)
    }

    private func set(_ name: String, _ labels: [(String, String)], _ value: Double) {
        Meter(label: name, dimensions: labels, factory: registry).set(value)
    }

    /// Brings a counter up to a value; it begins anew when the instance did.
    private func count(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
        let key = name + labels.map { "\u{0}\($0.0)\u{0}\($0.1)" }.joined()
        let grown = lastValues.withLockedValue { values in
            let last = values[key] ?? 0
            values[key] = value
            return value >= last ? value - last : value
        }
        Counter(label: name, dimensions: labels, factory: registry).increment(by: Int64(clamping: grown))
    }
}
