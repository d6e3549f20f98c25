import Glibc
import NIOConcurrencyHelpers

/// The spool's place on disk: readable by its owner alone, and open in one process at a time.
enum SpoolFile {
    /// Makes the directory (mode 0700) with its parents, unless it is there; an existing one keeps its mode.
    static func makeDirectory(of path: String) throws(SpoolError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let directory = String(path[..<slash])
        var code = Self.make(directory)
        if code == ENOENT {
            try Self.makeDirectory(of: directory)
            code = Self.make(directory)
        }
        guard code == 0 || code == EEXIST else { throw Self.error(code, path: path, at: directory) }
    }

    /// Whether something is at this path.
    static func isThere(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Makes an empty file (mode 0600), or takes an existing one away from group and others.
    ///
    /// SQLite gives its -wal and -shm files the same mode. Only to be called while no connection is open: closing any
    /// descriptor of the file would drop SQLite's locks on it.
    static func makePrivate(_ path: String) throws(SpoolError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.error(errno, path: path, at: path) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else { throw Self.error(errno, path: path, at: path) }
    }

    /// What a failed system call on `place` means for the spool at `path`.
    static func error(_ code: Int32, path: String, at place: String) -> SpoolError {
        guard code != EROFS else { return .readOnly(path: path) }
        let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
        return .cannotOpen(path: path, reason: place == path ? reason : "\(place): \(reason)")
    }

    /// 0, or the error number.
    private static func make(_ directory: String) -> Int32 {
        mkdir(directory, 0o700) == 0 ? 0 : errno
    }
}

/// A lock that keeps a second router away; the kernel drops it when the process dies.
final class SpoolLock: Sendable {
    private let descriptor: NIOLockedValueBox<Int32?>

    /// Takes the lock on `path` + ".lock", beside the database: SQLite locks the database itself in its own ways.
    init(path: String) throws(SpoolError) {
        let lockPath = path + ".lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SpoolFile.error(errno, path: path, at: lockPath) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK ? .inUse(path: path) : SpoolFile.error(code, path: path, at: lockPath)
        }
        self.descriptor = NIOLockedValueBox(descriptor)
    }

    /// Gives the lock back; a second call does nothing.
    func release() {
        self.descriptor.withLockedValue { descriptor in
            if let descriptor { close(descriptor) }
            descriptor = nil
        }
    }

    deinit {
        self.release()
    }
}
