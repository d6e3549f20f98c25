internal import Glibc
internal import Synchronization

/// A world in memory: instances of plugins, a network with scripted peers, and a time that passes only in ``run(for:)``.
///
/// All that happens follows from the seed. Each call into a plugin is an event of its own, as with the real host: none
/// happens inside another, or inside a call to the host. The first broken rule halts the world; ``check()`` throws it.
/// One thread only.
public final class Simulation {
    /// What everything follows from.
    public let seed: UInt64
    /// The network, with its peers.
    public private(set) lazy var network = SimulatedNetwork(self)
    /// How envelopes are treated.
    public var router = RouterConditions()
    /// What an instance may hold.
    public var limits = HostLimits()
    /// Which faults come when.
    public var faults = FaultPlan.none
    /// All instances, in the order of their making.
    public private(set) var instances: [SimulatedInstance] = []
    /// The first rule that was broken; nothing happens any more then.
    public private(set) var violation: Violation?
    /// Whether the world goes on after a rule was broken, to see what the host makes of a plugin that breaks it.
    package var isForgiving = false

    var random: SeededRandom
    var ledger = Ledger()
    /// What instances have stored, by their names and the kind of store.
    var stored: [String: [[UInt8]: [UInt8]]] = [:]
    /// The accounts that are linked, by the instances' names.
    var accounts: [String: [SimulatedAccounts.Account]] = [:]
    /// The kinds of the metrics that instances have declared, by their full names.
    var metricKinds: [String: UInt32] = [:]
    /// In ns since the world began.
    private(set) var nowNs: UInt64 = 0 {
        didSet { clock.store(nowNs, ordering: .relaxed) }
    }
    /// The same for other threads, which may ask for the time.
    private let clock = Atomic<UInt64>(0)
    private var queue = EventQueue()
    private var trace = Trace()
    private var isRunning = false
    private let thread = pthread_self()
    /// A host call that came on another thread, by its name.
    private let strayCall = Mutex<(name: String, instance: String)?>(nil)

    /// When the world begins: 2033-05-18T03:33:20Z, in ms since 1970.
    public static let epochMs: Int64 = 2_000_000_000_000

    /// A world of its own.
    ///
    /// One that is let go of without ``finish()`` abandons its instances where they are.
    public init(seed: UInt64) {
        self.seed = seed
        random = SeededRandom(seed: seed)
    }

    /// The virtual time since the world began.
    public var now: Duration { .nanoseconds(Int64(nowNs)) }

    /// Follows from all that happened: equal in two runs of one seed, also in different processes.
    ///
    /// Where a Swift plugin depends on the order of a dictionary, only with `SWIFT_DETERMINISTIC_HASHING=1`.
    public var traceHash: UInt64 { trace.hash }

    /// How many events there were.
    public var eventCount: Int { trace.count }

    // MARK: Time

    /// Lets time pass, and all happen that is due.
    public func run(for duration: Duration) {
        run(until: nowNs &+ duration.nanoseconds) { false }
    }

    /// Lets time pass until a condition holds, which is looked at after each event.
    ///
    /// - Returns: whether it does.
    @discardableResult
    public func run(atMost duration: Duration, until isDone: () -> Bool) -> Bool {
        guard !isDone() else { return true }
        run(until: nowNs &+ duration.nanoseconds, isDone)
        return isDone()
    }

    private func run(until end: UInt64, _ isDone: () -> Bool) {
        precondition(!isRunning, "a simulation cannot be run from inside a call into a plugin")
        isRunning = true
        defer { isRunning = false }
        while violation == nil || isForgiving, let next = queue.nextTime, next <= end, let event = queue.takeNext() {
            nowNs = max(nowNs, event.at)
            event.body()
            reportStrayCall()
            guard !isDone() else { return }
        }
        if violation == nil || isForgiving { nowNs = max(nowNs, end) }
    }

    /// Whether nothing but timers will ever happen.
    var isQuiet: Bool { queue.workCount == 0 }

    func post(after nanoseconds: UInt64 = 0, isTimer: Bool = false, _ body: @escaping () -> Void) {
        queue.post(at: nowNs &+ nanoseconds, isTimer: isTimer, body)
    }

    // MARK: Instances

    /// Makes an instance of a plugin and starts it.
    ///
    /// - Parameters:
    ///   - settings: as an operator writes them, such as `partners[0].domain`; defaults are filled in.
    ///   - id: its name in the configuration.
    /// - Throws: ``InstanceRefusal`` if the plugin does not want the settings, or does not start.
    public func start(
        _ plugin: TestedPlugin,
        settings: [String: String] = [:],
        id: String = "tested",
        homeDomains: [String] = ["home.example"]
    ) throws(InstanceRefusal) -> SimulatedInstance {
        let instance = try make(plugin, settings: settings, id: id, homeDomains: homeDomains)
        try instance.start()
        return instance
    }

    /// Makes an instance of a plugin and does not start it.
    public func make(
        _ plugin: TestedPlugin,
        settings: [String: String] = [:],
        id: String = "tested",
        homeDomains: [String] = ["home.example"]
    ) throws(InstanceRefusal) -> SimulatedInstance {
        let values = try SettingValues(settings, schema: plugin.settings).entries
        let instance = SimulatedInstance(self, plugin, id: id, index: instances.count, homeDomains: homeDomains)
        instances.append(instance)
        try instance.create(values)
        return instance
    }

    // MARK: Rules

    /// Throws the first rule that was broken, if one was.
    public func check() throws(Violation) {
        if let violation { throw violation }
    }

    func violate(_ rule: Violation.Rule, _ what: String, by instance: SimulatedInstance?) {
        guard violation == nil else { return }
        let names = instances.map(\.id)
        violation = Violation(
            rule: rule,
            what: what,
            seed: seed,
            time: now,
            instance: instance?.id ?? "the plugin",
            traceHash: trace.hash,
            events: trace.last.map { $0.line(names) }
        )
    }

    /// The time, on any thread.
    var sharedNow: UInt64 { clock.load(ordering: .relaxed) }

    /// Whether the caller is on the simulation's thread.
    var isOwnThread: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// Whether the caller is on the simulation's thread; where not, that is noted and nothing else may be touched.
    func isOwnThread(_ call: String, _ instance: SimulatedInstance) -> Bool {
        guard !isOwnThread else { return true }
        let id = instance.id
        strayCall.withLock { if $0 == nil { $0 = (call, id) } }
        return false
    }

    func reportStrayCall() {
        guard let stray = strayCall.withLock({ $0 }) else { return }
        violate(
            .wrongThread,
            "\(stray.name) was called on another thread",
            by: instances.first { $0.id == stray.instance }
        )
    }

    func note(
        _ kind: Trace.Kind,
        _ instance: SimulatedInstance?,
        _ a: UInt64 = 0,
        _ b: UInt64 = 0,
        text: String? = nil
    ) {
        if let text {
            var text = text
            text.withUTF8 { trace.mix(UnsafeRawBufferPointer($0)) }
        }
        trace.note(Trace.Event(at: nowNs, instance: instance?.index ?? -1, kind: kind, a: a, b: b, text: text))
    }

    func note(bytes: UnsafeRawBufferPointer) { trace.mix(bytes) }
}
