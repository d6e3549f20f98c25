internal import CPlugboard

extension Host {
    /// Opens a connection; ``StreamSession/opened(_:tls:)`` or ``StreamSession/closed(_:reason:)`` follows.
    ///
    /// - Parameters:
    ///   - host: a name or an IP literal.
    ///   - tls: nil for plaintext.
    ///   - timeout: for name and connection together, in ms; 0: the host's default.
    ///   - inputMax: most unread bytes that the host keeps; 0: the host's default.
    /// - Throws: ``HostError/invalidArgument``, ``HostError/limitReached``, ``HostError/unsupported``
    ///   (no such certificate), ``HostError/shuttingDown``.
    public func connect(
        to host: String,
        port: UInt16,
        tls: TLSOptions? = nil,
        timeout: UInt32 = 0,
        inputMax: UInt32 = 0,
        session: any StreamSession
    ) throws(HostError) -> Stream {
        let box = StreamBox(host: self, session: session)
        var handle: plugboard_stream_t = 0
        let status = withBytes(host) { name in
            Self.withOptional(tls) { tls in
                var options = plugboard_connect_options_t()
                options.struct_size = structSize(plugboard_connect_options_t.self)
                options.timeout_ms = timeout
                options.host = name
                options.port = port
                options.input_max = inputMax
                options.tls = tls
                return table.pointee.connect(context, &options, box.retained, &handle)
            }
        }
        if status < 0 {
            box.release()
            throw HostError(status)
        }
        return box.open(handle)
    }

    /// Listens for connections.
    ///
    /// - Parameters:
    ///   - address: an IP literal; empty: all addresses.
    ///   - port: 0: any free one, see ``Listener/port``.
    ///   - tls: nil for plaintext.
    ///   - accept: makes the session of a connection, or returns nil to have it closed.
    public func listen(
        address: String,
        port: UInt16,
        tls: TLSOptions? = nil,
        streamsMax: UInt32 = 0,
        inputMax: UInt32 = 0,
        accept: @escaping (Stream.Incoming) -> (any StreamSession)?
    ) throws(HostError) -> Listener {
        let box = ListenerBox()
        var handle: plugboard_listener_t = 0
        var bound: UInt16 = 0
        let status = withBytes(address) { address in
            Self.withOptional(tls) { tls in
                var options = plugboard_listen_options_t()
                options.struct_size = structSize(plugboard_listen_options_t.self)
                options.input_max = inputMax
                options.address = address
                options.port = port
                options.streams_max = streamsMax
                options.tls = tls
                return table.pointee.listen(
                    context,
                    &options,
                    Unmanaged.passUnretained(box).toOpaque(),
                    &handle,
                    &bound
                )
            }
        }
        try HostError.check(status)
        let listener = Listener(handle: handle, host: self, port: bound, accept: accept)
        box.listener = listener
        keep(box)
        return listener
    }

    private static func withOptional<R>(
        _ tls: TLSOptions?,
        _ body: (UnsafePointer<plugboard_tls_options_t>?) -> R
    ) -> R {
        guard let tls else { return body(nil) }
        return tls.withABI { body($0) }
    }

    func accepted(_ handle: plugboard_stream_t, by user: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let user, let listener = Unmanaged<ListenerBox>.fromOpaque(user).takeUnretainedValue().listener,
            let session = listener.accept(Stream.Incoming(handle: handle, host: self))
        else { return nil }
        let box = StreamBox(host: self, session: session)
        session.accepted(box.open(handle))
        return box.retained
    }
}

/// What the host's `user` pointer of a listener points to.
///
/// The ``Host`` holds it until it is closed or the instance ends.
final class ListenerBox {
    var listener: Listener?
}

/// What the host's `user` pointer of a stream points to.
///
/// The host table holds one reference, from connect or accept to closed.
final class StreamBox {
    private let host: Host
    /// Held here and not by the ``Stream``, so that a session may keep its stream without a cycle.
    let session: any StreamSession
    private(set) var stream: Stream?

    init(host: Host, session: any StreamSession) {
        self.host = host
        self.session = session
    }

    var retained: UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    func release() { Unmanaged.passUnretained(self).release() }

    func open(_ handle: plugboard_stream_t) -> Stream {
        let stream = Stream(handle: handle, host: host)
        self.stream = stream
        return stream
    }

    static func from(_ user: UnsafeMutableRawPointer?) -> StreamBox? {
        user.map { Unmanaged<StreamBox>.fromOpaque($0).takeUnretainedValue() }
    }
}
