import NIOCore
import NIOHTTP1
import NIOTLS

/// One connection to a web server: one exchange at a time, many after each other.
///
/// Worker's loop only.
final class HTTPConnection {
    /// Which connection may carry which request.
    struct Key: Hashable {
        var origin: HTTPAddress.Origin
        /// The certificate that is shown.
        var identity: String?
    }

    let key: Key
    var channel: (any Channel)?
    var handshake: TLSHandshake?
    /// What it carries; nil while it is idle.
    var exchange: HTTPExchange?
    /// It is connected, and its TLS handshake done if it has one.
    var isOpen = false
    /// It carried an exchange before the present one.
    var wasUsed = false
    /// The present request has left for the kernel.
    var isSent = false
    /// Something of the present answer has come.
    var hasAnswer = false
    /// The server keeps it open after this answer.
    var isKeptAlive = false
    /// Closes it when nothing wants it.
    var idleTimeout: Scheduled<Void>?
    /// It is out of the pool for good.
    var isOver = false

    init(_ key: Key) {
        self.key = key
    }
}

/// The end of a connection's pipeline: tells the service what happens on the channel.
final class HTTPConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private weak var service: HTTPService?
    private let connection: HTTPConnection

    init(_ service: HTTPService, _ connection: HTTPConnection) {
        self.service = service
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        connection.channel = context.channel
    }

    func channelActive(context: ChannelHandlerContext) {
        guard let service else { return context.close(promise: nil) }
        if connection.handshake == nil { service.opened(connection) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let alpn) = event as? TLSUserEvent else { return }
        connection.handshake?.conclude(alpn: alpn) { [weak service, connection] result in
            switch result {
            case .success: service?.opened(connection)
            case .failure(let refusal): service?.failed(connection, .tlsFailed(refusal.reason))
            }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): service?.received(connection, head)
        case .body(let bytes): service?.received(connection, bytes)
        case .end: service?.receivedEnd(connection)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        service?.lost(connection, "closed by the server")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let service else { return context.close(promise: nil) }
        switch error {
        case HTTPParserError.headerOverflow:
            service.failed(connection, .badAnswer("its head is too long"))
        case let error as HTTPParserError where error != .invalidEOFState:
            service.failed(connection, .badAnswer("\(error)"))
        case let error where connection.handshake != nil && !connection.isOpen:
            service.failed(connection, .tlsFailed(connection.handshake?.refusal ?? ChannelText.reason(error)))
        default:
            service.lost(connection, ChannelText.reason(error))
        }
    }
}
