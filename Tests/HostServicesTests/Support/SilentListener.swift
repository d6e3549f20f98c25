import Glibc
import HostServices
import NIOCore

/// A listening socket that nobody serves: the system completes connections, and nothing comes of them.
///
/// When its queue is full, it does not even complete them.
final class SilentListener {
    let port: UInt16
    private var sockets: [Int32] = []

    /// - Parameter isFull: whether connections shall not be completed.
    init(isFull: Bool = false) throws {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
        let listener = socket(AF_INET, Self.stream, 0)
        sockets.append(listener)
        try address.withSockAddr { pointer, size in
            guard bind(listener, pointer, socklen_t(size)) == 0, listen(listener, isFull ? 0 : 16) == 0 else {
                throw Failed()
            }
        }
        var name = [UInt8](repeating: 0, count: 16)
        name.withUnsafeMutableBytes { bytes in
            var size = socklen_t(bytes.count)
            getsockname(listener, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        self.port = UInt16(name[2]) << 8 | UInt16(name[3])
        let target = try SocketAddress(ipAddress: "127.0.0.1", port: Int(port))
        // A backlog of 0 has room for one connection; the others hang.
        for _ in 0..<(isFull ? 3 : 0) {
            let client = socket(AF_INET, Self.stream | Self.nonBlocking, 0)
            sockets.append(client)
            target.withSockAddr { pointer, size in _ = connect(client, pointer, socklen_t(size)) }
        }
    }

    deinit { for socket in sockets { close(socket) } }

    // SOCK_STREAM and SOCK_NONBLOCK.
    private static let stream: Int32 = 1
    private static let nonBlocking: Int32 = 0o4000

    private struct Failed: Error {}
}
