internal import CPlugboard
public import ProviderKit

/// One instance of a plugin in a ``Simulation``: what the real host's would be, seen from the test.
public final class SimulatedInstance {
    /// Where an instance is in its life.
    public enum State: String, Sendable {
        case creating
        case created
        case running
        case draining
        /// Its streams are being closed.
        case closing
        /// Inside stop().
        case stopping
        case destroying
        case destroyed
    }

    /// Its name in the configuration.
    public let id: String
    /// Where it is on the simulated network.
    public let address: String
    /// Where it is in its life.
    public internal(set) var state = State.creating
    /// What it logged, as `warning: text`; the first ``logLinesMax`` lines.
    public internal(set) var log: [String] = []
    /// What it claimed, in order.
    public internal(set) var claims: [String] = []
    /// Claims that belong to somebody else.
    public var foreignClaims: Set<String> = []
    /// Home domains that this instance serves: `served_by` names it, and it may claim them.
    public var servedDomains: Set<String> = []
    /// The certificates that it is configured with, by their names.
    public var identities: [String: SimulatedCertificate] = [:]
    /// The envelopes that the router took from it, in order.
    public internal(set) var submitted: [Envelope] = []
    /// What the router makes of an envelope; nil: it accepts it.
    public var verdict: (Envelope) -> Outcome.Reason? = { _ in nil }

    /// The most log lines that are kept.
    public static let logLinesMax = 1000

    unowned let simulation: Simulation
    let plugin: TestedPlugin
    let index: Int
    let table: UnsafeMutablePointer<plugboard_host_t>
    /// The organisation's, which nobody else can claim.
    let homeDomains: [String]
    private(set) var provider: UnsafePointer<plugboard_provider_t>?
    private(set) var pointer: UnsafeMutableRawPointer?
    /// Calls into the instance that are under way: none or one.
    private(set) var depth = 0

    var streams: [UInt64: SimulatedStream] = [:]
    var listeners: [UInt64: SimulatedListener] = [:]
    var timers: [UInt64: UnsafeMutableRawPointer?] = [:]
    var queries: Set<UInt64> = []
    var lastHandle: UInt64 = 0x1_0000_0000
    /// The handles that were ever given out, by what they are.
    var issued: [UInt64: HandleKind] = [:]
    /// Streams that do not read since a submit answered BUSY, the longest waiting first.
    var refusedStreams: [SimulatedStream] = []
    var lane = SimulatedLane()
    /// Streams that stop() has closed, and whose closed() is yet to come.
    var closingHandles: Set<UInt64> = []
    /// Set by a submit that answered BUSY during the present call.
    var wasRefused = false
    var isWaitingForRoom = false
    var untold: [(cookie: UInt64, refusal: Outcome.Reason?)] = []
    /// The plugin's tables for the answers of the stores.
    var storeEvents: [SimulatedStore.Kind: plugboard_store_events_t] = [:]
    /// Requests to the stores without an answer, and the bytes in them.
    var storePending = 0
    var storePendingBytes = 0
    /// When the last of them is answered, in ns.
    var storeAnswerAt: UInt64 = 0
    /// The plugin's table for what becomes of accounts.
    var accountEvents: plugboard_accounts_events_t?
    var isFollowingAccounts = false
    /// The accounts that it was told of, by their handles.
    var accountNames: [UInt64: String] = [:]
    /// Requests for passwords without an answer.
    var accountRequests = 0
    /// When the last of what it is told of accounts comes, in ns.
    var accountNewsAt: UInt64 = 0
    var meters = SimulatedMetrics()
    var sockets: [UInt64: SimulatedSocket] = [:]
    var udpEvents: plugboard_udp_events_t?
    var exchanges: [UInt64: SimulatedExchange] = [:]
    var httpEvents: plugboard_http_events_t?
    /// Web servers to which a connection was kept.
    var keptOrigins: Set<SimulatedURL.Origin> = []
    /// Timers that ran when nothing had happened yet.
    var timersAtRest = 0
    var watched: [WatchedObject] = []

