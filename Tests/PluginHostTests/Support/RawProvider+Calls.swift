import CPlugboard

/// Host calls in short, for providers that behave.
extension RawProvider {
    /// Calls the host's table.
    func call<R>(_ body: (plugboard_host_t, UnsafeMutableRawPointer?) -> R) -> R {
        guard let host else { preconditionFailure("the provider has been created") }
        return body(host.pointee, context)
    }

    /// Connects to a port of this machine.
    func connect(_ port: UInt16, user: Int = 0x1000) -> (status: plugboard_status_t, stream: UInt64) {
        withBytes("127.0.0.1") { address in
            var options = plugboard_connect_options_t()
            options.struct_size = structSize(plugboard_connect_options_t.self)
            options.host = address
            options.port = port
            var stream: UInt64 = 0
            let status = call { $0.connect($1, &options, UnsafeMutableRawPointer(bitPattern: user), &stream) }
            return (status, stream)
        }
    }

    /// Listens on a free port of this machine.
    func listen(user: Int = 0x3000) -> (status: plugboard_status_t, listener: UInt64, port: UInt16) {
        withBytes("127.0.0.1") { address in
            var options = plugboard_listen_options_t()
            options.struct_size = structSize(plugboard_listen_options_t.self)
            options.address = address
            var (listener, port) = (UInt64(0), UInt16(0))
            let status = call { host, context in
                host.listen(context, &options, UnsafeMutableRawPointer(bitPattern: user), &listener, &port)
            }
            return (status, listener, port)
        }
    }

    func write(_ stream: UInt64, _ text: String) -> plugboard_status_t {
        withBytes(text) { bytes in call { $0.write($1, stream, bytes) } }
    }

    func startTimer(_ delay: UInt64, user: Int = 0x4000) -> (status: plugboard_status_t, timer: UInt64) {
        var timer: UInt64 = 0
        let status = call { $0.start_timer($1, delay, UnsafeMutableRawPointer(bitPattern: user), &timer) }
        return (status, timer)
    }

    func resolve(_ type: UInt32, _ name: String, user: Int = 0x5000) -> plugboard_status_t {
        withBytes(name) { name in
            var query: UInt64 = 0
            return call { $0.resolve($1, type, name, UnsafeMutableRawPointer(bitPattern: user), &query) }
        }
    }

    func submit(_ envelope: UnsafePointer<plugboard_envelope_t>?, cookie: UInt64 = 1) -> plugboard_status_t {
        call { $0.submit($1, envelope, cookie) }
    }

    func complete(_ token: UInt64, _ result: UInt16) -> plugboard_status_t {
        var outcome = plugboard_outcome_t()
        outcome.struct_size = structSize(plugboard_outcome_t.self)
        outcome.result = result
        return call { $0.complete($1, token, &outcome) }
    }
}

/// Lends the UTF-8 of a text.
func withBytes<R>(_ text: String, _ body: (plugboard_bytes_t) -> R) -> R {
    var text = text
    return text.withUTF8 { body(plugboard_bytes_t(start: $0.baseAddress, count: $0.count)) }
}
