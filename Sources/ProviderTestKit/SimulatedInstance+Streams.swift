internal import CPlugboard
internal import ProviderKit

/// A port on which an instance listens.
final class SimulatedListener {
    let handle: UInt64
    let user: UnsafeMutableRawPointer?
    let address: String
    let port: UInt16
    let streamsMax: Int
    let inputMax: Int
    let tls: TLSSide?
    var acceptedCount = 0

    init(
        handle: UInt64,
        user: UnsafeMutableRawPointer?,
        options: plugboard_listen_options_t,
        port: UInt16,
        inputMax: Int,
        tls: TLSSide?
    ) {
        self.handle = handle
        self.user = user
        address = options.address.text
        self.port = port
        streamsMax = options.streams_max == 0 ? .max : Int(options.streams_max)
        self.inputMax = inputMax
        self.tls = tls
    }

    /// Whether it takes connections to any address.
    var isWild: Bool { address.isEmpty || address == "::" || address == "0.0.0.0" }
}

extension SimulatedInstance {
    // MARK: What the instance asks

    func connect(
        _ options: plugboard_connect_options_t,
        _ user: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<plugboard_stream_t>
    ) -> plugboard_status_t {
        guard options.struct_size >= MemoryLayout<plugboard_connect_options_t>.size, options.host.isWellFormed,
            options.host.count > 0, options.port != 0
        else { return PLUGBOARD_E_INVALID }
        guard state != .closing else { return PLUGBOARD_E_SHUTDOWN }
        guard HostName.isAddress(options.host.text) || HostName.normalised(options.host.text) != nil,
            options.timeout_ms <= HostLimits.connectTimeoutMsMax
        else { return PLUGBOARD_E_INVALID }
        var side: TLSSide?
        if let tls = options.tls {
            switch tlsSide(tls.pointee, isServer: false) {
            case .success(let made): side = made
            case .failure(let refusal): return refusal.status
            }
        }
        guard let inputMax = inputMax(options.input_max) else { return PLUGBOARD_E_INVALID }
        guard streams.count < simulation.limits.streamsMax else { return PLUGBOARD_E_LIMIT }
        let stream = SimulatedStream(self, handle: newHandle(.stream), listener: nil, inputMax: inputMax)
        stream.user = user
        stream.tls = side
        streams[stream.handle] = stream
        result.pointee = stream.handle
        let (host, port) = (options.host.text, options.port)
        simulation.note(.connect, self, stream.handle, text: "\(host):\(port)")
        let timeout = options.timeout_ms == 0 ? simulation.limits.connectTimeout : .milliseconds(options.timeout_ms)
        stream.setDeadline(timeout, PLUGBOARD_CLOSED_TIMEOUT, "no connection within \(timeout)")
        simulation.post(after: simulation.random.pick(simulation.network.conditions.delay)) { [weak stream] in
            stream?.attempt(host, port)
        }
        return PLUGBOARD_OK
    }

    func listen(
        _ options: plugboard_listen_options_t,
        _ user: UnsafeMutableRawPointer?,
        _ result: UnsafeMutablePointer<plugboard_listener_t>,
        _ bound: UnsafeMutablePointer<UInt16>?
    ) -> plugboard_status_t {
        guard options.struct_size >= MemoryLayout<plugboard_listen_options_t>.size, options.address.isWellFormed else {
            return PLUGBOARD_E_INVALID
        }
        guard state != .closing else { return PLUGBOARD_E_SHUTDOWN }
        guard options.address.count == 0 || HostName.isAddress(options.address.text) else { return PLUGBOARD_E_INVALID }
        var side: TLSSide?
        if let tls = options.tls {
            switch tlsSide(tls.pointee, isServer: true) {
            case .success(let made): side = made
            case .failure(let refusal): return refusal.status
            }
        }
        guard let inputMax = inputMax(options.input_max) else { return PLUGBOARD_E_INVALID }
        guard listeners.count < simulation.limits.listenersMax else { return PLUGBOARD_E_LIMIT }
        var port = options.port
        if port == 0 { port = UInt16(49_152 + listeners.count) }
        guard listener(port: port) == nil, !simulation.network.takenPorts.contains(port) else {
            log(PLUGBOARD_LOG_ERROR, "cannot listen on port \(port): address in use")
            return PLUGBOARD_E_SYSTEM
        }
        guard isOwn(options.address.text) else {
            log(PLUGBOARD_LOG_ERROR, "cannot listen on \(options.address.text): it is no address of this machine")
            return PLUGBOARD_E_SYSTEM
        }
        let listener = SimulatedListener(
            handle: newHandle(.listener),
            user: user,
            options: options,
            port: port,
            inputMax: inputMax,
            tls: side
        )
        listeners[listener.handle] = listener
        simulation.note(.listen, self, listener.handle, UInt64(port))
        result.pointee = listener.handle
        bound?.pointee = port
        return PLUGBOARD_OK
    }

