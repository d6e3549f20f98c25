import Glibc

/// Where the vault's key is kept.
package enum VaultKeySource: Hashable, Sendable, CustomStringConvertible {
    /// A file, by absolute path, that only its owner can get at.
    case file(String)
    /// An environment variable of the process.
    case environment(String)

    package var description: String {
        switch self {
        case .file(let path): path
        case .environment(let name): "the environment variable \(name)"
        }
    }

    /// Longest key file, in bytes.
    static let fileBytesMax = 256

    /// Fetches the key.
    package func key() throws(StoreError) -> VaultKey {
        switch self {
        case .file(let path): return try VaultKey(text: try Self.text(of: path), source: path)
        case .environment(let name):
            guard let value = getenv(name) else { throw .badVaultKey(source: "\(self)", reason: "it is not set") }
            return try VaultKey(text: String(cString: value), source: "\(self)")
        }
    }

    private static func text(of path: String) throws(StoreError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let hint = errno == ENOENT ? "; plugboard vault init makes it" : ""
            throw .keyFile(path: path, reason: StoreFile.reason(errno) + hint)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .keyFile(path: path, reason: StoreFile.reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .keyFile(path: path, reason: "it is no file") }
        guard status.st_mode & 0o077 == 0 else { throw .exposedKeyFile(path: path, mode: status.st_mode & 0o7777) }
        guard status.st_size <= fileBytesMax else {
            throw .badVaultKey(source: path, reason: "it has more than \(fileBytesMax) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: fileBytesMax)
        let count = read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw .keyFile(path: path, reason: StoreFile.reason(errno)) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    // MARK: Key files

    /// Writes a key to a new file (mode 0600), which is on disk when this returns.
    ///
    /// - Throws: ``StoreError/alreadyThere(path:)``: a key is never written over.
    static func write(_ key: VaultKey, to path: String) throws(StoreError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw errno == EEXIST
                ? .alreadyThere(path: path) : .keyFile(path: path, reason: StoreFile.reason(errno))
        }
        let text = Array((key.text + "\n").utf8)
        let isWritten = Glibc.write(descriptor, text, text.count) == text.count && fsync(descriptor) == 0
        let code = errno
        close(descriptor)
        guard isWritten else {
            unlink(path)
            throw .keyFile(path: path, reason: StoreFile.reason(code))
        }
        try syncFolder(of: path)
    }

    /// Keeps the file under another name too, in place of what had that name.
    static func keep(_ path: String, as other: String) throws(StoreError) {
        unlink(other)
        guard link(path, other) == 0 else { throw .keyFile(path: other, reason: StoreFile.reason(errno)) }
    }

    /// Gives a file another name at once, in place of what had that name.
    static func move(_ path: String, to other: String) throws(StoreError) {
        guard rename(path, other) == 0 else { throw .keyFile(path: other, reason: StoreFile.reason(errno)) }
        try syncFolder(of: other)
    }

    private static func syncFolder(of path: String) throws(StoreError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .keyFile(path: folder, reason: StoreFile.reason(errno)) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .keyFile(path: folder, reason: StoreFile.reason(errno)) }
    }
}
