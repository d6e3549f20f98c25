internal import CPlugboard

/// The host table of simulated instances: checks that the call may be made now, and passes it on.
enum HostTable {
    /// When a function of the table may be called.
    enum Need {
        /// On any thread, until destroy().
        case anyThread
        /// On the instance's thread, until destroy().
        case anyTime
        /// On the instance's thread, from start() on.
        case started
        /// The same, but for what stop() must not begin.
        case beginning
    }

    static func make(context: UnsafeMutableRawPointer) -> plugboard_host_t {
        var table = plugboard_host_t()
        table.struct_size = structSize(plugboard_host_t.self)
        table.abi_version = PLUGBOARD_ABI_VERSION
        table.context = context
        addEnvelopes(&table)
        addStreams(&table)
        addTime(&table)
        return table
    }

    /// Whether a provider's table is long enough and has no gap.
    static func isComplete(_ table: UnsafePointer<plugboard_provider_t>) -> Bool {
        guard table.pointee.struct_size >= MemoryLayout<plugboard_provider_t>.size else { return false }
        let functions = MemoryLayout<plugboard_provider_t>.offset(of: \.start) ?? 0
        let count = (MemoryLayout<plugboard_provider_t>.size - functions) / MemoryLayout<UInt>.size
        let words = UnsafeRawPointer(table) + functions
        return (0..<count).allSatisfy { words.load(fromByteOffset: $0 * MemoryLayout<UInt>.size, as: UInt.self) != 0 }
    }

    /// The instance that a call is for; nil, and a violation, if it may not be made now.
    static func enter(_ context: UnsafeMutableRawPointer?, _ name: String, _ need: Need) -> SimulatedInstance? {
        guard let context else { return nil }
        let instance = Unmanaged<SimulatedInstance>.fromOpaque(context).takeUnretainedValue()
        if need == .anyThread, !instance.simulation.isOwnThread { return instance }
        guard instance.simulation.isOwnThread(name, instance) else { return nil }
        guard let flaw = instance.flaw(need) else { return instance }
        instance.simulation.violate(flaw.rule, "\(name) was called \(flaw.when)", by: instance)
        return nil
    }

    private static func addEnvelopes(_ table: inout plugboard_host_t) {
        table.submit = { context, envelope, cookie in
            guard let instance = HostTable.enter(context, "submit", .beginning) else { return PLUGBOARD_E_SHUTDOWN }
            guard let envelope else { return PLUGBOARD_E_INVALID }
            return instance.submit(envelope, cookie)
        }
        table.complete = { context, token, outcome in
            guard let instance = HostTable.enter(context, "complete", .started) else { return PLUGBOARD_E_SHUTDOWN }
            guard let outcome, outcome.pointee.struct_size >= MemoryLayout<plugboard_outcome_t>.size else {
                return PLUGBOARD_E_INVALID
            }
            return instance.complete(token, outcome)
        }
        table.ready = { context in
            HostTable.enter(context, "ready", .started)?.ready()
        }
        table.claim = { context, scope, subject in
            guard let instance = HostTable.enter(context, "claim", .beginning) else { return PLUGBOARD_E_SHUTDOWN }
            if let flaw = EnvelopeCheck.flaw(ofSubject: subject) { return flaw }
            return instance.claim(scope, subject.text)
        }
    }

    private static func addTime(_ table: inout plugboard_host_t) {
        table.start_timer = { context, delay, user, timer in
            guard let instance = HostTable.enter(context, "start_timer", .beginning) else {
                return PLUGBOARD_E_SHUTDOWN
            }
            guard let timer else { return PLUGBOARD_E_INVALID }
            return instance.startTimer(delay, user, timer)
        }
        table.cancel_timer = { context, timer in
            HostTable.enter(context, "cancel_timer", .started)?.cancelTimer(timer) ?? PLUGBOARD_E_SHUTDOWN
        }
        table.wall_ms = { context in
            guard let instance = HostTable.enter(context, "wall_ms", .anyThread) else { return Simulation.epochMs }
            return Simulation.epochMs + Int64(instance.simulation.sharedNow / 1_000_000)
        }
        table.monotonic_ns = { context in
            HostTable.enter(context, "monotonic_ns", .anyThread)?.simulation.sharedNow ?? 0
        }
        table.random = { context, buffer, count in
            guard let instance = HostTable.enter(context, "random", .anyTime), let buffer, count > 0 else { return }
            instance.fill(UnsafeMutableBufferPointer(start: buffer, count: count))
        }
        table.resolve = { context, type, name, user, query in
            guard let instance = HostTable.enter(context, "resolve", .beginning) else { return PLUGBOARD_E_SHUTDOWN }
            guard let query, name.isWellFormed else { return PLUGBOARD_E_INVALID }
            return instance.resolve(type, name.text, user, query)
        }
        table.log = { context, level, message in
            guard let instance = HostTable.enter(context, "log", .anyThread), message.isWellFormed else { return }
            // A line from another thread would come at no certain moment.
            if instance.simulation.isOwnThread { instance.log(level, message.text) }
        }
        table.extension = { context, id in
            // Where it may not be called, that is noted, and the answer is the same.
            _ = HostTable.enter(context, "extension", .anyThread)
            return id.flatMap { HostExtensions.table(String(cString: $0)) }
        }
    }
}

extension SimulatedInstance {
    /// Why a call may not be made now.
    func flaw(_ need: HostTable.Need) -> (rule: Violation.Rule, when: String)? {
        switch state {
        case .destroying: return (.callAfterDestroy, "inside destroy()")
        case .destroyed: return (.callAfterDestroy, "after destroy()")
        case .creating, .created:
            if need == .started || need == .beginning { return (.callBeforeStart, "before start()") }
        case .stopping:
            if need == .beginning { return (.callInStop, "inside stop()") }
        case .running, .draining, .closing: break
        }
        if depth == 0, need != .anyThread { return (.outsideCallback, "outside of any call into the instance") }
        return nil
    }
}
