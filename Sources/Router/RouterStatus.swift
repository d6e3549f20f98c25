package import PluginHost
package import Spool

/// A router at one moment.
package struct RouterStatus: Sendable {
    /// One provider instance.
    package struct InstanceStatus: Sendable {
        package var name: String
        /// The plugin's id.
        package var plugin: String
        package var version: String
        /// `starting`, `running`, `draining`, `stopped`, `failed`; `stuck` in a callback, `held up` by
        /// another that is, or `dead` with its worker.
        package var state: String
        /// Whether its worker has told the rest; if not, counts are 0 and not known.
        package var hasAnswered = true
        /// Why it has failed; empty if it has not.
        package var failure: String
        /// Envelopes in its lane, about.
        package var laneDepth: Int
        package var laneCapacity: Int
        /// Envelopes it holds and has not settled.
        package var inFlight: Int
        /// Conversations that wait for another attempt.
        package var parked: Int
        /// Open streams.
        package var streams: Int
        package var counters: InstanceCounters
        /// Calls into it that took long.
        package var slowCalls: UInt64
        package var links: [InstanceLink]
        /// Discovered partners that have addressed more users than they may.
        package var watched: [String] = []
    }

    package var name: String
    package var uptimeMs: Int64
    package var workers: Int
    package var instances: [InstanceStatus]
    /// Nil if nothing is stored.
    package var spool: SpoolCounts?
}
