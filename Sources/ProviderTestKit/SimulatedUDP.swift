internal import CPlugboard

/// One datagram on its way through a simulated network.
struct SimulatedDatagram {
    var payload: [UInt8]
    var from: Place
    var to: Place

    /// An address with a port.
    struct Place: Hashable {
        var address: String
        var port: UInt16
    }

    /// The most bytes of a payload (RFC 768).
    static let payloadBytesMax = 65_507
}

/// A datagram socket of an instance, with the rules of the real host.
final class SimulatedSocket {
    unowned let instance: SimulatedInstance
    let handle: UInt64
    let user: UnsafeMutableRawPointer?
    let place: SimulatedDatagram.Place
    var received: UInt64 = 0
    var receivedLost: UInt64 = 0
    var sent: UInt64 = 0
    private var unsent: [SimulatedDatagram] = []
    private var unsentBytes = 0
    private var untold: [SimulatedDatagram] = []
    private var untoldBytes = 0

    /// Datagrams that wait, for each way, and bytes in them.
    static let queueMax = 1024
    static let queueBytesMax = 1 << 20

    init(
        _ instance: SimulatedInstance,
        _ handle: UInt64,
        _ place: SimulatedDatagram.Place,
        _ user: UnsafeMutableRawPointer?
    ) {
        self.instance = instance
        self.handle = handle
        self.place = place
        self.user = user
    }

    private var simulation: Simulation { instance.simulation }
    private var isOpen: Bool { instance.isActive && instance.sockets[handle] === self }
    var isIPv4: Bool { HostName.isIPv4(place.address) }

    /// Whether what is sent there comes here.
    func isAt(_ place: SimulatedDatagram.Place) -> Bool {
        guard place.port == self.place.port, HostName.isIPv4(place.address) == isIPv4 else { return false }
        return place.address == self.place.address
            || (["0.0.0.0", "::"].contains(self.place.address) && instance.isOwn(place.address))
    }

    /// Takes datagrams that leave at the end of the tick; how many were taken.
    func send(_ datagrams: [SimulatedDatagram]) -> Int {
        let wasEmpty = unsent.isEmpty
        var taken = 0
        for datagram in datagrams {
            guard unsent.count < Self.queueMax, unsentBytes + datagram.payload.count <= Self.queueBytesMax else {
                break
            }
            unsent.append(datagram)
            unsentBytes += datagram.payload.count
            taken += 1
        }
        if wasEmpty, taken > 0 { simulation.post { [weak self] in self?.flush() } }
        return taken
    }

    private func flush() {
        let leaving = unsent
        (unsent, unsentBytes) = ([], 0)
        guard isOpen else { return }
        sent += UInt64(leaving.count)
        for datagram in leaving { simulation.network.carry(datagram, from: instance) }
    }

    func arrived(_ datagram: SimulatedDatagram) {
        guard isOpen else { return }
        guard untold.count < Self.queueMax, untoldBytes + datagram.payload.count <= Self.queueBytesMax else {
            receivedLost += 1
            return
        }
        untold.append(datagram)
        untoldBytes += datagram.payload.count
        if untold.count == 1 { simulation.post { [weak self] in self?.tell() } }
    }

    private func tell() {
        guard isOpen, let events = instance.udpEvents else { return }
        let datagrams = untold
        (untold, untoldBytes) = ([], 0)
        received += UInt64(datagrams.count)
        simulation.note(.datagramsTold, instance, handle, UInt64(datagrams.count))
        for datagram in datagrams { simulation.ledger.told(datagram.payload) }
        lending(datagrams.flatMap { [Array($0.from.address.utf8), $0.payload] }) { spans in
            let abi = datagrams.indices.map { index in
                plugboard_datagram_t(
                    struct_size: structSize(plugboard_datagram_t.self),
                    port: datagrams[index].from.port,
                    reserved: 0,
                    address: spans[2 * index],
                    payload: spans[2 * index + 1]
                )
            }
            abi.withUnsafeBufferPointer { abi in
                instance.call { events.received($1, handle, user, abi.baseAddress, abi.count) }
            }
        }
    }
}

extension SimulatedInstance {
    /// Has the system close every datagram socket of the instance, and tell it so.
    public func breakDatagramSockets(_ detail: String = "closed by the system") {
        for socket in sockets.values.sorted(by: { $0.handle < $1.handle }) {
            simulation.post { [weak self] in
                guard let self, isActive, sockets.removeValue(forKey: socket.handle) != nil, let events = udpEvents
                else { return }
                simulation.note(.socketClosed, self, socket.handle)
                lending(detail) { detail in call { events.closed($1, socket.handle, socket.user, detail) } }
            }
        }
    }

    func bind(
        _ options: plugboard_udp_options_t,
        _ user: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<UInt64>,
        _ bound: UnsafeMutablePointer<UInt16>?
    ) -> plugboard_status_t {
        let address = options.address.text
        guard HostName.isAddress(address) else { return PLUGBOARD_E_INVALID }
        guard sockets.count < simulation.limits.udpSocketsMax else { return PLUGBOARD_E_LIMIT }
        var port = options.port
        let isIPv4 = HostName.isIPv4(address)
        func isTaken(_ port: UInt16) -> Bool {
            sockets.values.contains { $0.place.port == port && $0.isIPv4 == isIPv4 }
        }
        if port == 0 { port = (49_152...UInt16.max).first { !isTaken($0) } ?? 0 }
        guard port != 0, !isTaken(port), isOwn(address) else {
            log(
                PLUGBOARD_LOG_ERROR,
                "no datagram socket at \(address) port \(port): the address is in use, or not ours"
            )
            return PLUGBOARD_E_SYSTEM
        }
        let handle = newHandle(.socket)
        sockets[handle] = SimulatedSocket(self, handle, SimulatedDatagram.Place(address: address, port: port), user)
        simulation.note(.bind, self, handle, UInt64(port))
        result.pointee = handle
        bound?.pointee = port
        return PLUGBOARD_OK
    }

