internal import Foundation
internal import GRDB

/// Makes a sound spool of a damaged one: what can be read goes into a new file, and the damaged one is kept beside it.
///
/// No router may have the spool open. Nothing is changed before all that is readable is in the new file.
package enum SpoolRecovery {
    /// What was saved, and what was not.
    package struct Report: Hashable, Sendable {
        /// Waiting messages, dead letters, and remembered ids that are in the new spool.
        package var messages = 0
        package var deadLetters = 0
        package var seen = 0
        /// Messages that are known to have been there, and cannot be read.
        package var messagesLost = 0
        /// Messages and dead letters that can be read and are not what was stored: they are in the damaged file alone.
        package var messagesAltered = 0
        package var deadLettersAltered = 0
        /// What could not be read, a sentence each.
        package var problems: [String] = []
        /// Where the damaged spool is now.
        package var aside = ""
    }

    /// Recovers the spool at `path`.
    ///
    /// - Parameter stamp: goes into the damaged file's new name, such as the time.
    /// - Throws: ``SpoolError``; the spool is as it was then.
    package static func recover(path: String, stamp: String) throws(SpoolError) -> Report {
        let lock = try SpoolLock(path: path)
        defer { lock.release() }
        let work = path + ".work"
        let recovered = path + Self.recoveredSuffix
        do {
            let manager = FileManager.default
            if !manager.fileExists(atPath: path), manager.fileExists(atPath: recovered) {
                // An earlier run had come so far.
                try manager.moveItem(atPath: recovered, toPath: path)
                var report = Report()
                report.problems = ["an earlier recovery was interrupted at its last step, which is done now"]
                return report
            }
            defer { Self.remove(work) }
            Self.remove(recovered)
            var report = Report()
            let isOwnLayout = try DamagedSpoolFile.copy(path, to: work, &report)
            try SpoolSalvage.run(from: work, isOwnLayout: isOwnLayout, to: recovered, &report)
            report.aside = "\(path).damaged-\(stamp)"
            try Self.swap(path, with: recovered, aside: report.aside)
            return report
        } catch {
            throw SpoolError(error, path: path)
        }
    }

    /// The end of the new file's name, until it takes the spool's place.
    static let recoveredSuffix = ".recovered"

    /// The damaged spool goes first: without it, a router that is started in between refuses to begin an empty one.
    private static func swap(_ path: String, with recovered: String, aside: String) throws {
        let manager = FileManager.default
        try manager.moveItem(atPath: path, toPath: aside)
        // A log must never meet another database than its own.
        if manager.fileExists(atPath: path + "-wal") {
            try manager.moveItem(atPath: path + "-wal", toPath: aside + "-wal")
        }
        try? manager.removeItem(atPath: path + "-shm")
        try manager.moveItem(atPath: recovered, toPath: path)
    }

    private static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
}
