import Glibc

/// A list of the messages that were delivered last, for the next opening after a crash.
///
/// A delivered message's row is deleted with the next commit that there is a reason for; one that is delivered when the
/// process dies would come again. So whoever hears of a delivery notes it here: four stores into a file that is mapped into
/// memory, with no system call, lock or sync. The kernel has the page when the process is killed; a power cut may leave any
/// older state of it.
///
/// Why a mark never hides a message that was not delivered: it holds the row's sequence and its idempotency key, which are
/// both compared with the row. A key names one message for ever, so a mark stays true wherever it comes from: an older
/// start, another spool, a backup. A sequence that is used again, in a spool begun anew, has another key; a dead letter that
/// is tried again keeps its key and has another sequence. A slot that was half written has words of two messages, which fit
/// no row, and a checksum that does not fit. All that can go wrong is that a mark is missing, and a delivery made again.
///
/// The file has no header: each slot stands for itself. It is made anew at each start, so that a process which has the old
/// one mapped still does no harm.
///
/// Safe to share: a slot belongs to one writer, a writer to one thread, and nothing here reads the mapping.
package final class CompletedMarks: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let writers: Int

    /// The end of the file's name, behind the database's.
    package static let suffix = "-done"
    /// Marks of one writer; the next one takes the place of the oldest.
    ///
    /// About as many as deliveries that may wait for their deletion; a mark that is lost costs a duplicate.
    package static let slotsPerWriter = 1 << 13
    /// The largest file that is read, in bytes; it has room for 256 writers.
    static let fileBytesMax = 256 * CompletedMarks.slotsPerWriter * Mark.byteCount

    /// Makes the file at `path`, mode 0600, in place of one that is there.
    ///
    /// - Throws: ``SpoolError/cannotOpen(path:reason:)`` or ``SpoolError/readOnly(path:)``.
    init(path: String, writers: Int) throws(SpoolError) {
        self.writers = writers
        self.byteCount = writers * Self.slotsPerWriter * Mark.byteCount
        guard unlink(path) == 0 || errno == ENOENT else { throw SpoolFile.error(errno, path: path, at: path) }
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SpoolFile.error(errno, path: path, at: path) }
        defer { close(descriptor) }
        // Written, not only made long: a page that the disk has no room for would end the process when it is touched.
        let zeros = [UInt8](repeating: 0, count: Self.slotsPerWriter * Mark.byteCount)
        for writer in 0..<writers {
            let count = pwrite(descriptor, zeros, zeros.count, off_t(writer * zeros.count))
            guard count == zeros.count else {
                let code = count < 0 ? errno : ENOSPC
                unlink(path)
                throw SpoolFile.error(code, path: path, at: path)
            }
        }
        let mapping = mmap(nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapping, mapping != MAP_FAILED else { throw SpoolFile.error(errno, path: path, at: path) }
        self.base = mapping
    }

    deinit {
        munmap(self.base, self.byteCount)
    }

    /// The place for one thread's marks.
    ///
    /// - Parameter index: less than the number of writers, and one thread's alone.
    package func writer(_ index: Int) -> Writer {
        precondition(index >= 0 && index < self.writers)
        return Writer(marks: self, slots: self.base + index * Self.slotsPerWriter * Mark.byteCount)
    }

    /// Notes deliveries, in a ring.
    ///
    /// One thread's.
    package struct Writer {
        /// Keeps the memory.
        private let marks: CompletedMarks
        private let slots: UnsafeMutableRawPointer
        private var next = 0

        fileprivate init(marks: CompletedMarks, slots: UnsafeMutableRawPointer) {
            self.marks = marks
            self.slots = slots
        }

        /// Notes that a message's destination has it.
        package mutating func note(sequence: Int64, key: IdempotencyKey) {
            let mark = Mark(sequence: sequence, key: key)
            let slot = self.slots + self.next * Mark.byteCount
            slot.storeBytes(of: mark.words, as: Mark.Words.self)
            self.next = (self.next + 1) % CompletedMarks.slotsPerWriter
        }
    }

    /// The whole marks in the file at `path`; none if there is no file, or none that can be read.
    static func read(path: String) -> [Mark] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var page = [UInt8](repeating: 0, count: Self.slotsPerWriter * Mark.byteCount)
        var marks: [Mark] = []
        for offset in stride(from: 0, to: Self.fileBytesMax, by: page.count) {
            let count = pread(descriptor, &page, page.count, off_t(offset))
            guard count > 0 else { break }
            page.withUnsafeBytes { bytes in
                for start in stride(from: 0, through: count - Mark.byteCount, by: Mark.byteCount) {
                    let words = bytes.loadUnaligned(fromByteOffset: start, as: Mark.Words.self)
                    if let mark = Mark(words: words) { marks.append(mark) }
                }
            }
        }
        return marks
    }

    /// One message that was delivered.
    struct Mark: Hashable {
        var sequence: Int64
        var key: IdempotencyKey

        typealias Words = (UInt64, UInt64, UInt64, UInt64)
        /// Length in the file, in bytes: sequence, key and checksum, in the machine's byte order.
        static let byteCount = 32

        init(sequence: Int64, key: IdempotencyKey) {
            self.sequence = sequence
            self.key = key
        }

        /// The mark in a slot; nil for an empty slot, or one that was not written whole.
        init?(words: Words) {
            self.init(
                sequence: Int64(bitPattern: words.0),
                key: IdempotencyKey(high: words.1, low: words.2)
            )
            guard self.sequence > 0, words.3 == self.checksum else { return nil }
        }

        var words: Words {
            (UInt64(bitPattern: self.sequence), self.key.high, self.key.low, self.checksum)
        }

        /// Against accidents: cheap, for it is made for each delivery.
        private var checksum: UInt64 {
            let start: UInt64 = 0x6D61_726B_7331_2E30
            return Self.mix(self.key.low, Self.mix(self.key.high, Self.mix(UInt64(bitPattern: self.sequence), start)))
        }

        private static func mix(_ word: UInt64, _ sum: UInt64) -> UInt64 {
            let product = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
            return product ^ product >> 32
        }
    }
}
