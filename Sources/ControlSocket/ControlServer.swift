internal import Glibc
package import NIOCore
internal import NIOPosix
internal import Synchronization

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// The router's end of the control socket.
package final class ControlServer: Sendable {
    /// Where the server listens.
    package let path: String
    private let listener: SocketListener
    private let channel: any Channel
    private let connections: ControlConnections
    private let isStopped = Atomic(false)

    private init(path: String, listener: SocketListener, channel: any Channel, connections: ControlConnections) {
        self.path = path
        self.listener = listener
        self.channel = channel
        self.connections = connections
    }

    /// Listens at `path`, a Unix socket that only this user can connect to.
    ///
    /// Makes the directory, with mode 0700, if there is none; removes a socket that a crashed router left behind.
    ///
    /// - Parameters:
    ///   - handler: carries out the requests; it is called on Swift's shared threads, not on `group`'s.
    ///   - group: moves the bytes; NIO's shared one without it.
    /// - Throws: ``ControlError/alreadyRunning(path:)``, ``ControlError/notASocket(path:)``,
    ///   ``ControlError/directoryUnsafe(path:mode:)``, ``ControlError/pathTooLong(path:limit:)`` or
    ///   ``ControlError/system(operation:path:code:)``.
    package static func start(
        path: String,
        handler: any ControlHandler,
        group: (any EventLoopGroup)? = nil,
        limits: ControlLimits = ControlLimits()
    ) async throws(ControlError) -> ControlServer {
        let listener = try SocketListener(path: path)
        let connections = ControlConnections(max: limits.connectionsMax)
        let bootstrap = ServerBootstrap(group: group ?? MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if connections.add(channel) {
                        let connection = ControlConnectionHandler(handler: handler, limits: limits)
                        try channel.pipeline.syncOperations.addHandler(connection)
                    } else {
                        let refusal = ControlRefusalHandler(connectionsMax: limits.connectionsMax)
                        try channel.pipeline.syncOperations.addHandler(refusal)
                    }
                }
            }
        do {
            let channel = try await bootstrap.withBoundSocket(listener.descriptor).get()
            return ControlServer(path: path, listener: listener, channel: channel, connections: connections)
        } catch {
            // NIO closes the socket that it was given when it cannot use it.
            listener.release()
            let code = (error as? IOError)?.errnoCode ?? EIO
            throw .system(operation: "listen at", path: path, code: code)
        }
    }

    /// Stops listening, closes all connections, which cancels their requests, and removes the socket.
    ///
    /// A second call does nothing, and may return before the first has.
    package func stop() async {
        guard !self.isStopped.exchange(true, ordering: .relaxed) else { return }
        // A channel that is already closed is as good as one that closes now.
        try? await self.channel.close().get()
        for channel in self.connections.all() {
            try? await channel.close().get()
        }
        self.listener.release()
    }
}

/// The open connections, to count and to close them.
private final class ControlConnections: Sendable {
    private let max: Int
    private let channels = NIOLockedValueBox<[ObjectIdentifier: any Channel]>([:])

    init(max: Int) {
        self.max = max
    }

    /// - Returns: whether there was room.
    func add(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isAdded = self.channels.withLockedValue { channels in
            guard channels.count < self.max else { return false }
            channels[id] = channel
            return true
        }
        if isAdded {
            channel.closeFuture.whenComplete { [weak self] _ in
                self?.channels.withLockedValue { _ = $0.removeValue(forKey: id) }
            }
        }
        return isAdded
    }

    func all() -> [any Channel] {
        self.channels.withLockedValue { Array($0.values) }
    }
}
