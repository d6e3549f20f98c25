import NIOCore
import NIOHTTP1
import NIOPosix

/// Finding a connection for a request, or making one.
extension HTTPService {
    /// Gives the request a connection, now or when there is one.
    func begin(_ exchange: HTTPExchange) {
        guard !isStopped, exchanges[exchange.handle] === exchange, !exchange.isOver else { return }
        let key = HTTPConnection.Key(origin: exchange.request.address.origin, identity: exchange.request.identity)
        // The one used last: the others may then grow old and go.
        if let connection = pools[key]?.idle.popLast() {
            connection.idleTimeout?.cancel()
            return send(exchange, on: connection)
        }
        guard pools[key, default: Pool()].count < limits.httpConnectionsPerOriginMax else {
            pools[key, default: Pool()].waiting.append(exchange)
            return
        }
        connect(exchange, HTTPConnection(key))
    }

    /// Takes the connection away from a request that does not want it any more.
    func detach(_ exchange: HTTPExchange) {
        let key = HTTPConnection.Key(origin: exchange.request.address.origin, identity: exchange.request.identity)
        pools[key]?.waiting.removeAll { $0 === exchange }
        guard let connection = exchange.connection else { return }
        exchange.connection = nil
        connection.exchange = nil
        discard(connection)
    }

    /// The connection has done its work: keeps it for the next request, or closes it.
    func release(_ connection: HTTPConnection) {
        connection.exchange?.connection = nil
        connection.exchange = nil
        guard connection.isKeptAlive, connection.isSent, !connection.isOver, !isStopped else {
            return discard(connection)
        }
        connection.wasUsed = true
        connection.channel?.setOption(.autoRead, value: true).whenFailure { _ in }
        if let next = nextWaiting(connection.key) { return send(next, on: connection) }
        guard pools[connection.key, default: Pool()].idle.count < limits.httpIdleConnectionsPerOriginMax else {
            return discard(connection)
        }
        pools[connection.key, default: Pool()].idle.append(connection)
        connection.idleTimeout = worker.eventLoop.assumeIsolated().scheduleTask(
            in: .milliseconds(Int64(limits.httpIdleTimeoutMs))
        ) { [weak self] in
            self?.discard(connection)
        }
    }

    /// Closes a connection and takes it out of the pool; whoever waits may have a new one.
    func discard(_ connection: HTTPConnection) {
        guard !connection.isOver else { return }
        connection.idleTimeout?.cancel()
        Self.close(connection)
        let key = connection.key
        guard var pool = pools[key] else { return }
        pool.idle.removeAll { $0 === connection }
        pool.count -= 1
        pools[key] = pool.isEmpty ? nil : pool
        // Later: this may come from inside a channel's own event.
        worker.enqueue { [weak self] in self?.serveWaiting(key) }
    }

    private func serveWaiting(_ key: HTTPConnection.Key) {
        while let pool = pools[key], pool.count < limits.httpConnectionsPerOriginMax, let next = nextWaiting(key) {
            begin(next)
        }
    }

    /// Closes a connection; nothing it does is heard any more.
    static func close(_ connection: HTTPConnection) {
        connection.isOver = true
        connection.exchange?.connection = nil
        connection.exchange = nil
        connection.channel?.close(promise: nil)
        connection.channel = nil
    }

    private func nextWaiting(_ key: HTTPConnection.Key) -> HTTPExchange? {
        while let first = pools[key]?.waiting.first {
            pools[key]?.waiting.removeFirst()
            if exchanges[first.handle] === first, !first.isOver { return first }
        }
        return nil
    }

    // MARK: - Connecting

    private func connect(_ exchange: HTTPExchange, _ connection: HTTPConnection) {
        pools[connection.key, default: Pool()].count += 1
        exchange.connection = connection
        connection.exchange = exchange
        let host = connection.key.origin.host
        guard resolving < limits.resolutionsMax else {
            let reason = "\(resolving) names are being asked for already"
            return failed(connection, .unresolved(host: host, .temporary(reason)))
        }
        resolving += 1
        let bound = NIOLoopBound((self, connection), eventLoop: worker.eventLoop)
        resolver.resolve(.addresses(host), on: worker.eventLoop) { result in
            let (service, connection) = bound.value
            service.resolving -= 1
            guard !connection.isOver else { return }
            switch result {
            case .success(.addresses(let addresses)):
                service.tryNext(connection, addresses.prefix(service.limits.addressesTriedMax), lastError: nil)
            case .success: service.failed(connection, .unresolved(host: host, .badAnswer))
            case .failure(let error): service.failed(connection, .unresolved(host: host, error))
            }
        }
    }

    /// Tries the first of `addresses`, and the others if it fails.
    ///
    /// Each has its share of the time for connecting.
    private func tryNext(_ connection: HTTPConnection, _ addresses: ArraySlice<IPAddress>, lastError: (any Error)?) {
        guard !isStopped, !connection.isOver else { return }
        let origin = connection.key.origin
        guard let address = addresses.first,
            let socketAddress = try? SocketAddress(ipAddress: address.description, port: Int(origin.port))
        else {
            return failed(connection, .connectFailed(lastError.map(ChannelText.reason) ?? "no usable address"))
        }
        let share = max(Int64(limits.connectTimeoutMs) / Int64(addresses.count), 1)
        let bound = NIOLoopBound((self, connection), eventLoop: worker.eventLoop)
        ClientBootstrap(group: worker.eventLoop)
            .connectTimeout(.milliseconds(share))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (service, connection) = bound.value
                    try service.prepare(connection, channel)
                }
            }
            .connect(to: socketAddress)
            .assumeIsolated()
            .whenFailure { [weak self] error in
                guard !connection.isOver, !connection.isOpen else { return }
                connection.channel = nil
                self?.tryNext(connection, addresses.dropFirst(), lastError: error)
            }
    }

    /// Puts the handlers into a new channel's pipeline.
    private func prepare(_ connection: HTTPConnection, _ channel: any Channel) throws {
        guard !isStopped, !connection.isOver else { throw ConnectionRefused() }
        let pipeline = channel.pipeline.syncOperations
        if connection.key.origin.isSecure {
            let host = connection.key.origin.host
            let options = TLSOptions(
                side: .client,
                identity: connection.key.identity,
                serverName: host,
                alpn: ["http/1.1"],
                verification: .required(name: host)
            )
            let handshake = try TLSHandshake(options, identities, worker.eventLoop)
            connection.handshake = handshake
            if let handler = handshake.handler { try pipeline.addHandler(handler) }
        }
        try pipeline.addHandler(HTTPRequestEncoder())
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = limits.httpHeadMax
        decoderLimits.maxHeaderListSize = limits.httpHeadMax
        decoderLimits.maxHeaderFieldCount = limits.httpFieldsMax
        let decoder = HTTPResponseDecoder(
            leftOverBytesStrategy: .dropBytes,
            informationalResponseStrategy: .drop,
            limitConfiguration: decoderLimits
        )
        try pipeline.addHandler(ByteToMessageHandler(decoder))
        try pipeline.addHandler(HTTPConnectionHandler(self, connection))
    }
}
