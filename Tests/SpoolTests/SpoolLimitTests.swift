import Foundation
import Spool
import Testing

@Suite struct SpoolLimitTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private func open(_ limits: SpoolLimits) throws -> SQLiteSpool {
        try SQLiteSpool(path: self.directory.file("spool.db"), limits: limits)
    }

    @Test func theQuotaRefusesTheNextMessageAndTouchesNoOther() throws {
        var limits = SpoolLimits()
        limits.pendingMax = 3
        let spool = try self.open(limits)
        let results = try spool.commit((1...4).map { .append(.numbered($0)) })
        #expect(results == [.stored(sequence: 1), .stored(sequence: 2), .stored(sequence: 3), .full])
        #expect(try spool.loadPending(after: 0, limit: 10).map(\.idempotencyKey.low) == [1, 2, 3])

        let freed = try spool.commit([.delivered(sequence: 2), .append(.numbered(4)), .append(.numbered(5))])
        #expect(freed == [.stored(sequence: 4), .full])
        #expect(try spool.counts().pending == 3)
    }

    @Test func aDuplicateIsRecognisedAlsoWhenFull() throws {
        var limits = SpoolLimits()
        limits.pendingMax = 1
        let spool = try self.open(limits)
        _ = try spool.append([.numbered(1)])
        #expect(try spool.commit([.append(.numbered(1))]) == [.duplicate(of: 1)])
        #expect(try spool.commit([.append(.numbered(1, remoteID: .some(nil)))]) == [.duplicate(of: 1)])
    }

    @Test func theQuotaCountsWhatWasThereBefore() throws {
        var limits = SpoolLimits()
        let first = try self.open(limits)
        _ = try first.append([.numbered(1), .numbered(2)])
        try first.close()
        limits.pendingMax = 1
        let second = try self.open(limits)
        #expect(try second.commit([.append(.numbered(3))]) == [.full])
        #expect(try second.loadPending(after: 0, limit: 10).count == 2)
    }

    @Test("A field fits at its limit and is refused one past it", arguments: SpoolField.allCases)
    func fieldSize(_ field: SpoolField) throws {
        var limits = SpoolLimits()
        limits.payloadBytesMax = 20
        limits.remoteIDBytesMax = 20
        limits.keyBytesMax = 20
        let spool = try self.open(limits)
        func record(_ size: Int, id: Int) -> SpoolRecord {
            let text = String(repeating: "x", count: size)
            return SpoolRecord(
                destination: field == .destination ? text : "xmpp",
                conversation: field == .conversation ? text : "a|b",
                source: field == .source ? text : "aol",
                remoteID: field == .remoteID ? text : "id-\(id)",
                idempotencyKey: IdempotencyKey(high: 0, low: UInt64(id)),
                createdAt: testTime,
                payload: field == .payload ? Array(text.utf8) : []
            )
        }
        let results = try spool.commit([.append(record(20, id: 1)), .append(record(21, id: 2))])
        #expect(results == [.stored(sequence: 1), .tooLarge(field: field, bytes: 21, max: 20)])
        #expect(try spool.counts().pending == 1)
    }

    @Test func oneReadReturnsNoMoreThanItsLimit() throws {
        var limits = SpoolLimits()
        limits.rowsPerReadMax = 2
        let spool = try self.open(limits)
        _ = try spool.append((1...3).map { .numbered($0) })
        #expect(try spool.loadPending(after: 0, limit: 2).count == 2)
        #expect(try spool.loadPending(after: 0, limit: 3).count == 2)
        #expect(try spool.loadPending(after: 0, limit: -1).isEmpty)
    }

    @Test func anEmptyBatchDoesNothing() throws {
        let spool = try self.open(SpoolLimits())
        #expect(try spool.commit([]).isEmpty)
        #expect(try spool.counts() == SpoolCounts())
    }
}
