internal import CPlugboard
internal import HostServices

/// The host extension `plugboard.udp/1`.
enum UDPTable {
    /// The most datagrams that one call sends.
    static let sendMax = 1024

    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = HostExtensions.immortal(
        plugboard_udp_t(
            struct_size: UInt32(MemoryLayout<plugboard_udp_t>.size),
            reserved: 0,
            bind: { context, options, user, socket, port in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                guard instance.extras.udpEvents != nil else { return PLUGBOARD_E_UNSUPPORTED }
                guard let socket, let options = options?.pointee,
                    options.struct_size >= MemoryLayout<plugboard_udp_options_t>.size, options.address.isWellFormed
                else { return PLUGBOARD_E_INVALID }
                return HostTable.status { () throws(ServiceError) in
                    let udp = instance.extras.udp
                    let handle = try udp.bind(address: options.address.string, port: options.port)
                    instance.extras.udpUsers[handle] = user
                    socket.pointee = handle.rawValue
                    let bound = try udp.port(of: handle)
                    port?.pointee = bound
                }
            },
            send: { context, socket, datagrams, count in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                guard let read = abiElements(datagrams, count, max: UDPTable.sendMax),
                    read.allSatisfy({ $0.address.isWellFormed && $0.payload.isWellFormed })
                else { return PLUGBOARD_E_INVALID }
                var taken = 0
                let status = HostTable.status { () throws(ServiceError) in
                    let datagrams = read.map {
                        Datagram(address: $0.address.string, port: $0.port, payload: Array($0.payload.bytes))
                    }
                    taken = try instance.extras.udp.send(UDPSocketHandle(rawValue: socket), datagrams)
                }
                return status < 0 ? status : plugboard_status_t(taken)
            },
            close: { context, socket in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                let handle = UDPSocketHandle(rawValue: socket)
                return HostTable.status { () throws(ServiceError) in
                    try instance.extras.udp.close(handle)
                    instance.extras.udpUsers[handle] = nil
                }
            },
            counters: { context, socket, counters in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                guard let counters,
                    counters.pointee.struct_size >= MemoryLayout<plugboard_udp_counters_t>.size
                else { return PLUGBOARD_E_INVALID }
                return HostTable.status { () throws(ServiceError) in
                    let read = try instance.extras.udp.counters(of: UDPSocketHandle(rawValue: socket))
                    counters.pointee.received = read.received
                    counters.pointee.received_lost = read.receivedLost
                    counters.pointee.sent = read.sent
                    counters.pointee.sent_lost = read.sentLost
                }
            }
        )
    )
}
