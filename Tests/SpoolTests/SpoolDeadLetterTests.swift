import Foundation
import Spool
import Testing

@Suite struct SpoolDeadLetterTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private func open(_ limits: SpoolLimits = SpoolLimits()) throws -> SQLiteSpool {
        try SQLiteSpool(path: self.directory.file("spool.db"), limits: limits)
    }

    private func failed(_ sequence: Int64, _ reason: String = "refused") -> SpoolOperation {
        .failed(sequence: sequence, reason: reason, at: testTime + 7)
    }

    @Test func aFailedMessageIsKeptWholeWithItsReason() throws {
        let spool = try self.open()
        let sequence = try #require(try spool.append([.numbered(1, expiresAt: testTime + 9)]).first)
        var record = try #require(try spool.loadPending(after: 0, limit: 1).first)
        _ = try spool.commit([self.failed(sequence)])
        // The attempt that failed.
        record.attempts = 1

        let deadLetter = try #require(try spool.deadLetter(sequence: sequence))
        #expect(deadLetter.record == record)
        #expect(deadLetter.cause == .refused)
        #expect(deadLetter.reason == "refused")
        #expect(deadLetter.at == testTime + 7)
        #expect(try spool.loadPending(after: 0, limit: 1).isEmpty)
        #expect(try spool.counts().deadLetters == 1)
        #expect(try spool.counts().pending == 0)
    }

    @Test func deadLettersAreListedInTheOrderOfTheirDeathInPages() throws {
        let spool = try self.open()
        let sequences = try spool.append((1...3).map { .numbered($0) })
        _ = try spool.commit([2, 0, 1].map { self.failed(sequences[$0]) })
        let first = try spool.deadLetters(after: 0, limit: 2)
        let last = try #require(first.last)
        let second = try spool.deadLetters(after: last.position, limit: 2)
        #expect((first + second).map(\.record.sequence) == [sequences[2], sequences[0], sequences[1]])
    }

    @Test func theOldestIsDroppedAndCountedPastTheLimit() throws {
        var limits = SpoolLimits()
        limits.deadLettersMax = 2
        let spool = try self.open(limits)
        let sequences = try spool.append((1...3).map { .numbered($0) })
        _ = try spool.commit([self.failed(sequences[2]), self.failed(sequences[1])])
        #expect(try spool.counts().deadLetters == 2)
        #expect(try spool.counts().deadLettersDropped == 0)

        _ = try spool.commit([self.failed(sequences[0])])
        #expect(try spool.counts().deadLetters == 2)
        #expect(try spool.counts().deadLettersDropped == 1)
        let kept = try spool.deadLetters(after: 0, limit: 10).map(\.record.sequence)
        #expect(kept == [sequences[1], sequences[0]])
    }

    @Test func aRetriedDeadLetterIsANewMessageAtTheEnd() throws {
        let spool = try self.open()
        let sequences = try spool.append([.numbered(1, expiresAt: testTime), .numbered(2)])
        _ = try spool.commit([
            .deferred(sequence: sequences[0], attempts: 9, nextAttemptAt: testTime, reason: "busy"),
            self.failed(sequences[0]),
        ])
        #expect(try spool.retryDeadLetters([sequences[0]], expiresAt: 0) == [.stored(sequence: 3)])
        #expect(try spool.deadLetter(sequence: sequences[0]) == nil)
        let last = try #require(try spool.loadPending(after: sequences[1], limit: 10).first)
        #expect(last.idempotencyKey.low == 1)
        // It may have arrived at one of the attempts before.
        #expect(last.attempts == 1)
        #expect(last.nextAttemptAt == 0)
        #expect(last.expiresAt == 0)
        #expect(last.deferralReason == "busy")
        #expect(try spool.counts().deadLetters == 0)
        #expect(try spool.counts().pending == 2)
        #expect(try spool.counts().deferred == 0)
    }

    @Test func aDeadLetterStaysWhenTheSpoolIsFull() throws {
        var limits = SpoolLimits()
        limits.pendingMax = 1
        let spool = try self.open(limits)
        let first = try #require(try spool.append([.numbered(1)]).first)
        _ = try spool.commit([self.failed(first), .append(.numbered(2))])
        #expect(try spool.retryDeadLetters([first], expiresAt: 0) == [.full])
        #expect(try spool.deadLetter(sequence: first) != nil)
    }

    @Test func aDeadLetterStaysWhenItsKeyIsTaken() throws {
        let spool = try self.open()
        let record = SpoolRecord.numbered(1, remoteID: .some(nil))
        let first = try #require(try spool.append([record]).first)
        _ = try spool.commit([self.failed(first), .append(record)])
        #expect(try spool.retryDeadLetters([first], expiresAt: 0) == [.duplicate(of: 2)])
        #expect(try spool.deadLetter(sequence: first) != nil)
    }

    @Test func aDroppedDeadLetterIsGone() throws {
        let spool = try self.open()
        let sequence = try #require(try spool.append([.numbered(1)]).first)
        _ = try spool.commit([self.failed(sequence)])
        #expect(try spool.dropDeadLetters([sequence, sequence]) == [true, false])
        #expect(try spool.counts().deadLetters == 0)
    }

    @Test func thereIsNothingToDoForADeadLetterThatIsNotThere() throws {
        let spool = try self.open()
        #expect(try spool.deadLetter(sequence: 1) == nil)
        #expect(try spool.retryDeadLetters([1], expiresAt: 0) == [.unknown])
        #expect(try spool.dropDeadLetters([1]) == [false])
    }

    @Test(
        "A message that was never tried, or is damaged, counts no attempt, and so is no second one when it is retried"
    )
    func untried() throws {
        let spool = try self.open()
        let sequences = try spool.append((1...3).map { .numbered($0) })
        _ = try spool.commit([
            .expired(sequence: sequences[0], at: testTime),
            .failed(sequence: sequences[1], cause: .damaged, reason: "damaged", at: testTime),
            .failed(sequence: sequences[2], cause: .exhausted, failureClass: 8, reason: "down", at: testTime),
        ])
        let dead = try spool.deadLetters(after: 0, limit: 10)
        #expect(dead.map(\.cause) == [.expired, .damaged, .exhausted])
        #expect(dead.map(\.record.attempts) == [0, 0, 1])
        #expect(dead.map(\.failureClass) == [0, 0, 8])
        let results = try spool.retryDeadLetters(sequences, expiresAt: 0)
        #expect(results == [.stored(sequence: 4), .stored(sequence: 5), .stored(sequence: 6)])
        #expect(try spool.loadPending(after: 0, limit: 10).map(\.attempts) == [0, 0, 1])
    }

    @Test("What is older than the limit is dropped and counted, a bounded number at once")
    func tooOld() throws {
        var limits = SpoolLimits()
        limits.deadLettersAgeMaxMs = 1000
        limits.deadLettersPerCommitMax = 2
        let spool = try self.open(limits)
        let sequences = try spool.append((1...5).map { .numbered($0) })
        _ = try spool.commit(sequences.enumerated().map { .expired(sequence: $1, at: testTime + Int64($0)) })
        #expect(try spool.dropOldDeadLetters(now: testTime + 1000) == 0)
        #expect(try spool.dropOldDeadLetters(now: testTime + 1001) == 1)
        #expect(try spool.dropOldDeadLetters(now: testTime + 1004) == 2)
        #expect(try spool.dropOldDeadLetters(now: testTime + 1004) == 1)
        #expect(try spool.dropOldDeadLetters(now: testTime + 1004) == 0)
        #expect(try spool.deadLetters(after: 0, limit: 10).map(\.record.sequence) == [sequences[4]])
        #expect(try spool.counts().deadLetters == 1)
        #expect(try spool.counts().deadLettersDropped == 4)
    }

    @Test(
        "A reason is cut at a character when it is too long",
        arguments: [
            ("1234567", "1234567"), ("12345678", "12345678"), ("123456789", "12345678"), ("123456é", "123456é"),
            ("1234567é", "1234567"),
        ]
    )
    func longReason(_ given: String, kept: String) throws {
        var limits = SpoolLimits()
        limits.reasonBytesMax = 8
        let spool = try self.open(limits)
        let sequence = try #require(try spool.append([.numbered(1)]).first)
        _ = try spool.commit([self.failed(sequence, given)])
        #expect(try spool.deadLetter(sequence: sequence)?.reason == kept)
    }
}
