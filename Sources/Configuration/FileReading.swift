internal import Glibc

/// Why a file could not be read.
package enum FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system refused; `code` is an `errno`.
    case system(path: String, code: Int32)
    case notAFile(path: String)
    /// `limit` is in bytes.
    case tooLarge(path: String, limit: Int)
    /// `offset` is the byte at which the text stops being UTF-8.
    case notUTF8(path: String, offset: Int)

    package var description: String {
        switch self {
        case .system(let path, let code):
            "cannot read '\(path)': \(String(cString: strerror(code)))"
        case .notAFile(let path):
            "'\(path)' is not a regular file"
        case .tooLarge(let path, let limit):
            "'\(path)' is larger than \(SizeText.format(Int64(limit)))"
        case .notUTF8(let path, let offset):
            "'\(path)' is not UTF-8 text: byte \(offset) is wrong"
        }
    }
}

/// Reading whole files, with a limit.
enum FileReading {
    /// Reads the UTF-8 text of the regular file `path`.
    ///
    /// - Parameter limit: bytes; a larger file is refused, and not read.
    static func text(of path: String, limit: Int) throws(FileError) -> String {
        let bytes = try Self.bytes(of: path, limit: limit)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .notUTF8(path: path, offset: Self.offsetOfInvalidByte(in: bytes))
        }
        return text
    }

    /// Whether this process may read `path`; `nil` when it may.
    static func whyUnreadable(_ path: String, isDirectory: Bool) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return String(cString: strerror(errno)) }
        let isDirectoryThere = status.st_mode & S_IFMT == S_IFDIR
        guard isDirectoryThere == isDirectory else { return isDirectory ? "not a directory" : "a directory" }
        guard access(path, isDirectory ? R_OK | X_OK : R_OK) == 0 else { return String(cString: strerror(errno)) }
        return nil
    }

    /// Whether users other than the owner and the group may read `path`.
    static func isReadableByEverybody(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IROTH != 0
    }

    /// Makes `path` absolute: relative to `directory`, which is absolute.
    static func absolute(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") ? path : directory == "/" ? "/\(path)" : "\(directory)/\(path)"
    }

    /// The absolute directory that holds `path`.
    static func directory(of path: String) -> String {
        let absolute = Self.absolute(path, in: Self.workingDirectory)
        guard let slash = absolute.lastIndex(of: "/"), slash != absolute.startIndex else { return "/" }
        return String(absolute[..<slash])
    }

    private static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    private static func bytes(of path: String, limit: Int) throws(FileError) -> [UInt8] {
        // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(path: path, code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(path: path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }

        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(path: path, code: errno) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limit else { throw .tooLarge(path: path, limit: limit) }
        }
    }

    private static func offsetOfInvalidByte(in bytes: [UInt8]) -> Int {
        // What is valid up to the fault decodes and encodes to the same bytes.
        let repaired = String(decoding: bytes, as: UTF8.self).utf8
        return zip(bytes, repaired).prefix { $0 == $1 }.count
    }
}
