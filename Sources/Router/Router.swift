package import Configuration
package import Directory
internal import Foundation
internal import HostServices
package import IMModel
internal import Lanes
package import Logging
internal import NIOConcurrencyHelpers
package import PluginHost
internal import Policy
internal import PolicyStore
internal import Spool
internal import Synchronization
package import Telemetry
internal import Vault

/// A whole router: workers, plugins, lanes, spool and the home users.
///
/// The library that hosts embed.
///
///     let router = try Router(configuration: configuration, logger: logger)
///     let setups = try await router.start()      // what each provider came to
///     …
///     await router.shutdown()
///
/// One process may hold several. All methods may be called from any thread. A router that was made is to be shut down,
/// also if it was not started.
package final class Router: Sendable {
    /// What the home users have received.
    package let inbox: Inbox
    /// Their contacts, presence and linked accounts.
    package let directory: HomeDirectory

    let configuration: RouterConfiguration
    let linked: [String: Plugin]
    let logger: Logger
    let workers: [Worker]
    let resolver: Resolver
    let tls: TLSIdentities
    let store: (any RouterStore)?
    /// What the instances keep.
    let instanceStore: KeyValueStore
    /// What they keep sealed.
    let vault: SecretVault?
    /// The seats that operators have assigned, and the audit log.
    let seats: SeatStore
    /// What the router and its instances count.
    let metrics: MetricsRegistry
    let routerMetrics: RouterMetrics
    let core: RouterCore
    let home = HomeHolder()
    let connectors = ConnectorGroup()
    private let startedAt = HostClock.wallMs()
    private let phase = NIOLockedValueBox(Phase.made)
    /// One change of what runs at a time: a reload, an upgrade, the end.
    let turns = TurnLock()
    /// Providers that are tried again, by name.
    let startRetries = NIOLockedValueBox<[String: Task<Void, Never>]>([:])
    let watchdog = NIOLockedValueBox<Watchdog?>(nil)
    /// Called, on a thread of the router's, about a provider that holds up a worker for ever which others need: the host
    /// is to start the process anew without it.
    let onLost: (@Sendable (LostProvider) -> Void)?
    /// What the router runs by now.
    let applied: NIOLockedValueBox<Applied>

    /// A configuration and what has become of its providers.
    struct Applied {
        var configuration: RouterConfiguration
        var setups: [ProviderSetup]
    }

    /// Where a router is in its life.
    enum Phase {
        case made
        case running
        case stopping
        /// The workers' threads may be gone.
        case stopped
    }

    /// Opens the files and sets up the services; nothing moves before ``start()``.
    ///
    /// - Parameters:
    ///   - linked: plugins that are part of this program, by the name that the configuration gives them.
    ///   - limits: of the message path.
    ///   - observer: watches envelopes travel; costs time on the message path.
    ///   - metrics: where the router and its instances count; another one for each router.
    /// - Throws: ``RouterError``.
    package convenience init(
        configuration: RouterConfiguration,
        linked: [String: Plugin] = [:],
        limits: RouterLimits = RouterLimits(),
        logger: Logger,
        observer: (any RouterObserver)? = nil,
        metrics: MetricsRegistry = MetricsRegistry(),
        onLost: (@Sendable (LostProvider) -> Void)? = nil
    ) throws(RouterError) {
        try self.init(
            configuration: configuration,
            linked: linked,
            limits: limits,
            logger: logger,
            observer: observer,
            metrics: metrics,
            openStore: { path throws(SpoolError) in
                try SQLiteSpool(path: path, limits: SpoolLimits(configuration.spool))
            },
            onLost: onLost
        )
    }

    /// Opens a spool with the ordinary limits.
    static func openSpool(_ path: String) throws(SpoolError) -> any RouterStore { try SQLiteSpool(path: path) }

    /// The same, with a spool of the caller's.
    init(
        configuration: RouterConfiguration,
        linked: [String: Plugin],
        limits: RouterLimits,
        logger: Logger,
        observer: (any RouterObserver)?,
        metrics: MetricsRegistry = MetricsRegistry(),
        openStore: (String) throws(SpoolError) -> any RouterStore,
        onLost: (@Sendable (LostProvider) -> Void)? = nil
    ) throws(RouterError) {
        self.onLost = onLost
        self.configuration = configuration
        self.applied = NIOLockedValueBox(Applied(configuration: configuration, setups: []))
        self.linked = linked
        self.logger = logger
        self.metrics = metrics
        routerMetrics = RouterMetrics(metrics)
        let state = configuration.router.state
        try Self.makeFolder(state)
        tls = try Self.identities(configuration.tls)
        let assigned: [AssignedSeat]
        do {
            store = configuration.spool.durable ? try openStore("\(state)/spool.db") : nil
            inbox = try Inbox(path: "\(state)/inbox.db")
            instanceStore = try KeyValueStore(path: "\(state)/store.db")
            vault = try Self.openVault(configuration)
            seats = try SeatStore(path: "\(state)/policy.db")
            assigned = try seats.seats()
            directory = try HomeDirectory(path: "\(state)/directory.db", vault: vault)
        } catch {
            throw .storage("\(error)")
        }
        // Last of what can fail: it has a thread of its own.
        resolver = try Self.resolver(configuration.dns)
        let own = configuration.providers.filter(\.hasOwnWorker).map(\.name)
        let names = (0..<configuration.router.workers).map { "worker-\($0)" } + own
        workers = names.enumerated().map { Worker(index: $0, name: $1) }
        core = RouterCore(
            name: configuration.router.id,
            options: RouterCore.Options(configuration.spool, limits),
            workers: workers,
            homeDomains: configuration.home.domains.map(\.name),
            homeServers: configuration.home.servers,
            isDurable: configuration.spool.durable,
            policy: Self.snapshot(configuration.policy, assigned, seats),
            contacts: ContactLookup { [index = directory.contacts.index] owner, contact in
                index.hasAdded(owner: owner, contact: contact)
            },
            audit: RefusalAudit(seats, logger),
            logger: logger,
            observer: observer
        )
    }

    // MARK: What hosts ask for

    /// Hands in what a home user has written.
    ///
    /// - Parameter envelope: its `id` is made here if it is empty.
    /// - Returns: the id, and what the router makes of it: `accepted` or `failed`.
    package func send(_ envelope: Envelope) async -> (id: String, outcome: Outcome) {
        await withCheckedContinuation { continuation in
            let isRunning = ifIn([.running]) {
                workers[0].run { [home] in
                    home.send(envelope) { continuation.resume(returning: ($0, $1)) }
                }
            }
            if !isRunning { continuation.resume(returning: (envelope.id, HomeHolder.notRunning)) }
        }
    }

    /// How the router stands now; without its instances if it is stopped.
    package func status() async -> RouterStatus {
        var instances: [RouterStatus.InstanceStatus] = []
        for runtime in core.runtimes {
            let status = await onLoop(of: runtime, isPatient: false) { $0.isRemoved ? nil : $0.status }
            if let status {
                if let status { instances.append(status) }
            } else if isIn([.made, .running, .stopping]) {
                let plugin = setups.first { $0.name == runtime.name }?.plugin?.description
                instances.append(runtime.statusFromOutside(of: plugin))
            }
        }
        return RouterStatus(
            name: configuration.router.id,
            uptimeMs: HostClock.wallMs() - startedAt,
            workers: workers.count,
            instances: instances,
            spool: store.flatMap { try? $0.counts() }
        )
    }

    // MARK: Helpers

    /// Whether the router is in one of these phases.
    func isIn(_ phases: Set<Phase>) -> Bool { phase.withLockedValue { phases.contains($0) } }

    /// Goes from one phase to the next; false if the router is in none of `phases`.
    func advance(from phases: Set<Phase>, to next: Phase) -> Bool {
        phase.withLockedValue { phase in
            guard phases.contains(phase) else { return false }
            phase = next
            return true
        }
    }

    /// Does something quick that must not happen once the router has left these phases; false if it has.
    @discardableResult
    func ifIn(_ phases: Set<Phase>, _ body: () -> Void) -> Bool {
        phase.withLockedValue { phase in
            guard phases.contains(phase) else { return false }
            body()
            return true
        }
    }

    /// Runs `body` on an instance's loop; nil if the loops may be gone, or this one was given up.
    ///
    /// - Parameter isPatient: whether to wait for a worker that is stuck in a plugin.
    @discardableResult
    func onLoop<T: Sendable>(
        of runtime: InstanceRuntime,
        isPatient: Bool = true,
        _ body: @escaping @Sendable (InstanceRuntime) -> T
    ) async -> T? {
        let bound = LoopBound(value: runtime)
        let waits = runtime.context.waits
        return await withCheckedContinuation { continuation in
            let wait = PendingWaits.Wait<T>(continuation)
            let isThere = ifIn([.made, .running, .stopping]) {
                guard let place = waits.add(wait, isPatient: isPatient) else { return }
                bound.value.context.worker.run {
                    waits.remove(place)
                    wait.answer(body(bound.value))
                }
            }
            if !isThere { wait.answer(nil) }
        }
    }

    private static func makeFolder(_ path: String) throws(RouterError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw .stateFolder(path: path, reason: error.localizedDescription)
        }
    }

    private static func openVault(_ configuration: RouterConfiguration) throws(StoreError) -> SecretVault? {
        let source: VaultKeySource
        switch configuration.vault.key {
        case nil: return nil
        case .file(let path): source = .file(path)
        case .environment(let name): source = .environment(name)
        }
        return try SecretVault.open(path: "\(configuration.router.state)/vault.db", source: source)
    }

    private static func resolver(_ section: DNSSection) throws(RouterError) -> Resolver {
        do {
            let hosts = section.hosts.map { ($0.name, $0.addresses) }
            return try Resolver(
                ResolverOptions(
                    servers: section.servers.map(\.description),
                    hosts: Dictionary(hosts) { first, _ in first }
                )
            )
        } catch {
            throw .resolver("\(error)")
        }
    }

    static func identities(_ section: TLSSection) throws(RouterError) -> TLSIdentities {
        do {
            let sources = try section.sources
            return try TLSIdentities(identities: sources, defaultName: sources.first?.name, trust: section.trusted)
        } catch {
            throw .tls("\(error)")
        }
    }

    /// Reads certificates and authorities again, for new handshakes.
    static func reload(_ identities: TLSIdentities, _ section: TLSSection) throws(RouterError) {
        do {
            let sources = try section.sources
            try identities.reload(identities: sources, defaultName: sources.first?.name, trust: section.trusted)
        } catch {
            throw .tls("\(error)")
        }
    }
}