    /// What a handle names.
    enum HandleKind {
        case stream
        case listener
        case timer
        case query
        case storeRequest
        case account
        case accountRequest
        case metric
        case series
        case socket
        case exchange
    }

    /// An object of the plugin's that must not outlive it.
    struct WatchedObject {
        weak var object: AnyObject?
        let name: String
    }

    init(_ simulation: Simulation, _ plugin: TestedPlugin, id: String, index: Int, homeDomains: [String]) {
        self.homeDomains = homeDomains
        self.simulation = simulation
        self.plugin = plugin
        self.id = id
        self.index = index
        address = "198.51.100.\(index + 1)"
        table = .allocate(capacity: 1)
        table.initialize(to: HostTable.make(context: Unmanaged.passUnretained(self).toOpaque()))
    }

    deinit {
        table.deallocate()
    }

    var isActive: Bool { state == .running || state == .draining }

    func newHandle(_ kind: HandleKind) -> UInt64 {
        lastHandle += 1
        issued[lastHandle] = kind
        return lastHandle
    }

    /// Makes a call into the instance.
    func call<R>(_ body: (plugboard_provider_t, UnsafeMutableRawPointer?) -> R) -> R {
        guard let provider else { preconditionFailure("a call into an instance that was not made") }
        precondition(depth == 0, "a call into \(id) inside another one")
        depth += 1
        defer { depth -= 1 }
        return body(provider.pointee, pointer)
    }

    // MARK: Life

    /// Has the plugin check the settings, and make an instance of them.
    func create(_ settings: [(path: String, value: String)]) throws(InstanceRefusal) {
        simulation.note(.create, self)
        let sink = ProblemSink()
        depth += 1
        withABI(settings, sink) { info in
            plugin.table.pointee.check(plugin.table.pointee.context, info)
            guard !sink.hasErrors else { return }
            provider = plugin.table.pointee.create(plugin.table.pointee.context, table, info, &pointer)
        }
        depth -= 1
        guard let provider else {
            state = .destroyed
            throw InstanceRefusal(sink.sentences.isEmpty ? ["create() gave no reason"] : sink.sentences)
        }
        state = .created
        if let object = plugin.made.last { watch(object, "the provider") }
        if !HostTable.isComplete(provider) {
            simulation.violate(.incompleteTable, "its provider table is too short or has gaps", by: self)
        }
    }

    /// Starts an instance that was made.
    ///
    /// - Throws: ``InstanceRefusal`` if it does not start; it is destroyed then.
    public func start() throws(InstanceRefusal) {
        precondition(state == .created, "only what was made can be started")
        state = .running
        findEvents()
        simulation.note(.start, self)
        let status = call { $0.start($1) }
        simulation.note(.started, self, UInt64(bitPattern: Int64(status)))
        guard status < 0 else {
            timersAtRest = timers.count
            return
        }
        end(callStop: false)
        throw InstanceRefusal(["start() returned \(status)"] + log.suffix(3))
    }

    /// Asks the instance to end its work in an orderly way; time has to pass for that.
    public func drain() {
        guard state == .running else { return }
        state = .draining
        simulation.note(.drain, self)
        call { $0.drain($1) }
    }

    /// The provider's own object, to look into it; nil unless it is linked into the tests and of this class.
    ///
    /// The test must not keep it: it has to be gone when the instance is.
    public func provider<P: Provider>(as type: P.Type) -> P? {
        watched.lazy.compactMap { $0.object as? P }.first
    }

    /// Whether no stream is open and nothing unsettled.
    public var isIdle: Bool { streams.isEmpty && lane.inFlight.isEmpty }

    /// Closes what is open, stops the instance and destroys it; no call into it follows.
    ///
    /// One that was not started is destroyed only.
    public func stop() {
        switch state {
        case .created: end(callStop: false)
        case .running, .draining: end(callStop: true)
        case .creating, .closing, .stopping, .destroying, .destroyed: return
        }
    }

