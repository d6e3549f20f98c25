internal import Glibc

/// The address of a Unix socket (unix(7)).
enum UnixSocketPath {
    /// Longest path, in bytes: `sun_path` less the NUL.
    static let lengthMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Calls `body` with the address of `path`.
    static func withAddress<Result>(
        _ path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(ControlError) -> Result {
        guard !path.isEmpty, path.utf8.count <= Self.lengthMax, !path.utf8.contains(0) else {
            throw .pathTooLong(path: path, limit: Self.lengthMax)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// Makes a stream socket that a child process does not inherit.
    static func makeSocket(for path: String) throws(ControlError) -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(operation: "make a socket for", path: path, code: errno) }
        return descriptor
    }
}
