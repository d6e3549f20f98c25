import Glibc
import Logging
import NIOCore
import NIOPosix
import Telemetry

/// Connecting and accepting.
extension StreamService {
    // MARK: - Connecting

    func startConnecting(_ stream: Stream, _ options: ConnectOptions) {
        guard !isStopped, !stream.isEnded else { return }
        let timeout = options.timeoutMs ?? limits.connectTimeoutMs
        setDeadline(stream, timeout, .connectTimedOut(timeout))
        let end = NIODeadline.now() + .milliseconds(Int64(timeout))
        resolving += 1
        let bound = NIOLoopBound((self, stream), eventLoop: worker.eventLoop)
        resolver.resolve(.addresses(options.host), on: worker.eventLoop) { result in
            let (service, stream) = bound.value
            service.resolved(stream, options, end, result)
        }
    }

    private func resolved(
        _ stream: Stream,
        _ options: ConnectOptions,
        _ end: NIODeadline,
        _ result: Result<DNSAnswer, ResolveError>
    ) {
        resolving -= 1
        guard !isStopped, !stream.isEnded else { return }
        switch result {
        case .success(.addresses(let addresses)):
            tryNext(stream, options, addresses.prefix(limits.addressesTriedMax), end, lastError: nil)
        case .success:
            self.end(stream, .unresolved(host: options.host, .badAnswer))
        case .failure(let error):
            self.end(stream, .unresolved(host: options.host, error))
        }
    }

    /// Tries the first of `addresses`, and the others if it fails.
    ///
    /// Each has its share of the time that is left.
    private func tryNext(
        _ stream: Stream,
        _ options: ConnectOptions,
        _ addresses: ArraySlice<IPAddress>,
        _ end: NIODeadline,
        lastError: (any Error)?
    ) {
        guard !isStopped, !stream.isEnded else { return }
        guard let address = addresses.first,
            let socketAddress = try? SocketAddress(ipAddress: address.description, port: Int(options.port))
        else {
            return self.end(stream, Self.connectFailure(options.timeoutMs ?? limits.connectTimeoutMs, lastError))
        }
        let left = max((end - .now()).nanoseconds / Int64(addresses.count), 1_000_000)
        let bound = NIOLoopBound((self, stream), eventLoop: worker.eventLoop)
        ClientBootstrap(group: worker.eventLoop)
            .connectTimeout(.nanoseconds(left))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (service, stream) = bound.value
                    try service.prepare(stream, channel, options.tls)
                }
            }
            .connect(to: socketAddress)
            .assumeIsolated()
            .whenFailure { [weak self] error in
                stream.channel = nil
                self?.tryNext(stream, options, addresses.dropFirst(), end, lastError: error)
            }
    }

    private static func connectFailure(_ timeoutMs: UInt64, _ error: (any Error)?) -> CloseReason {
        switch error {
        case nil: .connectFailed("no usable address")
        case ChannelError.connectTimeout?: .connectTimedOut(timeoutMs)
        case let error?: .connectFailed(ChannelText.reason(error))
        }
    }

    /// Puts the handlers into a new channel's pipeline.
    private func prepare(_ stream: Stream, _ channel: any Channel, _ tls: TLSOptions?) throws {
        if let tls {
            let handshake = try TLSHandshake(tls, identities, worker.eventLoop)
            stream.handshake = handshake
            if let handler = handshake.handler { try channel.pipeline.syncOperations.addHandler(handler) }
        } else {
            try StreamReader(worker: worker, stream: stream).install(in: channel)
        }
        try channel.pipeline.syncOperations.addHandler(StreamHandler(self, stream))
    }

    // MARK: - Accepting

    func startListening(_ listener: Listener) {
        // Closed again before the tick ended: the socket is closed then too.
        guard listeners[listener.handle] === listener, !listener.isClosed else { return }
        listener.isHandedOver = true
        let bound = NIOLoopBound((self, listener), eventLoop: worker.eventLoop)
        ServerBootstrap(group: worker.eventLoop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = ListenerHandler { error in
                        bound.value.0.turnedAway("\(error)", bound.value.1, .warning)
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (service, listener) = bound.value
                    try service.accept(channel, listener)
                }
            }
            .withBoundSocket(listener.socket.descriptor)
            .assumeIsolated()
            .whenComplete { [weak self] result in self?.listening(listener, result) }
    }

    /// Stops a listener; a second time does nothing.
    func close(_ listener: Listener) {
        guard !listener.isClosed else { return }
        listener.isClosed = true
        if let channel = listener.channel {
            channel.close(promise: nil)
        } else if !listener.isHandedOver {
            Glibc.close(listener.socket.descriptor)
        }
    }

    private func listening(_ listener: Listener, _ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            listener.channel = channel
            // The library has listened again with a backlog of its own.
            Glibc.listen(listener.socket.descriptor, listener.options.backlog)
            if listener.isClosed || listeners[listener.handle] !== listener { channel.close(promise: nil) }
        case .failure(let error):
            listeners.remove(listener.handle)
            logger.log(
                .error,
                "listening stopped",
                [.port: "\(listener.socket.port)", .reason: ChannelText.reason(error)]
            )
        }
    }

    /// Logs a connection that is not let in, now and then: anybody can open connections.
    private func turnedAway(_ reason: String, _ listener: Listener, _ level: Logger.Level, _ peer: String? = nil) {
        guard let held = refusalLog.admit(reason, nowNs: HostClock.monotonicNs()) else { return }
        var fields: [LogField: String] = [
            .port: "\(listener.socket.port)", .reason: reason, .count: "\(streams.count)",
        ]
        fields[.peer] = peer
        if held > 0 { fields[.heldBack] = "\(held)" }
        logger.log(level, "a connection was not accepted", fields)
    }

    private func accept(_ channel: any Channel, _ listener: Listener) throws {
        guard !isStopped, let delegate else { throw ConnectionRefused() }
        guard streams.count < limits.streamsMax, listener.acceptedCount < listener.options.acceptedMax else {
            turnedAway("too many connections are open", listener, .notice, ChannelText.address(channel.remoteAddress))
            throw ConnectionRefused()
        }
        let frameMax = listener.options.frameMax ?? limits.frameMax
        let handle = streams.insert { Stream($0, listener: listener.handle, frameMax: frameMax) }
        guard let stream = streams[handle] else { throw ConnectionRefused() }
        listener.acceptedCount += 1
        stream.peerAddress = ChannelText.address(channel.remoteAddress)
        var isKnownToDelegate = false
        do {
            guard delegate.accepted(handle, on: listener.handle) else { throw ConnectionRefused() }
            isKnownToDelegate = true
            try prepare(stream, channel, listener.options.tls)
        } catch {
            // The identity may have gone with a reload.
            if isKnownToDelegate { delegate.closed(handle, .tlsFailed("\(error)")) }
            stream.deadline?.cancel()
            listener.acceptedCount -= 1
            streams.remove(handle)
            throw error
        }
    }
}
