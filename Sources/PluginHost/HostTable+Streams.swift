internal import CPlugboard
internal import HostServices
internal import Logging
internal import Telemetry

extension HostTable {
    /// The most protocol names in a TLS option.
    static let alpnMax = 8

    static func addStreams(_ table: inout plugboard_host_t) {
        addOpening(&table)
        addUse(&table)
        table.start_tls = { context, stream, options in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            let handle = StreamHandle(rawValue: stream)
            return HostTable.status { () throws(ServiceError) in
                guard let isAccepted = instance.openStreams[handle] else { throw .unknownHandle(stream) }
                let side: TLSOptions.Side = isAccepted ? .server : .client
                guard let options, let tls = TLSOptions(abi: options, side: side) else {
                    throw .invalidArgument("the TLS options are malformed")
                }
                try instance.streams.startTLS(handle, tls)
            }
        }
        table.certificate_matches = { context, stream, domain, service in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            guard domain.isWellFormed, service.isWellFormed else { return PLUGBOARD_E_INVALID }
            var matches = false
            let result = HostTable.status { () throws(ServiceError) in
                guard let info = try instance.streams.tlsInfo(StreamHandle(rawValue: stream)) else {
                    throw .badState("the stream has no TLS")
                }
                matches =
                    info.peer?.matches(domain: domain.string, service: service.count == 0 ? nil : service.string)
                    ?? false
            }
            return result < 0 ? result : (matches ? 1 : 0)
        }
        table.peer_address = { context, stream, buffer, size in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            guard let buffer else { return PLUGBOARD_E_INVALID }
            var text = ""
            let result = HostTable.status { () throws(ServiceError) in
                text = try instance.streams.peerAddress(StreamHandle(rawValue: stream))
            }
            guard result >= 0 else { return result }
            guard text.utf8.count <= size else { return PLUGBOARD_E_LIMIT }
            for (index, byte) in text.utf8.enumerated() { buffer[index] = byte }
            return plugboard_status_t(text.utf8.count)
        }
    }

    private static func addOpening(_ table: inout plugboard_host_t) {
        table.connect = { context, options, user, result in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            guard let options, let result, let connect = ConnectOptions(abi: options.pointee) else {
                return PLUGBOARD_E_INVALID
            }
            return HostTable.status { () throws(ServiceError) in
                let stream = try instance.streams.connect(connect)
                try instance.streams.setUser(stream, user)
                instance.openStreams[stream] = false
                result.pointee = stream.rawValue
            }
        }
        table.listen = { context, options, user, listener, port in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            guard let options, let listener, let listen = ListenOptions(abi: options.pointee) else {
                return PLUGBOARD_E_INVALID
            }
            do throws(ServiceError) {
                let handle = try instance.streams.listen(listen)
                instance.listenerUsers[handle] = .some(user)
                listener.pointee = handle.rawValue
                let bound = try instance.streams.port(of: handle)
                if let port { port.pointee = bound }
                return PLUGBOARD_OK
            } catch {
                instance.logger.log(.error, "the plugin could not listen", [.reason: "\(error)"])
                return error.status
            }
        }
        table.close_listener = { context, listener in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            let handle = ListenerHandle(rawValue: listener)
            instance.listenerUsers[handle] = nil
            return HostTable.status { () throws(ServiceError) in try instance.streams.stopListening(handle) }
        }
    }

    private static func addUse(_ table: inout plugboard_host_t) {
        table.write = { context, stream, bytes in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            guard bytes.isWellFormed else { return PLUGBOARD_E_INVALID }
            do throws(ServiceError) {
                let result = try instance.streams.write(StreamHandle(rawValue: stream), bytes.bytes)
                return result == .high ? PLUGBOARD_HIGH : PLUGBOARD_OK
            } catch {
                return error.status
            }
        }
        table.set_reading = { context, stream, reading in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            return HostTable.status { () throws(ServiceError) in
                try instance.streams.setReading(StreamHandle(rawValue: stream), reading != 0)
            }
        }
        table.finish = { context, stream in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            return HostTable.status { () throws(ServiceError) in
                try instance.streams.finish(StreamHandle(rawValue: stream))
            }
        }
        table.abort = { context, stream in
            guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
            return HostTable.status { () throws(ServiceError) in
                try instance.streams.abort(StreamHandle(rawValue: stream))
            }
        }
    }
}

extension TLSOptions {
    /// Reads the ABI's options; nil if they are malformed.
    fileprivate init?(abi options: UnsafePointer<plugboard_tls_options_t>, side: Side) {
        let source = options.pointee
        guard source.struct_size >= ABISize.tlsOptions,
            source.verification <= PLUGBOARD_TLS_VERIFY_RECORD,
            source.identity.isWellFormed, source.peer_name.isWellFormed,
            (0...HostTable.alpnMax).contains(source.alpn_count), source.alpn_count == 0 || source.alpn != nil
        else { return nil }
        let alpn = UnsafeBufferPointer(start: source.alpn, count: source.alpn_count)
        guard alpn.allSatisfy(\.isWellFormed) else { return nil }
        let name = source.peer_name.string
        let isRequired = source.verification == PLUGBOARD_TLS_VERIFY_REQUIRED
        self.init(
            side: side,
            identity: source.identity.count == 0 ? nil : source.identity.string,
            serverName: name.isEmpty ? nil : name,
            alpn: alpn.map(\.string),
            verification: isRequired ? .required(name: name.isEmpty ? nil : name) : .record
        )
    }
}

extension ConnectOptions {
    fileprivate init?(abi source: plugboard_connect_options_t) {
        guard source.struct_size >= ABISize.connectOptions,
            source.host.isWellFormed, source.host.count > 0, source.port != 0
        else { return nil }
        var tls: TLSOptions?
        if let options = source.tls {
            guard let read = TLSOptions(abi: options, side: .client) else { return nil }
            tls = read
        }
        self.init(
            host: source.host.string,
            port: source.port,
            tls: tls,
            timeoutMs: source.timeout_ms == 0 ? nil : UInt64(source.timeout_ms),
            frameMax: source.input_max == 0 ? nil : Int(source.input_max)
        )
    }
}

extension ListenOptions {
    fileprivate init?(abi source: plugboard_listen_options_t) {
        guard source.struct_size >= ABISize.listenOptions, source.address.isWellFormed else {
            return nil
        }
        var tls: TLSOptions?
        if let options = source.tls {
            guard let read = TLSOptions(abi: options, side: .server) else { return nil }
            tls = read
        }
        let address = source.address.string
        self.init(
            address: address.isEmpty ? "::" : address,
            port: source.port,
            tls: tls,
            acceptedMax: source.streams_max == 0 ? .max : Int(source.streams_max),
            frameMax: source.input_max == 0 ? nil : Int(source.input_max)
        )
    }
}
