import Glibc
import NIOCore

/// One socket of ``UDPService``.
///
/// Worker's loop only.
final class UDPSocket {
    let handle: UDPSocketHandle
    let bound: ListeningSocket
    let address: IPAddress
    /// As it was asked for: 0 for any.
    let askedPort: UInt16
    private let isIPv4: Bool
    /// Datagrams are read; no more once another shares the socket.
    private(set) var isReceiving = true
    var channel: (any Channel)?
    /// The channel owns the descriptor.
    var isHandedOver = false
    var counters = UDPCounters()

    /// Datagrams that wait for the end of the tick, or for room in the system.
    var unsent: [AddressedEnvelope<ByteBuffer>] = []
    /// Bytes of those.
    var unsentBytes = 0
    var isFlushQueued = false
    /// Datagrams that the delegate has not been given.
    var untold: [Datagram] = []
    var untoldBytes = 0

    init(_ handle: UDPSocketHandle, _ address: IPAddress, _ bound: ListeningSocket, askedPort: UInt16) {
        self.handle = handle
        self.bound = bound
        self.address = address
        self.askedPort = askedPort
        isIPv4 = if case .v4 = address { true } else { false }
    }

    /// A datagram as the channel wants it.
    func envelope(_ datagram: Datagram) throws(ServiceError) -> AddressedEnvelope<ByteBuffer> {
        guard datagram.payload.count <= Datagram.payloadBytesMax else {
            throw .invalidArgument(
                "a datagram has up to \(Datagram.payloadBytesMax) bytes, not \(datagram.payload.count)"
            )
        }
        guard let ip = IPAddress(datagram.address), datagram.port != 0,
            let address = try? SocketAddress(ipAddress: ip.description, port: Int(datagram.port))
        else {
            throw .invalidArgument("\"\(datagram.address.prefix(80))\" port \(datagram.port) is nowhere to send to")
        }
        guard (address.protocol == .inet) == isIPv4 else {
            throw .invalidArgument("the socket is for \(isIPv4 ? "IPv4" : "IPv6"), and \(datagram.address) is not")
        }
        return AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: datagram.payload))
    }

    /// Hands what waits to the system, itself: the channel would be closed by an error that is one datagram's.
    ///
    /// - Returns: false if the system has no room, and some is left.
    func sendUnsent() -> Bool {
        var done = 0
        var isFull = false
        while done < unsent.count, !isFull {
            switch Self.send(unsent[done], on: bound.descriptor) {
            case 0: counters.sent += 1
            case EAGAIN, ENOBUFS: isFull = true
            default: counters.sentLost += 1
            }
            if !isFull {
                unsentBytes -= unsent[done].data.readableBytes
                done += 1
            }
        }
        unsent.removeFirst(done)
        return !isFull
    }

    /// 0, or the error number.
    private static func send(_ envelope: AddressedEnvelope<ByteBuffer>, on descriptor: Int32) -> Int32 {
        envelope.remoteAddress.withSockAddr { address, size in
            envelope.data.withUnsafeReadableBytes { bytes in
                var result = 0
                repeat {
                    result = sendto(descriptor, bytes.baseAddress, bytes.count, 0, address, socklen_t(size))
                } while result < 0 && errno == EINTR
                return result < 0 ? errno : 0
            }
        }
    }

    /// Reads nothing more; the system keeps what comes.
    func stopReceiving() {
        isReceiving = false
        // On its loop this takes effect at once.
        channel?.setOption(ChannelOptions.autoRead, value: false).whenFailure { _ in }
    }

    /// Sends what waits, as far as the system has room, if the descriptor is still this socket's.
    func sendLast() {
        guard channel?.isActive ?? !isHandedOver else { return }
        _ = sendUnsent()
    }

    func close() {
        if let channel {
            channel.close(promise: nil)
        } else if !isHandedOver {
            Glibc.close(bound.descriptor)
        }
        channel = nil
    }
}

/// The end of a datagram socket's pipeline: tells the service what happens on the channel.
final class UDPHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private weak var service: UDPService?
    private let socket: UDPSocket

    init(_ service: UDPService, _ socket: UDPSocket) {
        self.service = service
        self.socket = socket
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        service?.received(socket, unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) {
        service?.lost(socket, "closed by the system")
    }

    // One datagram's fault, such as an answer that nobody listens there, is not the socket's.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
