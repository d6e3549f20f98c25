/// A scripted peer that speaks in datagrams.
///
/// Between it and a plugin, datagrams are lost, doubled and overtaken as ``NetworkConditions`` says.
public final class DatagramPeer {
    /// A datagram of the plugin's came, from this address and port.
    public var onReceived: (_ payload: [UInt8], _ address: String, _ port: UInt16, _ peer: DatagramPeer) -> Void =
        { _, _, _, _ in }

    /// Where it is.
    public let address: String
    /// Where it listens.
    public let port: UInt16

    private unowned let simulation: Simulation

    init(_ simulation: Simulation, address: String, port: UInt16) {
        self.simulation = simulation
        self.address = address
        self.port = port
    }

    /// Sends a datagram, which may get lost.
    ///
    /// What users say in it is to be noted with ``SimulatedNetwork/say(_:)``, once.
    public func send(_ payload: [UInt8], to address: String, port: UInt16) {
        simulation.network.carry(
            SimulatedDatagram(
                payload: payload,
                from: SimulatedDatagram.Place(address: self.address, port: self.port),
                to: SimulatedDatagram.Place(address: address, port: port)
            ),
            from: nil
        )
    }

    func arrived(_ datagram: SimulatedDatagram) {
        for marker in MarkerScanner.all(in: datagram.payload) { simulation.ledger.arrived(marker, in: simulation) }
        onReceived(datagram.payload, datagram.from.address, datagram.from.port, self)
    }
}

extension SimulatedNetwork {
    /// Has a scripted peer listen for datagrams; the name gets an address if it has none.
    @discardableResult
    public func listenForDatagrams(
        _ host: String,
        port: UInt16,
        onReceived: @escaping (_ payload: [UInt8], _ address: String, _ port: UInt16, _ peer: DatagramPeer) -> Void
    ) -> DatagramPeer {
        let peer = DatagramPeer(simulation, address: addresses(of: host).first ?? name(host), port: port)
        peer.onReceived = onReceived
        datagramPeers[SimulatedDatagram.Place(address: peer.address, port: port)] = peer
        return peer
    }

    /// Notes that a user of the network says something, in datagrams or answers to come: the plugin that is told of it must
    /// submit it, once however often it comes.
    public func say(_ message: Marker) { simulation.ledger.saidSomehow(message.number) }

    /// Carries a datagram, or loses it, or doubles it.
    func carry(_ datagram: SimulatedDatagram, from instance: SimulatedInstance?) {
        var datagram = datagram
        if let instance, ["0.0.0.0", "::"].contains(datagram.from.address) {
            let isInside = HostName.isOfEveryMachine(datagram.to.address)
            datagram.from.address = isInside ? datagram.to.address : instance.address
        }
        guard !simulation.random.oneIn(conditions.datagramLossOneIn) else {
            simulation.note(.datagramLost, nil, UInt64(datagram.payload.count))
            return
        }
        let copies = simulation.random.oneIn(conditions.datagramCopyOneIn) ? 2 : 1
        for _ in 0..<copies { fly(datagram, from: instance) }
    }

    private func fly(_ datagram: SimulatedDatagram, from instance: SimulatedInstance?) {
        var arrival = simulation.nowNs + simulation.random.pick(conditions.delay)
        let way = DatagramWay(from: datagram.from, to: datagram.to)
        if simulation.random.oneIn(conditions.datagramDetourOneIn) {
            // Those behind it overtake it.
            arrival += 2 * conditions.delay.upperBound.nanoseconds
        } else {
            arrival = max(arrival, lastDatagrams[way] ?? 0)
            lastDatagrams[way] = arrival
        }
        simulation.post(after: arrival - simulation.nowNs) { [weak self, weak instance] in
            self?.arrived(datagram, from: instance)
        }
    }

    private func arrived(_ datagram: SimulatedDatagram, from source: SimulatedInstance?) {
        if let peer = datagramPeers[datagram.to] { return peer.arrived(datagram) }
        for instance in simulation.instances where instance.isActive {
            guard !HostName.isOfEveryMachine(datagram.to.address) || instance === source else { continue }
            let sockets = instance.sockets.values.sorted { $0.handle < $1.handle }
            if let socket = sockets.first(where: { $0.isAt(datagram.to) }) { return socket.arrived(datagram) }
        }
    }
}

/// From whom to whom: what is sent one after the other there arrives so, but for detours.
struct DatagramWay: Hashable {
    var from: SimulatedDatagram.Place
    var to: SimulatedDatagram.Place
}
