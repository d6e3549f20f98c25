import Foundation
import Spool
import Testing

@Suite struct SpoolRetryTests {
    let directory: TemporaryDirectory
    let spool: SQLiteSpool

    init() throws {
        self.directory = try TemporaryDirectory()
        self.spool = try SQLiteSpool(path: self.directory.file("spool.db"))
    }

    private func deferral(_ sequence: Int64, until time: Int64) -> SpoolOperation {
        .deferred(sequence: sequence, attempts: 2, nextAttemptAt: time, reason: "peer is away")
    }

    private func waiting() throws -> [SpoolRecord] {
        try self.spool.loadPending(destination: "xmpp", after: 0, limit: 10)
    }

    @Test func aDeferredMessageWaitsWithItsAttemptsTimeAndReason() throws {
        let sequence = try #require(try self.spool.append([.numbered(1)]).first)
        #expect(try self.waiting().map(\.nextAttemptAt) == [0])
        _ = try self.spool.commit([self.deferral(sequence, until: testTime)])
        let loaded = try #require(try self.waiting().first)
        #expect(loaded.attempts == 2)
        #expect(loaded.nextAttemptAt == testTime)
        #expect(loaded.deferralReason == "peer is away")
    }

    @Test("A deferral to now or the past is due at once", arguments: [0, -1, 1] as [Int64])
    func deferralWithoutATime(_ time: Int64) throws {
        let sequence = try #require(try self.spool.append([.numbered(1)]).first)
        _ = try self.spool.commit([self.deferral(sequence, until: time)])
        #expect(try self.waiting().map(\.nextAttemptAt) == [1])
    }

    @Test func deferralsAreCountedOnceAndOverARestart() throws {
        let sequences = try self.spool.append([
            .numbered(1), .numbered(2), .numbered(3, nextAttemptAt: testTime, payload: [1, 2]),
        ])
        _ = try self.spool.commit([
            self.deferral(sequences[0], until: testTime), self.deferral(sequences[0], until: testTime + 1),
        ])
        var expected = SpoolCounts()
        expected.pending = 3
        expected.deferred = 2
        expected.payloadBytes = "message 1".utf8.count * 2 + 2
        expected.seen = 3
        #expect(try self.spool.counts() == expected)
        try self.spool.close()

        let reopened = try SQLiteSpool(path: self.directory.file("spool.db"))
        #expect(try reopened.counts() == expected)
        _ = try reopened.commit(sequences.map { .delivered(sequence: $0) })
        #expect(try reopened.counts().pending == 0)
        #expect(try reopened.counts().deferred == 0)
        #expect(try reopened.counts().payloadBytes == 0)
    }

    @Test func expiredMessagesAreListedOnceTheirTimeIsOver() throws {
        let sequences = try self.spool.append([
            .numbered(1, expiresAt: testTime + 1), .numbered(2, expiresAt: testTime), .numbered(3, expiresAt: 0),
        ])
        #expect(try self.spool.expired(before: testTime - 1, limit: 10).isEmpty)
        #expect(try self.spool.expired(before: testTime, limit: 10).map(\.sequence) == [sequences[1]])
        let both = try self.spool.expired(before: .max, limit: 10).map(\.sequence)
        #expect(both == [sequences[1], sequences[0]])
        #expect(try self.spool.expired(before: .max, limit: 1).count == 1)
    }

    @Test func anExpiredMessageAndTheNoticeToItsSenderAreOneTransaction() throws {
        let sequence = try #require(try self.spool.append([.numbered(1, expiresAt: testTime)]).first)
        _ = try self.spool.commit([self.deferral(sequence, until: testTime + 5)])
        let results = try self.spool.commit([
            .expired(sequence: sequence, at: testTime), .append(.numbered(2, destination: "aol")),
        ])
        #expect(results == [.stored(sequence: 2)])
        #expect(try self.spool.expired(before: .max, limit: 10).isEmpty)
        let deadLetter = try #require(try self.spool.deadLetter(sequence: sequence))
        #expect(deadLetter.cause == .expired)
        #expect(deadLetter.reason == "peer is away")
        #expect(deadLetter.at == testTime)
        #expect(try self.spool.counts().deferred == 0)
    }
}
