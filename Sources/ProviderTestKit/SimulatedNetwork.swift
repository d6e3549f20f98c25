internal import CPlugboard

/// The network of a simulation: names, listening peers, and connections.
public final class SimulatedNetwork {
    /// How connections are treated that are made from now on.
    public var conditions = NetworkConditions()
    /// How many segments have arrived so far; ``FaultPlan/at(_:_:)`` counts them.
    public private(set) var steps = 0

    unowned let simulation: Simulation
    private var names: [String: [Record]] = [:]
    private var services: [String: [Record]] = [:]
    private var texts: [String: [Record]] = [:]
    private(set) var brokenNames: Set<String> = []
    private var peers: [Place: PeerListener] = [:]
    var datagramPeers: [SimulatedDatagram.Place: DatagramPeer] = [:]
    /// When the last datagram of each way arrives, in ns.
    var lastDatagrams: [DatagramWay: UInt64] = [:]
    var webServers: [SimulatedDatagram.Place: WebServer] = [:]
    var peerCount = 0
    private var lastConnection = 0
    private var lastAddress = 0
    /// Connections that one end has left, and that the other may not have.
    var lingering: [Connection] = []

    /// An answer of the name service.
    struct Record {
        var value: String
        var port: UInt16 = 0
        var priority: UInt16 = 0
    }

    /// Where somebody listens.
    private struct Place: Hashable {
        var address: String
        var port: UInt16
    }

    private struct PeerListener {
        var tls: PeerTLS?
        var accept: (PeerConnection) -> Void
    }

    init(_ simulation: Simulation) {
        self.simulation = simulation
    }

    // MARK: Names

    /// Gives a host name an address; a new one of the network's if none is named.
    @discardableResult
    public func name(_ name: String, address: String? = nil) -> String {
        let name = HostName.normalised(name) ?? name
        if address == nil, let known = names[name]?.first { return known.value }
        lastAddress += 1
        let address = address ?? "192.0.2.\(lastAddress)"
        names[name, default: []].append(Record(value: address))
        return address
    }

    /// Adds an SRV record, such as for `_xmpp-server._tcp.example.org`; the first to be tried are to be added first.
    public func service(_ name: String, target: String, port: UInt16, priority: UInt16 = 0) {
        services[HostName.normalised(name) ?? name, default: []].append(
            Record(value: target, port: port, priority: priority)
        )
    }

    /// Adds a TXT record.
    public func text(_ name: String, _ text: String) {
        texts[HostName.normalised(name) ?? name, default: []].append(Record(value: text))
    }

    /// Has all questions about a name fail.
    public func breakName(_ name: String) { brokenNames.insert(HostName.normalised(name) ?? name) }

    /// The records of a name; nil if there is no getting an answer.
    func answer(_ type: UInt32, _ name: String) -> [Record]? {
        if type == PLUGBOARD_RECORD_ADDRESS, HostName.isAddress(name) { return [Record(value: name)] }
        guard let name = HostName.normalised(name), !brokenNames.contains(name) else { return nil }
        switch type {
        case PLUGBOARD_RECORD_ADDRESS: return names[name] ?? []
        case PLUGBOARD_RECORD_SRV: return services[name] ?? []
        default: return texts[name] ?? []
        }
    }

    func addresses(of host: String) -> [String] {
        if HostName.isAddress(host) { return [host] }
        return HostName.normalised(host).flatMap { names[$0] }?.map(\.value) ?? []
    }

    // MARK: Peers

    /// Has a scripted peer listen; the name gets an address if it has none.
    ///
    /// - Parameters:
    ///   - tls: what it does with TLS from the first byte on; nil: plaintext.
    ///   - accept: sets a connection's `onReceived` and so on. It is called before anything is read.
    public func listen(
        _ host: String,
        port: UInt16,
        tls: PeerTLS? = nil,
        accept: @escaping (PeerConnection) -> Void
    ) {
        let address = addresses(of: host).first ?? name(host)
        peers[Place(address: address, port: port)] = PeerListener(tls: tls, accept: accept)
    }

    /// Has a scripted peer listen no more; its connections live on.
    public func stopListening(_ host: String, port: UInt16) {
        for address in addresses(of: host) { peers[Place(address: address, port: port)] = nil }
    }

    /// Has a scripted peer connect to a port on which an instance listens.
    ///
    /// Where nobody does, the connection hears that it is closed.
    @discardableResult
    public func connect(
        to instance: SimulatedInstance,
        port: UInt16,
        tls: PeerTLS? = nil,
        setUp: (PeerConnection) -> Void
    ) -> PeerConnection {
        let peer = PeerConnection(simulation, isClient: true, tls: tls)
        setUp(peer)
        simulation.post(after: simulation.random.pick(conditions.delay)) {
            guard instance.isActive, let listener = instance.listener(port: port) else {
                return peer.lost("connection refused")
            }
            self.take(peer, to: instance, listener, from: "203.0.113.\(peer.number % 250 + 1):40000")
        }
        return peer
    }

