package import Logging
import NIOCore
import Telemetry

/// The TCP and TLS streams of one plugin instance.
///
/// Worker's loop only.
///
/// Calls record what is wanted; the end of the tick does it, with one write a stream. So the delegate is never called from
/// inside a call, and a stream is never half closed under the caller's feet.
package final class StreamService {
    /// Hears of everything.
    ///
    /// Without one, connections are turned away.
    package weak var delegate: (any StreamDelegate)?

    let worker: Worker
    let limits: ServiceLimits
    let identities: TLSIdentities
    let resolver: Resolver
    let logger: Logger
    /// Anybody can open connections: so seldom is it said that one was turned away.
    var refusalLog = LogLimit<String>(pauseNs: 10_000_000_000)
    var streams = SlotTable<StreamHandle, Stream>()
    var listeners = SlotTable<ListenerHandle, Listener>()
    /// Connects whose host DNS still works on.
    var resolving = 0
    /// Listeners of the service that this one takes over from, as long as nobody has asked for them.
    var inheritable: [Listener] = []
    private(set) var isStopped = false
    private var toFlush: [Stream] = []
    /// Empty between two ticks; kept for its memory.
    private var flushing: [Stream] = []
    /// What the worker is given each tick, made once.
    private lazy var flushWork: () -> Void = { [weak self] in self?.flushAll() }
    private var refused: [Stream] = []

    package init(
        worker: Worker,
        limits: ServiceLimits,
        tls: TLSIdentities,
        resolver: Resolver,
        logger: Logger
    ) {
        self.worker = worker
        self.limits = limits
        self.identities = tls
        self.resolver = resolver
        self.logger = logger
    }

    /// Streams in the table, those that are closing included.
    package var streamCount: Int { streams.count }

    // MARK: - Opening

    /// Begins to connect.
    ///
    /// `opened` or `closed` tells how it went.
    ///
    /// - Throws: ``ServiceError/limitReached(_:limit:)``, ``ServiceError/invalidArgument(_:)``,
    ///   ``ServiceError/tlsUnusable(_:)``, ``ServiceError/unknownIdentity(_:)``, ``ServiceError/stopped``.
    package func connect(_ options: ConnectOptions) throws(ServiceError) -> StreamHandle {
        try checkRunning()
        try options.check(limits)
        guard streams.count < limits.streamsMax else { throw .limitReached(.streams, limit: limits.streamsMax) }
        guard resolving < limits.resolutionsMax else {
            throw .limitReached(.resolutions, limit: limits.resolutionsMax)
        }
        // What is wrong with the TLS options shows now, not after the connection is made.
        if let tls = options.tls { _ = try TLSHandshake(tls, identities, worker.eventLoop) }
        let frameMax = options.frameMax ?? limits.frameMax
        let handle = streams.insert { Stream($0, frameMax: frameMax) }
        if let stream = streams[handle] {
            worker.enqueue { [weak self] in self?.startConnecting(stream, options) }
        }
        return handle
    }

    /// Listens; the socket is bound when this returns.
    ///
    /// - Throws: ``ServiceError/cannotListen(address:port:reason:)`` and what ``connect(_:)`` throws.
    package func listen(_ options: ListenOptions) throws(ServiceError) -> ListenerHandle {
        try checkRunning()
        let address = try options.check(limits)
        guard listeners.count < limits.listenersMax else {
            throw .limitReached(.listeners, limit: limits.listenersMax)
        }
        if let tls = options.tls { _ = try TLSHandshake(tls, identities, worker.eventLoop) }
        let socket =
            if let inherited = try inherited(options) {
                inherited
            } else {
                try ListeningSocket(address: address, port: options.port, backlog: options.backlog)
            }
        let handle = listeners.insert { Listener($0, options, socket) }
        if let listener = listeners[handle] {
            worker.enqueue { [weak self] in self?.startListening(listener) }
        }
        return handle
    }

    /// The port a listener is bound to.
    package func port(of listener: ListenerHandle) throws(ServiceError) -> UInt16 {
        guard let listener = listeners[listener] else { throw .unknownHandle(listener.rawValue) }
        return listener.socket.port
    }

    /// Stops listening.
    ///
    /// Streams that were accepted stay.
    package func stopListening(_ listener: ListenerHandle) throws(ServiceError) {
        worker.preconditionOnLoop()
        guard let removed = listeners.remove(listener) else { throw .unknownHandle(listener.rawValue) }
        close(removed)
    }

    // MARK: - Use

    /// Copies `bytes` to the stream's output, which leaves at the end of the tick.
    ///
    /// A stream that the peer has closed takes the bytes and drops them: `closed` is on its way.
    ///
    /// - Throws: ``ServiceError/writeBufferFull(unsent:asked:limit:)``, ``ServiceError/badState(_:)`` before the stream is
    ///   open or while TLS starts, ``ServiceError/closing(_:)``, ``ServiceError/unknownHandle(_:)``.
    package func write(
        _ handle: StreamHandle,
        _ bytes: UnsafeRawBufferPointer
    ) throws(ServiceError) -> WriteResult {
        let stream = try stream(handle)
        switch stream.phase {
        case .open: break
        case .connecting, .securing: throw .badState("the stream is not open yet")
        case .startingTLS, .upgrading: throw .badState("TLS is being started: wait for the stream to be opened again")
        case .finishing, .lingering, .ended(.finished), .ended(.aborted): throw .closing(handle)
        case .ended: return .ok
        }
        guard bytes.count > 0 else { return .ok }
        let result = try stream.output.append(bytes, limits, spare: worker.takeBuffer)
        if stream.output.isEarlySendDue { sendDirectly(stream) }
        queueFlush(stream)
        return result
    }

    /// Starts or stops the input.
    ///
    /// Bytes that have come in already are kept, and offered when it starts.
    ///
    /// - Throws: ``ServiceError/closing(_:)``, ``ServiceError/unknownHandle(_:)``.
    package func setReading(_ handle: StreamHandle, _ reading: Bool) throws(ServiceError) {
        let stream = try stream(handle)
        switch stream.phase {
        case .finishing, .lingering, .ended(.finished), .ended(.aborted): throw .closing(handle)
        // Of a stream that the peer has closed there may be input left.
        case .connecting, .securing, .open, .startingTLS, .upgrading, .ended: break
        }
        stream.input.setReading(reading)
        inputChanged(stream)
    }

    /// Ends a refusal: the rest is offered again in this tick.
    ///
    /// Does nothing if nothing was refused.
    ///
    /// - Throws: ``ServiceError/unknownHandle(_:)``.
    package func resume(_ handle: StreamHandle) throws(ServiceError) {
        resume(try stream(handle))
    }

    /// Ends all refusals, in the order they came.
    package func resumeAll() {
        worker.preconditionOnLoop()
        guard !refused.isEmpty else { return }
        let streams = refused
        refused = []
        for stream in streams {
            stream.isListedRefused = false
            resume(stream)
        }
    }

    /// Closes in order: what was written goes out first.
    ///
    /// No more input is offered.
    ///
    /// - Throws: ``ServiceError/closing(_:)`` the second time, ``ServiceError/unknownHandle(_:)``.
    package func finish(_ handle: StreamHandle) throws(ServiceError) {
        let stream = try stream(handle)
        switch stream.phase {
        case .finishing, .lingering, .ended(.finished), .ended(.aborted): throw .closing(handle)
        case .connecting, .securing, .startingTLS, .upgrading: end(stream, .finished)
        case .ended: discardInput(stream)
        case .open:
            stream.phase = .finishing
            stream.input.discard()
            setDeadline(stream, limits.finishTimeoutMs, .finishTimedOut(limits.finishTimeoutMs))
            queueFlush(stream)
        }
    }

    /// Closes at once; what has not been sent is lost.
    ///
    /// May follow ``finish(_:)``.
    ///
    /// - Throws: ``ServiceError/closing(_:)`` the second time, ``ServiceError/unknownHandle(_:)``.
    package func abort(_ handle: StreamHandle) throws(ServiceError) {
        let stream = try stream(handle)
        switch stream.phase {
        case .ended(.aborted): throw .closing(handle)
        case .ended: discardInput(stream)
        case .connecting, .securing, .open, .startingTLS, .upgrading, .finishing, .lingering: end(stream, .aborted)
        }
    }

    /// Starts TLS on an open plain stream (STARTTLS); `opened` comes again when it is up.
    ///
    /// What was written before goes out in plain text first. Plain text from the peer that is not consumed by the end of
    /// the `received` call, or that comes before the handshake, was put in by somebody on the way: the stream is closed
    /// with ``CloseReason/protocolViolation(_:)``.
    ///
    /// - Throws: ``ServiceError/badState(_:)``, ``ServiceError/closing(_:)``, ``ServiceError/unknownHandle(_:)`` and, for
    ///   the options, what ``connect(_:)`` throws.
    ///
    /// Source: RFC 6120 §5.3.4, §5.4.3.3.
    package func startTLS(_ handle: StreamHandle, _ options: TLSOptions) throws(ServiceError) {
        let stream = try stream(handle)
        guard !stream.isClosing else { throw .closing(handle) }
        guard case .open = stream.phase, !stream.isOpenedQueued else {
            throw .badState("TLS can be started on an open stream only")
        }
        guard stream.tls == nil else { throw .badState("the stream has TLS already") }
        let handshake = try TLSHandshake(options, identities, worker.eventLoop)
        stream.phase = .startingTLS(handshake)
        guard stream.input.kept.readableBytes == 0 else { return end(stream, .plaintextAfterStartTLS) }
        queueFlush(stream)
    }

    // MARK: - Questions

    /// The peer, as "192.0.2.1:5269" or "[2001:db8::1]:5269"; empty before it is connected.
    package func peerAddress(_ handle: StreamHandle) throws(ServiceError) -> String {
        try stream(handle).peerAddress
    }

    /// What TLS established; nil for a plain stream, or before the handshake is done.
    package func tlsInfo(_ handle: StreamHandle) throws(ServiceError) -> TLSInfo? {
        try stream(handle).tls
    }

    /// Keeps a pointer of the instance's with the stream.
    package func setUser(_ handle: StreamHandle, _ user: UnsafeMutableRawPointer?) throws(ServiceError) {
        try stream(handle).user = user
    }

    /// What ``setUser(_:_:)`` kept; nil for an unknown handle.
    package func user(_ handle: StreamHandle) -> UnsafeMutableRawPointer? {
        streams[handle]?.user
    }

    // MARK: - End

    /// Closes everything for good.
    ///
    /// The delegate is not called any more.
    package func closeAll() {
        worker.preconditionOnLoop()
        guard !isStopped else { return }
        isStopped = true
        let (open, listening) = (streams.elements, listeners.elements)
        streams = SlotTable()
        listeners = SlotTable()
        refused = []
        toFlush = []
        inheritable = []
        for listener in listening { close(listener) }
        for stream in open { stream.deadline?.cancel() }
        // Later: this may be a call from inside a channel's own event.
        worker.enqueue { for stream in open { Self.closeChannel(stream) } }
    }

    // MARK: - Looking up

    private func checkRunning() throws(ServiceError) {
        worker.preconditionOnLoop()
        guard !isStopped else { throw .stopped }
    }

    private func stream(_ handle: StreamHandle) throws(ServiceError) -> Stream {
        worker.preconditionOnLoop()
        guard let stream = streams[handle] else { throw .unknownHandle(handle.rawValue) }
        return stream
    }

    // MARK: - Queues of the tick

    func queueFlush(_ stream: Stream) {
        guard !stream.isFlushQueued, !isStopped else { return }
        stream.isFlushQueued = true
        if toFlush.isEmpty { worker.enqueueFlush(flushWork) }
        toFlush.append(stream)
    }

    private func flushAll() {
        swap(&toFlush, &flushing)
        for stream in flushing {
            stream.isFlushQueued = false
            flush(stream)
        }
        flushing.removeAll(keepingCapacity: true)
    }

    func noteRefused(_ stream: Stream) {
        guard !stream.isListedRefused else { return }
        stream.isListedRefused = true
        refused.append(stream)
    }

    private func resume(_ stream: Stream) {
        guard stream.input.resume() else { return }
        inputChanged(stream)
    }
}

extension CloseReason {
    static let plaintextAfterStartTLS = CloseReason.protocolViolation("plaintext after STARTTLS")
}
