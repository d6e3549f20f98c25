internal import Glibc

/// A bound and listening Unix socket that only its owner can reach, and the claim to its path.
///
/// The claim is a lock on `<path>.lock`, held as long as the socket is open: of two routers that start at once
/// one gets it. A socket that a crashed router left behind is removed; one that answers is left alone.
struct SocketListener {
    /// The listening socket; whoever takes it closes it.
    let descriptor: CInt
    private let path: String
    private let lock: CInt
    private let identity: FileIdentity

    /// Connections that may wait to be accepted.
    private static let backlog: CInt = 16

    private struct FileIdentity: Equatable {
        var device: dev_t
        var inode: ino_t

        init(_ status: stat) {
            self.device = status.st_dev
            self.inode = status.st_ino
        }
    }

    init(path: String) throws(ControlError) {
        guard path.utf8.count <= UnixSocketPath.lengthMax else {
            throw .pathTooLong(path: path, limit: UnixSocketPath.lengthMax)
        }
        try Self.prepareDirectory(of: path)
        self.path = path
        self.lock = try Self.takeLock(for: path)
        do throws(ControlError) {
            try Self.removeStaleSocket(path)
            self.descriptor = try Self.listen(path)
        } catch {
            close(self.lock)
            throw error
        }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            let code = errno
            close(self.descriptor)
            close(self.lock)
            throw .system(operation: "look at", path: path, code: code)
        }
        self.identity = FileIdentity(status)
    }

    /// Removes the socket's file, unless another has taken its place, and gives up the claim.
    func release() {
        var status = stat()
        if lstat(self.path, &status) == 0, FileIdentity(status) == self.identity {
            unlink(self.path)
        }
        self.releaseLock()
    }

    /// Gives up the claim alone, as a crash does.
    func releaseLock() {
        close(self.lock)
    }

    /// Makes the directory with mode 0700, or checks that nobody else can write to the one that is there.
    private static func prepareDirectory(of path: String) throws(ControlError) {
        let directory = Self.parent(of: path)
        try Self.makeDirectory(directory)
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw .system(operation: "look at", path: directory, code: errno)
        }
        // In a sticky directory such as /tmp others can add files, but not replace ours.
        let isWritableByOthers = status.st_mode & (S_IWGRP | S_IWOTH) != 0
        guard !isWritableByOthers || status.st_mode & S_ISVTX != 0 else {
            throw .directoryUnsafe(path: directory, mode: status.st_mode & 0o7777)
        }
    }

    private static func makeDirectory(_ directory: String) throws(ControlError) {
        if mkdir(directory, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, directory.contains("/"), directory != "/" else {
            throw .system(operation: "make the directory", path: directory, code: errno)
        }
        try Self.makeDirectory(Self.parent(of: directory))
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw .system(operation: "make the directory", path: directory, code: errno)
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func takeLock(for path: String) throws(ControlError) -> CInt {
        let lockPath = "\(path).lock"
        let lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw .system(operation: "open", path: lockPath, code: errno) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(lock)
            if code == EWOULDBLOCK { throw .alreadyRunning(path: path) }
            throw .system(operation: "lock", path: lockPath, code: code)
        }
        return lock
    }

    private static func removeStaleSocket(_ path: String) throws(ControlError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw .system(operation: "look at", path: path, code: errno) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let probe = try UnixSocketPath.makeSocket(for: path)
        defer { close(probe) }
        let code = try UnixSocketPath.withAddress(path) { address, length in
            connect(probe, address, length) == 0 ? 0 : errno
        }
        guard code == ECONNREFUSED else {
            if code == 0 { throw .alreadyRunning(path: path) }
            throw .system(operation: "reach the socket", path: path, code: code)
        }
        guard unlink(path) == 0 else { throw .system(operation: "remove", path: path, code: errno) }
    }

    private static func listen(_ path: String) throws(ControlError) -> CInt {
        let descriptor = try UnixSocketPath.makeSocket(for: path)
        // On Linux bind(2) gives the file the mode of the socket, so there is no moment with a wider one.
        var code: CInt = fchmod(descriptor, 0o600) == 0 ? 0 : errno
        if code == 0 {
            do throws(ControlError) {
                code = try UnixSocketPath.withAddress(path) { address, length in
                    bind(descriptor, address, length) == 0 ? 0 : errno
                }
            } catch {
                close(descriptor)
                throw error
            }
        }
        if code == 0, Glibc.listen(descriptor, Self.backlog) != 0 { code = errno }
        guard code == 0 else {
            close(descriptor)
            throw .system(operation: "listen at", path: path, code: code)
        }
        return descriptor
    }
}
