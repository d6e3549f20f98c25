import NIOCore
import NIOTLS

/// The end of a stream's pipeline: tells the service what happens on the channel.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private weak var service: StreamService?
    private let stream: Stream

    init(_ service: StreamService, _ stream: Stream) {
        self.service = service
        self.stream = stream
    }

    func handlerAdded(context: ChannelHandlerContext) {
        stream.channel = context.channel
    }

    func channelActive(context: ChannelHandlerContext) {
        guard let service else { return context.close(promise: nil) }
        service.channelActive(stream, context.channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        service?.channelRead(stream, unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        service?.worker.inputComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        service?.channelInactive(stream)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let alpn) = event as? TLSUserEvent else { return }
        service?.handshakeCompleted(stream, alpn: alpn)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        service?.channelFailed(stream, error)
    }
}

/// The end of a listening socket's pipeline: notes what goes wrong with connections before they are streams.
final class ListenerHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let failed: (any Error) -> Void

    init(_ failed: @escaping (any Error) -> Void) {
        self.failed = failed
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failed(error)
        // The bootstrap's own handler pauses when the system is out of descriptors.
        context.fireErrorCaught(error)
    }
}

/// A connection was turned away: too many, or the instance did not want it.
struct ConnectionRefused: Error {}
