import Foundation
import GRDB
import Testing

@testable import Spool

@Suite("Rows that changed on the disk")
struct SpoolIntegrityTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private var path: String { self.directory.file("spool.db") }

    /// What is stored: short messages, some longer than a page, and some without an id.
    private static let messages: [SpoolRecord] = (1...40).map { id in
        let size = id % 5 == 0 ? 9000 + id * 100 : 100 + id * 13
        var random = SplitMix(seed: UInt64(id))
        let payload = (0..<size).map { _ in UInt8.random(in: 1...255, using: &random) }
        return .numbered(
            id,
            conversation: "user\(id % 3)@a.example|friend@b.example",
            remoteID: id % 4 == 0 ? .some(nil) : .none,
            expiresAt: id % 2 == 0 ? testTime + 1000 : 0,
            payload: payload
        )
    }

    /// A closed spool of these messages, of which the last three are dead letters.
    private func makeSpool() throws {
        let spool = try SQLiteSpool(path: self.path)
        let sequences = try spool.append(Self.messages)
        #expect(sequences == Self.messages.indices.map { Int64($0 + 1) })
        _ = try spool.commit(sequences.suffix(3).map { .failed(sequence: $0, reason: "no", at: testTime) })
        try spool.close()
    }

    private func load() throws -> [SpoolRecord] {
        let spool = try SQLiteSpool(path: self.path)
        defer { try? spool.close() }
        return try spool.loadPending(after: 0, limit: 4096)
    }

    /// Without what may change while a message waits: no checksum covers that.
    private func constant(_ record: SpoolRecord) -> SpoolRecord {
        var record = record
        (record.attempts, record.nextAttemptAt, record.deferralReason) = (0, 0, nil)
        return record
    }

    private func isOriginal(_ record: SpoolRecord) -> Bool {
        guard Self.messages.indices.contains(Int(record.sequence) - 1) else { return false }
        var original = Self.messages[Int(record.sequence) - 1]
        original.sequence = record.sequence
        return self.constant(record) == original
    }

    private func pages() throws -> Int { try Data(contentsOf: URL(filePath: self.path)).count / 4096 }

    private func change(at offset: Int, _ body: (inout [UInt8]) -> Void) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: self.path)))
        var rest = Array(bytes[offset...])
        body(&rest)
        bytes.replaceSubrange(offset..., with: rest)
        try Data(bytes).write(to: URL(filePath: self.path))
    }

    /// Where some bytes are in the file.
    private func offset(of needle: [UInt8]) throws -> Int {
        let bytes = try Data(contentsOf: URL(filePath: self.path))
        return try #require(bytes.range(of: Data(needle))).lowerBound
    }

    /// A change on the disk is refused, noticed or harmless: what is delivered as sound is what was stored, and what is
    /// missing is not missing in silence.
    ///
    /// The same of what a recovery saves.
    private func expectNothingAlteredInSilence(_ what: String) throws {
        let records: [SpoolRecord]?
        do {
            records = try self.load()
        } catch is SpoolError {
            records = nil
        }
        let sound = (records ?? []).filter { $0.damage == nil }
        #expect(sound.allSatisfy { self.isOriginal($0) }, "\(what): something altered is delivered")
        let damage = try? SQLiteSpool.check(path: self.path)
        if Set(sound.map(\.sequence)).count < 37 { #expect(damage?.isEmpty != true, "\(what): check finds nothing") }
        guard damage?.isEmpty == false else { return }
        guard let report = try? SpoolRecovery.recover(path: self.path, stamp: "now") else { return }
        let saved = try self.load()
        #expect(saved.allSatisfy { $0.damage == nil && self.isOriginal($0) }, "\(what): something altered is saved")
        #expect(report.messages == saved.count)
        #expect(try SQLiteSpool.check(path: self.path).isEmpty, "\(what)")
    }

    @Test("A byte that changed anywhere in the file alters no message in silence", arguments: 0..<40)
    func anyByte(_ seed: Int) throws {
        try self.makeSpool()
        let original = try Data(contentsOf: URL(filePath: self.path))
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<6 {
            let offset = Int.random(in: 0..<original.count, using: &random)
            let flipped = UInt8.random(in: 1...255, using: &random)
            try original.write(to: URL(filePath: self.path))
            try self.change(at: offset) { $0[0] ^= flipped }
            try self.expectNothingAlteredInSilence("byte \(offset) ^ \(flipped)")
        }
    }

    @Test("A page whose end is zeros alters no message in silence", arguments: [512, 1024, 2048, 4096])
    func zeroedPages(_ count: Int) throws {
        try self.makeSpool()
        let original = try Data(contentsOf: URL(filePath: self.path))
        for page in 1..<(try self.pages()) {
            try original.write(to: URL(filePath: self.path))
            try self.change(at: (page + 1) * 4096 - count) {
                $0.replaceSubrange(0..<count, with: repeatElement(0, count: count))
            }
            try self.expectNothingAlteredInSilence("\(count) zeros in page \(page + 1)")
        }
    }

    /// Each of the columns that the checksum covers, by the bytes of one message in the file.
    @Test("A changed byte of any field is noticed", arguments: ["payload", "conversation", "source", "remote", "key"])
    func everyField(_ field: String) throws {
        let spool = try SQLiteSpool(path: self.path)
        var record = SpoolRecord.numbered(1, conversation: "somebody@a.example|else@b.example", remoteID: "remoteness")
        record.source = "sourcery"
        record.idempotencyKey = IdempotencyKey(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
        _ = try spool.append([record])
        try spool.close()
        // The table's root page is in front of the indexes' pages.
        let needles = [
            "payload": record.payload, "conversation": Array(record.conversation.utf8),
            "source": Array("sourcery".utf8),
            "remote": Array("remoteness".utf8), "key": record.idempotencyKey.bytes,
        ]
        try self.change(at: self.offset(of: #require(needles[field]))) { $0[2] ^= 1 }
        let loaded = try self.load()
        #expect(loaded.map(\.damage) == [.altered])
        #expect(try SQLiteSpool.check(path: self.path).contains("1 of 1 waiting messages are not what was stored: 1"))
    }

    @Test(
        "A change in any column, as from another program, is noticed",
        arguments: [
            "destination = 'aol'", "conversation = 'a|b'", "source = 'x'", "remote_id = NULL", "remote_id = ''",
            "idempotency_key = zeroblob(16)", "idempotency_key = zeroblob(15)", "created_at = created_at + 1",
            "expires_at = 5", "payload = zeroblob(1)", "checksum = NULL", "checksum = 0", "sequence = 77",
        ]
    )
    func everyColumn(_ change: String) throws {
        let spool = try SQLiteSpool(path: self.path)
        _ = try spool.append([.numbered(1), .numbered(2)])
        try spool.close()
        try DatabaseQueue(path: self.path).write {
            try $0.execute(sql: "UPDATE messages SET \(change) WHERE sequence = 1")
        }
        let loaded = try self.load()
        #expect(loaded.filter { $0.damage == nil }.map(\.sequence) == [2])
        #expect(loaded.filter { $0.damage == .altered }.count == 1)
        #expect(try SQLiteSpool.check(path: self.path).count == 1)
    }

    @Test("What changes while a message waits is not part of its checksum")
    func deferred() throws {
        let spool = try SQLiteSpool(path: self.path)
        let sequence = try #require(try spool.append([.numbered(1)]).first)
        _ = try spool.commit([.deferred(sequence: sequence, attempts: 3, nextAttemptAt: 9, reason: "later")])
        let loaded = try spool.loadPending(after: 0, limit: 1)
        #expect(loaded.map(\.damage) == [nil])
        #expect(loaded.map(\.attempts) == [3])
        _ = try spool.commit([.failed(sequence: sequence, reason: "no", at: testTime)])
        #expect(try spool.deadLetter(sequence: sequence)?.record.damage == nil)
        #expect(try spool.retryDeadLetters([sequence], expiresAt: 77) == [.stored(sequence: 2)])
        #expect(try spool.loadPending(after: 0, limit: 1).map(\.damage) == [nil])
        #expect(try spool.check().isEmpty)
    }

    @Test("The last page of a long message, gone, makes it altered; one in its middle makes it unreadable")
    func overflow() throws {
        try self.makeSpool()
        let original = try Data(contentsOf: URL(filePath: self.path))
        let payload = Self.messages[9].payload
        // The end of the message, and a place in its second page.
        for (place, damage) in [(payload.suffix(64), SpoolRecord.Damage.altered), (payload[5000..<5064], .unreadable)] {
            try original.write(to: URL(filePath: self.path))
            let page = try self.offset(of: Array(place)) / 4096
            try self.change(at: page * 4096) { $0.replaceSubrange(0..<4096, with: repeatElement(0, count: 4096)) }
            let loaded = try self.load()
            #expect(loaded.count == 37, "the others are read nevertheless")
            #expect(loaded.filter { $0.damage != nil }.map(\.sequence) == [10])
            #expect(loaded.first { $0.damage != nil }?.damage == damage)
            #expect(
                try SQLiteSpool.check(path: self.path).contains("1 of 37 waiting messages are not what was stored: 10")
            )
            let report = try SpoolRecovery.recover(path: self.path, stamp: "\(damage)")
            #expect(report.messages == 36)
            #expect((report.messagesAltered, report.messagesLost) == (damage == .altered ? (1, 0) : (0, 1)))
            let kept = try Data(contentsOf: URL(filePath: report.aside))
            #expect(kept.range(of: Data(payload[100..<1000])) != nil, "its bytes are kept")
        }
    }

    @Test("A message that is not what was stored becomes a dead letter that cannot be sent again")
    func altered() throws {
        try self.makeSpool()
        try self.change(at: self.offset(of: Array(Self.messages[4].payload.suffix(64)))) { $0[3] ^= 0x20 }
        let spool = try SQLiteSpool(path: self.path)
        #expect(try spool.check() == ["1 of 37 waiting messages are not what was stored: 5"])
        _ = try spool.commit([.failed(sequence: 5, cause: .damaged, reason: "damaged", at: testTime)])
        #expect(try spool.deadLetter(sequence: 5)?.record.damage == .altered)
        #expect(try spool.check().isEmpty, "the operator knows of it")
        #expect(try spool.retryDeadLetters([5], expiresAt: 0) == [.damaged])
        try spool.close()
        // It goes through a recovery as it is.
        try self.change(at: 0) { $0.replaceSubrange(0..<100, with: repeatElement(0x5A, count: 100)) }
        let report = try SpoolRecovery.recover(path: self.path, stamp: "now")
        #expect((report.messages, report.deadLetters, report.deadLettersAltered) == (36, 4, 0))
        let recovered = try SQLiteSpool(path: self.path)
        #expect(try recovered.retryDeadLetters([5], expiresAt: 0) == [.damaged])
    }

    @Test("A dead letter that changed afterwards is told, and left out by a recovery")
    func alteredDeadLetter() throws {
        try self.makeSpool()
        try DatabaseQueue(path: self.path).write {
            try $0.execute(sql: "UPDATE dead_letters SET payload = zeroblob(9), cause = 77 WHERE sequence = 39")
            try $0.execute(sql: "UPDATE dead_letters SET payload = zeroblob(9) WHERE sequence = 40")
        }
        #expect(
            try SQLiteSpool.check(path: self.path) == ["2 of 3 dead letters are not what was stored: 39, 40"]
        )
        let spool = try SQLiteSpool(path: self.path)
        #expect(try spool.deadLetters(after: 0, limit: 9).map(\.cause) == [.refused, .damaged, .refused])
        #expect(try spool.retryDeadLetters([38, 39, 40], expiresAt: 0) == [.stored(sequence: 41), .damaged, .damaged])
    }

    @Test("A line names twenty messages and counts the rest")
    func manyDamaged() {
        #expect(SpoolCheck.list(Array(1...20)).hasSuffix("19, 20"))
        #expect(SpoolCheck.list(Array(1...22)).hasSuffix("19, 20 and 2 more"))
    }

    // MARK: An older layout

    /// The spool as a release without checksums has left it.
    private func makeOldSpool() throws {
        try self.makeSpool()
        try DatabaseQueue(path: self.path).write { db in
            for table in ["messages", "dead_letters"] {
                try db.execute(sql: "ALTER TABLE \(table) DROP COLUMN checksum")
            }
            try db.execute(sql: "PRAGMA user_version = 2")
        }
    }

    @Test("The first start of this release gives an older spool its checksums, after which changes are noticed")
    func migration() throws {
        try self.makeOldSpool()
        #expect(try SQLiteSpool.check(path: self.path).isEmpty)
        let spool = try SQLiteSpool(path: self.path)
        #expect(try spool.check().isEmpty)
        #expect(
            try spool.loadPending(after: 0, limit: 4096).filter { $0.damage == nil && self.isOriginal($0) }.count == 37
        )
        #expect(try spool.deadLetters(after: 0, limit: 9).map(\.record.damage) == [nil, nil, nil])
        #expect(try spool.append([.numbered(1000)]) == [41])
        try spool.pool.write { try $0.execute(sql: "UPDATE messages SET source = 'x' WHERE sequence = 7") }
        #expect(try spool.check() == ["1 of 38 waiting messages are not what was stored: 7"])
    }

    @Test("A damaged spool of an older release is recovered with all that can be read", arguments: [100, 4096])
    func oldRecovery(_ count: Int) throws {
        try self.makeOldSpool()
        try self.change(at: 0) { $0.replaceSubrange(0..<count, with: repeatElement(0x5A, count: count)) }
        let report = try SpoolRecovery.recover(path: self.path, stamp: "now")
        #expect((report.messages, report.deadLetters, report.messagesAltered) == (37, 3, 0))
        #expect(try self.load().filter { $0.damage == nil && self.isOriginal($0) }.count == 37)
        #expect(try SQLiteSpool.check(path: self.path).isEmpty)
    }
}

/// Numbers by chance that a seed repeats.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
