package import Logging
import NIOCore
import NIOPosix
internal import Telemetry

/// The datagram sockets of one instance.
///
/// Worker's loop only. Datagrams are lost when either side has more of them than it keeps, and that is counted.
package final class UDPService {
    /// Hears of datagrams.
    package weak var delegate: (any UDPDelegate)?

    private let worker: Worker
    private let limits: ServiceLimits
    private let logger: Logger
    private var sockets = SlotTable<UDPSocketHandle, UDPSocket>()
    /// The predecessor's sockets that ``bind(address:port:)`` may share.
    private var inheritable: [UDPSocket] = []
    private var isStopped = false

    package init(worker: Worker, limits: ServiceLimits, logger: Logger) {
        self.worker = worker
        self.limits = limits
        self.logger = logger
    }

    /// Sockets that are open.
    package var count: Int { sockets.count }

    /// Opens a socket; it is bound when this returns.
    ///
    /// - Parameter port: 0: any free one; ``port(of:)`` tells.
    /// - Throws: ``ServiceError/cannotListen(address:port:reason:)``, ``ServiceError/invalidArgument(_:)``,
    ///   ``ServiceError/limitReached(_:limit:)``, ``ServiceError/stopped``.
    package func bind(address: String, port: UInt16) throws(ServiceError) -> UDPSocketHandle {
        worker.preconditionOnLoop()
        guard !isStopped else { throw .stopped }
        guard let ip = IPAddress(address) else {
            throw .invalidArgument("\"\(address.prefix(80))\" is no IP address to bind to")
        }
        guard sockets.count < limits.udpSocketsMax else {
            throw .limitReached(.udpSockets, limit: limits.udpSocketsMax)
        }
        let shared = try inherited(ip, port)
        let bound = if let shared { shared } else { try ListeningSocket(datagramsAt: ip, port: port) }
        let handle = sockets.insert { UDPSocket($0, ip, bound, askedPort: port) }
        if let socket = sockets[handle] { worker.enqueue { [weak self] in self?.open(socket) } }
        return handle
    }

    /// The port that a socket is bound to.
    package func port(of handle: UDPSocketHandle) throws(ServiceError) -> UInt16 { try socket(handle).bound.port }

    /// Takes datagrams to be sent at the end of the tick.
    ///
    /// - Returns: how many were taken, from the front; fewer than there are where the queue is full.
    /// - Throws: ``ServiceError/invalidArgument(_:)`` for a bad address or size of any, and then none is sent;
    ///   ``ServiceError/unknownHandle(_:)``.
    package func send(_ handle: UDPSocketHandle, _ datagrams: [Datagram]) throws(ServiceError) -> Int {
        let socket = try socket(handle)
        var envelopes: [AddressedEnvelope<ByteBuffer>] = []
        for datagram in datagrams { envelopes.append(try socket.envelope(datagram)) }
        var taken = 0
        for envelope in envelopes {
            let size = envelope.data.readableBytes
            guard socket.unsent.count < limits.udpQueueMax, socket.unsentBytes + size <= limits.udpQueueBytesMax else {
                break
            }
            socket.unsent.append(envelope)
            socket.unsentBytes += size
            taken += 1
        }
        queueFlush(socket)
        return taken
    }

    /// What a socket has done.
    package func counters(of handle: UDPSocketHandle) throws(ServiceError) -> UDPCounters {
        try socket(handle).counters
    }

    // MARK: - Handing over

    /// Lets ``bind(address:port:)`` share the sockets of an instance that this one is to replace; nil: of none any more.
    package func inheritSockets(of predecessor: UDPService?) {
        worker.preconditionOnLoop()
        inheritable = predecessor?.sockets.elements.filter { $0.isReceiving } ?? []
    }

    /// Receives nothing more on any socket: what the system has goes to who shares the socket.
    ///
    /// Sending goes on, and what was read already is told at once.
    package func stopReceiving() {
        worker.preconditionOnLoop()
        for socket in sockets.elements {
            socket.stopReceiving()
            tell(socket)
        }
    }

    /// The predecessor's socket for what is asked; nil if it has none.
    ///
    /// Each is given once: who binds twice to port 0 wants two ports.
    private func inherited(_ address: IPAddress, _ port: UInt16) throws(ServiceError) -> ListeningSocket? {
        let place = inheritable.firstIndex { $0.address == address && $0.askedPort == port }
        guard let place else { return nil }
        return try ListeningSocket(sharing: inheritable.remove(at: place).bound)
    }

    /// Closes a socket: no call about it follows.
    package func close(_ handle: UDPSocketHandle) throws(ServiceError) {
        worker.preconditionOnLoop()
        guard let socket = sockets.remove(handle) else { throw .unknownHandle(handle.rawValue) }
        // Later: this may be a call from inside the channel's own event.
        worker.enqueue { socket.close() }
    }

    /// Closes everything for good.
    ///
    /// The delegate is not called any more.
    package func closeAll() {
        worker.preconditionOnLoop()
        guard !isStopped else { return }
        isStopped = true
        let open = sockets.elements
        sockets = SlotTable()
        // What was taken in the last tick has not been sent yet.
        for socket in open { socket.sendLast() }
        worker.enqueue { for socket in open { socket.close() } }
    }

    /// The socket behind a handle, for tests of what no peer can bring about.
    func socketForTests(_ handle: UDPSocketHandle) -> UDPSocket? { sockets[handle] }

    private func socket(_ handle: UDPSocketHandle) throws(ServiceError) -> UDPSocket {
        worker.preconditionOnLoop()
        guard let socket = sockets[handle] else { throw .unknownHandle(handle.rawValue) }
        return socket
    }

    // MARK: - The channel

    private func open(_ socket: UDPSocket) {
        guard sockets[socket.handle] === socket else { return }
        socket.isHandedOver = true
        let handler = NIOLoopBound((self, socket), eventLoop: worker.eventLoop)
        DatagramBootstrap(group: worker.eventLoop)
            // No datagram is longer.
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: 65_536)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (service, socket) = handler.value
                    try channel.pipeline.syncOperations.addHandler(UDPHandler(service, socket))
                }
            }
            .withBoundSocket(socket.bound.descriptor)
            .assumeIsolated()
            .whenComplete { [weak self] result in
                switch result {
                case .success(let channel):
                    socket.channel = channel
                    guard let self, self.sockets[socket.handle] === socket else { return socket.close() }
                    if !socket.isReceiving { socket.stopReceiving() }
                    self.queueFlush(socket)
                case .failure(let error): self?.lost(socket, ChannelText.reason(error))
                }
            }
    }

    private func queueFlush(_ socket: UDPSocket) {
        guard !socket.isFlushQueued, !socket.unsent.isEmpty, socket.channel != nil else { return }
        socket.isFlushQueued = true
        worker.enqueueFlush { [weak self] in
            socket.isFlushQueued = false
            self?.flush(socket)
        }
    }

    /// How long a socket waits before it tries a full system again.
    private static let retryTime = TimeAmount.milliseconds(1)

    private func flush(_ socket: UDPSocket) {
        // A channel that is closing has given its descriptor back.
        guard let channel = socket.channel, channel.isActive, sockets[socket.handle] === socket else { return }
        guard !socket.sendUnsent(), !socket.isFlushQueued else { return }
        socket.isFlushQueued = true
        _ = worker.eventLoop.assumeIsolated().scheduleTask(in: Self.retryTime) { [weak self] in
            socket.isFlushQueued = false
            self?.flush(socket)
        }
    }

    func received(_ socket: UDPSocket, _ envelope: AddressedEnvelope<ByteBuffer>) {
        guard sockets[socket.handle] === socket, let address = envelope.remoteAddress.ipAddress,
            let port = envelope.remoteAddress.port
        else { return }
        let size = envelope.data.readableBytes
        guard size <= Datagram.payloadBytesMax, socket.untold.count < limits.udpQueueMax,
            socket.untoldBytes + size <= limits.udpQueueBytesMax
        else {
            socket.counters.receivedLost += 1
            return
        }
        // A copy: the buffer is much larger.
        let payload = Array(envelope.data.readableBytesView)
        socket.untold.append(Datagram(address: address, port: UInt16(port), payload: payload))
        socket.untoldBytes += size
        guard socket.untold.count == 1 else { return }
        worker.enqueue { [weak self] in
            guard let self, self.sockets[socket.handle] === socket else { return }
            self.tell(socket)
        }
    }

    private func tell(_ socket: UDPSocket) {
        let datagrams = socket.untold
        guard !datagrams.isEmpty else { return }
        socket.untold = []
        socket.untoldBytes = 0
        socket.counters.received += UInt64(datagrams.count)
        delegate?.received(socket.handle, datagrams)
    }

    /// The socket is gone, and not because it was asked to.
    func lost(_ socket: UDPSocket, _ reason: String) {
        guard sockets[socket.handle] === socket else { return }
        logger.log(.warning, "a datagram socket was closed", [.port: "\(socket.bound.port)", .reason: reason])
        worker.enqueue { [weak self] in
            guard let self, self.sockets.remove(socket.handle) != nil else { return }
            socket.close()
            self.delegate?.closed(socket.handle, reason)
        }
    }
}
