internal import CPlugboard
internal import HostServices
internal import Lanes
internal import Logging
internal import PluginHost
internal import Policy
internal import Routing
internal import Spool
internal import Synchronization
internal import Telemetry

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// What all parts of a running router share.
///
/// Built before the first worker works; after that the claims change, under their lock, and providers come and go, in the
/// list that is made for it.
///
/// Safe to share: `contexts` and `spoolWriter` are written before ``open(store:)`` puts the workers and the writer's thread
/// to work, and runtimes are used on their workers only, but for what says otherwise.
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
    /// The organisation's domains.
    ///
    /// Under the claims' lock: a table is made of both.
    private var homeDomains: [String]
    /// Whom the home users may talk to; nil: anybody who is served.
    ///
    /// Under the claims' lock, too.
    private var policy: PolicySnapshot?
    /// For the policy to ask.
    private let contacts: (any ContactList)?
    /// Where refusals by policy are written down.
    let audit: RefusalAudit?
    /// The providers that serve home domains in place of the home users, by domain; under the claims' lock, too.
    private var homeServers: [String: String]
    let isDurable: Bool
    private(set) var contexts: [WorkerContext] = []
    /// Every provider that the router has had.
    ///
    /// Any thread may read it.
    let runtimes = RuntimeList()
    /// Nil if nothing is stored.
    private(set) var spoolWriter: SpoolWriter?
    private let claims = NIOLockedValueBox(ClaimBook())
    /// What every message asks for.
    let flags: CoreFlags
    private let retrySchedule: NIOLockedValueBox<RetrySchedule>

    init(
        name: String,
        options: Options,
        workers: [Worker],
        homeDomains: [String],
        homeServers: [String: String] = [:],
        isDurable: Bool,
        policy: PolicySnapshot? = nil,
        contacts: (any ContactList)? = nil,
        audit: RefusalAudit? = nil,
        logger: Logger,
        observer: (any RouterObserver)?
    ) {
        self.policy = policy
        self.contacts = contacts
        self.audit = audit
        self.name = name
        self.options = options
        self.logger = logger
        self.observer = observer
        self.homeDomains = homeDomains
        self.homeServers = homeServers
        self.isDurable = isDurable
        self.flags = CoreFlags(expireMs: options.expireMs)
        self.retrySchedule = NIOLockedValueBox(options.retry)
        self.pools = SlabPools(workers: workers.count)
        self.contexts = workers.map { WorkerContext(core: self, worker: $0) }
    }

    /// The producer index of the spool's writer in every lane.
    var writerProducer: Int { contexts.count }
    /// The pool of threads that are no worker.
    var foreignPool: Int { pools.workers }

    /// How long a message may wait, in ms, if it does not say so itself.
    ///
    /// Any thread.
    var expireMs: Int64 {
        get { flags.expireMs }
        set { flags.expireMs = newValue }
    }

    /// When a delivery that was put off is tried again.
    ///
    /// Any thread; asked for deferrals only.
    var retry: RetrySchedule {
        get { retrySchedule.withLockedValue { $0 } }
        set { retrySchedule.withLockedValue { $0 = newValue } }
    }

    /// Adds a provider's runtime.
    ///
    /// One thread at a time; once the router is open, the worker has to be told, see ``WorkerContext/add(_:)``.
    func addRuntime(named name: String, on worker: Int) -> InstanceRuntime {
        let runtime = InstanceRuntime(index: runtimes.count, name: name, context: contexts[worker])
        runtimes.append(runtime)
        return runtime
    }

    /// The index of the instance with a name; nil if the router has none.
    func index(named name: String) -> Int? { runtimes.firstIndex { $0.name == name } }

    /// Begins to store envelopes, and puts the workers to work.
    func open(store: (any SpoolStore)?) {
        if let store { spoolWriter = SpoolWriter(core: self, store: store) }
        let marks = makeCompletedMarks(of: store)
        publishTable()
        for context in contexts {
            let runtimes = LoopBound(value: runtimes.filter { $0.context === context })
            context.worker.run { context.begin(runtimes.value, marks: marks?.writer(context.index)) }
        }
        spoolWriter?.start()
    }

    /// Where deliveries are noted at once; nil if they are not, which costs duplicates after a crash and nothing else.
    private func makeCompletedMarks(of store: (any SpoolStore)?) -> CompletedMarks? {
        do throws(SpoolError) {
            return try store?.makeCompletedMarks(writers: contexts.count)
        } catch {
            logger.log(.warning, "deliveries are not noted: after a crash some are made again", [.reason: "\(error)"])
            return nil
        }
    }

    // MARK: Claims

    /// Notes a claim; the routes change before the next envelope is routed.
    ///
    /// On the owner's loop.
    func claim(_ claim: RouteTable.Claim) -> plugboard_status_t {
        let name = runtimes[claim.owner].name
        let answer = claims.withLockedValue { book -> ClaimBook.Answer? in
            // A home domain that one provider serves is no other's, whoever comes first.
            if let server = homeServers[claim.subject], server != name { return nil }
            return book.add(claim)
        }
        switch answer {
        case nil: return PLUGBOARD_E_CONFLICT
        case .known: return PLUGBOARD_OK
        case .taken: return PLUGBOARD_E_CONFLICT
        case .full: return PLUGBOARD_E_LIMIT
        case .noted: break
        }
        // All claims of a tick share one new table.
        if flags.claimed() {
            runtimes[claim.owner].context.worker.enqueue { self.publishIfOld() }
        }
        return PLUGBOARD_OK
    }

    /// Forgets what an instance has claimed and is not among `subjects`.
    func retainClaims(_ subjects: Set<String>, of owner: Int) {
        guard claims.withLockedValue({ $0.retain(subjects, of: owner) }) else { return }
        publishTable()
    }

    /// Changes the organisation's domains.
    ///
    /// - Parameter servers: the providers that serve some of them, by domain.
    func setHomeDomains(_ domains: [String], servers: [String: String]) {
        claims.withLockedValue { book in
            homeDomains = domains
            homeServers = servers
            book.touch()
        }
        publishTable()
    }

    /// Changes whom the home users may talk to.
    func setPolicy(_ policy: PolicySnapshot?) {
        claims.withLockedValue { book in
            self.policy = policy
            book.touch()
        }
        publishTable()
    }

    /// Makes a new table if there were claims since the last one.
    ///
    /// Any thread; cheap if there were none.
    func publishIfOld() {
        guard flags.isTableOld else { return }
        publishTable()
    }

    /// Makes a new table of the claims and hands it to every worker.
    private func publishTable() {
        // Before the claims are read: one that comes later makes another table.
        flags.makingTable()
        let (book, homeDomains, policy) = claims.withLockedValue { ($0, self.homeDomains, self.policy) }
        let table = RouteTable(
            claims: book.claims,
            homeDomains: homeDomains,
            names: runtimes.map(\.name),
            version: book.version,
            policy: policy,
            contacts: contacts
        )
        for context in contexts where !context.isAbandoned { context.setTable(table) }
    }

    // MARK: Room

    /// Wakes the workers (and the spool's writer) that a lane's consumer found waiting for room.
    func grantRoom(_ waiters: UInt64) {
        guard waiters != 0 else { return }
        for context in contexts where waiters & (1 << UInt64(context.index)) != 0 { context.grantRoom() }
        if waiters & (1 << UInt64(writerProducer)) != 0 { spoolWriter?.grantRoom() }
    }

    // MARK: The spool's health

    /// Whether the spool has failed for good, so that nothing can be stored until a restart.
    ///
    /// Any thread.
    var isSpoolLost: Bool { flags.isSpoolLost }

    /// Notes that the spool has failed for good.
    ///
    /// Any thread.
    func loseSpool() {
        flags.loseSpool()
    }
}
