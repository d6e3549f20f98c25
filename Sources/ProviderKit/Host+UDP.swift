internal import CPlugboard

/// One datagram: where it goes, or where it came from.
public struct Datagram: Hashable, Sendable {
    /// An IP literal.
    public var address: String
    /// From 1 to 65535.
    public var port: UInt16
    /// Up to 65,507 bytes.
    public var payload: [UInt8]

    /// A datagram to, or from, this address and port.
    public init(address: String, port: UInt16, payload: [UInt8]) {
        self.address = address
        self.port = port
        self.payload = payload
    }
}

/// What hears of a socket's datagrams.
public protocol DatagramReceiver: AnyObject {
    /// What arrived since the last call, in order.
    func received(_ datagrams: [Datagram], on socket: DatagramSocket)

    /// The system closed the socket; the last call.
    func closed(_ socket: DatagramSocket, detail: String)
}

/// What a datagram socket has done since it was bound.
public struct DatagramCounters: Hashable, Sendable {
    /// Datagrams that were told to the receiver.
    public var received: UInt64
    /// Datagrams that were dropped, because more came than the host keeps.
    public var receivedLost: UInt64
    /// Datagrams that the system took.
    public var sent: UInt64
    /// Datagrams that it did not take.
    public var sentLost: UInt64
}

/// A UDP socket.
public final class DatagramSocket {
    let handle: plugboard_udp_socket_t
    private let host: Host
    /// The port that was bound.
    public let port: UInt16

    init(handle: plugboard_udp_socket_t, host: Host, port: UInt16) {
        self.handle = handle
        self.host = host
        self.port = port
    }

    /// Sends datagrams; all of one call into the provider leave together.
    ///
    /// - Returns: how many were taken, from the front: fewer than there are where the queue is full.
    /// - Throws: ``HostError/invalidArgument`` (an address or a size; nothing is sent), ``HostError/unknownHandle``.
    @discardableResult
    public func send(_ datagrams: [Datagram]) throws(HostError) -> Int {
        guard let udp = host.udp else { throw .unsupported }
        let status = Self.withABI(datagrams) { udp.send(host.context, handle, $0.baseAddress, $0.count) }
        try HostError.check(status)
        return Int(status)
    }

    /// What it has done so far; nil once it is closed.
    public var counters: DatagramCounters? {
        var counters = plugboard_udp_counters_t()
        counters.struct_size = structSize(plugboard_udp_counters_t.self)
        guard let udp = host.udp, udp.counters(host.context, handle, &counters) >= 0 else { return nil }
        return DatagramCounters(
            received: counters.received,
            receivedLost: counters.received_lost,
            sent: counters.sent,
            sentLost: counters.sent_lost
        )
    }

    /// Closes it: nothing is heard of it any more.
    public func close() {
        guard host.pending.sockets.removeValue(forKey: handle) != nil else { return }
        _ = host.udp?.close(host.context, handle)
    }

    private static func withABI<R>(
        _ datagrams: [Datagram],
        _ body: (UnsafeBufferPointer<plugboard_datagram_t>) -> R
    ) -> R {
        let block = datagrams.flatMap { Array($0.address.utf8) + $0.payload }
        return block.withUnsafeBufferPointer { block in
            var start = 0
            func take(_ count: Int) -> plugboard_bytes_t {
                defer { start += count }
                return plugboard_bytes_t(start: block.baseAddress.map { $0 + start }, count: count)
            }
            let abi = datagrams.map { datagram in
                let address = take(datagram.address.utf8.count)
                return plugboard_datagram_t(
                    struct_size: structSize(plugboard_datagram_t.self),
                    port: datagram.port,
                    reserved: 0,
                    address: address,
                    payload: take(datagram.payload.count)
                )
            }
            return abi.withUnsafeBufferPointer(body)
        }
    }
}

extension Host {
    var udp: plugboard_udp_t? { extensionTable(PLUGBOARD_EXT_UDP, as: plugboard_udp_t.self) }

    /// Opens a UDP socket.
    ///
    /// - Parameters:
    ///   - address: an IP literal of this machine; `0.0.0.0` and `::` are all of a kind.
    ///   - port: 0: any free one, see ``DatagramSocket/port``.
    ///   - receiver: kept until the socket is closed.
    /// - Throws: ``HostError/invalidArgument``, ``HostError/limitReached``, ``HostError/system`` (address in use),
    ///   ``HostError/unsupported``, ``HostError/shuttingDown``.
    public func bindDatagrams(
        address: String,
        port: UInt16 = 0,
        receiver: any DatagramReceiver
    ) throws(HostError) -> DatagramSocket {
        guard let udp else { throw .unsupported }
        var handle: plugboard_udp_socket_t = 0
        var bound: UInt16 = 0
        let status = withBytes(address) { address in
            var options = plugboard_udp_options_t()
            options.struct_size = structSize(plugboard_udp_options_t.self)
            options.port = port
            options.address = address
            return udp.bind(context, &options, nil, &handle, &bound)
        }
        try HostError.check(status)
        let socket = DatagramSocket(handle: handle, host: self, port: bound)
        pending.sockets[handle] = (socket, receiver)
        return socket
    }

    func received(_ socket: UInt64, _ datagrams: [plugboard_datagram_t]) {
        guard let (socket, receiver) = pending.sockets[socket] else { return }
        let copies = datagrams.map { source in
            Datagram(
                address: source.address.string,
                port: source.port,
                payload: Array(UnsafeBufferPointer(start: source.payload.start, count: source.payload.count))
            )
        }
        receiver.received(copies, on: socket)
    }

    func closed(_ socket: UInt64, _ detail: String) {
        guard let (socket, receiver) = pending.sockets.removeValue(forKey: socket) else { return }
        receiver.closed(socket, detail: detail)
    }
}

extension InstanceBox {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let udpTable = immortal(
        plugboard_udp_events_t(
            struct_size: structSize(plugboard_udp_events_t.self),
            reserved: 0,
            received: { InstanceBox.hostOf($0).received($1, elements($3, $4)) },
            closed: { InstanceBox.hostOf($0).closed($1, $3.string) }
        )
    )
}
