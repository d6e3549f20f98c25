/// The bounds of the message path.
///
/// The standard ones suit an ordinary installation.
package struct RouterLimits: Hashable, Sendable {
    /// Slots of an instance's lane, for each producer.
    package var laneCapacity = 4096
    /// Slots of the lane to the spool's writer, for each worker, and of the lanes back.
    package var spoolLaneCapacity = 8192
    /// Envelopes that one instance may have on their way to the disk.
    package var creditsMax = 4096
    /// Envelopes that an instance may hold without having settled them.
    package var inFlightMax = 65_536
    /// Messages for one instance that wait on disk and not in memory before their sources are held back.
    package var backlogMax = 100_000
    /// How long an instance may hold an envelope before it is taken back, and up to a quarter longer.
    package var settleTime = Duration.seconds(120)
    /// Conversations of one instance that wait for another attempt before its sources are held back: each costs some 400
    /// bytes, and a timer.
    package var parkedMax = 50_000
    /// How long a lane may stand still with envelopes in it before that is reported.
    package var stallThreshold = Duration.seconds(10)
    /// How long the instances may take to finish their work when the router stops.
    package var drainTime = Duration.seconds(5)
    /// How often the spool is searched for expired messages to instances that do not run.
    package var expirySweepInterval = Duration.seconds(60)

    /// How long after a provider did not start it is tried again; twice as long after each further time.
    package var startRetryFirst = Duration.seconds(10)
    /// The longest of these pauses.
    package var startRetryMax = Duration.seconds(600)
    /// How often it is looked whether workers are stuck in plugins.
    package var watchInterval = Duration.milliseconds(50)

    /// How often it is looked which networks can be reached.
    package var linkWatchInterval = Duration.seconds(2)

    package init() {}
}
