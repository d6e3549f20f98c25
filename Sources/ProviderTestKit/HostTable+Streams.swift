internal import CPlugboard

extension HostTable {
    static func addStreams(_ table: inout plugboard_host_t) {
        addOpening(&table)
        addUse(&table)
        table.start_tls = { context, stream, options in
            guard let instance = HostTable.enter(context, "start_tls", .started) else { return PLUGBOARD_E_SHUTDOWN }
            guard let found = instance.stream(stream, "start_tls"), !found.isTold else { return PLUGBOARD_E_HANDLE }
            instance.simulation.note(.startTLS, instance, stream)
            guard let options else { return PLUGBOARD_E_INVALID }
            switch instance.tlsSide(options.pointee, isServer: found.isAccepted) {
            case .success(let side): return found.startTLS(side)
            case .failure(let refusal): return refusal.status
            }
        }
        table.certificate_matches = { context, stream, domain, service in
            guard let instance = HostTable.enter(context, "certificate_matches", .started) else {
                return PLUGBOARD_E_SHUTDOWN
            }
            guard domain.isWellFormed, service.isWellFormed else { return PLUGBOARD_E_INVALID }
            guard let found = instance.stream(stream, "certificate_matches") else { return PLUGBOARD_E_HANDLE }
            guard let info = found.info else { return PLUGBOARD_E_STATE }
            return info.certificate?.matches(domain.text, service: service.text) == true ? 1 : 0
        }
        table.peer_address = { context, stream, buffer, size in
            guard let instance = HostTable.enter(context, "peer_address", .started) else { return PLUGBOARD_E_SHUTDOWN }
            guard let buffer else { return PLUGBOARD_E_INVALID }
            guard let found = instance.stream(stream, "peer_address") else { return PLUGBOARD_E_HANDLE }
            guard found.peerAddress.utf8.count <= size else { return PLUGBOARD_E_LIMIT }
            for (index, byte) in found.peerAddress.utf8.enumerated() { buffer[index] = byte }
            return plugboard_status_t(found.peerAddress.utf8.count)
        }
    }

    private static func addOpening(_ table: inout plugboard_host_t) {
        table.connect = { context, options, user, stream in
            guard let instance = HostTable.enter(context, "connect", .beginning) else { return PLUGBOARD_E_SHUTDOWN }
            guard let options, let stream else { return PLUGBOARD_E_INVALID }
            return instance.connect(options.pointee, user, stream)
        }
        table.listen = { context, options, user, listener, port in
            guard let instance = HostTable.enter(context, "listen", .beginning) else { return PLUGBOARD_E_SHUTDOWN }
            guard let options, let listener else { return PLUGBOARD_E_INVALID }
            return instance.listen(options.pointee, user, listener, port)
        }
        table.close_listener = { context, listener in
            HostTable.enter(context, "close_listener", .started)?.closeListener(listener) ?? PLUGBOARD_E_SHUTDOWN
        }
    }

    private static func addUse(_ table: inout plugboard_host_t) {
        table.write = { context, stream, bytes in
            guard let instance = HostTable.enter(context, "write", .started) else { return PLUGBOARD_E_SHUTDOWN }
            guard bytes.isWellFormed else { return PLUGBOARD_E_INVALID }
            guard let found = instance.stream(stream, "write") else { return PLUGBOARD_E_HANDLE }
            instance.simulation.note(.write, instance, stream, UInt64(bytes.count))
            let status = found.write(bytes.bytes)
            if status != PLUGBOARD_OK {
                instance.simulation.note(.writeAnswer, instance, UInt64(bitPattern: Int64(status)))
            }
            return status
        }
        table.set_reading = { context, stream, reading in
            guard let instance = HostTable.enter(context, "set_reading", .started) else { return PLUGBOARD_E_SHUTDOWN }
            instance.simulation.note(.setReading, instance, stream, UInt64(reading))
            return instance.stream(stream, "set_reading")?.setReading(reading != 0) ?? PLUGBOARD_E_HANDLE
        }
        table.finish = { context, stream in
            guard let instance = HostTable.enter(context, "finish", .started) else { return PLUGBOARD_E_SHUTDOWN }
            instance.simulation.note(.finish, instance, stream)
            return instance.stream(stream, "finish")?.finish() ?? PLUGBOARD_E_HANDLE
        }
        table.abort = { context, stream in
            guard let instance = HostTable.enter(context, "abort", .started) else { return PLUGBOARD_E_SHUTDOWN }
            instance.simulation.note(.abort, instance, stream)
            return instance.stream(stream, "abort")?.abort() ?? PLUGBOARD_E_HANDLE
        }
    }
}
