import CPlugboard

@testable import ProviderKit

extension FakeHost {
    static func hostTable(context: UnsafeMutableRawPointer) -> plugboard_host_t {
        var table = plugboard_host_t()
        table.struct_size = UInt32(MemoryLayout<plugboard_host_t>.size)
        table.abi_version = UInt32(PLUGBOARD_ABI_VERSION)
        table.context = context
        self.fillEnvelopes(&table)
        self.fillStreams(&table)
        self.fillRest(&table)
        return table
    }

    private static func fillEnvelopes(_ table: inout plugboard_host_t) {
        table.submit = { context, envelope, cookie in
            envelope.map { FakeHost.from(context).submit($0, cookie) } ?? PLUGBOARD_E_INVALID
        }
        table.complete = { context, token, outcome in
            guard let outcome else { return PLUGBOARD_E_INVALID }
            FakeHost.from(context).complete(token, Outcome(outcome.pointee))
            return PLUGBOARD_OK
        }
        table.ready = { _ in }
        table.claim = { context, _, subject in
            FakeHost.from(context).claims.append(text(subject))
            return PLUGBOARD_OK
        }
    }

    private static func fillStreams(_ table: inout plugboard_host_t) {
        table.connect = { context, options, user, stream in
            guard let options, let stream else { return PLUGBOARD_E_INVALID }
            return FakeHost.from(context).connect(options.pointee, user, stream)
        }
        table.listen = { context, options, user, listener, port in
            guard let options, let listener, let port else { return PLUGBOARD_E_INVALID }
            let host = FakeHost.from(context)
            let handle = host.world.handle()
            let key = "\(host.address):\(options.pointee.port)"
            host.world.listeners[key] = FakeWorld.FakeListener(
                host: host,
                handle: handle,
                user: user,
                tls: options.pointee.tls.map { FakeTLS($0.pointee) }
            )
            host.listenerKeys[handle] = key
            (listener.pointee, port.pointee) = (handle, options.pointee.port)
            return PLUGBOARD_OK
        }
        table.close_listener = { context, listener in
            let host = FakeHost.from(context)
            guard let key = host.listenerKeys.removeValue(forKey: listener) else { return PLUGBOARD_E_HANDLE }
            host.world.listeners[key] = nil
            return PLUGBOARD_OK
        }
        table.write = { context, stream, bytes in
            let copy = Array(UnsafeBufferPointer(start: bytes.start, count: bytes.count))
            return FakeHost.from(context).endpoints[stream].map { $0.write(copy) } ?? PLUGBOARD_E_HANDLE
        }
        table.set_reading = { context, stream, reading in
            FakeHost.from(context).with(stream) { $0.setReading(reading != 0) }
        }
        table.finish = { context, stream in FakeHost.from(context).with(stream) { $0.finish() } }
        table.abort = { context, stream in FakeHost.from(context).with(stream) { $0.abort() } }
        table.start_tls = { context, stream, options in
            let host = FakeHost.from(context)
            guard let tls = options.map({ FakeTLS($0.pointee) }) else { return PLUGBOARD_E_INVALID }
            guard host.knows(tls) else { return PLUGBOARD_E_UNSUPPORTED }
            return host.with(stream) { $0.startTLS(tls) }
        }
        table.certificate_matches = { context, stream, domain, _ in
            let end = FakeHost.from(context).endpoints[stream]
            return end.map { $0.certificateMatches(text(domain)) ? 1 : 0 } ?? PLUGBOARD_E_HANDLE
        }
        table.peer_address = { context, stream, buffer, size in
            guard let end = FakeHost.from(context).endpoints[stream], let buffer else { return PLUGBOARD_E_HANDLE }
            let address = Array(end.address.utf8.prefix(size))
            buffer.update(from: address, count: address.count)
            return Int32(address.count)
        }
    }

    private static func fillRest(_ table: inout plugboard_host_t) {
        table.resolve = { context, type, name, user, query in
            guard let query else { return PLUGBOARD_E_INVALID }
            let host = FakeHost.from(context)
            query.pointee = host.world.handle()
            host.resolve(query.pointee, text(name), user)
            return PLUGBOARD_OK
        }
        table.start_timer = { context, delay, user, timer in
            let host = FakeHost.from(context)
            let handle = host.world.handle()
            host.timers.insert(handle)
            timer?.pointee = handle
            host.world.post(after: delay) {
                if host.timers.remove(handle) != nil { host.provider?.pointee.fired(host.instance, handle, user) }
            }
            return PLUGBOARD_OK
        }
        table.cancel_timer = { context, timer in
            FakeHost.from(context).timers.remove(timer) == nil ? PLUGBOARD_E_HANDLE : PLUGBOARD_OK
        }
        table.wall_ms = { FakeWorld.epochMs + Int64(FakeHost.from($0).world.nowMs) }
        table.monotonic_ns = { FakeHost.from($0).world.nowMs * 1_000_000 }
        table.random = { context, buffer, count in
            let host = FakeHost.from(context)
            for index in 0..<count { buffer?[index] = UInt8(truncatingIfNeeded: host.world.handle() &* 167) }
        }
        table.log = { context, level, message in
            let host = FakeHost.from(context)
            host.log.append("\(level) \(text(message))")
        }
        table.extension = { context, id in
            guard let id, String(cString: id) == PLUGBOARD_EXT_DIGEST else { return nil }
            return UnsafeRawPointer(FakeHost.from(context).digest)
        }
    }

