internal import Directory
internal import NIOConcurrencyHelpers
internal import Router

/// All that happens, in one order: the routers report to it, the screen and the demonstration follow it.
///
/// The routers call from their own threads and must not be held up, so an event is only put into streams here.
final class Journey: RouterObserver {
    /// What can happen.
    enum Event: Sendable {
        /// A router did something with an envelope.
        case hop(Hop)
        /// A user of the named router has something new in the inbox.
        case received(Inbox.Item, router: String)
        /// The named router has logged something.
        case logged(String, router: String)
        /// The example itself says something.
        case said(String)
        /// The example waits for the person at the terminal, or does so no longer.
        case prompted(Bool)
    }

    /// An event, and when it happened, counted from the start.
    struct Entry: Sendable {
        let time: Duration
        let event: Event
    }

    private let start = ContinuousClock.now
    private let followers = NIOLockedValueBox<[AsyncStream<Entry>.Continuation]>([])

    /// Events that may wait for a follower; later ones are lost to it.
    static let waitingMax = 100_000

    /// Everything from now on, until ``finish()``.
    func follow() -> AsyncStream<Entry> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Entry.self,
            bufferingPolicy: .bufferingOldest(Self.waitingMax)
        )
        followers.withLockedValue { $0.append(continuation) }
        return stream
    }

    /// Nothing will happen any more.
    func finish() {
        for follower in followers.withLockedValue({ $0 }) { follower.finish() }
    }

    /// A router reports a hop.
    func observe(_ hop: Hop) { report(.hop(hop)) }

    /// A router's inbox reports a new item.
    func received(_ item: Inbox.Item, by router: String) { report(.received(item, router: router)) }

    /// A router has logged something.
    func logged(_ text: String, by router: String) { report(.logged(text, router: router)) }

    /// Shows a text.
    func say(_ text: String) { report(.said(text)) }

    /// Shows whether it is the person's turn.
    func prompt(_ isTheirTurn: Bool) { report(.prompted(isTheirTurn)) }

    private func report(_ event: Event) {
        followers.withLockedValue { followers in
            // Inside the lock, so that all followers see the same order.
            let entry = Entry(time: start.duration(to: .now), event: event)
            for follower in followers { follower.yield(entry) }
        }
    }
}
