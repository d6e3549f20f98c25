internal import CPlugboard

/// What a provider does with one stream: the receiver of its events.
public protocol StreamSession: AnyObject {
    /// The connection came in on a listener of ours, which made this session for it.
    ///
    /// The stream can be closed from now on; it can be written to once it is plaintext, or TLS is up.
    func accepted(_ stream: Stream)

    /// The stream can be written to: it is connected (`tls` is nil if it is plaintext), or TLS is up.
    ///
    /// A stream that turns to TLS with ``Stream/startTLS(_:)`` gets a second call then.
    func opened(_ stream: Stream, tls: TLSInfo?)

    /// Bytes arrived; what is left unread in `input` is offered again together with what follows.
    ///
    /// After a submit that was `busy`, leave the rest unread: the host offers it again in due time.
    func received(_ input: inout ByteReader, on stream: Stream)

    /// The write buffer has drained after ``Stream/WriteResult/high``.
    func writable(_ stream: Stream)

    /// The stream is gone; the last call, exactly once.
    func closed(_ stream: Stream, reason: CloseReason)
}

extension StreamSession {
    /// Does nothing.
    public func accepted(_ stream: Stream) {}

    /// Does nothing.
    public func writable(_ stream: Stream) {}
}

/// A TCP stream, with TLS above it where asked for.
public final class Stream {
    let handle: plugboard_stream_t
    let host: Host

    init(handle: plugboard_stream_t, host: Host) {
        self.handle = handle
        self.host = host
    }

    /// How a write went.
    public enum WriteResult: Hashable, Sendable {
        /// Taken.
        case ok
        /// Taken, but wait for ``StreamSession/writable(_:)`` before the next.
        case high
    }

    /// Sends bytes; all writes of one call into the provider leave together.
    ///
    /// - Throws: ``HostError/unknownHandle`` (closed), ``HostError/badState`` (finished, or during a
    ///   handshake), ``HostError/limitReached`` (the buffer is full; nothing was taken).
    @discardableResult
    public func write(_ bytes: [UInt8]) throws(HostError) -> WriteResult {
        let status = withBytes(bytes) { host.table.pointee.write(host.context, handle, $0) }
        try HostError.check(status)
        return status == PLUGBOARD_HIGH ? .high : .ok
    }

    /// Stops or resumes ``StreamSession/received(_:on:)``.
    public func setReading(_ reading: Bool) {
        _ = host.table.pointee.set_reading(host.context, handle, reading ? 1 : 0)
    }

    /// Sends what was written, then closes.
    public func finish() {
        _ = host.table.pointee.finish(host.context, handle)
    }

    /// Closes at once.
    public func abort() {
        _ = host.table.pointee.abort(host.context, handle)
    }

    /// Turns plaintext into TLS.
    ///
    /// To be called in ``StreamSession/received(_:on:)`` with all input read; what the peer sent in
    /// plaintext behind that is an injection, and ends the stream.
    public func startTLS(_ options: TLSOptions) throws(HostError) {
        try HostError.check(options.withABI { host.table.pointee.start_tls(host.context, handle, $0) })
    }

    /// Whether the peer's certificate is valid for a domain (RFC 6125); trust is ``TLSInfo/isTrusted``.
    ///
    /// - Parameter service: also accept an SRVName with this service, such as `_xmpp-server`.
    public func certificateMatches(domain: String, service: String = "") -> Bool {
        withBytes(domain) { domain in
            withBytes(service) { host.table.pointee.certificate_matches(host.context, handle, domain, $0) == 1 }
        }
    }

    /// The peer as `192.0.2.1:5269`; empty once it is gone.
    public var peerAddress: String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
            let length = host.table.pointee.peer_address(host.context, handle, buffer.baseAddress, buffer.count)
            return length > 0 ? String(decoding: buffer.prefix(Int(length)), as: UTF8.self) : ""
        }
    }
}

/// A socket that takes connections in.
public final class Listener {
    let handle: plugboard_listener_t
    private let host: Host
    let accept: (Stream.Incoming) -> (any StreamSession)?
    /// The port that was bound.
    public let port: UInt16

