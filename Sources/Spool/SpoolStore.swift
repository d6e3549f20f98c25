/// Store and forward: a message counts as accepted once ``commit(_:)`` has returned `.stored` for it.
///
/// One thread, the router's spool writer, calls ``commit(_:)`` with whatever has gathered since the last call, so that
/// many messages share one flush to disk. Everything else may be called from any thread, also during a commit, and sees
/// the state after the last commit that has returned. All calls block.
///
/// The vocabulary is a message stream's, so that one can stand behind it. On NATS JetStream: `append` is a publish to a
/// subject of destination and conversation, with the idempotency key as `Nats-Msg-Id`; the publish acknowledgement gives
/// the stream sequence and the duplicate flag. `delivered` is an ack, `deferred` a nak with a delay, `failed` and `expired`
/// a term after a publish to the dead-letter stream, and the loads are a consumer's fetch.
package protocol SpoolStore: Sendable {
    /// Makes all changes durable, in order, as one transaction.
    ///
    /// - Returns: one result for each `.append`, in the order of the appends.
    /// - Throws: ``SpoolError``; then nothing of the batch has happened.
    func commit(_ operations: [SpoolOperation]) throws(SpoolError) -> [AppendResult]

    /// The messages of one conversation to one destination that follow `sequence`, in sequence order.
    func load(
        conversation: String,
        destination: String,
        after sequence: Int64,
        limit: Int
    ) throws(SpoolError) -> [SpoolRecord]

    /// All waiting messages that follow `sequence`, in sequence order, deferred ones included.
    func loadPending(after sequence: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord]

    /// The waiting messages to one destination that follow `sequence`, in sequence order, deferred ones included.
    func loadPending(destination: String, after sequence: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord]

    /// The messages whose `expiresAt` is `now` (unix milliseconds) or earlier, longest expired first.
    ///
    /// It only lists them: commit `.expired` together with the `.append` of the notice to the sender, so that a crash in
    /// between can lose neither.
    func expired(before now: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord]

    /// The dead letters that follow `position`, in the order in which they died.
    func deadLetters(after position: Int64, limit: Int) throws(SpoolError) -> [DeadLetter]

    /// The dead letter of one message; `nil` when there is none.
    func deadLetter(sequence: Int64) throws(SpoolError) -> DeadLetter?

    /// Puts dead letters back in line, as one transaction: each under a new sequence, with its idempotency key and a new
    /// expiry (0 = never), and with one attempt counted if there was any, as it may have reached its destination.
    ///
    /// - Returns: what became of each. The router hears of the messages only from the caller.
    func retryDeadLetters(_ sequences: [Int64], expiresAt: Int64) throws(SpoolError) -> [RetryResult]

    /// Deletes dead letters for good, as one transaction; for each whether there was one.
    func dropDeadLetters(_ sequences: [Int64]) throws(SpoolError) -> [Bool]

    /// Deletes the dead letters that are older than ``SpoolLimits/deadLettersAgeMaxMs``, a limited number at once; how many.
    func dropOldDeadLetters(now: Int64) throws(SpoolError) -> Int

    /// The last message that may have been handed out, with nothing recorded of it, by a process that died with the spool
    /// open; 0 = none.
    ///
    /// A message up to this one may reach its destination a second time.
    var uncertainUpTo: Int64 { get }

    /// Tells that what was handed out is not all recorded, so that the next opening counts as one after a crash.
    func leaveUnsettled()

    /// How much is stored; cheap enough for every metrics scrape.
    func counts() throws(SpoolError) -> SpoolCounts

    /// Makes a place where threads note deliveries before they are recorded here, so that a process that is killed in
    /// between does not make them again; nil if the store has none.
    ///
    /// - Parameter writers: threads that note.
    func makeCompletedMarks(writers: Int) throws(SpoolError) -> CompletedMarks?
}

extension SpoolStore {
    package func makeCompletedMarks(writers: Int) throws(SpoolError) -> CompletedMarks? { nil }
}

/// A message that was given up, kept for the operator.
package struct DeadLetter: Hashable, Sendable {
    /// Why a message was given up.
    package enum Cause: Int64, Hashable, Sendable {
        /// The destination refused it for good.
        case refused = 1
        /// It was still waiting when its time was over, or the next attempt would have come after that.
        case expired = 2
        /// The attempts were used up.
        case exhausted = 3
        /// Its stored form cannot be read.
        case damaged = 4
        /// A newer version has stored it in a form that this one does not know.
        case newer = 5
    }

    /// Place among the dead letters, growing in the order in which they died: the cursor for paging.
    package let position: Int64
    /// The message as it was when it was given up.
    package internal(set) var record: SpoolRecord
    /// Why it was given up.
    package let cause: Cause
    /// The kind of failure, in the router's numbers; 0 = none.
    package let failureClass: UInt16
    /// The same in words; empty for an expired one that was never deferred.
    package let reason: String
    /// When it was given up, unix milliseconds.
    package let at: Int64
}

/// How much the spool holds.
package struct SpoolCounts: Hashable, Sendable {
    /// Messages waiting, deferred ones included.
    package var pending = 0
    /// Of these, the ones that wait for a time.
    package var deferred = 0
    /// Payload bytes of the waiting messages.
    package var payloadBytes = 0
    /// Dead letters kept.
    package var deadLetters = 0
    /// Dead letters dropped since the spool was opened, for ``SpoolLimits/deadLettersMax`` and
    /// ``SpoolLimits/deadLettersAgeMaxMs``.
    package var deadLettersDropped = 0
    /// Messages remembered for recognising duplicates.
    package var seen = 0

    /// An empty spool's counts.
    package init() {}
}
