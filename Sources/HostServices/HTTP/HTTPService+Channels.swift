import NIOCore
import NIOHTTP1

/// What happens on connections.
extension HTTPService {
    /// The most bytes of a redirect's own body that are passed over to keep the connection.
    static let redirectBodyMax = 64 << 10

    /// The connection can carry requests.
    func opened(_ connection: HTTPConnection) {
        guard !isStopped, !connection.isOver else { return connection.channel?.close(promise: nil) ?? () }
        connection.isOpen = true
        guard let exchange = connection.exchange else { return discard(connection) }
        send(exchange, on: connection)
    }

    func send(_ exchange: HTTPExchange, on connection: HTTPConnection) {
        guard let channel = connection.channel else { return lost(connection, "closed by the server") }
        exchange.connection = connection
        connection.exchange = exchange
        connection.hasAnswer = false
        connection.isKeptAlive = false
        connection.isSent = false
        let request = exchange.request
        var fields = [("Host", request.address.origin.authority)] + request.fields.map { ($0.name, $0.value) }
        if !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) {
            fields.append(("Content-Length", "\(request.body.count)"))
        }
        let head = HTTPRequestHead(
            version: .http1_1,
            method: HTTPMethod(rawValue: request.method),
            uri: request.address.target,
            headers: HTTPHeaders(fields)
        )
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if !request.body.isEmpty {
            channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: request.body))), promise: nil)
        }
        let bound = NIOLoopBound((connection, exchange), eventLoop: worker.eventLoop)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil)).whenSuccess {
            let (connection, exchange) = bound.value
            if connection.exchange === exchange { connection.isSent = true }
        }
        applyReading(exchange)
    }

    /// Lets the channel read, or not, as the exchange wants it.
    func applyReading(_ exchange: HTTPExchange) {
        exchange.connection?.channel?.setOption(.autoRead, value: !exchange.isPaused).whenFailure { _ in }
    }

    // MARK: - The answer

    func received(_ connection: HTTPConnection, _ head: HTTPResponseHead) {
        guard !isStopped, !connection.isOver else { return }
        guard let exchange = connection.exchange else { return discard(connection) }
        connection.hasAnswer = true
        connection.isKeptAlive = head.isKeepAlive
        let status = Int(head.status.code)
        guard (200...599).contains(status) else { return end(exchange, .badAnswer("its status is \(status)")) }
        let isFollowed = exchange.request.redirectsMax > 0 || exchange.wasRedirected
        if isFollowed, HTTPRequest.isRedirect(status), let location = head.headers.first(name: "location") {
            return redirect(exchange, status, location)
        }
        exchange.head = HTTPAnswer(
            status: status,
            fields: head.headers.map { HTTPField($0.name, $0.value) },
            url: exchange.request.address.description,
            body: []
        )
        if exchange.request.isStreaming { note(exchange, .head) }
    }

    private func redirect(_ exchange: HTTPExchange, _ status: Int, _ location: String) {
        guard exchange.request.redirectsMax > 0 else {
            return end(exchange, .badRedirect("there were as many before it as are allowed"))
        }
        do throws(HTTPFailure) {
            exchange.redirect = try exchange.request.redirected(status, to: location)
        } catch {
            end(exchange, error)
        }
    }

    func received(_ connection: HTTPConnection, _ bytes: ByteBuffer) {
        guard !isStopped, !connection.isOver else { return }
        guard let exchange = connection.exchange, !exchange.isOver else { return discard(connection) }
        exchange.bodyBytes += bytes.readableBytes
        if exchange.redirect != nil {
            guard exchange.bodyBytes > Self.redirectBodyMax else { return }
            connection.isKeptAlive = false
            return receivedEnd(connection)
        }
        guard exchange.bodyBytes <= exchange.answerBytesMax else {
            return end(exchange, .bodyTooLarge(limit: exchange.answerBytesMax))
        }
        if exchange.request.isStreaming {
            note(exchange, .body(bytes))
        } else {
            exchange.body.writeImmutableBuffer(bytes)
        }
    }

    func receivedEnd(_ connection: HTTPConnection) {
        guard !isStopped, !connection.isOver else { return }
        guard let exchange = connection.exchange else { return discard(connection) }
        release(connection)
        guard let next = exchange.redirect else { return end(exchange, nil) }
        exchange.redirect = nil
        exchange.wasRedirected = true
        exchange.bodyBytes = 0
        exchange.request = next
        worker.enqueue { [weak self] in self?.begin(exchange) }
    }

    // MARK: - What goes wrong

    /// The connection broke, or the server closed it.
    func lost(_ connection: HTTPConnection, _ reason: String) {
        guard !isStopped, !connection.isOver else { return }
        guard let exchange = connection.exchange else { return discard(connection) }
        guard connection.isOpen else {
            return failed(connection, connection.handshake == nil ? .connectFailed(reason) : .tlsFailed(reason))
        }
        // The server closed a connection that had been idle while the request was on its way: it has not seen it.
        let isStale = connection.wasUsed && !connection.hasAnswer && !exchange.wasRetried
        guard isStale, exchange.request.isIdempotent else { return failed(connection, .connectionLost(reason)) }
        exchange.wasRetried = true
        detach(exchange)
        worker.enqueue { [weak self] in self?.begin(exchange) }
    }

    /// The connection is of no use, for `failure`.
    func failed(_ connection: HTTPConnection, _ failure: HTTPFailure) {
        guard !isStopped, !connection.isOver else { return }
        let exchange = connection.exchange
        discard(connection)
        if let exchange { end(exchange, failure) }
    }
}
