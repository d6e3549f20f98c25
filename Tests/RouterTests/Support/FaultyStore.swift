import NIOConcurrencyHelpers
import Spool

@testable import Router

/// A spool that fails when it is told to.
final class FaultyStore: RouterStore {
    /// What fails, and how.
    final class Fault: Sendable {
        private let failing = NIOLockedValueBox<(@Sendable ([SpoolOperation]) -> SpoolError?)?>(nil)

        /// Lets commits fail for which `body` gives an error; nil ends it.
        func set(_ body: (@Sendable ([SpoolOperation]) -> SpoolError?)?) {
            failing.withLockedValue { $0 = body }
        }

        fileprivate func check(_ operations: [SpoolOperation]) throws(SpoolError) {
            if let error = failing.withLockedValue({ $0 })?(operations) { throw error }
        }
    }

    let path: String
    private let spool: SQLiteSpool
    let fault = Fault()
    /// The same for reads, which are asked for with no operations.
    let readFault = Fault()
    /// Reads that failed.
    let failedReads = Recorder<Void>()
    /// Each commit that was tried.
    let commits = Recorder<[SpoolOperation]>()
    /// Each commit that was made.
    let done = Recorder<[SpoolOperation]>()

    init(path: String) throws(SpoolError) {
        self.path = path
        spool = try SQLiteSpool(path: path)
    }

    func close() throws(SpoolError) { try spool.close() }

    func commit(_ operations: [SpoolOperation]) throws(SpoolError) -> [AppendResult] {
        commits.append(operations)
        try fault.check(operations)
        let results = try spool.commit(operations)
        done.append(operations)
        return results
    }

    private func checkRead() throws(SpoolError) {
        do throws(SpoolError) {
            try readFault.check([])
        } catch {
            failedReads.append(())
            throw error
        }
    }

    func load(
        conversation: String,
        destination: String,
        after sequence: Int64,
        limit: Int
    ) throws(SpoolError) -> [SpoolRecord] {
        try checkRead()
        return try spool.load(conversation: conversation, destination: destination, after: sequence, limit: limit)
    }

    func loadPending(after sequence: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord] {
        try checkRead()
        return try spool.loadPending(after: sequence, limit: limit)
    }

    func loadPending(destination: String, after sequence: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord] {
        try checkRead()
        return try spool.loadPending(destination: destination, after: sequence, limit: limit)
    }

    func expired(before now: Int64, limit: Int) throws(SpoolError) -> [SpoolRecord] {
        try spool.expired(before: now, limit: limit)
    }

    func deadLetters(after position: Int64, limit: Int) throws(SpoolError) -> [DeadLetter] {
        try spool.deadLetters(after: position, limit: limit)
    }

    func deadLetter(sequence: Int64) throws(SpoolError) -> DeadLetter? { try spool.deadLetter(sequence: sequence) }

    func retryDeadLetters(_ sequences: [Int64], expiresAt: Int64) throws(SpoolError) -> [RetryResult] {
        try fault.check([])
        return try spool.retryDeadLetters(sequences, expiresAt: expiresAt)
    }

    func dropDeadLetters(_ sequences: [Int64]) throws(SpoolError) -> [Bool] { try spool.dropDeadLetters(sequences) }

    func dropOldDeadLetters(now: Int64) throws(SpoolError) -> Int { try spool.dropOldDeadLetters(now: now) }

    var uncertainUpTo: Int64 { spool.uncertainUpTo }

    func leaveUnsettled() { spool.leaveUnsettled() }

    func counts() throws(SpoolError) -> SpoolCounts { try spool.counts() }

    func makeCompletedMarks(writers: Int) throws(SpoolError) -> CompletedMarks? {
        try spool.makeCompletedMarks(writers: writers)
    }
}
