internal import Glibc

/// What can go wrong on the control socket, on either side.
package enum ControlError: Error, Hashable, Sendable {
    /// Nothing listens at `path`.
    case routerAbsent(path: String)
    /// This user may not connect to the socket.
    case accessDenied(path: String)
    /// Longer than a Unix socket's address holds; `limit` is in bytes.
    case pathTooLong(path: String, limit: Int)
    /// Another router listens at `path`.
    case alreadyRunning(path: String)
    /// Something that is no socket stands at `path`.
    case notASocket(path: String)
    /// Users other than the owner may write to the socket's directory, and could replace the socket.
    case directoryUnsafe(path: String, mode: UInt32)
    /// A system call failed; `code` is an `errno`.
    case system(operation: String, path: String, code: Int32)
    /// The other side closed the connection before it was done.
    case connectionClosed
    /// The other side said nothing for too long.
    case timedOut(after: Duration)
    /// A line of more than `limit` bytes.
    case lineTooLong(limit: Int)
    /// A line that is not what the protocol asks for.
    case malformed(String)
    /// The router carried out the request no further.
    case refused(ControlFailure)
}

extension ControlError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .routerAbsent(let path):
            "no router answers at \(path): start it with 'plugboard run', or name another socket with --socket"
        case .accessDenied(let path):
            "this user may not use \(path): only the user that runs the router may"
        case .pathTooLong(let path, let limit):
            "the socket's path is longer than \(limit) bytes, choose a shorter one: \(path)"
        case .alreadyRunning(let path):
            "another router already answers at \(path): stop it, or give this one another router.control"
        case .notASocket(let path):
            "\(path) is not a socket: remove it, or choose another router.control"
        case .directoryUnsafe(let path, let mode):
            "other users can write to \(path) (mode \(String(mode, radix: 8))) and could replace the control socket: "
                + "run: chmod go-w \(path)"
        case .system(let operation, let path, let code):
            "cannot \(operation) \(path): \(String(cString: strerror(code)))"
        case .connectionClosed:
            "the router closed the connection before it was done"
        case .timedOut(let duration):
            "the router did not answer within \(duration)"
        case .lineTooLong(let limit):
            "a line on the control socket is longer than \(limit) bytes"
        case .malformed(let reason):
            "unexpected data on the control socket: \(reason)"
        case .refused(let failure):
            "\(failure.message)"
        }
    }
}

/// Why the router did not carry out a request, as it is sent: `{"error":{"code":…,"message":…}}`.
package struct ControlFailure: Error, Codable, Hashable, Sendable {
    /// A word for programs: one of ``Code``, or the handler's own.
    package var code: String
    /// A sentence for people, without a full stop.
    package var message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    package init(_ code: Code, _ message: String) {
        self.init(code: code.rawValue, message: message)
    }

    /// The codes that the control socket itself uses; a handler may use them too.
    package enum Code: String, Sendable {
        case badRequest = "bad-request"
        case unknownCommand = "unknown-command"
        case lineTooLong = "line-too-long"
        case tooManyConnections = "too-many-connections"
        case tooManyRequests = "too-many-requests"
        case notFound = "not-found"
        case clientGone = "client-gone"
        case `internal` = "internal"
    }
}