extension TLSSection {
    /// Where the router's own certificates come from.
    fileprivate var sources: [TLSIdentitySource] {
        get throws {
            try identities.map { identity in
                TLSIdentitySource(
                    name: identity.domain,
                    certificateChain: .file(identity.certificate),
                    key: .bytes(Array(try identity.key.resolve().text.utf8))
                )
            }
        }
    }

    /// Whom the router trusts.
    fileprivate var trusted: TrustSource { trust.map { TrustSource.pem($0.map { .file($0) }) } ?? .system }
}

/// A spool that can be closed.
protocol RouterStore: SpoolStore {
    func close() throws(SpoolError)
}

extension SQLiteSpool: RouterStore {}

extension SpoolLimits {
    /// The limits that a configuration sets.
    init(_ section: SpoolSection) {
        self.init()
        deadLettersMax = section.deadLetters.count
        deadLettersAgeMaxMs = DurationText.milliseconds(section.deadLetters.keep)
    }
}

extension InstanceRuntime {
    /// The instance at this moment.
    ///
    /// On its loop.
    fileprivate var status: RouterStatus.InstanceStatus {
        RouterStatus.InstanceStatus(
            name: name,
            plugin: instance?.plugin.description.id ?? "",
            version: instance?.plugin.description.version ?? "",
            state: failure == nil ? instance?.state.rawValue ?? "starting" : "failed",
            failure: failure ?? "",
            laneDepth: lane.count,
            laneCapacity: lane.capacity,
            inFlight: inFlight.count,
            parked: parked.count,
            streams: instance?.streamCount ?? 0,
            counters: counters,
            slowCalls: slowCalls.load(ordering: .relaxed),
            links: instance?.links() ?? [],
            watched: watchedPartners
        )
    }
}

