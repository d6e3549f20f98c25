import HostServices
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A web server for tests: it reads requests, and answers each with bytes that the test gives.
final class TinyWebServer: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        var method: String
        var target: String
        /// `name: value`, in order.
        var fields: [String]
        var body: String
        /// Which connection it came on, from 1.
        var connection: Int
    }

    /// What the server does with a request.
    enum Reply: Sendable {
        /// Sends these bytes as they are.
        case bytes(String)
        /// Sends these bytes, and closes.
        case last(String)
        /// Closes without a word.
        case close
        /// Lets the client wait.
        case silence
    }

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var open: [any Channel] = []
        var waiting: [(count: Int, done: CheckedContinuation<Void, Never>)] = []
    }

    private let state = NIOLockedValueBox(State())
    private let reply: @Sendable (Request) -> Reply
    private let channel: any Channel

    /// Where it listens.
    var port: UInt16 { UInt16(channel.localAddress?.port ?? 0) }

    private init(_ channel: any Channel, _ reply: @escaping @Sendable (Request) -> Reply) {
        self.channel = channel
        self.reply = reply
    }

    /// Runs `body` with a server on loopback, and stops it.
    static func with(
        certificate: Certificates.Issued? = nil,
        _ reply: @escaping @Sendable (Request) -> Reply,
        _ body: (TinyWebServer) async throws -> Void
    ) async throws {
        let context = try certificate.map { try serverContext($0) }
        let made = NIOLockedValueBox<TinyWebServer?>(nil)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = made.withLockedValue({ $0 }) else { throw ChannelError.ioOnClosedChannel }
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
                    )
                    try channel.pipeline.syncOperations.addHandler(Handler(server))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let server = TinyWebServer(channel, reply)
        made.withLockedValue { $0 = server }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(server))
        } catch {
            result = .failure(error)
        }
        try await channel.close().get()
        for channel in server.state.withLockedValue({ $0.open }) { channel.close(promise: nil) }
        try result.get()
    }

    private static func serverContext(_ issued: Certificates.Issued) throws -> NIOSSLContext {
        guard case .bytes(let chain) = issued.pem, case .bytes(let key) = issued.keyPEM else {
            throw ChannelError.ioOnClosedChannel
        }
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            )
        )
    }

    /// The requests so far.
    var requests: [Request] { state.withLockedValue { $0.requests } }

    /// The connections so far.
    var connections: Int { state.withLockedValue { $0.connections } }

    /// Waits until `count` requests have come.
    func requested(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLockedValue { state in
                if state.requests.count < count { state.waiting.append((count, continuation)) }
                return state.requests.count >= count
            }
            if isThere { continuation.resume() }
        }
    }

    /// Sends bytes on the newest connection.
    func send(_ text: String) {
        guard let channel = state.withLockedValue({ $0.open.last }) else { return }
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    /// Closes all connections, and waits until they are.
    func closeConnections() async throws {
        for channel in state.withLockedValue({ $0.open }) { try? await channel.close().get() }
    }

    private func came(_ request: Request) -> Reply {
        let ready = state.withLockedValue { state in
            state.requests.append(request)
            let ready = state.waiting.filter { $0.count <= state.requests.count }
            state.waiting.removeAll { $0.count <= state.requests.count }
            return ready
        }
        for waiter in ready { waiter.done.resume() }
        return reply(request)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = ByteBuffer

        private let server: TinyWebServer
        private var number = 0
        private var head: HTTPRequestHead?
        private var body = ""

        init(_ server: TinyWebServer) {
            self.server = server
        }

        func channelActive(context: ChannelHandlerContext) {
            let channel = context.channel
            number = server.state.withLockedValue { state in
                state.connections += 1
                state.open.append(channel)
                return state.connections
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = ""
            case .body(let bytes): body += String(buffer: bytes)
            case .end:
                guard let head else { return }
                let request = Request(
                    method: head.method.rawValue,
                    target: head.uri,
                    fields: head.headers.map { "\($0.name): \($0.value)" },
                    body: body,
                    connection: number
                )
                switch server.came(request) {
                case .bytes(let text):
                    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
                case .last(let text):
                    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
                    context.close(promise: nil)
                case .close: context.close(promise: nil)
                case .silence: break
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}

/// A whole answer with a length.
func webAnswer(_ status: String = "200 OK", _ body: String = "", fields: [String] = []) -> String {
    (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
        + body
}