    func closeListener(_ listener: plugboard_listener_t) -> plugboard_status_t {
        simulation.note(.closeListener, self, listener)
        guard listeners.removeValue(forKey: listener) == nil else { return PLUGBOARD_OK }
        if issued[listener] != .listener { unknown(listener, "close_listener") }
        return PLUGBOARD_E_HANDLE
    }

    /// The open stream of a handle; a violation if it is closed or never was.
    func stream(_ handle: plugboard_stream_t, _ call: String) -> SimulatedStream? {
        let found = streams[handle]
        if found == nil, issued[handle] != .stream {
            unknown(handle, call)
        } else if found?.isTold ?? !closingHandles.contains(handle) {
            simulation.violate(.streamAfterClosed, "\(call) names stream \(handle) after its closed()", by: self)
        }
        return found
    }

    private func inputMax(_ asked: UInt32) -> Int? {
        guard asked != 0 else { return simulation.limits.inputMax }
        return Int(asked) <= simulation.limits.inputMaxMax ? Int(asked) : nil
    }

    struct TLSRefusal: Error {
        var status: plugboard_status_t
    }

    func tlsSide(_ options: plugboard_tls_options_t, isServer: Bool) -> Result<TLSSide, TLSRefusal> {
        guard options.struct_size >= MemoryLayout<plugboard_tls_options_t>.size,
            options.verification <= PLUGBOARD_TLS_VERIFY_RECORD, options.identity.isWellFormed,
            options.peer_name.isWellFormed, (0...8).contains(options.alpn_count),
            options.alpn_count == 0 || options.alpn != nil
        else { return .failure(TLSRefusal(status: PLUGBOARD_E_INVALID)) }
        let names = UnsafeBufferPointer(start: options.alpn, count: options.alpn_count)
        // A client that requires a valid certificate must say for which name.
        let isAimless =
            !isServer && options.verification == PLUGBOARD_TLS_VERIFY_REQUIRED && options.peer_name.count == 0
        guard names.allSatisfy({ $0.isWellFormed && (1...255).contains($0.count) }), !isAimless else {
            return .failure(TLSRefusal(status: PLUGBOARD_E_INVALID))
        }
        let identity = options.identity.text
        guard identity.isEmpty ? !isServer || !identities.isEmpty : identities[identity] != nil else {
            return .failure(TLSRefusal(status: PLUGBOARD_E_UNSUPPORTED))
        }
        var side = TLSSide(isServer: isServer)
        side.alpn = UnsafeBufferPointer(start: options.alpn, count: options.alpn_count).map(\.text)
        side.serverName = options.peer_name.text
        side.isVerified = options.verification == PLUGBOARD_TLS_VERIFY_REQUIRED
        let known = identities
        side.certificate = { name in
            guard identity.isEmpty else { return known[identity] }
            guard isServer else { return nil }
            return known[name] ?? known.sorted { $0.key < $1.key }.first?.value
        }
        return .success(side)
    }

    // MARK: What the network does

    func listener(port: UInt16) -> SimulatedListener? {
        listeners.values.first { $0.port == port }
    }

    func listener(address: String, port: UInt16) -> SimulatedListener? {
        listeners.values.first { listener in
            listener.port == port && (listener.address == address || (listener.isWild && isOwn(address)))
        }
    }

    /// Whether an address is this machine's; none at all stands for all of them.
    func isOwn(_ address: String) -> Bool {
        address.isEmpty || address == self.address || HostName.isOfEveryMachine(address)
    }

    /// Whether the host lets a connection in.
    func accepts(_ listener: SimulatedListener) -> Bool {
        isActive && streams.count < simulation.limits.streamsMax && listener.acceptedCount < listener.streamsMax
    }

