import NIOCore
import NIOPosix
import NIOSSL

/// Channel errors and addresses in words.
enum ChannelText {
    /// What `error` means, without stack or file names.
    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: SystemError.text(error.errnoCode)
        case let error as NIOSSLError: tls(error)
        case is NIOSSLCloseTimedOutError: "the peer did not answer the end of TLS"
        case ChannelError.connectTimeout: "no answer in time"
        case ChannelError.eof, ChannelError.ioOnClosedChannel: "closed"
        default: "\(error)"
        }
    }

    private static func tls(_ error: NIOSSLError) -> String {
        switch error {
        case .uncleanShutdown: "the connection ended without the end of TLS"
        case .handshakeFailed(let cause): libraryReason("\(cause)")
        default: libraryReason("\(error)")
        }
    }

    /// The heart of what the TLS library says: its text has numbers and the place in its source around a name such as
    /// `WRONG_VERSION_NUMBER`.
    static func libraryReason(_ text: String) -> String {
        let reasons = text.split(separator: "OPENSSL_internal:").dropFirst().map { part in
            part.prefix { $0 != " " }.lowercased().map { $0 == "_" ? " " : $0 }
        }
        return reasons.isEmpty ? text : reasons.map { String($0) }.joined(separator: ", ")
    }

    /// Whether `error` only says that the channel is closed.
    static func isPlainEnd(_ error: any Error) -> Bool {
        switch error {
        case ChannelError.eof, ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed: true
        default: false
        }
    }

    /// "192.0.2.1:5269", "[2001:db8::1]:5269", or "unknown".
    static func address(_ address: SocketAddress?) -> String {
        guard let address, let ip = address.ipAddress, let port = address.port else { return "unknown" }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }
}
