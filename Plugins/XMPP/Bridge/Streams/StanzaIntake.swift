internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// A stream that may hold back what came on it until the router has room.
protocol HoldingSession: AnyObject {
    /// Hands over what is held; false if there was not enough room.
    func resume() -> Bool
}

/// What comes on one stream, on its way to the router: held where that has no room, counted where the peer wants to be
/// told.
final class StanzaIntake {
    /// What waits for room in the router: the rest of one read at most, for no more is read meanwhile.
    private struct Held {
        var submissions: ArraySlice<Submission>
        var events: ArraySlice<StreamEvent> = []
    }

    private unowned let federation: Federation
    private let channel: StreamChannel
    private var held: Held?
    /// Where the stream is managed: what is handled of its stanzas.
    var handled: HandledStanzas?
    /// Envelopes that the router took.
    private(set) var received: UInt64 = 0

    /// The intake of a stream on which nothing has come yet.
    init(_ federation: Federation, _ channel: StreamChannel) {
        self.federation = federation
        self.channel = channel
    }

    /// Whether something waits, and nothing may be read.
    var isHolding: Bool { self.held != nil }

    /// Hands over what a stanza means; false if the router had no room, and the rest is held.
    func deliver(_ element: Element) -> Bool {
        let ticket = self.handled?.receive()
        var submissions = self.federation.take(element)
        if let ticket {
            ticket.open(submissions.count)
            for index in submissions.indices { submissions[index].ticket = ticket }
            ticket.settle()
        }
        return self.submit(submissions[...])
    }

    /// Keeps what was read behind the stanza that found no room, and stops reading.
    func hold(_ events: ArraySlice<StreamEvent>, for session: any HoldingSession) {
        self.held?.events = events
        self.channel.stream?.setReading(false)
        self.federation.wait(session)
    }

    /// Forgets what was read and not counted yet: it comes again.
    func dropEvents() { self.held?.events = [] }

    /// The router has room again: hands over what waits.
    ///
    /// - Returns: false if there was not enough.
    func resume(_ handle: (StreamEvent.Kind) -> StreamChannel.Next) -> Bool {
        guard let waiting = self.held else { return true }
        self.held = nil
        guard self.submit(waiting.submissions) else {
            self.held?.events = waiting.events
            return false
        }
        if let rest = self.channel.readHeld(waiting.events, handle) {
            self.held?.events = rest
            return false
        }
        self.channel.stream?.setReading(true)
        return true
    }

    /// Hands envelopes to the router; false if it had no room, and the rest is held.
    private func submit(_ submissions: ArraySlice<Submission>) -> Bool {
        for (index, submission) in zip(submissions.indices, submissions) {
            switch self.federation.submit(submission) {
            case .taken: self.received += 1
            case .refused: break
            case .busy:
                self.held = Held(submissions: submissions[index...])
                return false
            }
        }
        return true
    }
}
