internal import Foundation
internal import GRDB

/// Makes a copy of a damaged spool that SQLite can open, however much of it is missing.
enum DamagedSpoolFile {
    private static let pageSize = 4096
    private static let headerBytes = 100

    /// Copies the database with all commits of its log that are whole.
    ///
    /// - Returns: whether the tables' layout is the damaged file's own; else it is that of a new spool.
    static func copy(_ path: String, to work: String, _ report: inout SpoolRecovery.Report) throws -> Bool {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        Self.dropPartialPage(&bytes, &report)
        if let log = WriteAheadLog(path: path + "-wal") {
            if let damage = log.damage { report.problems.append(damage) }
            if log.pageSize == Self.pageSize {
                log.forEachPage { page, content in
                    let end = page * Self.pageSize
                    if bytes.count < end { bytes.append(Data(count: end - bytes.count)) }
                    bytes.replaceSubrange((end - Self.pageSize)..<end, with: content)
                }
            }
        }
        let fresh = try Self.freshPage(beside: work)
        if bytes.count < Self.pageSize { bytes.append(Data(count: Self.pageSize - bytes.count)) }
        Self.fill(&bytes, &report)
        // What can be wrong with page 1, from the least to the most: nothing, its header, all of it.
        for replaced in [0, Self.headerBytes, Self.pageSize] {
            bytes.replaceSubrange(0..<replaced, with: fresh.prefix(replaced))
            Self.mendHeader(&bytes, isReplaced: replaced > 0)
            try bytes.write(to: URL(fileURLWithPath: work))
            guard Self.isReadable(work) else { continue }
            if replaced > 0 {
                report.problems.append(
                    "the \(replaced == Self.pageSize ? "first page" : "header") of the file is damaged"
                )
            }
            return replaced < Self.pageSize
        }
        throw SpoolError.corrupt(path: path, detail: "not even its tables can be found")
    }

    /// Empties a page that was cut in two: its rows begin at its end, and zeros in place of that would be taken for what
    /// they said.
    private static func dropPartialPage(_ bytes: inout Data, _ report: inout SpoolRecovery.Report) {
        let partial = bytes.count % Self.pageSize
        guard partial > 0, bytes.count > Self.pageSize else { return }
        report.problems.append("the file ends within its page \(bytes.count / Self.pageSize + 1): it was cut off")
        bytes.removeLast(partial)
        bytes.append(Data(count: Self.pageSize))
    }

    /// Pads a file that was cut off to what its header says.
    private static func fill(_ bytes: inout Data, _ report: inout SpoolRecovery.Report) {
        let pages = Int(Self.word(bytes, 28))
        let whole = bytes.count / Self.pageSize
        let isSpool = bytes.prefix(16) == Data("SQLite format 3\0".utf8)
        // A number that is far off is damage itself.
        if isSpool, pages > whole, pages < whole * 1000 {
            report.problems.append("the file ends before its page \(pages): it was cut off")
            bytes.append(Data(count: pages * Self.pageSize - bytes.count))
        }
    }

    /// Makes the copy a file of its own: no log beside it, and if the header is another's, the right size and no free
    /// pages.
    private static func mendHeader(_ bytes: inout Data, isReplaced: Bool) {
        bytes[bytes.startIndex + 18] = 1
        bytes[bytes.startIndex + 19] = 1
        guard isReplaced else { return }
        let pages = UInt32(bytes.count / Self.pageSize)
        withUnsafeBytes(of: pages.bigEndian) { bytes.replaceSubrange(28..<32, with: $0) }
        bytes.replaceSubrange(32..<40, with: Data(count: 8))
        // The page count is valid if these two are the same.
        bytes.replaceSubrange(92..<96, with: bytes[24..<28])
    }

    /// Whether the tables can be found, and are a spool's.
    private static func isReadable(_ work: String) -> Bool {
        let names = try? DatabaseQueue(path: work).read { db in
            try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
        return names?.contains("messages") ?? false
    }

    /// The first page of a new spool: the layout is the same in each, for the same statements made it.
    private static func freshPage(beside work: String) throws -> Data {
        let path = work + ".fresh"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try SpoolSchema.prepare($0, path: path) }
        try queue.close()
        return try Data(contentsOf: URL(fileURLWithPath: path)).prefix(Self.pageSize)
    }

    private static func word(_ bytes: Data, _ offset: Int) -> UInt32 {
        bytes.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
