internal import CPlugboard
package import HostServices

// Datagrams, turned into calls of the provider's table of `plugboard.udp/1`.

extension Instance: UDPDelegate {
    package func received(_ socket: UDPSocketHandle, _ datagrams: [Datagram]) {
        watch.enter(.udp, index)
        defer { watch.leave() }
        guard isActive, let events = extras.udpEvents else { return }
        let runs = datagrams.flatMap { [Array($0.address.utf8), $0.payload] }
        withByteRuns(runs) { runs in
            let abi = datagrams.indices.map { index in
                plugboard_datagram_t(
                    struct_size: UInt32(MemoryLayout<plugboard_datagram_t>.size),
                    port: datagrams[index].port,
                    reserved: 0,
                    address: runs[2 * index],
                    payload: runs[2 * index + 1]
                )
            }
            abi.withUnsafeBufferPointer {
                events.received(calls.pointer, socket.rawValue, extras.udpUsers[socket], $0.baseAddress, $0.count)
            }
        }
    }

    package func closed(_ socket: UDPSocketHandle, _ reason: String) {
        watch.enter(.udp, index)
        defer { watch.leave() }
        let user = extras.udpUsers.removeValue(forKey: socket)
        guard isActive, let events = extras.udpEvents else { return }
        withTexts([reason]) { events.closed(calls.pointer, socket.rawValue, user, $0[0]) }
    }
}