    /// Four different sums of all bytes stand in for SHA-256: equal for equal input only, as far as tests go.
    static var digestTable: plugboard_digest_t {
        var table = plugboard_digest_t()
        table.struct_size = UInt32(MemoryLayout<plugboard_digest_t>.size)
        table.hash = { _, _, data, output in FakeHost.sum([], data, into: output) }
        table.hmac = { _, _, key, data, output in
            FakeHost.sum(Array(UnsafeBufferPointer(start: key.start, count: key.count)), data, into: output)
        }
        return table
    }

    private static func sum(_ key: [UInt8], _ data: plugboard_bytes_t, into output: UnsafeMutablePointer<UInt8>?)
        -> Int32
    {
        let bytes = key + [0] + Array(UnsafeBufferPointer(start: data.start, count: data.count))
        for part in 0..<4 {
            let start = 0xCBF2_9CE4_8422_2325 &+ UInt64(part)
            let sum = bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
            for index in 0..<8 { output?[part * 8 + index] = UInt8(truncatingIfNeeded: sum >> (8 * UInt64(index))) }
        }
        return 32
    }

    private func with(_ stream: UInt64, _ body: (FakeEndpoint) -> Void) -> Int32 {
        guard let end = self.endpoints[stream] else { return PLUGBOARD_E_HANDLE }
        body(end)
        return PLUGBOARD_OK
    }

    private func knows(_ tls: FakeTLS) -> Bool { tls.identity.isEmpty || self.identities.contains(tls.identity) }

    private func resolve(_ query: UInt64, _ name: String, _ user: UnsafeMutableRawPointer?) {
        let answer = self.world.services[name, default: []]
        self.world.post(after: 1) {
            var strings = StringBlock()
            for record in answer ?? [] { strings.append(record.value) }
            strings.withSpans { spans in
                let records = (answer ?? []).enumerated().map { index, record in
                    var result = plugboard_record_t()
                    result.struct_size = UInt32(MemoryLayout<plugboard_record_t>.size)
                    result.type = PLUGBOARD_RECORD_SRV
                    result.value = spans[index]
                    (result.port, result.priority) = (record.port, record.priority)
                    return result
                }
                let status = answer == nil ? PLUGBOARD_E_SYSTEM : PLUGBOARD_OK
                self.provider?.pointee.resolved(self.instance, query, user, status, records, records.count)
            }
        }
    }

    func connect(
        _ options: plugboard_connect_options_t,
        _ user: UnsafeMutableRawPointer?,
        _ stream: UnsafeMutablePointer<UInt64>
    ) -> Int32 {
        let tls = options.tls.map { FakeTLS($0.pointee) }
        if let tls, !self.knows(tls) { return PLUGBOARD_E_UNSUPPORTED }
        let (host, port) = (text(options.host), options.port)
        let end = FakeEndpoint(host: self, handle: self.world.handle(), isClient: true, address: "\(host):\(port)")
        end.user = user
        self.endpoints[end.handle] = end
        self.everyEndpoint.append(end)
        stream.pointee = end.handle
        self.world.post(after: FakeEndpoint.latencyMs) {
            guard let listener = self.world.listener(host: host, port: port) else {
                return end.abort(PLUGBOARD_CLOSED_CONNECT_FAILED, "\(host):\(port) refuses connections")
            }
            self.join(end, to: listener, tls)
        }
        return PLUGBOARD_OK
    }

    private func join(_ end: FakeEndpoint, to listener: FakeWorld.FakeListener, _ tls: FakeTLS?) {
        let other = listener.host
        let far = FakeEndpoint(
            host: other,
            handle: self.world.handle(),
            isClient: false,
            address: "\(self.address):40000"
        )
        other.endpoints[far.handle] = far
        other.everyEndpoint.append(far)
        var user: UnsafeMutableRawPointer?
        guard other.provider?.pointee.accepted(other.instance, far.handle, listener.user, &user) ?? 1 == 1 else {
            other.endpoints[far.handle] = nil
            return end.abort(PLUGBOARD_CLOSED_BY_PEER, "closed by the peer")
        }
        far.user = user
        (end.peer, far.peer) = (far, end)
        self.whenConnecting(end)
        other.whenConnecting(far)
        switch (tls, listener.tls) {
        case (nil, nil): end.open()
        case (let client?, let server?):
            end.open(client, server)
        case (nil, _?), (_?, nil): end.cut("the TLS handshake failed")
        }
    }
}
