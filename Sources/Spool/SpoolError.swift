/// Why the spool could not do its work; the description says what to do about it.
package enum SpoolError: Error, Hashable, Sendable {
    /// The file or its directory cannot be made or opened.
    case cannotOpen(path: String, reason: String)
    /// Another process has this spool open.
    case inUse(path: String)
    /// The file is damaged, or not a database at all.
    case corrupt(path: String, detail: String)
    /// A recovery has put the damaged file away and not yet the new one in its place.
    case recoveryInterrupted(path: String)
    /// The file is a database of some other program.
    case notASpool(path: String)
    /// The file was written by a later release.
    case newerSchema(path: String, found: Int, supported: Int)
    /// The file system has no room for the batch.
    case diskFull(path: String)
    /// The file or its directory may not be written.
    case readOnly(path: String)
    /// Some other program held the database locked for too long.
    case busy(path: String)
    /// The disk reported an error; what it holds is no longer certain.
    case ioFailure(path: String, detail: String)
    /// A call after ``SQLiteSpool/close()``.
    case closed(path: String)
    /// SQLite reported what nothing above covers.
    case unexpected(path: String, code: Int, detail: String)
}

extension SpoolError: CustomStringConvertible {
    /// What is wrong, where, and what to do.
    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "cannot open the spool \(path): \(reason); check the path, and that its directory belongs to the router's user"
        case .inUse(let path):
            "the spool \(path) is in use by another router; stop that one, or give this one a spool of its own"
        case .corrupt(let path, let detail):
            "the spool \(path) is damaged (\(detail)); stop the router and run `plugboard spool recover`, which saves what"
                + " can be read and keeps the damaged file, or move it away with its -wal file to start with an empty spool"
        case .recoveryInterrupted(let path):
            "the recovery of the spool \(path) was interrupted; run `plugboard spool recover` again"
        case .notASpool(let path):
            "\(path) is another program's database; point the spool at a file of its own"
        case .newerSchema(let path, let found, let supported):
            "the spool \(path) has schema \(found), this release reads up to \(supported);"
                + " run the release that wrote it, or a later one"
        case .diskFull(let path):
            "no room on the file system of the spool \(path); free some space, nothing accepted so far is lost"
        case .readOnly(let path):
            "the spool \(path) cannot be written; check its owner and mode, and that the file system is mounted writable"
        case .busy(let path):
            "the spool \(path) stayed locked by another program; close whatever has it open, such as a sqlite3 shell"
        case .ioFailure(let path, let detail):
            "the disk failed under the spool \(path) (\(detail)); see the kernel log, and restart the router once it is sound"
        case .closed(let path):
            "the spool \(path) is closed; the router is shutting down"
        case .unexpected(let path, let code, let detail):
            "the spool \(path) failed: \(detail) (SQLite code \(code)); please report it with this line"
        }
    }
}
