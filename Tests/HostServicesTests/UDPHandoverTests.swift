import Foundation
import Logging
import NIOCore
import Testing

@testable import HostServices

@Suite("Datagram sockets that go to a successor", .timeLimit(.minutes(1)))
struct UDPHandoverTests {
    private typealias Peer = UDPTests.Peer

    private func with(_ body: (Worker) async throws -> Void) async throws {
        let worker = Worker(index: 0, name: "test")
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(worker))
        } catch {
            result = .failure(error)
        }
        try await worker.shutdown()
        try result.get()
    }

    /// Makes `new` take the socket of `old` over, as a router does.
    private func takeOver(_ new: Peer, from old: Peer, port: UInt16) async throws -> UDPSocketHandle {
        try await new.on { new in
            new.service.inheritSockets(of: old.service)
            let socket = try new.service.bind(address: "127.0.0.1", port: port)
            new.service.inheritSockets(of: nil)
            old.service.stopReceiving()
            return socket
        }
    }

    @Test("Each datagram of a steady stream reaches one instance, through takeovers without end")
    func underLoad() async throws {
        try await with { worker in
            let sender = Peer(worker, ServiceLimits())
            let (from, _) = try await sender.bind()
            var current = Peer(worker, ServiceLimits())
            let (first, port) = try await current.bind()
            var socket = first
            var peers = [(current, socket)]
            let (rounds, each) = (40, 50)
            for round in 0..<rounds {
                // No more than one round waits in the system, whose queue has an end.
                let known = peers
                await current.until { _ in
                    known.reduce(0) { $0 + $1.0.datagrams($1.1).count } >= max(0, round - 1) * each
                }
                let text = (0..<each).map { "\(round * each + $0)" }
                let target = port
                try await sender.on { sender in
                    let datagrams = text.map { Datagram(address: "127.0.0.1", port: target, payload: Array($0.utf8)) }
                    let taken = try sender.service.send(from, datagrams)
                    #expect(taken == datagrams.count)
                }
                let next = Peer(worker, ServiceLimits())
                socket = try await takeOver(next, from: current, port: 0)
                let bound = socket
                let sharedPort = try await next.on { try $0.service.port(of: bound) }
                #expect(sharedPort == port)
                peers.append((next, socket))
                // The old one goes while datagrams are on their way.
                let old = current
                if round % 2 == 0 { try await old.on { $0.service.closeAll() } }
                current = next
            }
            let all = peers
            await current.until { _ in all.reduce(0) { $0 + $1.0.datagrams($1.1).count } >= rounds * each }
            let numbers = try await current.on { _ in
                all.flatMap { peer, socket in peer.datagrams(socket) }.map {
                    String(decoding: $0.payload, as: UTF8.self)
                }
            }
            #expect(numbers.count == rounds * each)
            #expect(Set(numbers).count == rounds * each)
            #expect(numbers == (0..<rounds * each).map { "\($0)" })
            try await worker.call {
                for (peer, _) in all { peer.service.closeAll() }
                sender.service.closeAll()
            }
        }
    }

    @Test("The old one can send on, and what was to be sent when it closes is sent")
    func sendingOn() async throws {
        try await with { worker in
            let (old, new, other) = (
                Peer(worker, ServiceLimits()), Peer(worker, ServiceLimits()), Peer(worker, ServiceLimits())
            )
            let (target, targetPort) = try await other.bind()
            let (socket, _) = try await old.bind()
            _ = try await takeOver(new, from: old, port: 0)
            for text in ["one", "two"] {
                try await old.on { old in
                    let datagram = Datagram(address: "127.0.0.1", port: targetPort, payload: Array(text.utf8))
                    let taken = try old.service.send(socket, [datagram])
                    #expect(taken == 1)
                    if text == "two" { old.service.closeAll() }
                }
            }
            let got = try await other.received(target, 2)
            #expect(got.map { String(decoding: $0.payload, as: UTF8.self) } == ["one", "two"])
            try await worker.call { for peer in [new, other] { peer.service.closeAll() } }
        }
    }

    @Test("A successor that does not start leaves the socket with the old one")
    func failedStart() async throws {
        try await with { worker in
            let (old, new) = (Peer(worker, ServiceLimits()), Peer(worker, ServiceLimits()))
            let (socket, port) = try await old.bind()
            try await new.on { new in
                new.service.inheritSockets(of: old.service)
                _ = try new.service.bind(address: "127.0.0.1", port: 0)
                // What was asked for by another address, or a second time, is no inheritance.
                #expect(throws: ServiceError.self) { _ = try new.service.bind(address: "127.0.0.1", port: port) }
                new.service.closeAll()
            }
            let from = Peer(worker, ServiceLimits())
            let (bound, _) = try await from.bind()
            try await from.on { from in
                let datagram = Datagram(address: "127.0.0.1", port: port, payload: [1])
                let taken = try from.service.send(bound, [datagram])
                #expect(taken == 1)
            }
            #expect(try await old.received(socket, 1).first?.payload == [1])
            try await worker.call { for peer in [old, from] { peer.service.closeAll() } }
        }
    }
}
