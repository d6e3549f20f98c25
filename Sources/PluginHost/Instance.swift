package import CPlugboard
package import HostServices
package import Logging
package import Telemetry
package import Vault

/// A running plugin: one provider, its host table, and the services behind that table.
///
/// It belongs to one worker: it is made there, and every use of it is there. Calls into the provider
/// never overlap and never happen inside one of its own host calls.
package final class Instance {
    /// Where an instance is in its life.
    package enum State: String, Sendable {
        case created
        case running
        case draining
        case stopped
    }

    /// Its name in the configuration.
    package let id: String
    /// Its place in the router's list of instances.
    package let index: Int
    /// The plugin it is an instance of.
    package let plugin: Plugin
    /// Where it is in its life.
    @exclusivity(unchecked) package private(set) var state = State.created

    let worker: Worker
    let streams: StreamService
    let timers: TimerService
    let resolutions: ResolutionService
    let extras: ExtraServices
    let logger: Logger
    let watch: CallWatch
    /// Held, for counting references to it would be done for every message; the router lets go of its instances at its end.
    let router: any EnvelopeRouter

    /// The table that was handed to the plugin; freed after destroy.
    private let hostTable: UnsafeMutablePointer<plugboard_host_t>
    private let hostContext: HostContext
    private let provider: UnsafePointer<plugboard_provider_t>
    private let pointer: UnsafeMutableRawPointer?
    /// Set by a submit that answered BUSY during the present callback.
    @exclusivity(unchecked) var wasRefused = false
    /// Inside stop(): what is held may be settled, and nothing new is taken.
    @exclusivity(unchecked) private(set) var isStopping = false
    /// The command that runs now, if one does.
    var commandSink: CommandSink?
    private var faultLog = LogLimit<String>(pauseNs: 10_000_000_000)
    /// The streams that are open, and whether they were accepted.
    var openStreams: [StreamHandle: Bool] = [:]
    var listenerUsers: [ListenerHandle: UnsafeMutableRawPointer?] = [:]
    var timerUsers: [TimerHandle: UnsafeMutableRawPointer] = [:]
    var queryUsers: [ResolutionHandle: UnsafeMutableRawPointer] = [:]

    /// The services that an instance is given.
    package struct Services {
        package var worker: Worker
        package var limits: ServiceLimits
        package var tls: TLSIdentities
        package var resolver: Resolver
        package var logger: Logger
        /// Where instances keep what they want to keep; nil: nowhere.
        package var store: (any KeyValueBackend)?
        /// Where instances keep secrets; nil: nowhere.
        package var vault: (any KeyValueBackend)?
        /// Where the home users' accounts on the instances' networks are; nil: nowhere.
        package var accounts: (any AccountSource)?
        /// Where instances' metrics go.
        package var metrics: MetricsRegistry
        /// The worker's: is told of each call into the plugin.
        package var watch: CallWatch

        package init(
            worker: Worker,
            limits: ServiceLimits,
            tls: TLSIdentities,
            resolver: Resolver,
            logger: Logger,
            store: (any KeyValueBackend)? = nil,
            vault: (any KeyValueBackend)? = nil,
            accounts: (any AccountSource)? = nil,
            metrics: MetricsRegistry = MetricsRegistry(),
            watch: CallWatch = CallWatch()
        ) {
            self.worker = worker
            self.limits = limits
            self.tls = tls
            self.resolver = resolver
            self.logger = logger
            self.store = store
            self.vault = vault
            self.accounts = accounts
            self.metrics = metrics
            self.watch = watch
        }
    }

    /// Makes an instance on its worker's loop.
    ///
    /// - Throws: ``InstanceError``, with what the plugin said.
    package init(
        index: Int,
        settings: InstanceSettings,
        plugin: Plugin,
        services: Services,
        router: any EnvelopeRouter
    ) throws(InstanceError) {
        self.id = settings.id
        self.index = index
        self.plugin = plugin
        self.router = router
        self.worker = services.worker
        self.watch = services.watch
        var logger = services.logger
        logger[metadataKey: LogField.provider.rawValue] = "\(settings.id)"
        self.logger = logger
        streams = StreamService(
            worker: worker,
            limits: services.limits,
            tls: services.tls,
            resolver: services.resolver,
            logger: logger
        )
        timers = TimerService(worker: worker, limits: services.limits)
        resolutions = ResolutionService(worker: worker, limits: services.limits, resolver: services.resolver)

        extras = ExtraServices(services, space: settings.id, logger: logger)

        let hostTable = UnsafeMutablePointer<plugboard_host_t>.allocate(capacity: 1)
        let hostContext = HostContext(logger: logger)
        hostTable.initialize(to: HostTable.make(hostContext))
        self.hostTable = hostTable
        self.hostContext = hostContext
        let collector = ProblemCollector()
        var pointer: UnsafeMutableRawPointer?
        services.watch.enter(.create, index)
        defer { services.watch.leave() }
        let table = settings.withABI(problems: collector) { instance in
            plugin.table.pointee.create(plugin.table.pointee.context, hostTable, instance, &pointer)
        }
        guard let table, HostTable.isComplete(table) else {
            hostTable.deallocate()
            if table != nil { throw .incompleteTable(instance: settings.id, plugin: plugin.path) }
            throw .notCreated(instance: settings.id, problems: collector.problems)
        }
        self.provider = table
        self.pointer = pointer
        hostContext.unmanagedInstance = Unmanaged.passUnretained(self)
        streams.delegate = self
        timers.delegate = self
        resolutions.delegate = self
        extras.setDelegate(self)
    }

    deinit {
        hostTable.deallocate()
    }

    /// Whether the instance may use the services and the router now.
    var isActive: Bool { state == .running || state == .draining }

    // MARK: Life

    /// Lets the provider listen, and bind, where its predecessor does, while it starts; nil ends that.
    package func inheritListeners(of predecessor: Instance?) {
        streams.inheritListeners(of: predecessor?.streams)
        extras.udp.inheritSockets(of: predecessor?.extras.udp)
    }

    /// Accepts no connection and receives no datagram any more: the successor does.
    package func closeListeners() {
        streams.closeListeners()
        extras.udp.stopReceiving()
    }

    /// Starts the provider.
    ///
    /// - Throws: ``InstanceError/notStarted(instance:status:)``; the instance is destroyed then.
    package func start() throws(InstanceError) {
        state = .running
        watch.enter(.start, index)
        extras.askForEvents(of: provider, pointer)
        let status = provider.pointee.start(pointer)
        watch.leave()
        guard status < 0 else { return }
        finish(callStop: false)
        throw .notStarted(instance: id, status: status)
    }

    /// Asks the provider to end its work in an orderly way.
    package func drain() {
        guard state == .running else { return }
        state = .draining
        watch.enter(.drain, index)
        defer { watch.leave() }
        provider.pointee.drain(pointer)
    }

    /// Whether a draining instance has nothing open any more.
    package var isIdle: Bool { openStreams.isEmpty }

    /// Ends the instance: closes what is open, and destroys the provider, also one that was not started.
    ///
    /// No call into it follows.
    package func stop() {
        guard state != .stopped else { return }
        finish(callStop: isActive)
    }

    private func finish(callStop: Bool) {
        watch.enter(.stop, index)
        defer { watch.leave() }
        let open = openStreams.keys.map { ($0, streams.user($0)) }
        openStreams = [:]
        streams.closeAll()
        for (stream, user) in open { tellClosed(stream, user, .aborted) }
        timers.closeAll()
        resolutions.closeAll()
        extras.closeAll()
        isStopping = true
        if callStop { provider.pointee.stop(pointer) }
        state = .stopped
        provider.pointee.destroy(pointer)
    }

    // MARK: Envelopes

    /// Offers envelopes; the result says how many were taken, from the front.
    package func deliver(_ envelopes: UnsafeBufferPointer<UnsafePointer<plugboard_envelope_t>?>) -> Int {
        guard isActive else { return 0 }
        watch.enter(.deliver, index)
        let taken = provider.pointee.deliver(pointer, envelopes.baseAddress, envelopes.count)
        watch.leave()
        guard (0...envelopes.count).contains(taken) else {
            logFault("the plugin says it took more envelopes than it was offered")
            return envelopes.count
        }
        return taken
    }

    /// Logs a fault of the plugin's, now and then: it may come with each call.
    func logFault(_ sentence: String) {
        guard let held = faultLog.admit(sentence, nowNs: HostClock.monotonicNs()) else { return }
        logger.log(.error, sentence, held > 0 ? [.heldBack: "\(held)"] : [:])
    }

    /// Tells what became of submitted envelopes.
    package func submitted(_ results: UnsafeBufferPointer<plugboard_submitted_t>) {
        guard isActive else { return }
        watch.enter(.submitted, index)
        defer { watch.leave() }
        provider.pointee.submitted(pointer, results.baseAddress, results.count)
    }

    /// Tells that there is room again after a submit that answered BUSY.
    package func room() {
        guard isActive else { return }
        wasRefused = false
        watch.enter(.room, index)
        provider.pointee.room(pointer)
        watch.leave()
        if !wasRefused { streams.resumeAll() }
    }

    /// The links to the network as the provider reports them; none if it reports none.
    package func links() -> [InstanceLink] {
        watch.enter(.links, index)
        defer { watch.leave() }
        guard isActive, let found = provider.pointee.extension(pointer, PLUGBOARD_EXT_STATUS) else { return [] }
        let table = found.assumingMemoryBound(to: plugboard_status_extension_t.self)
        guard table.pointee.struct_size >= ABISize.statusExtension,
            let report = table.pointee.links
        else { return [] }
        let sink = LinkSink()
        report(pointer, Unmanaged.passUnretained(sink).toOpaque()) { sink, link in
            guard let sink, let link else { return }
            Unmanaged<LinkSink>.fromOpaque(sink).takeUnretainedValue().append(readABI(link))
        }
        return sink.links
    }

    /// Tells the provider that the organisation serves other domains.
    ///
    /// - Returns: whether it goes on with them; false if another instance has to take its place.
    package func takesOverHomeDomains(_ domains: [String]) -> Bool {
        watch.enter(.homes, index)
        defer { watch.leave() }
        typealias Table = plugboard_homes_extension_t
        guard isActive,
            let table = HostExtensions.events(PLUGBOARD_EXT_HOMES, of: provider, pointer, as: Table.self)
        else { return false }
        return withTexts(domains) { spans in
            spans.withUnsafeBufferPointer { table.changed(pointer, $0.baseAddress, $0.count) == PLUGBOARD_OK }
        }
    }

    /// Calls the provider's functions about streams, timers and names.
    var calls: (table: plugboard_provider_t, pointer: UnsafeMutableRawPointer?) { (provider.pointee, pointer) }
}

/// Why an instance does not run.
package enum InstanceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The plugin made none; what it reported.
    case notCreated(instance: String, problems: [SettingProblem])
    /// The table of its functions is too short or has gaps.
    case incompleteTable(instance: String, plugin: String)
    /// It was made, but did not start.
    case notStarted(instance: String, status: Int32)

    package var description: String {
        switch self {
        case .notCreated(let instance, let problems) where problems.isEmpty:
            "\(instance) was not created, and its plugin does not say why"
        case .notCreated(let instance, let problems):
            "\(instance) was not created: "
                + problems.map { $0.path.isEmpty ? $0.sentence : "\($0.path) \($0.sentence)" }.joined(separator: "; ")
        case .incompleteTable(let instance, let plugin):
            "\(instance) was not created: the provider table of \(plugin) is incomplete"
        case .notStarted(let instance, let status):
            "\(instance) did not start (status \(status)): its log line says why"
        }
    }
}
