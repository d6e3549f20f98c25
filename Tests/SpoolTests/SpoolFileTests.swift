import Foundation
import GRDB
import Testing

@testable import Spool

@Suite struct SpoolFileTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private var path: String { self.directory.file("spool.db") }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require((attributes[.posixPermissions] as? NSNumber)?.intValue)
    }

    @Test func onlyTheOwnerMayReadIt() throws {
        let path = self.directory.file("var/lib/spool.db")
        let spool = try SQLiteSpool(path: path)
        _ = try spool.append([.numbered(1)])
        #expect(try self.mode(self.directory.file("var")) == 0o700)
        #expect(try self.mode(self.directory.file("var/lib")) == 0o700)
        for file in [path, path + "-wal", path + "-shm", path + ".lock"] {
            #expect(try self.mode(file) == 0o600, "\(file)")
        }
    }

    @Test func aFileThatOthersCouldReadIsClosedToThem() throws {
        try SQLiteSpool(path: self.path).close()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: self.path)
        _ = try SQLiteSpool(path: self.path)
        #expect(try self.mode(self.path) == 0o600)
    }

    @Test func everyCommitIsFlushedToDisk() throws {
        let spool = try SQLiteSpool(path: self.path)
        let (synchronous, journal) = try spool.pool.writeWithoutTransaction { db in
            (
                try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                try String.fetchOne(db, sql: "PRAGMA journal_mode")
            )
        }
        // 2 is FULL: https://www.sqlite.org/pragma.html#pragma_synchronous
        #expect(synchronous == 2)
        #expect(journal == "wal")
    }

    @Test func everythingCommittedSurvivesACrash() throws {
        let spool = try SQLiteSpool(path: self.path)
        var waiting: [Int64] = []
        for batch in 0..<20 {
            waiting += try spool.append((1...10).map { .numbered(batch * 10 + $0) })
        }
        _ = try spool.commit(waiting.prefix(50).map { .delivered(sequence: $0) })
        _ = try spool.commit([.failed(sequence: waiting[50], reason: "refused", at: testTime)])
        // The files as they are while the process runs: what a crash leaves behind.
        let copy = self.directory.file("copy.db")
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: self.path + suffix, toPath: copy + suffix)
        }

        let recovered = try SQLiteSpool(path: copy)
        #expect(try recovered.loadPending(after: 0, limit: 1000).map(\.sequence) == Array(waiting.dropFirst(51)))
        #expect(try recovered.deadLetter(sequence: waiting[50])?.reason == "refused")
        #expect(try recovered.counts() == spool.counts())
        #expect(try recovered.commit([.append(.numbered(1))]) == [.duplicate(of: waiting[0])])
        #expect(try recovered.check().isEmpty)
    }

    @Test func aSecondRouterIsKeptAway() throws {
        let spool = try SQLiteSpool(path: self.path)
        #expect(throws: SpoolError.inUse(path: self.path)) { try SQLiteSpool(path: self.path) }
        try spool.close()
        _ = try SQLiteSpool(path: self.path)
    }

    @Test func aClosedSpoolSaysSo() throws {
        let spool = try SQLiteSpool(path: self.path)
        try spool.close()
        try spool.close()
        #expect(throws: SpoolError.closed(path: self.path)) { try spool.commit([.append(.numbered(1))]) }
        #expect(throws: SpoolError.closed(path: self.path)) { try spool.loadPending(after: 0, limit: 1) }
    }

    @Test(.timeLimit(.minutes(1))) func aReaderSeesWholeBatchesDuringCommits() async throws {
        let spool = try SQLiteSpool(path: self.path)
        let batches = 60
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for batch in 0..<batches {
                    _ = try spool.append((1...8).map { .numbered(batch * 8 + $0) })
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    var count = 0
                    while count < batches * 8 {
                        let loaded = try spool.loadPending(after: 0, limit: 4096)
                        #expect(loaded.count % 8 == 0)
                        #expect(loaded.count >= count)
                        #expect(loaded.map(\.sequence) == (0..<loaded.count).map { Int64($0 + 1) })
                        count = loaded.count
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(.timeLimit(.minutes(1))) func commitsFromSeveralThreadsLoseNoCount() async throws {
        let spool = try SQLiteSpool(path: self.path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for id in 1...25 { _ = try spool.append([.numbered(task * 100 + id)]) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try spool.counts().pending == 100)
    }
}
