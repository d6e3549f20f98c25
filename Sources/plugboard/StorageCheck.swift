internal import Configuration
internal import Foundation
internal import Spool

/// What `plugboard check` finds out about the state folder and the spool in it, without changing them.
enum StorageCheck {
    /// Free space below which it says so, in bytes: a commit and the log of one fit easily.
    static let freeBytesMin = 16 << 20

    static func problems(_ configuration: RouterConfiguration) -> [Problem] {
        let state = configuration.router.state
        // A folder that is not there is made by the first start.
        guard FileManager.default.fileExists(atPath: state) else { return [] }
        var problems: [Problem] = []
        func add(_ severity: Problem.Severity, _ message: String, _ suggestion: String? = nil) {
            problems.append(
                Problem(
                    severity: severity,
                    file: configuration.file,
                    position: .start,
                    keyPath: "router.state",
                    message: message,
                    suggestion: suggestion
                )
            )
        }
        if access(state, W_OK | X_OK) != 0 {
            let reason = String(cString: strerror(errno))
            add(
                .error,
                "the state folder \(state) cannot be written: \(reason)",
                "check its owner and mode, or the mount"
            )
        }
        var space = statvfs()
        if statvfs(state, &space) == 0 {
            let free = Int(space.f_bavail) * Int(space.f_frsize)
            if free < Self.freeBytesMin {
                let message = "only \(free >> 10) KiB are free where the state folder \(state) is; "
                add(.warning, message + "without room the router refuses messages", "free some space")
            }
        }
        let spool = "\(state)/spool.db"
        guard configuration.spool.durable, FileManager.default.fileExists(atPath: spool) else { return problems }
        do throws(SpoolError) {
            let damage = try SQLiteSpool.check(path: spool)
            if let first = damage.first {
                let more = damage.count > 1 ? ", and \(damage.count - 1) more" : ""
                add(.error, SpoolError.corrupt(path: spool, detail: first + more).description)
            }
        } catch {
            // Whoever may not read it can still check the configuration.
            let isForeign = if case .cannotOpen = error { true } else { false }
            add(isForeign ? .warning : .error, error.description)
        }
        return problems
    }
}
