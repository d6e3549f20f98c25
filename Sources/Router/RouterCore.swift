internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Routing
internal import Spool
internal import Synchronization

/// What all parts of a running router share. Built before the first worker works; after that only the
/// claims change, under their lock.
///
/// Safe to share: `let` properties of Sendable types, and runtimes that are used on their workers only.
final class RouterCore: @unchecked Sendable {
    /// Limits and times of the message path.
    struct Options: Sendable {
        var limits = RouterLimits()
        /// How long a message may wait, in ms, if it does not say so itself.
        var expireMs: Int64 = 48 * 3600 * 1000
        var retry = RetrySchedule()
    }

    let name: String
    let options: Options
    let logger: Logger
    let observer: (any RouterObserver)?
    let pools: SlabPools
    let homeDomains: [String]
    let isDurable: Bool
    private(set) var contexts: [WorkerContext] = []
    private(set) var runtimes: [InstanceRuntime] = []
    /// Set once, before the workers run, if the router is durable.
    private(set) var spoolWriter: SpoolWriter?
    private let claims = Mutex<[RouteTable.Claim]>([])
    private let claimIndex = Mutex<[String: Int]>([:])
    private let needsNewTable = Atomic<Bool>(false)

    init(
        name: String,
        options: Options,
        workers: [Worker],
        homeDomains: [String],
        isDurable: Bool,
        logger: Logger,
        observer: (any RouterObserver)?
    ) {
        self.name = name
        self.options = options
        self.logger = logger
        self.observer = observer
        self.homeDomains = homeDomains
        self.isDurable = isDurable
        self.pools = SlabPools(workers: workers.count)
        self.contexts = workers.map { WorkerContext(core: self, worker: $0) }
    }

    /// The producer index of the spool's writer in every lane.
    var writerProducer: Int { contexts.count }
    /// The pool of threads that are no worker.
    var writerPool: Int { contexts.count }

    /// Adds an instance; only before ``open(store:)``.
    func addRuntime(named name: String, on worker: Int) -> InstanceRuntime {
        let runtime = InstanceRuntime(index: runtimes.count, name: name, context: contexts[worker])
        runtimes.append(runtime)
        return runtime
    }

    /// Begins to store envelopes, and puts the workers to work.
    func open(store: (any SpoolStore)?) {
        if let store { spoolWriter = SpoolWriter(core: self, store: store) }
        spoolWriter?.start()
        publishTable()
        for context in contexts {
            let runtimes = LoopBound(value: runtimes.filter { $0.context === context })
            context.worker.run { context.begin(runtimes.value) }
        }
    }

    // MARK: Claims

    /// Notes a claim; the routes change at the end of the tick.
    func claim(_ claim: RouteTable.Claim) -> plugboard_status_t {
        let status = claimIndex.withLock { index in
            if let owner = index[claim.subject] { return owner == claim.owner ? PLUGBOARD_OK : PLUGBOARD_E_CONFLICT }
            guard index.count < RouteTable.claimsMax else { return PLUGBOARD_E_LIMIT }
            index[claim.subject] = claim.owner
            return PLUGBOARD_OK
        }
        guard status == PLUGBOARD_OK else { return status }
        claims.withLock { $0.append(claim) }
        if !needsNewTable.exchange(true, ordering: .acquiringAndReleasing) {
            runtimes[claim.owner].context.worker.enqueue { self.publishTable() }
        }
        return PLUGBOARD_OK
    }

    /// Forgets what a stopped instance had claimed.
    func dropClaims(of owner: Int) {
        claims.withLock { $0.removeAll { $0.owner == owner } }
        claimIndex.withLock { index in index = index.filter { $0.value != owner } }
        publishTable()
    }

    /// Makes a new table of the claims and hands it to every worker.
    private func publishTable() {
        needsNewTable.store(false, ordering: .releasing)
        let table = RouteTable(
            claims: claims.withLock { $0 },
            homeDomains: homeDomains,
            names: runtimes.map(\.name)
        )
        for context in contexts { context.setTable(table) }
    }

    /// Wakes the workers (and the spool's writer) that a lane's consumer found waiting for room.
    func grantRoom(_ waiters: UInt64) {
        guard waiters != 0 else { return }
        for context in contexts where waiters & (1 << UInt64(context.index)) != 0 { context.grantRoom() }
        if waiters & (1 << UInt64(writerProducer)) != 0 { spoolWriter?.grantRoom() }
    }
}
