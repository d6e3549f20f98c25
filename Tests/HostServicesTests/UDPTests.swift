import Logging
import NIOCore
import Testing

@testable import HostServices

@Suite("Datagrams", .timeLimit(.minutes(1)))
struct UDPTests {
    /// One instance's sockets, and what they heard.
    // Safe: used on its worker's loop alone.
    final class Peer: UDPDelegate, @unchecked Sendable {
        let worker: Worker
        let service: UDPService
        private(set) var batches: [UDPSocketHandle: [[Datagram]]] = [:]
        private(set) var closings: [String] = []
        private var waiting: [() -> Bool] = []
        private var isInCall = false

        init(_ worker: Worker, _ limits: ServiceLimits) {
            self.worker = worker
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            service = UDPService(worker: worker, limits: limits, logger: logger)
        }

        func on<T: Sendable>(_ body: @escaping @Sendable (Peer) throws -> T) async throws -> T {
            try await worker.call {
                self.service.delegate = self
                return try body(self)
            }
        }

        func bind(_ address: String = "127.0.0.1") async throws -> (socket: UDPSocketHandle, port: UInt16) {
            try await on { peer in
                let socket = try peer.service.bind(address: address, port: 0)
                return (socket, try peer.service.port(of: socket))
            }
        }

        func datagrams(_ socket: UDPSocketHandle) -> [Datagram] { (batches[socket] ?? []).flatMap(\.self) }

        /// Waits for so many datagrams on a socket.
        func received(_ socket: UDPSocketHandle, _ count: Int) async throws -> [Datagram] {
            await until { $0.datagrams(socket).count >= count }
            return try await on { $0.datagrams(socket) }
        }

        func until(_ condition: @escaping @Sendable (Peer) -> Bool) async {
            await withCheckedContinuation { continuation in
                worker.run {
                    let peer = self
                    guard !condition(peer) else { return continuation.resume() }
                    peer.waiting.append {
                        guard condition(peer) else { return false }
                        continuation.resume()
                        return true
                    }
                }
            }
        }

        func received(_ socket: UDPSocketHandle, _ datagrams: [Datagram]) {
            precondition(!isInCall && !datagrams.isEmpty)
            isInCall = true
            batches[socket, default: []].append(datagrams)
            isInCall = false
            waiting.removeAll { $0() }
        }

        func closed(_ socket: UDPSocketHandle, _ reason: String) { closings.append(reason) }
    }

