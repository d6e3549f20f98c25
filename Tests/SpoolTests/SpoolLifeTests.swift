import Foundation
import Spool
import Testing

@Suite("Whether the spool was closed in order")
struct SpoolLifeTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private func open(_ name: String = "spool.db") throws -> SQLiteSpool {
        try SQLiteSpool(path: self.directory.file(name))
    }

    /// What a crash leaves behind, under another name.
    private func crash(_ name: String, as copy: String) throws {
        for suffix in ["", "-wal"] {
            let (from, to) = (self.directory.file(name + suffix), self.directory.file(copy + suffix))
            try FileManager.default.copyItem(atPath: from, toPath: to)
        }
    }

    @Test("A new spool, and one that was closed, doubt nothing")
    func closed() throws {
        let spool = try self.open()
        #expect(spool.uncertainUpTo == 0)
        _ = try spool.append([.numbered(1)])
        try spool.close()
        #expect(try self.open().uncertainUpTo == 0)
    }

    @Test("After a crash all that is there is doubted, and what comes later is not")
    func crashed() throws {
        let spool = try self.open()
        let sequences = try spool.append([.numbered(1), .numbered(2)])
        try self.crash("spool.db", as: "copy.db")
        let again = try self.open("copy.db")
        #expect(again.uncertainUpTo == sequences[1])
        let later = try #require(try again.append([.numbered(3)]).first)
        #expect(later > again.uncertainUpTo)
    }

    @Test("The doubt outlives a start that ends in order")
    func lasting() throws {
        let spool = try self.open()
        let sequence = try #require(try spool.append([.numbered(1)]).first)
        try self.crash("spool.db", as: "copy.db")
        let again = try self.open("copy.db")
        _ = try again.append([.numbered(2)])
        try again.close()
        #expect(try self.open("copy.db").uncertainUpTo == sequence)
    }

    @Test("A spool that is left unsettled counts as one after a crash")
    func unsettled() throws {
        let spool = try self.open()
        let sequence = try #require(try spool.append([.numbered(1)]).first)
        spool.leaveUnsettled()
        try spool.close()
        #expect(try self.open().uncertainUpTo == sequence)
    }
}
