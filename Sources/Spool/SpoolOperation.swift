/// One change in a batch that ``SpoolStore/commit(_:)`` makes durable as a whole.
///
/// Changes apply in order, so a `.failed` and the `.append` of the notice to its sender belong in one batch: either both
/// are on disk or neither is. A change that names a sequence the spool no longer holds is ignored; answers come late.
package enum SpoolOperation: Hashable, Sendable {
    /// Stores a message; its sequence is assigned here.
    case append(SpoolRecord)
    /// The destination has it: forget it.
    case delivered(sequence: Int64)
    /// Try again at `nextAttemptAt` (unix milliseconds; below 1 counts as 1, which is at once).
    case deferred(sequence: Int64, attempts: Int, nextAttemptAt: Int64, reason: String)
    /// It will never be delivered: move it to the dead letters, with one more attempt counted unless it could not be made. `at` in
    /// unix milliseconds; `failureClass` is the caller's number for the kind of failure, kept as it is.
    case failed(
        sequence: Int64,
        cause: DeadLetter.Cause = .refused,
        failureClass: UInt16 = 0,
        reason: String,
        at: Int64
    )
    /// Its time is over: move it to the dead letters. `at` in unix milliseconds.
    case expired(sequence: Int64, at: Int64)
}

/// What became of one dead letter that was to be tried again.
package enum RetryResult: Hashable, Sendable {
    /// It waits for delivery under this sequence, and is no dead letter any more.
    case stored(sequence: Int64)
    /// Its idempotency key is taken by a message that waits: it stays a dead letter.
    case duplicate(of: Int64)
    /// ``SpoolLimits/pendingMax`` messages wait already: it stays a dead letter.
    case full
    /// It is not what was stored: it stays a dead letter.
    case damaged
    /// There is no such dead letter.
    case unknown
}

/// What became of one `.append`.
///
/// Every result but `.stored` leaves the spool as it was.
package enum AppendResult: Hashable, Sendable {
    /// On disk once the commit has returned.
    case stored(sequence: Int64)
    /// Already taken under this sequence, whether it is still waiting or long delivered; tell the source it is accepted.
    case duplicate(of: Int64?)
    /// ``SpoolLimits/pendingMax`` messages wait already; the source has to keep it and try again.
    case full
    /// A field is over its limit, in bytes; it will never fit, so refuse it to the source.
    case tooLarge(field: SpoolField, bytes: Int, max: Int)
}

/// The fields of a record that have a size limit.
package enum SpoolField: String, Hashable, Sendable, CaseIterable {
    /// ``SpoolRecord/payload``.
    case payload
    /// ``SpoolRecord/remoteID``.
    case remoteID
    /// ``SpoolRecord/conversation``.
    case conversation
    /// ``SpoolRecord/destination``.
    case destination
    /// ``SpoolRecord/source``.
    case source
}