    /// The open socket of a handle; a violation if it is closed or never was.
    func socket(_ handle: UInt64, _ call: String) -> SimulatedSocket? {
        if let socket = sockets[handle] { return socket }
        if issued[handle] != .socket {
            unknown(handle, call)
        } else if isActive {
            simulation.violate(.socketAfterClosed, "\(call) names socket \(handle), which is closed", by: self)
        }
        return nil
    }

    func send(_ socket: SimulatedSocket, _ datagrams: [plugboard_datagram_t]) -> plugboard_status_t {
        var leaving: [SimulatedDatagram] = []
        for datagram in datagrams {
            let address = datagram.address.text
            guard datagram.payload.count <= SimulatedDatagram.payloadBytesMax, HostName.isAddress(address),
                datagram.port != 0, HostName.isIPv4(address) == socket.isIPv4
            else { return PLUGBOARD_E_INVALID }
            leaving.append(
                SimulatedDatagram(
                    payload: Array(datagram.payload.bytes),
                    from: socket.place,
                    to: SimulatedDatagram.Place(address: address, port: datagram.port)
                )
            )
        }
        let taken = socket.send(leaving)
        simulation.note(.sendDatagrams, self, socket.handle, UInt64(taken))
        return plugboard_status_t(taken)
    }
}

/// The extension `plugboard.udp/1` of simulated hosts.
enum SimulatedUDP {
    /// The most datagrams of one call.
    private static let sendMax = 1024

    static var table: plugboard_udp_t {
        plugboard_udp_t(
            struct_size: structSize(plugboard_udp_t.self),
            reserved: 0,
            bind: { context, options, user, socket, port in
                guard let instance = HostTable.enter(context, "udp.bind", .beginning) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                guard instance.udpEvents != nil else { return PLUGBOARD_E_UNSUPPORTED }
                guard let socket, let options = options?.pointee,
                    options.struct_size >= MemoryLayout<plugboard_udp_options_t>.size, options.address.isWellFormed
                else { return PLUGBOARD_E_INVALID }
                return instance.bind(options, user, socket, port)
            },
            send: { context, socket, datagrams, count in
                guard let instance = HostTable.enter(context, "udp.send", .started) else { return PLUGBOARD_E_SHUTDOWN }
                guard let read = elements(datagrams, count, max: SimulatedUDP.sendMax),
                    read.allSatisfy({ $0.address.isWellFormed && $0.payload.isWellFormed })
                else { return PLUGBOARD_E_INVALID }
                guard let found = instance.socket(socket, "udp.send") else { return PLUGBOARD_E_HANDLE }
                return instance.send(found, read)
            },
            close: { context, socket in
                guard let instance = HostTable.enter(context, "udp.close", .started) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                guard instance.socket(socket, "udp.close") != nil else { return PLUGBOARD_E_HANDLE }
                instance.simulation.note(.closeSocket, instance, socket)
                instance.sockets[socket] = nil
                return PLUGBOARD_OK
            },
            counters: { context, socket, counters in
                guard let instance = HostTable.enter(context, "udp.counters", .started) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                guard let counters, counters.pointee.struct_size >= MemoryLayout<plugboard_udp_counters_t>.size else {
                    return PLUGBOARD_E_INVALID
                }
                guard let found = instance.socket(socket, "udp.counters") else { return PLUGBOARD_E_HANDLE }
                counters.pointee.received = found.received
                counters.pointee.received_lost = found.receivedLost
                counters.pointee.sent = found.sent
                counters.pointee.sent_lost = 0
                return PLUGBOARD_OK
            }
        )
    }
}

/// Structs that a plugin laid one after the other, each beginning with its own size; nil if the pointer does not fit the
/// count, there are more than `max`, or they are too short.
func elements<T>(_ start: UnsafePointer<T>?, _ count: Int, max: Int) -> [T]? {
    guard count != 0 else { return [] }
    guard let start, (1...max).contains(count) else { return nil }
    let first = UnsafeRawPointer(start)
    let size = first.load(as: UInt32.self)
    guard size >= MemoryLayout<T>.size, size.isMultiple(of: UInt32(MemoryLayout<T>.alignment)), size < 4096 else {
        return nil
    }
    return (0..<count).map { first.load(fromByteOffset: $0 * Int(size), as: T.self) }
}

/// Lends runs of bytes, in one block, for the duration of a call.
func lending<R>(_ runs: [[UInt8]], _ body: ([plugboard_bytes_t]) -> R) -> R {
    let block = runs.flatMap(\.self)
    return block.withUnsafeBufferPointer { block in
        var start = 0
        let spans = runs.map { run in
            defer { start += run.count }
            return plugboard_bytes_t(start: block.baseAddress.map { $0 + start }, count: run.count)
        }
        return body(spans)
    }
}
