import Glibc
import NIOConcurrencyHelpers

/// A store's place on disk: readable by its owner alone, and open for writing in one process at a time.
enum StoreFile {
    /// Makes an empty file (mode 0600), or takes an existing one away from group and others.
    ///
    /// SQLite gives its -wal and -shm files the same mode.
    static func makePrivate(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, reason: reason(errno)) }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else { throw .cannotOpen(path: path, reason: reason(errno)) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func reason(_ code: Int32) -> String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
}

/// A lock that keeps a second process away; the kernel drops it when the process dies.
final class StoreLock: Sendable {
    private let descriptor: NIOLockedValueBox<Int32?>

    /// Takes the lock on `path` + ".lock", beside the database: SQLite locks the database itself in its own ways.
    init(path: String) throws(StoreError) {
        let descriptor = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen(path: path + ".lock", reason: StoreFile.reason(errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK
                ? .inUse(path: path) : .cannotOpen(path: path + ".lock", reason: StoreFile.reason(code))
        }
        self.descriptor = NIOLockedValueBox(descriptor)
    }

    /// Gives the lock back; a second call does nothing.
    func release() {
        descriptor.withLockedValue { descriptor in
            if let descriptor { close(descriptor) }
            descriptor = nil
        }
    }

    deinit { release() }
}