    /// Offers a connection to the instance; false if it does not want it, which closes it.
    func accept(_ other: any StreamEnd, on listener: SimulatedListener, from address: String) -> Bool {
        let stream = SimulatedStream(
            self,
            handle: newHandle(.stream),
            listener: listener.handle,
            inputMax: listener.inputMax
        )
        stream.peerAddress = address
        stream.tls = listener.tls
        streams[stream.handle] = stream
        listener.acceptedCount += 1
        simulation.network.join(connecting: other, accepting: stream)
        var user: UnsafeMutableRawPointer?
        let answer = call { $0.accepted($1, stream.handle, listener.user, &user) }
        simulation.note(.accepted, self, stream.handle, UInt64(answer))
        guard answer == 1 else {
            streams[stream.handle] = nil
            listener.acceptedCount -= 1
            other.connected()
            stream.connection?.leave(stream)
            stream.connection = nil
            return true
        }
        stream.user = user
        watchSession(of: stream)
        stream.connected()
        other.connected()
        return true
    }

    func watchSession(of stream: SimulatedStream) {
        guard plugin.isOwn, let session = ProviderKit.Stream.session(of: stream.user) else { return }
        watch(session, "the session of stream \(stream.handle)")
    }

    func opened(_ stream: SimulatedStream) {
        if !stream.isAccepted, stream.info == nil { watchSession(of: stream) }
        simulation.note(.opened, self, stream.handle, stream.info == nil ? 0 : 1)
        guard let info = stream.info else {
            call { $0.opened($1, stream.handle, stream.user, nil) }
            return
        }
        let isTrusted = info.certificate?.isTrusted == true
        let reason = info.certificate == nil || isTrusted ? "" : "the certificate is not trusted"
        lending(["TLSv1.3", info.alpn, reason]) { texts in
            let abi = plugboard_tls_info_t(
                struct_size: structSize(plugboard_tls_info_t.self),
                flags: (info.certificate == nil ? 0 : PLUGBOARD_TLS_HAS_CERTIFICATE)
                    | (isTrusted ? PLUGBOARD_TLS_TRUSTED : 0),
                version: texts[0],
                alpn: texts[1],
                untrusted_reason: texts[2]
            )
            withUnsafePointer(to: abi) { abi in call { $0.opened($1, stream.handle, stream.user, abi) } }
        }
    }

    func writable(_ stream: SimulatedStream) {
        simulation.note(.writable, self, stream.handle)
        call { $0.writable($1, stream.handle, stream.user) }
    }

    /// Makes the last call about a stream.
    func closed(_ stream: SimulatedStream, _ cause: UInt32, _ detail: String) {
        stream.isTold = true
        // Those of an instance that is stopped are all gone before the first is told of.
        if state == .closing { streams[stream.handle] = nil }
        listeners[stream.listener]?.acceptedCount -= 1
        refusedStreams.removeAll { $0 === stream }
        closingHandles.remove(stream.handle)
        simulation.note(.closed, self, stream.handle, UInt64(cause))
        lending(detail) { detail in
            let reason = plugboard_closed_t(
                struct_size: structSize(plugboard_closed_t.self),
                cause: cause,
                detail: detail
            )
            withUnsafePointer(to: reason) { reason in
                call { $0.closed($1, stream.handle, stream.user, reason) }
            }
        }
        streams[stream.handle] = nil
        stream.connection = nil
    }

    /// Closes all that is open; each stream hears of it.
    func closeEverything() {
        let open = streams.values.sorted { $0.handle < $1.handle }
        closingHandles.formUnion(open.map(\.handle))
        listeners = [:]
        timers = [:]
        for stream in open { stream.connection?.reset(by: stream) }
        for stream in open { closed(stream, PLUGBOARD_CLOSED_BY_US, "aborted by us") }
        // Those that were started just now, too.
        timers = [:]
        queries = []
        sockets = [:]
        exchanges = [:]
        meters.closeAll()
    }
}

extension SimulatedStream {
    /// Tries to connect.
    func attempt(_ host: String, _ port: UInt16) {
        guard instance.isActive, case .connecting = phase else { return }
        switch simulation.network.connect(self, host: host, port: port) {
        case .connected: if connection != nil { connectedOnce() }
        case .refused(let detail): end(PLUGBOARD_CLOSED_CONNECT_FAILED, detail)
        case .unresolved(let detail): end(PLUGBOARD_CLOSED_NAME_FAILED, detail)
        }
    }

    /// The connection of one that connected itself; an accepting instance has said so already.
    private func connectedOnce() {
        if case .connecting = phase { connected() }
    }
}
