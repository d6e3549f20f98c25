// For SOCK_STREAM and its flags, which the Glibc module leaves out.
import CCares
import Glibc

/// A bound socket, for TCP and listening or for datagrams, opened at once: the port and the errors are known when a plugin's call returns.
struct ListeningSocket {
    let descriptor: Int32
    let port: UInt16

    /// Opens a non-blocking socket on `address`.
    init(address: IPAddress, port: UInt16, backlog: Int32) throws(ServiceError) {
        func refused(_ code: Int32) -> ServiceError {
            .cannotListen(address: address.description, port: port, reason: SystemError.text(code))
        }
        let family = if case .v4 = address { AF_INET } else { AF_INET6 }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw refused(errno) }
        var on: Int32 = 1
        // A restart must not wait for the old connections' TIME_WAIT.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard Self.bind(descriptor, address, port) == 0, listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            throw refused(code)
        }
        self.descriptor = descriptor
        self.port = Self.port(of: descriptor)
    }

    /// Another descriptor of the same socket: connections that wait to be accepted wait at both, and neither's end closes
    /// it while the other is there.
    ///
    /// Source: dup(2).
    init(sharing other: ListeningSocket) throws(ServiceError) {
        let descriptor = fcntl(other.descriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else {
            throw .cannotListen(address: "", port: other.port, reason: SystemError.text(errno))
        }
        self.descriptor = descriptor
        self.port = other.port
    }

    /// Opens a non-blocking socket for datagrams on `address`.
    init(datagramsAt address: IPAddress, port: UInt16) throws(ServiceError) {
        let family = if case .v4 = address { AF_INET } else { AF_INET6 }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0, Self.bind(descriptor, address, port) == 0 else {
            let code = errno
            if descriptor >= 0 { close(descriptor) }
            throw .cannotListen(address: address.description, port: port, reason: SystemError.text(code))
        }
        self.descriptor = descriptor
        self.port = Self.port(of: descriptor)
    }

    /// Binds to the socket name written out byte by byte, as ip(7) and ipv6(7) lay it out.
    private static func bind(_ descriptor: Int32, _ address: IPAddress, _ port: UInt16) -> Int32 {
        let portBytes = [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
        var name: [UInt8]
        switch address {
        case .v4:
            // sin_family, sin_port, sin_addr, padding
            name = family(AF_INET) + portBytes + address.networkOrder + [UInt8](repeating: 0, count: 8)
        case .v6:
            // sin6_family, sin6_port, sin6_flowinfo, sin6_addr, sin6_scope_id
            name = family(AF_INET6) + portBytes + [0, 0, 0, 0] + address.networkOrder + [0, 0, 0, 0]
        }
        return withSocketName(&name) { Glibc.bind(descriptor, $0, socklen_t($1)) }
    }

    private static func family(_ family: Int32) -> [UInt8] {
        withUnsafeBytes(of: sa_family_t(family)) { Array($0) }
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var name = [UInt8](repeating: 0, count: 28)
        _ = withSocketName(&name) { pointer, count in
            var size = socklen_t(count)
            return getsockname(descriptor, pointer, &size)
        }
        // At the same place in both kinds of names.
        return UInt16(name[2]) << 8 | UInt16(name[3])
    }

    private static func withSocketName(
        _ name: inout [UInt8],
        _ body: (UnsafeMutablePointer<sockaddr>, Int) -> Int32
    ) -> Int32 {
        name.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return -1 }
            return body(base.assumingMemoryBound(to: sockaddr.self), bytes.count)
        }
    }
}
