import Foundation
import Spool
import Testing

@testable import struct Spool.DuplicateKeys
@testable import struct Spool.SipHash

@Suite struct SpoolDuplicateTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private func open(_ limits: SpoolLimits = SpoolLimits()) throws -> SQLiteSpool {
        try SQLiteSpool(path: self.directory.file("spool.db"), limits: limits)
    }

    /// The same message from the network once more: the router gives it another key.
    private func again(_ id: Int, createdAt: Int64 = testTime) -> SpoolOperation {
        .append(.numbered(id + 1000, remoteID: "remote-\(id)", createdAt: createdAt))
    }

    @Test func aSecondCopyIsRecognisedWhileTheFirstWaits() throws {
        let spool = try self.open()
        let results = try spool.commit([.append(.numbered(1)), self.again(1)])
        #expect(results == [.stored(sequence: 1), .duplicate(of: 1)])
        #expect(try spool.counts().pending == 1)
    }

    @Test func aSecondCopyIsRecognisedAfterDeliveryAndARestart() throws {
        let spool = try self.open()
        let sequence = try #require(try spool.append([.numbered(1)]).first)
        _ = try spool.commit([.delivered(sequence: sequence)])
        #expect(try spool.commit([self.again(1)]) == [.duplicate(of: sequence)])
        try spool.close()

        let reopened = try self.open()
        #expect(try reopened.commit([self.again(1)]) == [.duplicate(of: sequence)])
        #expect(try reopened.counts().pending == 0)
        #expect(try reopened.counts().seen == 1)
    }

    @Test func aSecondCopyIsRecognisedAfterTheFirstDied() throws {
        let spool = try self.open()
        let sequence = try #require(try spool.append([.numbered(1)]).first)
        _ = try spool.commit([.failed(sequence: sequence, reason: "refused", at: testTime)])
        #expect(try spool.commit([self.again(1)]) == [.duplicate(of: sequence)])
    }

    @Test func oneRemoteIDToTwoPeopleIsTwoMessages() throws {
        let spool = try self.open()
        let stored = try spool.append([
            .numbered(1, conversation: "a|b", remoteID: "x"), .numbered(2, conversation: "a|c", remoteID: "x"),
        ])
        #expect(stored.count == 2)
    }

    @Test func messagesWithoutARemoteIDAreNeverDuplicatesByIt() throws {
        let spool = try self.open()
        let stored = try spool.append([.numbered(1, remoteID: .some(nil)), .numbered(2, remoteID: .some(nil))])
        #expect(stored.count == 2)
        #expect(try spool.counts().seen == 0)
    }

    @Test func anIdempotencyKeyIsStoredOnce() throws {
        let spool = try self.open()
        let record = SpoolRecord.numbered(1, remoteID: .some(nil))
        let results = try spool.commit([.append(record), .append(record)])
        #expect(results == [.stored(sequence: 1), .duplicate(of: 1)])
        #expect(try spool.loadPending(after: 0, limit: 10).count == 1)
    }

    @Test func theOldestIsForgottenPastTheNumberLimit() throws {
        var limits = SpoolLimits()
        limits.seenMax = 3
        let spool = try self.open(limits)
        _ = try spool.append((1...3).map { .numbered($0) })
        #expect(try spool.counts().seen == 3)
        #expect(try spool.commit([self.again(1)]) == [.duplicate(of: 1)])

        _ = try spool.append([.numbered(4)])
        #expect(try spool.counts().seen == 3)
        #expect(try spool.commit([self.again(2)]) == [.duplicate(of: 2)])
        #expect(try spool.commit([self.again(1)]) == [.stored(sequence: 5)])
    }

    @Test func aMessageIsForgottenPastTheAgeLimit() throws {
        var limits = SpoolLimits()
        limits.seenAgeMaxMs = 1000
        let spool = try self.open(limits)
        _ = try spool.append([.numbered(1), .numbered(2, createdAt: testTime + 1000)])
        #expect(try spool.counts().seen == 2)
        _ = try spool.append([.numbered(3, createdAt: testTime + 1001)])
        #expect(try spool.counts().seen == 2)
        let results = try spool.commit([self.again(1, createdAt: testTime + 1001), self.again(2)])
        #expect(results == [.stored(sequence: 4), .duplicate(of: 2)])
    }

    @Test func aRefusedAppendIsNotRemembered() throws {
        var limits = SpoolLimits()
        limits.pendingMax = 1
        let spool = try self.open(limits)
        #expect(try spool.commit([.append(.numbered(1)), .append(.numbered(2))]) == [.stored(sequence: 1), .full])
        _ = try spool.commit([.delivered(sequence: 1)])
        #expect(try spool.append([.numbered(2)]).count == 1)
    }
}

@Suite struct SipHashTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let length: Int
        let output: [UInt8]
        var testDescription: String { "\(self.length) bytes" }
    }

    /// Key 00…0f, message 00, 01, 02 and so on.
    ///
    /// Source: vectors_sip128 of the authors' reference implementation.
    @Test(
        "The hash agrees with the reference vectors",
        arguments: [
            Vector(
                length: 0,
                output: [
                    0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93,
                ]
            ),
            Vector(
                length: 1,
                output: [
                    0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45,
                ]
            ),
            Vector(
                length: 15,
                output: [
                    0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3, 0xd9,
                ]
            ),
        ]
    )
    func referenceVectors(_ vector: Vector) throws {
        let hash = try #require(SipHash(key: Array(0..<16)))
        let digest = hash.digest((0..<vector.length).map { UInt8($0) })
        let output = withUnsafeBytes(of: (digest.first.littleEndian, digest.second.littleEndian)) { Array($0) }
        #expect(output == vector.output)
    }

    @Test("A key of another length is refused", arguments: [0, 15, 17])
    func keyLength(_ length: Int) {
        #expect(SipHash(key: [UInt8](repeating: 1, count: length)) == nil)
    }

    @Test func fieldsThatRunTogetherGiveDifferentKeys() throws {
        let keys = DuplicateKeys(hash: try #require(SipHash(key: Array(0..<16))))
        let first = keys.key(source: "ab", conversation: "c", remoteID: "d")
        #expect(first != keys.key(source: "a", conversation: "bc", remoteID: "d"))
        #expect(first != keys.key(source: "ab", conversation: "", remoteID: "cd"))
        #expect(first == keys.key(source: "ab", conversation: "c", remoteID: "d"))
    }
}

@Suite struct IdempotencyKeyTests {
    @Test func bytesGoThereAndBack() throws {
        let bytes: [UInt8] = Array(240...255)
        let key = try #require(IdempotencyKey(bytes: bytes))
        #expect(key.high == 0xf0f1_f2f3_f4f5_f6f7)
        #expect(key.bytes == bytes)
    }

    @Test("Any other length is refused", arguments: [0, 15, 17])
    func otherLengths(_ length: Int) {
        #expect(IdempotencyKey(bytes: [UInt8](repeating: 0, count: length)) == nil)
    }
}