extension InstanceRuntime {
    /// What can be said of an instance whose worker does not answer.
    ///
    /// Any thread.
    fileprivate func statusFromOutside(of plugin: PluginDescription?) -> RouterStatus.InstanceStatus {
        let lost = lostReason.withLockedValue { $0 }
        let present = context.watch.present
        let isGuilty = present?.instance == index
        let culprit = present.map { "\(core.runtimes[$0.instance].name) does not return from \($0.call)" } ?? ""
        return RouterStatus.InstanceStatus(
            name: name,
            plugin: plugin?.id ?? "",
            version: plugin?.version ?? "",
            state: lost != nil ? "dead" : isGuilty ? "stuck" : "held up",
            hasAnswered: false,
            failure: lost ?? culprit,
            laneDepth: lane.count,
            laneCapacity: lane.capacity,
            inFlight: 0,
            parked: 0,
            streams: 0,
            counters: InstanceCounters(),
            slowCalls: slowCalls.load(ordering: .relaxed),
            links: []
        )
    }
}

extension RouterCore.Options {
    init(_ section: SpoolSection, _ limits: RouterLimits) {
        self.init()
        self.limits = limits
        expireMs = Int64(section.expire / .milliseconds(1))
        retry = RetrySchedule(
            firstDelayMs: Int64(section.retry.first / .milliseconds(1)),
            delayMaxMs: Int64(section.retry.max / .milliseconds(1)),
            attemptsMax: section.retry.attempts
        )
    }
}
