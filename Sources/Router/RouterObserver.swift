/// Watches envelopes travel: for the example host, for tests, and for tracing.
///
/// Called on the thread where the event happens, in the middle of the work: an observer must be quick
/// and may not call the router. Without one nothing of this is computed.
package protocol RouterObserver: AnyObject, Sendable {
    func observe(_ hop: Hop)
}

/// One event in an envelope's journey.
package struct Hop: Hashable, Sendable {
    /// What happened.
    package enum Event: Hashable, Sendable {
        /// A provider handed it in.
        case submitted
        /// The router did not take it; why.
        case refused(String)
        /// It is on disk.
        case stored(sequence: Int64)
        /// The spool had it already.
        case duplicate
        /// It is handed to a provider for its network; again, if the provider had no room.
        case offered
        /// The network has it.
        case delivered
        /// Not delivered, to be tried again; why, and when in ms since 1970.
        case deferred(String, until: Int64)
        /// Not delivered for good; why.
        case failed(String)
    }

    package var event: Event
    /// The router's own name.
    package var router: String
    /// The provider instance where it happened.
    package var instance: String
    package var kind: String
    package var from: String
    package var to: String
    package var id: String
}