    init(
        handle: plugboard_listener_t,
        host: Host,
        port: UInt16,
        accept: @escaping (Stream.Incoming) -> (any StreamSession)?
    ) {
        self.handle = handle
        self.host = host
        self.port = port
        self.accept = accept
    }

    /// Stops listening; the streams it took in live on.
    public func close() {
        _ = host.table.pointee.close_listener(host.context, handle)
        host.forget(self)
    }
}

extension Stream {
    /// A connection that came in and is not decided upon.
    public struct Incoming {
        let handle: plugboard_stream_t
        let host: Host

        /// The peer as `192.0.2.1:5269`.
        public var peerAddress: String {
            Stream(handle: handle, host: host).peerAddress
        }
    }
}

/// Why a stream ended.
public struct CloseReason: Hashable, Sendable {
    /// The kind of end.
    public enum Cause: UInt32, Hashable, Sendable {
        case byPeer = 1
        case byUs = 2
        case connectFailed = 3
        case nameFailed = 4
        case timeout = 5
        case tls = 6
        case protocolViolation = 7
        case error = 8
    }

    /// The kind of end.
    public var cause: Cause
    /// A sentence for the log.
    public var detail: String

    /// For tests of providers, which have no host.
    public init(_ cause: Cause, _ detail: String) {
        self.cause = cause
        self.detail = detail
    }
}

/// How a stream is secured.
public struct TLSOptions: Hashable, Sendable {
    /// What becomes of a peer that cannot prove who it is.
    public enum Verification: UInt32, Hashable, Sendable {
        /// The handshake fails.
        case required = 0
        /// It goes on; ``TLSInfo`` has the verdict.
        case record = 1
    }

    /// What becomes of a peer that cannot prove who it is.
    public var verification: Verification
    /// The configured certificate to present; empty: none as client, by the name asked for as server.
    public var identity: String
    /// As client: the server's name, for SNI and verification.
    public var peerName: String
    /// Protocol names to negotiate, best first (RFC 7301).
    public var alpn: [String]

    /// Options that verify the peer.
    public init(
        verification: Verification = .required,
        identity: String = "",
        peerName: String = "",
        alpn: [String] = []
    ) {
        self.verification = verification
        self.identity = identity
        self.peerName = peerName
        self.alpn = alpn
    }

    func withABI<R>(_ body: (UnsafePointer<plugboard_tls_options_t>) -> R) -> R {
        var strings = StringBlock()
        for text in [identity, peerName] + alpn { strings.append(text) }
        return strings.withSpans { spans in
            let options = plugboard_tls_options_t(
                struct_size: structSize(plugboard_tls_options_t.self),
                verification: verification.rawValue,
                identity: spans[0],
                peer_name: spans[1],
                alpn: spans.count > 2 ? spans.baseAddress.map { $0 + 2 } : nil,
                alpn_count: spans.count - 2
            )
            return withUnsafePointer(to: options, body)
        }
    }
}

/// What a TLS handshake brought out.
public struct TLSInfo: Hashable, Sendable {
    /// Such as `TLSv1.3`.
    public var version: String
    /// The negotiated protocol; empty: none.
    public var alpn: String
    /// The peer presented a certificate.
    public var hasCertificate: Bool
    /// Its chain ends in a trusted root, and it is in date.
    public var isTrusted: Bool
    /// Why it is not trusted; empty if it is.
    public var untrustedReason: String

    /// For tests of providers, which have no host.
    public init(version: String, alpn: String, hasCertificate: Bool, isTrusted: Bool, untrustedReason: String) {
        self.version = version
        self.alpn = alpn
        self.hasCertificate = hasCertificate
        self.isTrusted = isTrusted
        self.untrustedReason = untrustedReason
    }

    init(_ source: plugboard_tls_info_t) {
        self.init(
            version: source.version.string,
            alpn: source.alpn.string,
            hasCertificate: source.flags & PLUGBOARD_TLS_HAS_CERTIFICATE != 0,
            isTrusted: source.flags & PLUGBOARD_TLS_TRUSTED != 0,
            untrustedReason: source.untrusted_reason.string
        )
    }
}