    /// Ports that something else on the instances' machines listens on: listen answers E_SYSTEM.
    public var takenPorts: Set<UInt16> = []

    /// Has a script go on after a time, such as to connect again.
    public func after(_ time: Duration, _ body: @escaping () -> Void) {
        // Like a timer: a script that always comes back does not keep the world from being quiet.
        simulation.post(after: time.nanoseconds, isTimer: true, body)
    }

    // MARK: Connections

    /// What comes of a connection attempt.
    enum Attempt {
        case connected
        case refused(String)
        case unresolved(String)
    }

    /// Connects an instance's stream to whoever listens there.
    func connect(_ stream: SimulatedStream, host: String, port: UInt16) -> Attempt {
        guard !brokenNames.contains(HostName.normalised(host) ?? host) else {
            return .unresolved("the name \(host) cannot be looked up")
        }
        let addresses = addresses(of: host)
        guard !addresses.isEmpty else { return .unresolved("there is no host \(host)") }
        guard !simulation.random.oneIn(conditions.refuseOneIn) else {
            return .refused("\(host):\(port) refuses connections")
        }
        for address in addresses {
            if let listener = peers[Place(address: address, port: port)] {
                let peer = PeerConnection(simulation, isClient: false, tls: listener.tls)
                join(connecting: stream, accepting: peer)
                stream.peerAddress = "\(address):\(port)"
                listener.accept(peer)
                peer.connected()
                return .connected
            }
            for instance in simulation.instances where instance.isActive {
                guard !HostName.isOfEveryMachine(address) || instance === stream.instance,
                    let listener = instance.listener(address: address, port: port)
                else { continue }
                stream.peerAddress = "\(address):\(port)"
                let source = instance === stream.instance ? address : stream.instance.address
                take(stream, to: instance, listener, from: "\(source):40000")
                return .connected
            }
        }
        return .refused("\(host):\(port) refuses connections")
    }

    /// Has an instance take a connection, or the system, which closes it at once when the instance wants no more.
    private func take(
        _ end: any StreamEnd,
        to instance: SimulatedInstance,
        _ listener: SimulatedListener,
        from address: String
    ) {
        if instance.accepts(listener) {
            _ = instance.accept(end, on: listener, from: address)
        } else {
            let closed = ClosedEnd()
            join(connecting: end, accepting: closed)
            end.connected()
            closed.connection?.leave(closed)
        }
    }

    /// Makes the connection between two ends.
    func join(connecting: any StreamEnd, accepting: any StreamEnd) {
        lastConnection += 1
        let connection = Connection(
            simulation,
            number: lastConnection,
            connecting: connecting,
            accepting: accepting
        )
        connecting.attach(connection, out: connection.up, in: connection.down)
        accepting.attach(connection, out: connection.down, in: connection.up)
    }

    // MARK: Faults

    /// Counts a step, and has its fault happen.
    func step(_ connection: Connection, _ pipe: Pipe) {
        steps += 1
        guard let fault = simulation.faults.fault(at: steps, &simulation.random) else { return }
        simulation.note(.fault, nil, UInt64(steps), UInt64(connection.number), text: fault.description)
        switch fault {
        case .cut: connection.cut("connection reset by peer")
        case .halfOpen: connection.silence()
        case .delay(let time): pipe.stall(time.nanoseconds)
        case .garbage(let count):
            // Only a plugin has to stand it: scripted peers are no parsers.
            guard let stream = pipe.receiver as? SimulatedStream else { return }
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: simulation.random.next()) }
            simulation.ledger.spoil(pipe)
            pipe.inject(bytes, isTLS: stream.isEncrypted)
        }
    }

    /// A connection is over.
    func ended(_ connection: Connection) {
        connection.up.loseAll()
        connection.down.loseAll()
    }
}

/// The end of a connection that the system closes as soon as it has taken it.
private final class ClosedEnd: StreamEnd {
    private(set) var connection: Connection?

    func attach(_ connection: Connection, out: Pipe, in: Pipe) { self.connection = connection }
    func connected() {}
    func arrived() {}
    func sent() {}
    func lost(_ detail: String) {}
}

/// An end that can be given a connection.
protocol StreamEnd: NetworkEnd {
    func attach(_ connection: Connection, out: Pipe, in: Pipe)
    /// The connection stands.
    func connected()
}
