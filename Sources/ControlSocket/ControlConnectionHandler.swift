internal import Glibc
internal import NIOCore

/// Performs what ``ControlSession`` decides for one connection, and closes it when it idles.
final class ControlConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let handler: any ControlHandler
    private let idleMax: TimeAmount
    private var framer = LineFramer(lineMax: ControlLimits.requestLineMax)
    private var session = ControlSession()
    private var task: Task<Void, Never>?
    private var idleTimer: Scheduled<Void>?
    private var isClosing = false
    private var peer: UInt32?

    init(handler: any ControlHandler, limits: ControlLimits) {
        self.handler = handler
        self.idleMax = TimeAmount(limits.idleMax)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.restartIdleTimer(context)
        self.askForPeer(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isClosing else { return }
        self.framer.append(self.unwrapInboundIn(data).readableBytesView)
        while !self.isClosing {
            let line: [UInt8]?
            do throws(ControlError) {
                line = try self.framer.nextLine()
            } catch {
                return self.perform(self.session.lineTooLong(), context)
            }
            guard let line else { return }
            self.perform(self.session.lineReceived(line), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.isClosing = true
        self.task?.cancel()
        self.idleTimer?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The connection is of no use after any error of the socket.
        context.close(promise: nil)
    }

    private func perform(_ action: ControlSession.Action, _ context: ChannelHandlerContext) {
        var action = action
        while true {
            switch action {
            case .start(let request):
                self.idleTimer?.cancel()
                return self.start(request, context)
            case .send(let failure):
                self.write(ControlLines.failure(failure), context)
                action = self.session.finished()
            case .close(let failure):
                self.isClosing = true
                self.write(ControlLines.failure(failure), context)
                return context.close(promise: nil)
            case .none:
                if !self.session.isRunning { self.restartIdleTimer(context) }
                return
            }
        }
    }

    /// Asks the kernel who connected (unix(7), SO_PEERCRED).
    private func askForPeer(_ context: ChannelHandlerContext) {
        guard let socket = context.channel as? any SocketOptionProvider else { return }
        let credentials: EventLoopFuture<PeerCredentials> = socket.unsafeGetSocketOption(
            level: .socket,
            name: .init(rawValue: SO_PEERCRED)
        )
        // Answered at once on the channel's own loop, before the first request is read.
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        credentials.whenSuccess { bound.value.peer = $0.uid }
    }

    private func start(_ request: ControlRequest, _ context: ChannelHandlerContext) {
        var request = request
        request.peer = self.peer
        let handler = self.handler
        let responder = ControlResponder(channel: context.channel, writeMax: self.idleMax)
        let eventLoop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: eventLoop)
        self.task = Task { [request] in
            let line: [UInt8]
            do throws(ControlFailure) {
                try await handler.handle(request, respond: responder)
                line = ControlLines.done()
            } catch {
                line = ControlLines.failure(error)
            }
            eventLoop.execute {
                let (connection, context) = bound.value
                connection.requestFinished(line, context)
            }
        }
    }

    private func requestFinished(_ lastLine: [UInt8], _ context: ChannelHandlerContext) {
        self.task = nil
        guard !self.isClosing else { return }
        self.write(lastLine, context)
        self.perform(self.session.finished(), context)
    }

    private func write(_ line: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: line)), promise: nil)
    }

    /// Closes the connection if it has no request for ``ControlLimits/idleMax``.
    private func restartIdleTimer(_ context: ChannelHandlerContext) {
        self.idleTimer?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        self.idleTimer = context.eventLoop.scheduleTask(in: self.idleMax) {
            bound.value.close(promise: nil)
        }
    }
}

/// The kernel's `struct ucred`.
private struct PeerCredentials: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
}

/// Tells one client too many that there is no room, and closes.
final class ControlRefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connectionsMax: Int

    init(connectionsMax: Int) {
        self.connectionsMax = connectionsMax
    }

    func channelActive(context: ChannelHandlerContext) {
        let failure = ControlFailure(
            .tooManyConnections,
            "the router already has \(self.connectionsMax) control connections: close one"
        )
        let line = ByteBuffer(bytes: ControlLines.failure(failure))
        context.writeAndFlush(self.wrapOutboundOut(line), promise: nil)
        context.close(promise: nil)
    }
}
