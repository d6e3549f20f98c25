internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import OSCARWire

/// An AIM network on a TCP port.
///
/// Everything happens on one event loop.
package final class SandboxServer: Sendable {
    /// The port it listens at.
    package let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel

    private init(port: Int, group: MultiThreadedEventLoopGroup, channel: any Channel) {
        self.port = port
        self.group = group
        self.channel = channel
    }

    /// Listens, and lets the bots EchoBot and ComeAndGo in.
    ///
    /// - Parameters:
    ///   - host: an address of this machine; clients are sent there after their login.
    ///   - port: 0: any that is free.
    ///   - accounts: who may log in.
    /// - Throws: NIO's errors, if the port cannot be had.
    package static func start(
        host: String = "127.0.0.1",
        port: Int = 0,
        accounts: [Account],
        configure: @Sendable (inout AIMNetwork.Options) -> Void = { _ in }
    ) async throws -> SandboxServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let owner = NetworkOwner(loop: group.next())
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ClientHandler(owner: owner))
                    }
                }
                // Above this, a client that does not read is closed.
                .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 * 1_024, high: 1_024 * 1_024))
                .bind(host: host, port: port).get()
            let port = channel.localAddress?.port ?? port
            var options = AIMNetwork.Options(address: "\(host):\(port)")
            configure(&options)
            try await owner.begin(accounts: accounts, options: options).get()
            return SandboxServer(port: port, group: group, channel: channel)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Stops listening, and closes all connections.
    package func stop() async throws {
        try await self.channel.close().get()
        try await self.group.shutdownGracefully()
    }
}

/// The network, and the connections' channels.
///
/// `@unchecked`: every field is touched on `loop` only, and each method checks it.
final class NetworkOwner: @unchecked Sendable {
    /// Milliseconds between two ticks.
    private static let tickMs: Int64 = 250

    private let loop: any EventLoop
    private var network: AIMNetwork?
    private var channels: [Int: any Channel] = [:]
    private var nextConnection = 1

    init(loop: any EventLoop) { self.loop = loop }

    private var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
    }

    /// Time that never goes back, whatever the clock does.
    private var latest: UInt64 = 0
    private func time() -> UInt64 {
        self.latest = max(self.latest, self.now)
        return self.latest
    }

    func begin(accounts: [Account], options: AIMNetwork.Options) -> EventLoopFuture<Void> {
        self.loop.submit {
            let now = self.time()
            var network = AIMNetwork(accounts: accounts, options: options)
            network.addBot(Account(name: try ScreenName("EchoBot"), password: ""), .echo, now: now)
            network.addBot(
                Account(name: try ScreenName("ComeAndGo"), password: ""),
                .comingAndGoing(nextAt: now + options.comingAndGoingMs),
                now: now
            )
            self.network = network
            self.loop.scheduleRepeatedTask(
                initialDelay: .milliseconds(Self.tickMs),
                delay: .milliseconds(Self.tickMs)
            ) { _ in self.perform { network, now in network.tick(now: now) } }
        }
    }

    func connected(_ channel: any Channel) -> Int {
        self.loop.preconditionInEventLoop()
        let id = self.nextConnection
        self.nextConnection += 1
        self.channels[id] = channel
        let address = channel.remoteAddress?.ipAddress ?? ""
        self.perform { network, now in network.connected(id, from: address, now: now) }
        return id
    }

    func received(_ bytes: [UInt8], on id: Int) {
        self.perform { network, now in network.received(bytes, on: id, now: now) }
    }

    func disconnected(_ id: Int) {
        self.channels[id] = nil
        self.perform { network, now in network.disconnected(id, now: now) }
    }

    private func perform(_ event: (inout AIMNetwork, UInt64) -> Void) {
        self.loop.preconditionInEventLoop()
        let now = self.time()
        guard var network = self.network.take() else { return }
        event(&network, now)
        let actions = network.actions
        network.actions = []
        self.network = network
        for action in actions {
            switch action {
            case .send(let id, let bytes):
                guard let channel = self.channels[id] else { continue }
                channel.writeAndFlush(channel.allocator.buffer(bytes: bytes), promise: nil)
            case .close(let id):
                // After what was written before, so that the last word arrives.
                guard let channel = self.channels[id] else { continue }
                channel.writeAndFlush(channel.allocator.buffer(capacity: 0)).whenComplete { _ in
                    channel.close(promise: nil)
                }
            }
        }
    }
}

/// Passes a connection's bytes to the network.
private final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let owner: NetworkOwner
    private var id: Int?

    init(owner: NetworkOwner) { self.owner = owner }

    func channelActive(context: ChannelHandlerContext) { self.id = self.owner.connected(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = self.unwrapInboundIn(data)
        if let id = self.id { self.owner.received(Array(buffer.readableBytesView), on: id) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let id = self.id { self.owner.disconnected(id) }
        self.id = nil
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !context.channel.isWritable { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
