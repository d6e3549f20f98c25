import Foundation
import Spool
import Testing

@Suite struct SpoolOrderTests {
    let directory: TemporaryDirectory
    let spool: SQLiteSpool

    init() throws {
        self.directory = try TemporaryDirectory()
        self.spool = try SQLiteSpool(path: self.directory.file("spool.db"))
    }

    @Test func aMessageComesBackAsItWasAppended() throws {
        let record = SpoolRecord(
            destination: "xmpp",
            conversation: "a\0b|ž@例え.example",
            source: "",
            remoteID: "id\0with a NUL",
            idempotencyKey: IdempotencyKey(high: .max, low: 1),
            createdAt: testTime,
            expiresAt: .max,
            attempts: 3,
            nextAttemptAt: testTime + 5,
            deferralReason: "was busy",
            payload: [0, 255, 0, 1]
        )
        let sequence = try #require(try self.spool.append([record]).first)
        var expected = record
        expected.sequence = sequence
        #expect(try self.spool.loadPending(after: 0, limit: 10) == [expected])
    }

    @Test func anEmptyPayloadIsKept() throws {
        _ = try self.spool.append([.numbered(1, remoteID: .some(nil), payload: [])])
        let loaded = try #require(try self.spool.loadPending(after: 0, limit: 1).first)
        #expect(loaded.payload.isEmpty)
        #expect(loaded.remoteID == nil)
    }

    @Test func sequencesGrowAndAreNeverUsedTwice() throws {
        let first = try self.spool.append([.numbered(1), .numbered(2)])
        _ = try self.spool.commit(first.map { .delivered(sequence: $0) })
        let second = try self.spool.append([.numbered(3)])
        try self.spool.close()

        let reopened = try SQLiteSpool(path: self.directory.file("spool.db"))
        _ = try reopened.commit(second.map { .delivered(sequence: $0) })
        let third = try reopened.append([.numbered(4)])
        #expect((first + second + third) == (first + second + third).sorted())
        #expect(Set(first + second + third).count == 4)
    }

    @Test func aConversationIsLoadedInOrderAndInPages() throws {
        let mine = "romeo@a.example|juliet@b.example"
        let records = (1...9).map { SpoolRecord.numbered($0, conversation: $0 % 3 == 0 ? "other" : mine) }
        _ = try self.spool.append(records)
        _ = try self.spool.append([.numbered(10, conversation: mine, destination: "sip")])

        let first = try self.spool.load(conversation: mine, destination: "xmpp", after: 0, limit: 4)
        let last = try #require(first.last)
        let second = try self.spool.load(conversation: mine, destination: "xmpp", after: last.sequence, limit: 4)
        #expect((first + second).map(\.idempotencyKey.low) == [1, 2, 4, 5, 7, 8])
    }

    @Test func conversationsThatDifferAfterANULAreKeptApart() throws {
        _ = try self.spool.append([.numbered(1, conversation: "a\0b"), .numbered(2, conversation: "a\0c")])
        let loaded = try self.spool.load(conversation: "a\0c", destination: "xmpp", after: 0, limit: 10)
        #expect(loaded.map(\.idempotencyKey.low) == [2])
    }

    @Test func startUpReadsEverythingInOrder() throws {
        let sequences = try self.spool.append((1...25).map { .numbered($0, conversation: "c\($0 % 4)") })
        _ = try self.spool.commit([.delivered(sequence: sequences[3])])
        var loaded: [Int64] = []
        while true {
            let page = try self.spool.loadPending(after: loaded.last ?? 0, limit: 10)
            if page.isEmpty { break }
            loaded += page.map(\.sequence)
        }
        #expect(loaded == sequences.filter { $0 != sequences[3] })
    }

    @Test func changesOfABatchApplyInOrder() throws {
        let first = try #require(try self.spool.append([.numbered(1)]).first)
        let results = try self.spool.commit([
            .failed(sequence: first, reason: "refused", at: testTime),
            .append(.numbered(2)),
            .delivered(sequence: first),
        ])
        #expect(results.count == 1)
        #expect(try self.spool.loadPending(after: 0, limit: 10).map(\.idempotencyKey.low) == [2])
        #expect(try self.spool.deadLetter(sequence: first)?.reason == "refused")
    }

    @Test func answersForAMessageThatIsGoneChangeNothing() throws {
        _ = try self.spool.append([.numbered(1)])
        let before = try self.spool.counts()
        _ = try self.spool.commit([
            .delivered(sequence: 99),
            .deferred(sequence: 99, attempts: 1, nextAttemptAt: testTime, reason: "busy"),
            .failed(sequence: 99, reason: "refused", at: testTime),
            .expired(sequence: 99, at: testTime),
        ])
        #expect(try self.spool.counts() == before)
    }
}
