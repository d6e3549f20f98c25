import Foundation
import Testing

@testable import Spool

@Suite("What was delivered and not recorded before a crash")
struct CompletedMarksTests {
    let directory: TemporaryDirectory
    private var path: String { self.directory.file("spool.db") }
    private var copy: String { self.directory.file("copy.db") }

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private typealias Mark = CompletedMarks.Mark

    /// What a crash leaves behind, under another name.
    private func crash(withMarks: Bool = true) throws {
        for suffix in ["", "-wal"] + (withMarks ? [CompletedMarks.suffix] : []) {
            try FileManager.default.copyItem(atPath: self.path + suffix, toPath: self.copy + suffix)
        }
    }

    /// The numbers of the messages that wait when the copy is opened.
    private func waitingInCopy() throws -> [UInt64] {
        let spool = try SQLiteSpool(path: self.copy)
        let waiting = try spool.loadPending(after: 0, limit: 100).map(\.idempotencyKey.low)
        #expect(try spool.counts().pending == waiting.count)
        return waiting
    }

    private func key(_ number: UInt64) -> IdempotencyKey { IdempotencyKey(high: 7, low: number) }

    private func write(_ marks: [Mark], at offset: UInt64 = 0, to path: String) throws {
        try Data().write(to: URL(filePath: path))
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seek(toOffset: offset)
        for mark in marks { withUnsafeBytes(of: mark.words) { file.write(Data($0)) } }
        try file.close()
    }

    // MARK: What they are for

    @Test("A message that was noted as delivered is not there any more, though its row was not deleted")
    func noted() throws {
        let spool = try SQLiteSpool(path: self.path)
        let sequences = try spool.append([.numbered(1), .numbered(2), .numbered(3)])
        let marks = try #require(try spool.makeCompletedMarks(writers: 2))
        var (first, second) = (marks.writer(0), marks.writer(1))
        first.note(sequence: sequences[0], key: self.key(1))
        second.note(sequence: sequences[2], key: self.key(3))
        try self.crash()
        #expect(try self.waitingInCopy() == [2])
    }

    @Test("A message that is gone for a mark is a duplicate when it is sent again, and its sequence is not given again")
    func remembered() throws {
        let spool = try SQLiteSpool(path: self.path)
        let sequence = try #require(try spool.append([.numbered(1)]).first)
        var writer = try #require(try spool.makeCompletedMarks(writers: 1)).writer(0)
        writer.note(sequence: sequence, key: self.key(1))
        try self.crash()
        let again = try SQLiteSpool(path: self.copy)
        #expect(try again.commit([.append(.numbered(1))]) == [.duplicate(of: sequence)])
        #expect(try #require(try again.append([.numbered(2)]).first) > sequence)
    }

    @Test("The list begins anew with each start, is its owner's alone, and a writer of the last one does no harm")
    func anew() throws {
        let spool = try SQLiteSpool(path: self.path)
        var old = try #require(try spool.makeCompletedMarks(writers: 1)).writer(0)
        old.note(sequence: 1, key: self.key(1))
        let file = self.path + CompletedMarks.suffix
        #expect(CompletedMarks.read(path: file).count == 1)
        let marks = try spool.makeCompletedMarks(writers: 3)
        old.note(sequence: 2, key: self.key(2))
        #expect(CompletedMarks.read(path: file).isEmpty)
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(attributes[.size] as? Int == 3 * CompletedMarks.slotsPerWriter * Mark.byteCount)
        withExtendedLifetime(marks) {}
    }

    @Test("A full list loses its oldest mark, and no other")
    func ring() throws {
        let file = self.directory.file("marks")
        let marks = try CompletedMarks(path: file, writers: 1)
        var writer = marks.writer(0)
        let count = CompletedMarks.slotsPerWriter
        for sequence in 1...count { writer.note(sequence: Int64(sequence), key: self.key(UInt64(sequence))) }
        #expect(CompletedMarks.read(path: file).map(\.sequence).sorted() == (1...Int64(count)).map { $0 })
        writer.note(sequence: Int64(count) + 1, key: self.key(0))
        #expect(CompletedMarks.read(path: file).map(\.sequence).sorted() == (2...Int64(count) + 1).map { $0 })
    }

    // MARK: What they must never do

