import CPlugboard

@testable import ProviderKit

extension FakeHost {
    /// A complete host table without its context.
    static func makeTable() -> plugboard_host_t {
        var table = plugboard_host_t()
        table.struct_size = structSize(plugboard_host_t.self)
        table.abi_version = PLUGBOARD_ABI_VERSION
        addEnvelopes(&table)
        addOpening(&table)
        addUse(&table)
        addRest(&table)
        return table
    }

    private static func addEnvelopes(_ table: inout plugboard_host_t) {
        table.submit = { context, envelope, cookie in
            let host = FakeHost.from(context)
            host.submitted.append((envelope.flatMap { Envelope(borrowing: $0) }, cookie))
            return host.status
        }
        table.complete = { context, token, outcome in
            let host = FakeHost.from(context)
            guard let outcome else { return PLUGBOARD_E_INVALID }
            guard !host.completed.contains(where: { $0.token == token }) else { return PLUGBOARD_E_HANDLE }
            host.completed.append((token, Outcome(outcome.pointee)))
            return host.status
        }
        table.ready = { FakeHost.from($0).calls.append("ready") }
        table.claim = { context, scope, subject in
            let host = FakeHost.from(context)
            host.calls.append("claim \(scope) \(subject.string)")
            return host.status
        }
    }

    private static func addOpening(_ table: inout plugboard_host_t) {
        table.connect = { context, options, user, stream in
            let host = FakeHost.from(context)
            guard let options = options?.pointee, let stream else { return PLUGBOARD_E_INVALID }
            host.calls.append(
                "connect \(options.host.string) \(options.port) \(options.timeout_ms) \(options.input_max)"
            )
            if let tls = options.tls { host.tlsOptions.append(TLSOptionsSeen(tls.pointee)) }
            guard host.status >= 0 else { return host.status }
            stream.pointee = host.newHandle()
            host.users[stream.pointee] = user
            return host.status
        }
        table.listen = { context, options, user, listener, port in
            let host = FakeHost.from(context)
            guard let options = options?.pointee, let listener, let port else { return PLUGBOARD_E_INVALID }
            host.calls.append(
                "listen \(options.address.string) \(options.port) \(options.streams_max) \(options.input_max)"
            )
            if let tls = options.tls { host.tlsOptions.append(TLSOptionsSeen(tls.pointee)) }
            guard host.status >= 0 else { return host.status }
            listener.pointee = host.newHandle()
            port.pointee = options.port == 0 ? 4242 : options.port
            host.users[listener.pointee] = user
            return host.status
        }
        table.close_listener = { context, listener in
            FakeHost.from(context).noted("close_listener \(listener)")
        }
    }

    private static func addUse(_ table: inout plugboard_host_t) {
        table.write = { FakeHost.from($0).noted("write \($1) \($2.string)") }
        table.set_reading = { FakeHost.from($0).noted("set_reading \($1) \($2)") }
        table.finish = { FakeHost.from($0).noted("finish \($1)") }
        table.abort = { FakeHost.from($0).noted("abort \($1)") }
        table.start_tls = { context, stream, options in
            let host = FakeHost.from(context)
            if let options { host.tlsOptions.append(TLSOptionsSeen(options.pointee)) }
            return host.noted("start_tls \(stream)")
        }
        table.certificate_matches = { context, stream, domain, service in
            FakeHost.from(context).noted("certificate_matches \(stream) \(domain.string) \(service.string)")
        }
        table.peer_address = { context, stream, buffer, size in
            let host = FakeHost.from(context)
            guard host.status >= 0 else { return host.status }
            let text = Array("192.0.2.1:5269".utf8)
            guard let buffer, size >= text.count else { return PLUGBOARD_E_LIMIT }
            for (index, byte) in text.enumerated() { buffer[index] = byte }
            return plugboard_status_t(text.count)
        }
    }

    private static func addRest(_ table: inout plugboard_host_t) {
        table.resolve = { context, type, name, _, query in
            let host = FakeHost.from(context)
            query?.pointee = host.newHandle()
            return host.noted("resolve \(type) \(name.string)")
        }
        table.start_timer = { context, delay, _, timer in
            let host = FakeHost.from(context)
            timer?.pointee = host.newHandle()
            return host.noted("start_timer \(delay)")
        }
        table.cancel_timer = { FakeHost.from($0).noted("cancel_timer \($1)") }
        table.wall_ms = { _ in 1_700_000_000_000 }
        table.monotonic_ns = { _ in 42_000_000 }
        table.random = { _, buffer, count in
            for index in 0..<count { buffer?[index] = UInt8(truncatingIfNeeded: index + 1) }
        }
        table.log = { context, level, message in
            FakeHost.from(context).log.append("\(level) \(message.string)")
        }
        table.extension = { context, id in
            guard let id else { return nil }
            let (host, name) = (FakeHost.from(context), String(cString: id))
            guard name == PLUGBOARD_EXT_DIGEST, host.hasDigests else { return host.extensions[name] }
            return UnsafeRawPointer(FakeHost.digests)
        }
    }

    func noted(_ call: String) -> plugboard_status_t {
        calls.append(call)
        return status
    }

    /// Digests that tell what they were given: the algorithm, and how much of what.
    ///
    /// Safe to share: immortal, and never written after this initialiser.
    private nonisolated(unsafe) static let digests: UnsafePointer<plugboard_digest_t> = {
        let table = UnsafeMutablePointer<plugboard_digest_t>.allocate(capacity: 1)
        table.initialize(
            to: plugboard_digest_t(
                struct_size: structSize(plugboard_digest_t.self),
                reserved: 0,
                hash: { _, algorithm, data, output in
                    output?[0] = UInt8(algorithm)
                    output?[1] = UInt8(data.count)
                    return 2
                },
                hmac: { _, algorithm, key, data, output in
                    output?[0] = UInt8(algorithm)
                    output?[1] = UInt8(data.count)
                    output?[2] = UInt8(key.count)
                    return 3
                }
            )
        )
        return UnsafePointer(table)
    }()
}
