import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Datagrams in Swift")
struct DatagramTests {
    private final class Ear: DatagramReceiver {
        var events: [String] = []

        func received(_ datagrams: [Datagram], on socket: DatagramSocket) {
            events.append(datagrams.map { "\($0.address) \($0.port) \($0.payload)" }.joined(separator: "; "))
        }

        func closed(_ socket: DatagramSocket, detail: String) { events.append("closed \(detail)") }
    }

    private func lab() -> Lab {
        let lab = Lab()
        lab.fake.extensions[PLUGBOARD_EXT_UDP] = UnsafeRawPointer(FakeUDP.table)
        return lab
    }

    @Test("datagrams cross whole, both ways")
    func exchange() throws {
        let lab = lab()
        let ear = Ear()
        let socket = try lab.host.bindDatagrams(address: "::", port: 9, receiver: ear)
        #expect(socket.port == 9)
        let sent = [
            Datagram(address: "::1", port: 1, payload: []), Datagram(address: "::2", port: 2, payload: [65, 66]),
        ]
        #expect(try socket.send(sent) == 2)
        #expect(lab.fake.calls == ["bind :: 9", "send 1 ::1 1 ", "send 1 ::2 2 AB"])
        FakeUDP.tell(lab.fake, 1, "::3", 3, "C")
        #expect(ear.events == ["::3 3 [67]"])
        #expect(socket.counters == DatagramCounters(received: 1, receivedLost: 2, sent: 3, sentLost: 4))
    }

    @Test("a closed socket is heard of no more")
    func closing() throws {
        let lab = lab()
        let ear = Ear()
        let socket = try lab.host.bindDatagrams(address: "::", receiver: ear)
        socket.close()
        socket.close()
        FakeUDP.tell(lab.fake, 1, "::3", 3, "C")
        FakeUDP.tellClosed(lab.fake, 1)
        #expect(ear.events.isEmpty)
        #expect(lab.fake.calls == ["bind :: 0", "close 1"])
        let other = try lab.host.bindDatagrams(address: "::", receiver: ear)
        FakeUDP.tellClosed(lab.fake, 2)
        FakeUDP.tellClosed(lab.fake, 2)
        other.close()
        #expect(ear.events == ["closed gone"])
        #expect(lab.fake.calls.count == 3)
    }

    @Test("a refusal is told, and a host without datagrams says so")
    func refusals() throws {
        let lab = lab()
        lab.fake.status = PLUGBOARD_E_SYSTEM
        #expect(throws: HostError.system) { try lab.host.bindDatagrams(address: "::", receiver: Ear()) }
        lab.fake.extensions = [:]
        #expect(throws: HostError.unsupported) { try lab.host.bindDatagrams(address: "::", receiver: Ear()) }
    }
}

/// A host's datagrams that note what they are asked.
private enum FakeUDP {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = InstanceBox.immortal(
        plugboard_udp_t(
            struct_size: structSize(plugboard_udp_t.self),
            reserved: 0,
            bind: { context, options, _, socket, port in
                let host = FakeHost.from(context)
                guard let options = options?.pointee else { return PLUGBOARD_E_INVALID }
                socket?.pointee = host.newHandle()
                port?.pointee = options.port
                return host.noted("bind \(options.address.string) \(options.port)")
            },
            send: { context, socket, datagrams, count in
                for datagram in UnsafeBufferPointer(start: datagrams, count: count) {
                    _ = FakeHost.from(context).noted(
                        "send \(socket) \(datagram.address.string) \(datagram.port) \(datagram.payload.string)"
                    )
                }
                return plugboard_status_t(count)
            },
            close: { FakeHost.from($0).noted("close \($1)") },
            counters: { _, _, counters in
                counters?.pointee.received = 1
                counters?.pointee.received_lost = 2
                counters?.pointee.sent = 3
                counters?.pointee.sent_lost = 4
                return PLUGBOARD_OK
            }
        )
    )

    static func tell(_ host: FakeHost, _ socket: UInt64, _ address: String, _ port: UInt16, _ payload: String) {
        withBytes(address) { address in
            withBytes(payload) { payload in
                var datagram = plugboard_datagram_t()
                datagram.struct_size = structSize(plugboard_datagram_t.self)
                datagram.port = port
                datagram.address = address
                datagram.payload = payload
                host.events(PLUGBOARD_EXT_UDP, plugboard_udp_events_t.self) {
                    $0.received($1, socket, nil, &datagram, 1)
                }
            }
        }
    }

    static func tellClosed(_ host: FakeHost, _ socket: UInt64) {
        withBytes("gone") { detail in
            host.events(PLUGBOARD_EXT_UDP, plugboard_udp_events_t.self) { $0.closed($1, socket, nil, detail) }
        }
    }
}