    @Test("A mark of another spool hides nothing, though its sequence is given here, too")
    func otherSpool() throws {
        let spool = try SQLiteSpool(path: self.path)
        let sequences = try spool.append([.numbered(1), .numbered(2)])
        var writer = try #require(try spool.makeCompletedMarks(writers: 1)).writer(0)
        for sequence in sequences { writer.note(sequence: sequence, key: self.key(9)) }
        writer.note(sequence: sequences[0], key: IdempotencyKey(high: 8, low: 1))
        writer.note(sequence: sequences[0], key: self.key(2))
        try self.crash()
        #expect(try self.waitingInCopy() == [1, 2])
    }

    @Test("A dead letter that is tried again is not hidden by a mark of its first life")
    func deadLetter() throws {
        let spool = try SQLiteSpool(path: self.path)
        let first = try #require(try spool.append([.numbered(1)]).first)
        _ = try spool.commit([.failed(sequence: first, reason: "refused", at: testTime)])
        guard case .stored(let second) = try spool.retryDeadLetters([first], expiresAt: 0).first else {
            Issue.record("the dead letter was not put back")
            return
        }
        var writer = try #require(try spool.makeCompletedMarks(writers: 1)).writer(0)
        writer.note(sequence: first, key: self.key(1))
        try self.crash()
        let waiting = try SQLiteSpool(path: self.copy).loadPending(after: 0, limit: 100)
        #expect(waiting.map(\.sequence) == [second])
    }

    @Test("A slot with words of two messages is no mark of either", arguments: 1..<15)
    func torn(mixture: Int) throws {
        let old = Mark(sequence: 1, key: self.key(1)).words
        let new = Mark(sequence: 2, key: IdempotencyKey(high: 8, low: 2)).words
        func word(_ index: Int, _ part: KeyPath<Mark.Words, UInt64>) -> UInt64 {
            (mixture >> index & 1 == 0 ? old : new)[keyPath: part]
        }
        #expect(Mark(words: (word(0, \.0), word(1, \.1), word(2, \.2), word(3, \.3))) == nil)
    }

    @Test("A byte that changed makes a mark none", arguments: 0..<Mark.byteCount)
    func garbled(position: Int) {
        var words = Mark(sequence: 1, key: self.key(1)).words
        withUnsafeMutableBytes(of: &words) { $0[position] ^= 0x10 }
        #expect(Mark(words: words) == nil)
    }

    enum Damage: CaseIterable { case absent, empty, cutShort, rubbish, folder }

    @Test("Without a list that can be read the spool opens, and everything comes again", arguments: Damage.allCases)
    func damaged(_ damage: Damage) throws {
        let spool = try SQLiteSpool(path: self.path)
        let sequences = try spool.append([.numbered(1), .numbered(2)])
        try self.crash(withMarks: false)
        let file = self.copy + CompletedMarks.suffix
        switch damage {
        case .absent: break
        case .empty: try self.write([], to: file)
        case .cutShort:
            try self.write([Mark(sequence: sequences[0], key: self.key(1))], to: file)
            truncate(file, off_t(Mark.byteCount - 1))
        case .rubbish:
            var random = SystemRandomNumberGenerator()
            let rubbish = Data((0..<100_001).map { _ in UInt8.random(in: 0...255, using: &random) })
            try rubbish.write(to: URL(filePath: file))
        case .folder: try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
        }
        #expect(try self.waitingInCopy() == [1, 2])
    }

    @Test("A place for marks that cannot be made is an error, and the spool works without")
    func noPlace() throws {
        let spool = try SQLiteSpool(path: self.path)
        let file = self.path + CompletedMarks.suffix
        try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
        #expect(throws: SpoolError.self) { try spool.makeCompletedMarks(writers: 1) }
        #expect(try spool.append([.numbered(1)]).count == 1)
    }

    @Test("A file is read up to its limit, and not beyond")
    func longFile() throws {
        let limit = UInt64(CompletedMarks.fileBytesMax)
        let file = self.directory.file("marks")
        let mark = Mark(sequence: 1, key: self.key(1))
        try self.write([mark], at: limit - UInt64(Mark.byteCount), to: file)
        #expect(CompletedMarks.read(path: file) == [mark])
        try self.write([mark], at: limit, to: file)
        #expect(CompletedMarks.read(path: file).isEmpty)
    }
}