    private func end(callStop: Bool) {
        state = .closing
        closeEverything()
        if callStop {
            state = .stopping
            simulation.note(.stop, self)
            call { $0.stop($1) }
            simulation.note(.stopped, self)
        }
        state = .destroying
        simulation.note(.destroy, self)
        call { $0.destroy($1) }
        state = .destroyed
        timers = [:]
        let left = watched.first { $0.object != nil }
        if let left {
            simulation.violate(
                .objectsLeft,
                "\(left.name) was not freed by destroy(): something still holds it",
                by: self
            )
        }
    }

    /// Notes an object that must be gone when the instance is.
    func watch(_ object: AnyObject, _ name: String) {
        watched.removeAll { $0.object == nil }
        watched.append(WatchedObject(object: object, name: name))
    }

    /// The links to the network as the plugin reports them.
    public var links: [LinkReport] {
        guard isActive else { return [] }
        return call { provider, pointer in
            guard let found = provider.extension(pointer, PLUGBOARD_EXT_STATUS) else { return [] }
            let table = found.assumingMemoryBound(to: plugboard_status_extension_t.self)
            let sink = LinkSink()
            table.pointee.links(pointer, Unmanaged.passUnretained(sink).toOpaque()) { sink, link in
                guard let sink, let link else { return }
                Unmanaged<LinkSink>.fromOpaque(sink).takeUnretainedValue().append(link.pointee)
            }
            return sink.reports
        }
    }

    /// Whether the plugin answers an unknown extension, as no plugin should.
    func answersUnknownExtension() -> Bool {
        call { $0.extension($1, "plugboard.no-such-thing/1") != nil }
    }
}

/// Receives links during one call.
private final class LinkSink {
    private(set) var reports: [LinkReport] = []

    func append(_ link: plugboard_link_t) {
        reports.append(
            LinkReport(
                name: link.name.text,
                state: LinkReport.State(rawValue: link.state) ?? .down,
                detail: link.detail.text,
                sent: link.sent,
                received: link.received,
                waiting: link.waiting,
                since: link.since_ms
            )
        )
    }
}

/// Receives what a plugin finds wrong with its settings.
private final class ProblemSink {
    private(set) var sentences: [String] = []
    private(set) var hasErrors = false

    func append(_ severity: UInt32, _ path: String, _ sentence: String) {
        sentences.append(path.isEmpty ? sentence : "\(path) \(sentence)")
        if severity != PLUGBOARD_PROBLEM_WARNING { hasErrors = true }
    }
}

extension SimulatedInstance {
    /// Lends what the host tells an instance at its creation.
    private func withABI(
        _ settings: [(path: String, value: String)],
        _ sink: ProblemSink,
        _ body: (UnsafePointer<plugboard_instance_t>) -> Void
    ) {
        let problems = plugboard_problems_t(
            struct_size: structSize(plugboard_problems_t.self),
            reserved: 0,
            context: Unmanaged.passUnretained(sink).toOpaque(),
            report: { context, severity, path, sentence in
                guard let context else { return }
                Unmanaged<ProblemSink>.fromOpaque(context).takeUnretainedValue()
                    .append(severity, path.text, sentence.text)
            }
        )
        lending([id] + settings.flatMap { [$0.path, $0.value] } + homeDomains) { spans in
            let entries = settings.indices.map { index in
                plugboard_setting_t(
                    struct_size: structSize(plugboard_setting_t.self),
                    reserved: 0,
                    path: spans[1 + 2 * index],
                    value: spans[2 + 2 * index]
                )
            }
            let domains = Array(spans[(1 + 2 * settings.count)...])
            withUnsafePointer(to: problems) { problems in
                entries.withUnsafeBufferPointer { entries in
                    domains.withUnsafeBufferPointer { domains in
                        let info = plugboard_instance_t(
                            struct_size: structSize(plugboard_instance_t.self),
                            reserved: 0,
                            id: spans[0],
                            settings: entries.baseAddress,
                            setting_count: entries.count,
                            home_domains: domains.baseAddress,
                            home_domain_count: domains.count,
                            problems: problems
                        )
                        withUnsafePointer(to: info, body)
                    }
                }
            }
        }
    }
}
