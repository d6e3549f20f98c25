internal import CPlugboard

/// The host, as an instance sees it.
///
/// Usable on the instance's thread only.
public final class Host {
    let table: UnsafePointer<plugboard_host_t>
    private var pendingSubmits: [UInt64: (Outcome) -> Void] = [:]
    /// Above the providers' own tags.
    private var lastCookie: UInt64 = Host.tagMax
    private var timers: [UInt64: () -> Void] = [:]
    private var listeners: [ListenerBox] = []
    private var queries: [UInt64: (Result<[DNSRecord], HostError>) -> Void] = [:]
    var pending = PendingAnswers()

    init(_ table: UnsafePointer<plugboard_host_t>) {
        self.table = table
    }

    var context: UnsafeMutableRawPointer? { table.pointee.context }

    /// Holds a listener's box, which the host table points to.
    func keep(_ listener: ListenerBox) {
        listeners.append(listener)
    }

    /// Drops a listener that is closed: no connection of it comes any more.
    func forget(_ listener: Listener) {
        listeners.removeAll { $0.listener === listener }
    }

    /// Drops all closures that wait for an answer, for they may hold the provider, which holds the host.
    func forgetAll() {
        pendingSubmits = [:]
        timers = [:]
        queries = [:]
        pending = PendingAnswers()
        listeners = []
    }

    // MARK: Envelopes

    /// What became of a submit call.
    public enum Submission: Hashable, Sendable {
        /// The router has it; what it makes of it is told to the closure.
        case taken
        /// No room: keep it, stop reading, and try again in ``Provider/room()``.
        case busy
    }

    /// Hands an envelope from the network to the router.
    ///
    /// - Parameter then: called exactly once if the envelope was taken, with `accepted` when it is
    ///   on disk (for durable kinds), or with `failed` and the reason.
    /// - Throws: ``HostError/invalidArgument``, ``HostError/limitReached``, ``HostError/shuttingDown``.
    public func submit(_ envelope: Envelope, then: ((Outcome) -> Void)? = nil) throws(HostError) -> Submission {
        var cookie: UInt64 = 0
        if let then {
            lastCookie += 1
            cookie = lastCookie
            pendingSubmits[cookie] = then
        }
        let status = envelope.withABI { table.pointee.submit(context, $0, cookie) }
        guard status < 0 else { return .taken }
        pendingSubmits[cookie] = nil
        if status == PLUGBOARD_BUSY { return .busy }
        throw HostError(status)
    }

    /// Asks for the rest, after ``Provider/deliver(_:)`` returned false.
    public func ready() {
        table.pointee.ready(context)
    }

    /// Routes to this instance what is addressed to a domain.
    ///
    /// - Throws: ``HostError/conflict`` if another instance has claimed it.
    public func claim(domain: String) throws(HostError) {
        try claim(PLUGBOARD_CLAIM_DOMAIN, domain)
    }

    /// Routes to this instance what is addressed to one address, also where its domain is another's.
    ///
    /// - Throws: ``HostError/conflict`` if another instance has claimed it.
    public func claim(address: Address) throws(HostError) {
        try claim(PLUGBOARD_CLAIM_ADDRESS, address.description)
    }

    private func claim(_ scope: UInt32, _ subject: String) throws(HostError) {
        try HostError.check(withBytes(subject) { table.pointee.claim(context, scope, $0) })
    }

    /// Settles what ``Provider/deliver(lent:)`` took, by its token; to be called exactly once.
    public func complete(_ token: UInt64, _ outcome: Outcome) {
        let status = outcome.withABI { table.pointee.complete(context, token, $0) }
        if status < 0 {
            log(.error, "an envelope was completed twice or with a bad outcome (token \(token), status \(status))")
        }
    }

    func submitted(_ cookie: UInt64, _ outcome: Outcome) {
        pendingSubmits.removeValue(forKey: cookie)?(outcome)
    }

    // MARK: Time and chance

    /// A running timer.
    public struct Timer: Hashable, Sendable {
        let handle: UInt64
    }

