extension Simulation {
    /// How long everything may take to be settled when nothing goes wrong any more.
    static let settleTime = Duration.seconds(3600)
    /// How long an instance may take to close its streams when it is drained.
    static let drainTime = Duration.seconds(120)
    /// How long timers may still run when all streams are closed.
    static let timerTime = Duration.seconds(600)

    /// Brings the world to its end, and judges it by all rules.
    ///
    /// No more faults come; what is under way is given time; the instances are drained, stopped and destroyed. What should
    /// be settled, closed, cancelled and freed by then, must be.
    ///
    /// - Throws: the first rule that was broken, also if that was before.
    public func finish() throws(Violation) {
        calmDown()
        settle()
        let active = instances.filter(\.isActive)
        for instance in active { judgeEnvelopes(instance) }
        drainAll(active)
        for instance in instances { instance.stop() }
        // Now that all connections are closed, it is known what was lost with them.
        for connection in network.lingering { connection.end() }
        for instance in active {
            if let flaw = ledger.flaw(of: instance) { violate(flaw.rule, flaw.what, by: instance) }
        }
        reportStrayCall()
        try check()
    }

    /// From now on nothing goes wrong.
    public func calmDown() {
        faults = .none
        router.busyOneIn = 0
        router.settleTime = max(router.settleTime, RouterConditions().settleTime)
        network.conditions.refuseOneIn = 0
        network.conditions.datagramLossOneIn = 0
        network.conditions.datagramCopyOneIn = 0
        network.conditions.staleOneIn = 0
    }

    /// Lets time pass until nothing is under way, for an hour at most.
    public func settle() {
        run(atMost: Self.settleTime) { isQuiet && !ledger.isOwed && instances.allSatisfy(\.isSettled) }
    }

    private func judgeEnvelopes(_ instance: SimulatedInstance) {
        if let held = instance.lane.inFlight.min(by: { $0.key < $1.key }) {
            let since = Trace.Event.seconds(held.value.since)
            violate(.forgotten, "token \(held.key), taken at \(since), was never settled", by: instance)
        }
        if let overdue = instance.lane.overdue.min(by: { $0.key < $1.key }) {
            let since = Trace.Event.seconds(overdue.value)
            violate(
                .forgotten,
                "token \(overdue.key) was taken at \(since), taken back, and never settled",
                by: instance
            )
        }
        if let request = instance.exchanges.values.filter(\.isHeldBack).map(\.handle).min() {
            violate(.answerLeft, "the answer to request \(request) was never read to its end", by: instance)
        }
        if let since = instance.lane.blockedSince {
            let time = Trace.Event.seconds(since)
            violate(.neverReady, "deliver() did not take all at \(time), and ready() was never called", by: instance)
        }
        for stream in instance.streams.values.sorted(by: { $0.handle < $1.handle }) {
            guard let input = stream.input,
                let marker = ledger.owed(input, upTo: stream.consumedCount + stream.kept.count)
            else { continue }
            violate(.lostInbound, "\(marker) was offered in full, and never consumed", by: instance)
        }
    }

    private func drainAll(_ active: [SimulatedInstance]) {
        for instance in active { instance.drain() }
        run(atMost: Self.drainTime) { active.allSatisfy(\.isIdle) }
        for instance in active {
            if let stream = instance.streams.keys.min() {
                violate(.streamsLeft, "stream \(stream) was open \(Self.drainTime) after drain()", by: instance)
            }
        }
        run(atMost: Self.timerTime) { active.allSatisfy { $0.timers.count <= $0.timersAtRest } }
        for instance in active where instance.timers.count > instance.timersAtRest {
            let what =
                "\(instance.timers.count) timers ran \(Self.timerTime) after drain(), \(instance.timersAtRest) after start()"
            violate(.timersLeft, what, by: instance)
        }
    }
}

extension SimulatedInstance {
    /// Whether nothing waits for the plugin, and it holds nothing.
    var isSettled: Bool { !isActive || (lane.isEmpty && !isWaitingForRoom) }
}
