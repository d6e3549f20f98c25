import Foundation

/// The -wal file beside the database, read without SQLite: whether commits in its middle are damaged, and what is whole.
///
/// SQLite reads a log up to the first frame that is damaged and takes the rest for the torn end of a commit that never
/// returned. That is right for the last commit. Before that each commit was synced: damage there hides commits that had
/// returned, without a word.
///
/// Source: https://www.sqlite.org/fileformat2.html#walformat
struct WriteAheadLog {
    /// One frame: a page as a commit has left it.
    private struct Frame {
        /// Where its page begins in the file.
        var dataOffset: Int
        /// Number of the page, from 1.
        var page: Int
        /// Size of the database in pages after a commit; 0: more frames of the commit follow.
        var pagesAfterCommit: Int
        /// Its checksum fits to it and to the frame before.
        var isWhole: Bool
    }

    let pageSize: Int
    private let bytes: Data
    private var frames: [Frame] = []

    private static let headerBytes = 32
    private static let frameHeaderBytes = 24

    /// Reads the log; nil if there is none, or none that SQLite would read.
    init?(path: String) {
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)),
            bytes.count > Self.headerBytes
        else { return nil }
        self.bytes = bytes
        var pageSize = 0
        var frames: [Frame] = []
        bytes.withUnsafeBytes { raw in
            let magic = Self.word(raw, 0)
            guard magic & ~1 == 0x377F_0682 else { return }
            let isBigEndian = magic & 1 == 1
            pageSize = Int(Self.word(raw, 8))
            guard pageSize >= 512, pageSize <= 65536, pageSize & (pageSize - 1) == 0 else { return }
            var seed = (Self.word(raw, 24), Self.word(raw, 28))
            guard Self.checksum(raw, 0..<24, (0, 0), isBigEndian) == seed else { return }
            let size = Self.frameHeaderBytes + pageSize
            var offset = Self.headerBytes
            while offset + size <= raw.count {
                // Another salt is an older log's, whose frames are in the database; or it is damaged.
                let isOurs =
                    Self.word(raw, offset + 8) == Self.word(raw, 16)
                    && Self.word(raw, offset + 12) == Self.word(raw, 20)
                let stored = (Self.word(raw, offset + 16), Self.word(raw, offset + 20))
                var isWhole = false
                if isOurs {
                    let sum = Self.checksum(raw, offset..<(offset + 8), seed, isBigEndian)
                    let page = (offset + Self.frameHeaderBytes)..<(offset + size)
                    isWhole = Self.checksum(raw, page, sum, isBigEndian) == stored
                }
                frames.append(
                    Frame(
                        dataOffset: offset + Self.frameHeaderBytes,
                        page: Int(Self.word(raw, offset)),
                        pagesAfterCommit: Int(Self.word(raw, offset + 4)),
                        isWhole: isWhole
                    )
                )
                // As it is stored, so that what follows a damaged frame can be judged by itself.
                seed = stored
                offset += size
            }
        }
        guard pageSize > 0 else { return nil }
        self.pageSize = pageSize
        self.frames = frames
    }

    /// What is wrong with commits that had returned; nil if nothing is.
    var damage: String? {
        guard let first = self.frames.firstIndex(where: { !$0.isWhole }) else { return nil }
        let rest = self.frames[(first + 1)...]
        // A frame behind a later commit was written when that commit, and with it the damaged one, had been synced.
        guard let commit = rest.firstIndex(where: { $0.isWhole && $0.pagesAfterCommit > 0 }),
            self.frames[(commit + 1)...].contains(where: \.isWhole)
        else { return nil }
        return "frame \(first + 1) of its -wal file is damaged, and \(rest.count { $0.isWhole }) whole ones follow it"
    }

    /// Calls `body` with the pages of commits, in their order: number from 1, and bytes; damaged ones are left out.
    func forEachPage(_ body: (Int, Data) throws -> Void) rethrows {
        guard let last = self.frames.lastIndex(where: { $0.isWhole && $0.pagesAfterCommit > 0 }) else { return }
        for frame in self.frames[...last] where frame.isWhole && frame.page > 0 {
            try body(frame.page, self.bytes[frame.dataOffset..<(frame.dataOffset + self.pageSize)])
        }
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    private static func checksum(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ seed: (UInt32, UInt32),
        _ isBigEndian: Bool
    ) -> (UInt32, UInt32) {
        var (first, second) = seed
        var offset = range.lowerBound
        while offset < range.upperBound {
            let low = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            let high = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            first = first &+ (isBigEndian ? low.bigEndian : low.littleEndian) &+ second
            second = second &+ (isBigEndian ? high.bigEndian : high.littleEndian) &+ first
            offset += 8
        }
        return (first, second)
    }
}