    private func with(_ limits: ServiceLimits = ServiceLimits(), _ body: (Peer, Peer) async throws -> Void) async throws
    {
        let worker = Worker(index: 0, name: "test")
        let (one, two) = (Peer(worker, limits), Peer(worker, limits))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(one, two))
        } catch {
            result = .failure(error)
        }
        try await worker.call {
            one.service.closeAll()
            two.service.closeAll()
        }
        try await worker.shutdown()
        try result.get()
    }

    @Test("datagrams go both ways, each whole, with where they came from", arguments: ["127.0.0.1", "::1"])
    func exchange(address: String) async throws {
        try await with { one, two in
            let (a, aPort) = try await one.bind(address)
            let (b, bPort) = try await two.bind(address)
            let sizes = [0, 1, 1400, address == "::1" ? 1 : Datagram.payloadBytesMax]
            try await one.on { (peer: Peer) throws -> Void in
                let sent = sizes.map {
                    Datagram(address: address, port: bPort, payload: Array(repeating: 7, count: $0))
                }
                #expect(try peer.service.send(a, sent) == sizes.count)
            }
            let received = try await two.received(b, sizes.count)
            #expect(received.map(\.payload.count) == sizes)
            #expect(received.allSatisfy { $0.address == address && $0.port == aPort })
            let counters = try await one.on { try $0.service.counters(of: a) }
            #expect(counters == UDPCounters(sent: UInt64(sizes.count)))
            #expect(try await two.on { try $0.service.counters(of: b) }.received == UInt64(sizes.count))
            _ = try await two.on { try $0.service.send(b, [Datagram(address: address, port: aPort, payload: [1])]) }
            #expect(try await one.received(a, 1).map(\.payload) == [[1]])
        }
    }

    @Test("what arrives together is told together")
    func batches() async throws {
        try await with { one, two in
            let (a, _) = try await one.bind()
            let (b, port) = try await two.bind()
            _ = try await one.on { peer in
                try peer.service.send(a, (0..<20).map { Datagram(address: "127.0.0.1", port: port, payload: [$0]) })
            }
            #expect(try await two.received(b, 20).map(\.payload) == (0..<20).map { [$0] })
            #expect(try await two.on { $0.batches[b]?.count ?? 0 } < 20)
        }
    }

    @Test("a full queue takes no more, by number and by bytes")
    func fullQueue() async throws {
        var limits = ServiceLimits()
        limits.udpQueueMax = 3
        limits.udpQueueBytesMax = 100
        try await with(limits) { (one: Peer, two: Peer) async throws in
            let (a, _) = try await one.bind()
            let (_, port) = try await two.bind()
            @Sendable func datagrams(_ count: Int, _ size: Int) -> [Datagram] {
                Array(
                    repeating: Datagram(address: "127.0.0.1", port: port, payload: .init(repeating: 0, count: size)),
                    count: count
                )
            }
            try await one.on { (peer: Peer) throws -> Void in
                #expect(try peer.service.send(a, datagrams(4, 1)) == 3)
                #expect(try peer.service.send(a, datagrams(1, 1)) == 0)
            }
            try await one.on { (peer: Peer) throws -> Void in
                #expect(try peer.service.send(a, datagrams(2, 50)) == 2)
                #expect(try peer.service.send(a, datagrams(1, 1)) == 0)
            }
            try await one.on { (peer: Peer) throws -> Void in
                #expect(try peer.service.send(a, datagrams(1, 101)) == 0)
            }
        }
    }

    @Test("datagrams past what is kept are dropped and counted")
    func dropping() async throws {
        var limits = ServiceLimits()
        limits.udpQueueMax = 4
        try await with(limits) { (one: Peer, two: Peer) async throws in
            let (b, _) = try await two.bind()
            try await two.on { peer in
                let socket = try #require(peer.service.socketForTests(b))
                let from = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
                for index in 0..<6 {
                    let envelope = AddressedEnvelope(remoteAddress: from, data: ByteBuffer(bytes: [UInt8(index)]))
                    peer.service.received(socket, envelope)
                }
                #expect(peer.batches.isEmpty)
            }
            #expect(try await two.received(b, 4).map(\.payload) == [[0], [1], [2], [3]])
            let counters = try await two.on { try $0.service.counters(of: b) }
            #expect(counters.received == 4 && counters.receivedLost == 2)
        }
    }

    @Test("a datagram that the system will not send is counted, and the socket lives on")
    func unsendable() async throws {
        try await with { (one: Peer, two: Peer) async throws in
            let (a, _) = try await one.bind()
            let (b, port) = try await two.bind()
            // From a loopback address there is no way to one of a documentation network.
            _ = try await one.on { try $0.service.send(a, [Datagram(address: "192.0.2.1", port: 9, payload: [1])]) }
            _ = try await one.on { try $0.service.send(a, [Datagram(address: "127.0.0.1", port: port, payload: [2])]) }
            #expect(try await two.received(b, 1).map(\.payload) == [[2]])
            let counters = try await one.on { try $0.service.counters(of: a) }
            #expect(counters.sentLost == 1 && counters.sent == 1)
        }
    }

    @Test("a closed socket is heard of no more, and its handle is stale")
    func closing() async throws {
        try await with { (one: Peer, two: Peer) async throws in
            let (a, _) = try await one.bind()
            let (b, port) = try await two.bind()
            let (c, otherPort) = try await two.bind()
            try await two.on { try $0.service.close(b) }
            _ = try await one.on { peer in
                try peer.service.send(
                    a,
                    [port, otherPort].map { Datagram(address: "127.0.0.1", port: $0, payload: [1]) }
                )
            }
            _ = try await two.received(c, 1)
            try await two.on { (peer: Peer) throws -> Void in
                #expect(peer.datagrams(b).isEmpty && peer.closings.isEmpty && peer.service.count == 1)
                for call in [{ _ = try peer.service.counters(of: b) }, { try peer.service.close(b) }] {
                    #expect(throws: ServiceError.unknownHandle(b.rawValue)) { try call() }
                }
                peer.service.closeAll()
                #expect(throws: ServiceError.stopped) { try peer.service.bind(address: "127.0.0.1", port: 0) }
            }
        }
    }

    @Test("sockets up to the limit can be bound, and a port that is taken cannot")
    func limits() async throws {
        var limits = ServiceLimits()
        limits.udpSocketsMax = 2
        try await with(limits) { (one: Peer, two: Peer) async throws in
            let (_, port) = try await one.bind()
            try await one.on { peer in
                do {
                    _ = try peer.service.bind(address: "127.0.0.1", port: port)
                    Issue.record("a port was bound twice")
                } catch {
                    guard case ServiceError.cannotListen("127.0.0.1", port, _) = error else {
                        Issue.record("\(error)")
                        return
                    }
                }
                _ = try peer.service.bind(address: "127.0.0.1", port: 0)
                #expect(throws: ServiceError.limitReached(.udpSockets, limit: 2)) {
                    try peer.service.bind(address: "127.0.0.1", port: 0)
                }
            }
        }
    }

    @Test("bad addresses and sizes are refused, and nothing is sent")
    func refusals() async throws {
        try await with { (one: Peer, two: Peer) async throws in
            let (a, _) = try await one.bind()
            try await one.on { peer in
                let good = Datagram(address: "127.0.0.1", port: 9, payload: [])
                let large = [UInt8](repeating: 0, count: Datagram.payloadBytesMax + 1)
                let bad = [
                    Datagram(address: "a.test", port: 9, payload: []), Datagram(address: "::1", port: 9, payload: []),
                    Datagram(address: "127.0.0.1", port: 0, payload: []),
                    Datagram(address: "127.0.0.1", port: 9, payload: large),
                ]
                for datagram in bad {
                    do {
                        _ = try peer.service.send(a, [good, datagram])
                        Issue.record("\(datagram.address) \(datagram.port) was taken")
                    } catch {
                        guard case ServiceError.invalidArgument = error else {
                            Issue.record("\(error)")
                            continue
                        }
                    }
                }
                #expect(peer.service.socketForTests(a)?.unsent.isEmpty == true)
                do {
                    _ = try peer.service.bind(address: "localhost", port: 0)
                    Issue.record("a name was bound")
                } catch {
                    guard case ServiceError.invalidArgument = error else {
                        Issue.record("\(error)")
                        return
                    }
                }
            }
        }
    }
}
