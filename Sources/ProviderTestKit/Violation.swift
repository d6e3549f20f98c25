/// A rule that a plugin broke, with all that is needed to see it again.
public struct Violation: Error, Sendable, CustomStringConvertible {
    /// The rules of the plugin ABI that a simulation watches.
    public enum Rule: String, Sendable, CaseIterable {
        // Life and threads
        /// A function of the host was called on another thread than the instance's.
        case wrongThread
        /// A function of the host was called while no call into the instance was under way.
        case outsideCallback
        /// Streams, timers or envelopes were used before start().
        case callBeforeStart
        /// Something new was begun inside stop().
        case callInStop
        /// The host was called during or after destroy().
        case callAfterDestroy
        /// A function of the instance's table is missing or the table too short.
        case incompleteTable
        // Envelopes
        /// complete() named a token that was settled before.
        case settledTwice
        /// complete() named a token that never was.
        case unknownToken
        /// An envelope was settled that deliver() did not take.
        case settledWithoutTaking
        /// deliver() says it took more than it was offered.
        case tookTooMuch
        /// An envelope was taken and never settled, in spite of a quiet network and much time.
        case forgotten
        /// An envelope was refused, the room announced, and ready() never called.
        case neverReady
        /// An envelope was reported delivered, and never came near the peer.
        case lost
        /// Two envelopes of one conversation reached the peer in the wrong order.
        case reordered
        /// What a peer sent in full was never submitted.
        case lostInbound
        /// What a peer sent once was submitted twice.
        case submittedTwice
        /// Two messages of a peer were submitted in the wrong order.
        case reorderedInbound
        // Streams
        /// A stream was used after its closed().
        case streamAfterClosed
        /// A stream, or listener, that the host never gave to this instance.
        case unknownHandle
        /// received() says it consumed more than it was given.
        case consumedTooMuch
        /// A datagram socket was used after its close() or closed().
        case socketAfterClosed
        /// An answer over HTTP waited for a plugin that had stopped reading, and never read on.
        case answerLeft
        /// Much was written after HIGH without waiting for writable().
        case ignoredHigh
        // Leaks
        /// Timers still ran long after drain(), with no stream open.
        case timersLeft
        /// Streams were still open long after drain().
        case streamsLeft
        /// A provider or session object outlived destroy().
        case objectsLeft
        // Descriptions
        /// Settings that are valid were refused.
        case settingsRefused
        /// Settings that are wrong were not refused.
        case settingsNotRefused
        /// start() failed with valid settings.
        case notStarted
        /// The same seed took another way the second time.
        case notRepeatable
        /// Something that should have come about did not.
        case expectation
    }

    /// The rule.
    public let rule: Rule
    /// What happened, in a sentence.
    public let what: String
    /// The seed that shows it again.
    public let seed: UInt64
    /// The virtual time.
    public let time: Duration
    /// The instance that broke the rule.
    public let instance: String
    /// The hash of all events up to here.
    public let traceHash: UInt64
    /// The last events, one a line, the oldest first.
    public let events: [String]

    /// All of it, for people.
    public var description: String {
        """
        \(rule.rawValue): \(instance): \(what)
        seed \(seed), at \(Trace.Event.seconds(time.nanoseconds)) of virtual time, trace hash \
        \(String(traceHash, radix: 16)); the last events:
        \(events.map { "    " + $0 }.joined(separator: "\n"))
        """
    }
}