    /// Calls `body` once, no sooner than `milliseconds` from now.
    ///
    /// - Throws: ``HostError/limitReached``, ``HostError/shuttingDown``.
    public func startTimer(after milliseconds: UInt64, _ body: @escaping () -> Void) throws(HostError) -> Timer {
        var handle: plugboard_timer_t = 0
        try HostError.check(table.pointee.start_timer(context, milliseconds, nil, &handle))
        timers[handle] = body
        return Timer(handle: handle)
    }

    /// Stops a timer; one that has fired is left alone.
    public func cancel(_ timer: Timer) {
        if timers.removeValue(forKey: timer.handle) != nil {
            _ = table.pointee.cancel_timer(context, timer.handle)
        }
    }

    func fired(_ timer: UInt64) {
        timers.removeValue(forKey: timer)?()
    }

    /// Milliseconds since 1970.
    public var wallClock: Int64 { table.pointee.wall_ms(context) }

    /// Nanoseconds since some moment; never goes back.
    public var monotonicClock: UInt64 { table.pointee.monotonic_ns(context) }

    /// Bytes fit for keys and nonces.
    public func randomBytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            table.pointee.random(context, buffer.baseAddress, count)
            initialized = count
        }
    }

    // MARK: Names

    /// Looks up a name; the answer comes exactly once, later.
    ///
    /// A name without such records is an empty success.
    public func resolve(
        _ type: DNSRecord.Kind,
        _ name: String,
        then: @escaping (Result<[DNSRecord], HostError>) -> Void
    ) throws(HostError) {
        var query: plugboard_query_t = 0
        try HostError.check(withBytes(name) { table.pointee.resolve(context, type.rawValue, $0, nil, &query) })
        queries[query] = then
    }

    func resolved(_ query: UInt64, _ answer: Result<[DNSRecord], HostError>) {
        queries.removeValue(forKey: query)?(answer)
    }

    // MARK: Log and extensions

    /// How important a line of the log is.
    public enum LogLevel: UInt32, Sendable {
        case trace = 0
        case debug = 1
        case info = 2
        case notice = 3
        case warning = 4
        case error = 5
    }

    /// A hash function of the host.
    public enum Digest: UInt32, Sendable {
        case md5 = 1
        case sha1 = 2
        case sha256 = 3
    }

    /// Hashes bytes; with a key, HMAC (RFC 2104).
    ///
    /// - Throws: ``HostError/unsupported`` if the host has no digests.
    public func digest(_ algorithm: Digest, _ data: [UInt8], key: [UInt8]? = nil) throws(HostError) -> [UInt8] {
        guard
            let table = table.pointee.extension(context, PLUGBOARD_EXT_DIGEST)?
                .assumingMemoryBound(to: plugboard_digest_t.self)
        else { throw .unsupported }
        var output = [UInt8](repeating: 0, count: Int(PLUGBOARD_DIGEST_BYTES_MAX))
        let length = withBytes(data) { data in
            guard let key else { return table.pointee.hash(context, algorithm.rawValue, data, &output) }
            return withBytes(key) { table.pointee.hmac(context, algorithm.rawValue, $0, data, &output) }
        }
        try HostError.check(length)
        return Array(output.prefix(Int(length)))
    }
}

/// One answer of the name service.
public struct DNSRecord: Hashable, Sendable {
    /// What is asked for.
    public enum Kind: UInt32, Sendable {
        /// A and AAAA.
        case address = 1
        case srv = 2
        case txt = 3
    }

    /// IP literal, SRV target (`.`: the service is not offered), or text.
    public var value: String
    /// SRV only.
    public var port: UInt16
    /// SRV only.
    public var priority: UInt16

    /// For tests of providers, which have no host.
    public init(value: String, port: UInt16 = 0, priority: UInt16 = 0) {
        self.value = value
        self.port = port
        self.priority = priority
    }

    init(_ source: plugboard_record_t) {
        self.init(value: source.value.string, port: source.port, priority: source.priority)
    }
}
