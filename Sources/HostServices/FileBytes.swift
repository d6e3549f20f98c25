import Glibc

/// Reads small files whole: certificates, keys, the hosts file.
enum FileBytes {
    /// Files of more bytes are refused.
    static let bytesMax = 4 << 20

    /// Why a file cannot be read.
    struct Unreadable: Error, Hashable {
        let reason: String
    }

    static func read(_ path: String) throws(Unreadable) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Unreadable(reason: SystemError.text(errno)) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let n = Glibc.read(file, &chunk, chunk.count)
            if n < 0, errno == EINTR { continue }
            guard n >= 0 else { throw Unreadable(reason: SystemError.text(errno)) }
            guard n > 0 else { return bytes }
            bytes += chunk[..<n]
            guard bytes.count <= bytesMax else { throw Unreadable(reason: "it has more than \(bytesMax) bytes") }
        }
    }
}

/// What the system says an error number means.
enum SystemError {
    static func text(_ code: Int32) -> String {
        // glibc's strerror has a buffer for each thread.
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
