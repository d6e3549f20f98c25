/// Why an envelope was not delivered.
public enum FailureClass: UInt16, Hashable, Sendable, CaseIterable {
    /// Worth another attempt later.
    case transient = 1
    /// Sent too fast; worth another attempt after the time that was named.
    case throttled = 2
    /// The account or certificate was not accepted.
    case credentials = 3
    /// There is no such recipient.
    case recipient = 4
    /// The network does not take this content.
    case content = 5
    /// Forbidden, here or there.
    case policy = 6
    /// The peer broke its protocol.
    case protocolViolation = 7
    /// The network or the peer is not there.
    case unavailable = 8
    /// A fault of the router or a plugin.
    case `internal` = 9
}

/// What became of an envelope.
public enum Outcome: Hashable, Sendable {
    /// The router has it, on disk if its kind is durable.
    case accepted
    /// The network has it, as far as the network tells.
    case delivered
    /// Not delivered, but worth another attempt.
    case deferred(Reason)
    /// Not delivered, and no attempt will change that.
    case failed(Reason)

    /// Why it was not delivered.
    public struct Reason: Hashable, Sendable {
        /// The kind of cause.
        public var failureClass: FailureClass
        /// A sentence for people.
        public var text: String
        /// The network's own code; may be empty.
        public var code: String
        /// It may have arrived nevertheless: the link broke before an acknowledgement.
        public var isUncertain: Bool
        /// Not to be tried again before, in ms; 0: no wish.
        public var retryAfter: UInt32

        /// A reason with its sentence.
        public init(
            _ failureClass: FailureClass,
            _ text: String,
            code: String = "",
            isUncertain: Bool = false,
            retryAfter: UInt32 = 0
        ) {
            self.failureClass = failureClass
            self.text = text
            self.code = code
            self.isUncertain = isUncertain
            self.retryAfter = retryAfter
        }
    }
}
