import Foundation
import GRDB
import Testing

@testable import Spool

@Suite("Recovering a damaged spool")
struct SpoolRecoveryTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private var path: String { self.directory.file("spool.db") }

    /// A closed spool of 400 messages, of which the first three are dead letters.
    private func makeSpool() throws -> [Int64] {
        let spool = try SQLiteSpool(path: self.path)
        let sequences = try spool.append((1...400).map { .numbered($0, payload: [UInt8](repeating: 9, count: 500)) })
        _ = try spool.commit(sequences.prefix(3).map { .failed(sequence: $0, reason: "no", at: testTime) })
        try spool.close()
        return Array(sequences.dropFirst(3))
    }

    private func change(_ file: String, at offset: Int, _ bytes: Data) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: file))
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    private func recover() throws -> SpoolRecovery.Report {
        try SpoolRecovery.recover(path: self.path, stamp: "now")
    }

    /// The spool is refused as damaged, with the command that recovers it.
    private func expectRefused() throws {
        let error = try #require(throws: SpoolError.self) { try SQLiteSpool(path: self.path) }
        guard case .corrupt(self.path, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.description.contains("plugboard spool recover"))
    }

    /// What waits in the recovered spool, which is sound.
    private func waitingRecords() throws -> [SpoolRecord] {
        #expect(try SQLiteSpool.check(path: self.path).isEmpty)
        let spool = try SQLiteSpool(path: self.path)
        defer { try? spool.close() }
        return try spool.loadPending(after: 0, limit: 4096)
    }

    private func waiting() throws -> [Int64] { try self.waitingRecords().map(\.sequence) }

    @Test("A file whose header, or whole first page, is rubbish loses nothing", arguments: [100, 4096])
    func header(_ count: Int) throws {
        let sequences = try self.makeSpool()
        try self.change(self.path, at: 0, Data(repeating: 0x5A, count: count))
        try self.expectRefused()
        let report = try self.recover()
        #expect(report.messages == 397)
        #expect(report.deadLetters == 3)
        #expect(report.seen == 400)
        #expect(report.messagesLost == 0)
        #expect(report.aside == self.path + ".damaged-now")
        #expect(FileManager.default.fileExists(atPath: report.aside))
        #expect(try self.waiting() == sequences)
    }

    @Test("A page in the middle costs the messages on it, and they are counted")
    func page() throws {
        let sequences = try self.makeSpool()
        let page = try DatabaseQueue(path: self.path).read { db in
            try #require(
                try Int.fetchOne(
                    db,
                    sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'messages'"
                )
            )
        }
        let leaf = try self.leafPage(below: page)
        try self.change(self.path, at: (leaf - 1) * 4096, Data(repeating: 0x5A, count: 4096))
        #expect(try SQLiteSpool.check(path: self.path).isEmpty == false)
        try self.expectRefused()
        let report = try self.recover()
        let kept = try self.waiting()
        #expect(report.messages == kept.count)
        #expect((380..<397).contains(kept.count))
        #expect(report.messagesLost == 397 - kept.count)
        #expect(Set(kept).isSubset(of: sequences))
        #expect(kept == kept.sorted())
        #expect(report.problems.count == 1)
    }

    /// The page of the middle child of an interior page.
    private func leafPage(below page: Int) throws -> Int {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: self.path)))
        let start = (page - 1) * 4096
        try #require(bytes[start] == 5, "an interior page of a table")
        let cells = Int(bytes[start + 3]) << 8 | Int(bytes[start + 4])
        let pointer = start + 12 + cells / 2 * 2
        let cell = start + (Int(bytes[pointer]) << 8 | Int(bytes[pointer + 1]))
        return bytes[cell..<(cell + 4)].reduce(0) { $0 << 8 | Int($1) }
    }

    @Test("A file that was cut off keeps what is in front of the cut, and nothing by halves", arguments: -10...10)
    func truncated(_ pages: Int) throws {
        _ = try self.makeSpool()
        let handle = try FileHandle(forUpdating: URL(filePath: self.path))
        let size = try handle.seekToEnd()
        try handle.truncate(atOffset: UInt64((Int(size) / 4096 / 2 + pages) * 4096 - 1000))
        try handle.close()
        try self.expectRefused()
        let report = try self.recover()
        let kept = try self.waitingRecords()
        #expect(report.messages == kept.count)
        #expect(!kept.isEmpty)
        #expect(kept.allSatisfy { $0.payload == [UInt8](repeating: 9, count: 500) })
        #expect(report.problems.contains { $0.contains("cut off") })
    }

    /// The files as a crash leaves them: five commits in the -wal file, one message each.
    private func crash() throws -> Int {
        let spool = try SQLiteSpool(path: self.path + ".live")
        for id in 1...5 { _ = try spool.append([.numbered(id)]) }
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: self.path + ".live" + suffix, toPath: self.path + suffix)
        }
        return try #require(
            try FileManager.default.attributesOfItem(atPath: self.path + "-wal")[.size] as? Int
        )
    }

    @Test("The torn end of a log is what a crash leaves, and no damage")
    func tornEnd() throws {
        let size = try self.crash()
        try self.change(self.path + "-wal", at: size - 3000, Data(repeating: 0x5A, count: 3000))
        #expect(try self.waiting() == [1, 2, 3, 4])
    }

    @Test("Damage in the middle of a log, which would hide later commits, is refused; all others are saved")
    func tornMiddle() throws {
        let size = try self.crash()
        let frame = 4096 + 24
        // Some frame of the third commit from the end.
        try self.change(self.path + "-wal", at: size - frame * 20, Data(repeating: 0x5A, count: 2000))
        try self.expectRefused()
        #expect(try SQLiteSpool.check(path: self.path).contains { $0.contains("of its -wal file is damaged") })
        let report = try self.recover()
        #expect(report.problems.contains { $0.contains("whole ones follow it") })
        let kept = try self.waiting()
        #expect(kept.contains(5))
        #expect(kept.count >= 4)
        #expect(FileManager.default.fileExists(atPath: report.aside + "-wal"))
    }

    @Test("A log with a page behind the place where the file was cut off does not fill a page that was cut in two")
    func cutWithLog() throws {
        let spool = try SQLiteSpool(path: self.path + ".live")
        let payload = [UInt8](repeating: 9, count: 500)
        _ = try spool.append((1...400).map { .numbered($0, payload: payload) })
        try spool.close()
        let again = try SQLiteSpool(path: self.path + ".live")
        // The last pages of the file are the messages that came last, and the log has newer ones.
        _ = try again.append((401...440).map { .numbered($0, payload: payload) })
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: self.path + ".live" + suffix, toPath: self.path + suffix)
        }
        let handle = try FileHandle(forUpdating: URL(filePath: self.path))
        let size = Int(try handle.seekToEnd())
        let cut = size / 4096 / 2 * 4096 - 1000
        try handle.truncate(atOffset: UInt64(cut))
        try handle.close()
        let log = try #require(WriteAheadLog(path: self.path + "-wal"))
        var last = 0
        log.forEachPage { page, _ in last = max(last, page) }
        #expect(last * 4096 > size, "the log has a page behind the cut")

        let report = try self.recover()
        #expect(report.problems.contains { $0.contains("ends within its page \(cut / 4096 + 1)") })
        let kept = try self.waitingRecords()
        #expect(report.messages == kept.count)
        #expect(kept.allSatisfy { $0.payload == payload && $0.damage == nil })
        #expect(kept.map(\.sequence).contains(440), "what the log has is saved")
        #expect(report.messagesAltered == 0, "nothing is made of zeros")
    }

    @Test("An interrupted recovery is finished, and no router begins an empty spool in between")
    func interrupted() throws {
        let sequences = try self.makeSpool()
        try FileManager.default.moveItem(atPath: self.path, toPath: self.path + ".recovered")
        #expect(throws: SpoolError.recoveryInterrupted(path: self.path)) { try SQLiteSpool(path: self.path) }
        _ = try self.recover()
        #expect(try self.waiting() == sequences)
    }

    @Test("A spool that a router has open is left alone")
    func inUse() throws {
        let spool = try SQLiteSpool(path: self.path)
        #expect(throws: SpoolError.inUse(path: self.path)) { try self.recover() }
        try spool.close()
    }

    @Test("What was recovered counts as not closed, and gives no sequence twice")
    func lifeAfter() throws {
        let sequences = try self.makeSpool()
        try self.change(self.path, at: 0, Data(repeating: 0x5A, count: 100))
        _ = try self.recover()
        let spool = try SQLiteSpool(path: self.path)
        #expect(spool.uncertainUpTo == sequences.last)
        #expect(try spool.append([.numbered(1000)]) == [401])
        #expect(try spool.commit([.append(.numbered(400))]) == [.duplicate(of: 400)])
    }

    @Test("Without the table of the last sequence, none that a dead letter or a remembered message has is given again")
    func lostSequence() throws {
        let spool = try SQLiteSpool(path: self.path)
        let sequences = try spool.append((1...4).map { .numbered($0) })
        let died = SpoolOperation.failed(sequence: sequences[2], reason: "no", at: testTime)
        _ = try spool.commit([died, .delivered(sequence: sequences[1]), .delivered(sequence: sequences[3])])
        try spool.close()
        let file = try DatabaseQueue(path: self.path)
        try file.write { try $0.execute(sql: "DELETE FROM sqlite_sequence") }
        try file.close()

        _ = try self.recover()
        let recovered = try SQLiteSpool(path: self.path)
        let next = try recovered.append([.numbered(5), .numbered(6)])
        #expect(next == [5, 6])
        _ = try recovered.commit(next.map { .failed(sequence: $0, reason: "no", at: testTime) })
        #expect(try recovered.counts().deadLetters == 3)
    }
}
