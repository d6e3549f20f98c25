import Foundation
import GRDB
import Testing

@testable import Spool

@Suite struct SpoolErrorTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private var path: String { self.directory.file("spool.db") }

    private func error(_ body: () throws -> Void) throws -> SpoolError {
        try #require(throws: SpoolError.self) { try body() }
    }

    @Test func aPathBelowAFileCannotBeOpened() throws {
        try Data("text".utf8).write(to: URL(filePath: self.directory.file("file")))
        for path in ["file/spool.db", "file/a/b/spool.db"].map({ self.directory.file($0) }) {
            let error = try self.error { _ = try SQLiteSpool(path: path) }
            guard case .cannotOpen(path, let reason) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(reason.contains("Not a directory"))
        }
    }

    @Test func aDirectoryIsNoSpool() throws {
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
        let error = try self.error { _ = try SQLiteSpool(path: self.path) }
        #expect(error == .cannotOpen(path: self.path, reason: "Is a directory"))
    }

    @Test func aFileThatIsNoDatabaseIsCalledDamaged() throws {
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: self.path))
        let error = try self.error { _ = try SQLiteSpool(path: self.path) }
        guard case .corrupt(self.path, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.description.contains("spool recover"))
    }

    @Test("A damaged table is found by the check", arguments: ["messages", "seen", "dead_letters"])
    func damagedTable(_ table: String) throws {
        let spool = try SQLiteSpool(path: self.path)
        _ = try spool.append((1...200).map { .numbered($0, payload: [UInt8](repeating: 9, count: 500)) })
        let rootPage = try spool.pool.read { db in
            try #require(
                try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_schema WHERE name = ?", arguments: [table])
            )
        }
        try spool.close()
        #expect(try SQLiteSpool.check(path: self.path).isEmpty)

        try self.overwritePages(from: rootPage, count: 1)
        let problems = try SQLiteSpool.check(path: self.path)
        #expect(problems.contains { $0.contains("Page \(rootPage)") })
        guard table == "messages" else { return }

        // Opening counts the messages, and so meets the damage.
        let error = try self.error { _ = try SQLiteSpool(path: self.path) }
        guard case .corrupt(self.path, _) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test func aFileWithNothingButItsFirstPageIsCalledDamaged() throws {
        try SQLiteSpool(path: self.path).close()
        let size = try #require(try FileManager.default.attributesOfItem(atPath: self.path)[.size] as? Int)
        try self.overwritePages(from: 2, count: size / 4096 - 1)
        let error = try self.error { _ = try SQLiteSpool(path: self.path) }
        guard case .corrupt(self.path, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(try SQLiteSpool.check(path: self.path).isEmpty == false)
    }

    /// Fills whole pages, numbered from 1, with rubbish.
    private func overwritePages(from first: Int, count: Int) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: self.path))
        try handle.seek(toOffset: UInt64(first - 1) * 4096)
        try handle.write(contentsOf: Data(repeating: 0x5A, count: count * 4096))
        try handle.close()
    }

    @Test func aNewerLayoutIsRefusedWithBothVersions() throws {
        try SQLiteSpool(path: self.path).close()
        try DatabaseQueue(path: self.path).write { try $0.execute(sql: "PRAGMA user_version = 99") }
        let expected = SpoolError.newerSchema(path: self.path, found: 99, supported: SpoolSchema.version)
        #expect(throws: expected) { try SQLiteSpool(path: self.path) }
        #expect(throws: expected) { try SQLiteSpool.check(path: self.path) }
        #expect(expected.description.contains("schema 99"))
    }

    @Test func anotherProgramsDatabaseIsLeftAlone() throws {
        try DatabaseQueue(path: self.path).write { try $0.execute(sql: "CREATE TABLE mail (id INTEGER)") }
        #expect(throws: SpoolError.notASpool(path: self.path)) { try SQLiteSpool(path: self.path) }
    }

    @Test func aFullDiskFailsTheWholeBatchAndNothingElse() throws {
        let spool = try SQLiteSpool(path: self.path)
        _ = try spool.append([.numbered(1)])
        let before = try spool.counts()
        func limitPages(_ pragma: String) throws {
            try spool.pool.writeWithoutTransaction {
                _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(pragma)")
            }
        }
        try limitPages("40")
        let large = SpoolRecord.numbered(3, payload: [UInt8](repeating: 1, count: 300_000))
        #expect(throws: SpoolError.diskFull(path: self.path)) {
            try spool.commit([.delivered(sequence: 1), .append(.numbered(2)), .append(large)])
        }
        #expect(try spool.counts() == before)
        #expect(try spool.loadPending(after: 0, limit: 10).map(\.idempotencyKey.low) == [1])

        try limitPages("1000000")
        #expect(try spool.append([.numbered(2), large]).count == 2)
    }

    @Test func aSpoolThatMayNotBeWrittenSaysSo() throws {
        let spool = try SQLiteSpool(path: self.path)
        try spool.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
        #expect(throws: SpoolError.readOnly(path: self.path)) { try spool.commit([.append(.numbered(1))]) }
        #expect(try spool.counts() == SpoolCounts())
    }

    @Test func aCheckOfNoFileSaysSo() throws {
        let error = try self.error { _ = try SQLiteSpool.check(path: self.path) }
        guard case .cannotOpen(self.path, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(FileManager.default.fileExists(atPath: self.path) == false)
    }

    @Test func aCheckRunsBesideTheRouter() throws {
        let spool = try SQLiteSpool(path: self.path)
        _ = try spool.append([.numbered(1)])
        #expect(try SQLiteSpool.check(path: self.path).isEmpty)
        #expect(try spool.append([.numbered(2)]).count == 1)
    }

    @Test(
        "Each SQLite code has its cause",
        arguments: [
            (ResultCode.SQLITE_CANTOPEN_ISDIR, SpoolError.cannotOpen(path: "p", reason: "m")),
            (.SQLITE_PERM, .cannotOpen(path: "p", reason: "m")),
            (.SQLITE_NOTADB, .corrupt(path: "p", detail: "m")),
            (.SQLITE_CORRUPT_VTAB, .corrupt(path: "p", detail: "m")),
            (.SQLITE_FULL, .diskFull(path: "p")),
            (.SQLITE_READONLY_DIRECTORY, .readOnly(path: "p")),
            (.SQLITE_BUSY_RECOVERY, .busy(path: "p")),
            (.SQLITE_LOCKED, .busy(path: "p")),
            (.SQLITE_IOERR_FSYNC, .ioFailure(path: "p", detail: "m, code 1034")),
            (.SQLITE_NOMEM, .unexpected(path: "p", code: 7, detail: "m")),
        ]
    )
    func mapping(_ code: ResultCode, cause: SpoolError) {
        let error = SpoolError(DatabaseError(resultCode: code, message: "m"), path: "p")
        #expect(error == cause)
        #expect(error.description.contains("p"))
    }
}
