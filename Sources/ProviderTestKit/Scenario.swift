internal import CPlugboard
internal import ProviderKit

/// One run of one conformance check.
struct Scenario {
    private let conformance: Conformance
    private let check: Conformance.Check
    private let simulation: Simulation

    /// Messages in each direction.
    private var messageCount: Int { isNarrow ? 24 : 12 }
    /// The time in which they come.
    private var span: Duration { isNarrow ? .seconds(20) : .seconds(60) }
    /// Bytes that are added to a text, so that a slow peer has something to read.
    private var padding: Int { isNarrow ? 200 : 0 }
    /// Whether little fits into the network, so that writes answer HIGH.
    private var isNarrow: Bool { check == .slowPeer || (check == .randomFaults && simulation.seed % 2 == 1) }

    init(_ conformance: Conformance, _ check: Conformance.Check, _ simulation: Simulation) {
        self.conformance = conformance
        self.check = check
        self.simulation = simulation
    }

    /// Plays it; what is wrong, the simulation notes.
    func play() {
        tune()
        switch check {
        case .description: describe()
        case .refusedSettings: for settings in conformance.refused { refuse(settings) }
        case .destroyWithoutStart: make(settings: conformance.settings)?.stop()
        case .refusedClaim: startWhereAllIsTaken()
        case .startAndStop, .messages, .routerBusy, .routerRefusal, .slowPeer, .duplicates, .connectionLoss, .halfOpen,
            .garbage, .lossyNetwork, .overdue, .randomFaults, .drainAtWork, .stopAtWork, .unknownThings, .repeatability:
            work()
        }
    }

    /// Makes the world hard in the check's own way.
    private func tune() {
        if isNarrow {
            simulation.network.conditions = .narrow
            simulation.limits.writeHighWater = 256
        }
        switch check {
        case .routerBusy, .repeatability: simulation.router = .busy
        case .lossyNetwork: simulation.network.conditions = .lossy
        case .overdue:
            simulation.network.conditions.delay = .milliseconds(100)...Duration.seconds(2)
            simulation.router.settleTime = .seconds(2)
        case .randomFaults:
            simulation.router.busyOneIn = 8
            simulation.network.conditions.refuseOneIn = 4
            simulation.network.conditions.datagramLossOneIn = 8
            simulation.network.conditions.staleOneIn = 8
        case .description, .startAndStop, .refusedSettings, .destroyWithoutStart, .refusedClaim, .messages,
            .routerRefusal, .slowPeer, .duplicates, .connectionLoss, .halfOpen, .garbage, .drainAtWork, .stopAtWork,
            .unknownThings:
            break
        }
    }

    // MARK: Without a network

    private func make(settings: [String: String]) -> SimulatedInstance? {
        do throws(InstanceRefusal) {
            let instance = try simulation.make(
                conformance.plugin,
                settings: settings,
                homeDomains: conformance.homeDomains
            )
            conformance.prepare(instance)
            return instance
        } catch {
            simulation.violate(.settingsRefused, "valid settings were refused: \(error)", by: simulation.instances.last)
            return nil
        }
    }

    private func describe() {
        let table = conformance.plugin.table.pointee
        let descriptor = table.descriptor.pointee
        let texts = [descriptor.id, descriptor.name, descriptor.version, descriptor.vendor]
        if texts.contains(where: { $0.map { String(cString: $0).isEmpty } ?? true }) {
            simulation.violate(.expectation, "the descriptor lacks an id, name, version or vendor", by: nil)
        }
        if !conformance.plugin.id.contains(".") {
            simulation.violate(.expectation, "\(conformance.plugin.id) is no reversed domain name", by: nil)
        }
        for setting in conformance.plugin.settings where setting.help.map({ String(cString: $0).isEmpty }) ?? true {
            let path = String(cString: setting.path)
            simulation.violate(.expectation, "the setting \(path) has no help", by: nil)
        }
        make(settings: conformance.settings)?.stop()
    }

    private func refuse(_ settings: [String: String]) {
        guard let instance = try? simulation.make(conformance.plugin, settings: settings) else { return }
        let what = settings.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        instance.stop()
        simulation.violate(.settingsNotRefused, "these settings were taken: \(what)", by: instance)
    }

    private func startWhereAllIsTaken() {
        guard let first = make(settings: conformance.settings), started(first) else { return }
        let claims = first.claims
        let ports = Set(first.listeners.values.map(\.port))
        first.stop()
        for isClaim in [true, false] where !(isClaim ? claims.isEmpty : ports.isEmpty) {
            guard let instance = make(settings: conformance.settings) else { return }
            if isClaim { instance.foreignClaims = Set(claims) } else { simulation.network.takenPorts = ports }
            // Whether it starts all the same is its own affair.
            guard (try? instance.start()) != nil else { continue }
            simulation.run(for: .seconds(5))
        }
        try? simulation.finish()
    }

    private func started(_ instance: SimulatedInstance) -> Bool {
        do throws(InstanceRefusal) {
            try instance.start()
            return true
        } catch {
            simulation.violate(.notStarted, "start() failed with valid settings: \(error)", by: instance)
            return false
        }
    }

    // MARK: At work

    private func work() {
        let network = conformance.network?()
        network?.setUp(simulation.network)
        guard let instance = make(settings: conformance.settings), started(instance) else { return }
        network?.started(instance)
        if check == .routerRefusal {
            instance.verdict = { _ in Outcome.Reason(.recipient, "there is no such user", code: "no-recipient") }
        }
        let deliveries = Deliveries()
        if check != .startAndStop { schedule(instance, network, deliveries) }
        // In the midst, where that is the check; after all, elsewhere.
        let isCutShort = check == .drainAtWork || check == .stopAtWork
        let half = Duration.nanoseconds(Int64(simulation.random.pick(.zero...span)))
        simulation.run(for: isCutShort ? half : span)
        switch check {
        case .stopAtWork:
            instance.stop()
            simulation.run(for: .seconds(60))
        case .drainAtWork: instance.drain()
        case .duplicates: deliverAgain(deliveries.all, instance)
        case .unknownThings: deliverUnknown(instance)
        default: break
        }
        if check == .messages { expectDelivery(deliveries.all, instance) }
        try? simulation.finish()
        withExtendedLifetime(network) {}
    }

    /// Has messages come in both directions, over the time.
    private func schedule(
        _ instance: SimulatedInstance,
        _ network: (any ScriptedNetwork)?,
        _ deliveries: Deliveries
    ) {
        for number in 1...messageCount {
            let envelope = message(number, isMarked: network?.isReadable == true)
            simulation.post(after: simulation.random.pick(.zero...span)) {
                if instance.isActive { deliveries.all.append(instance.deliver(envelope)) }
            }
            guard let network else { continue }
            let marker = Marker(500_000 + number)
            simulation.post(after: simulation.random.pick(.zero...span)) { network.say(marker) }
        }
    }

    /// What was delivered so far.
    private final class Deliveries {
        var all: [SimulatedDelivery] = []
    }

    private func message(_ number: Int, isMarked: Bool) -> Envelope {
        let sender = conformance.senders[number % conformance.senders.count]
        let text =
            (isMarked ? "\(Marker(number)) for you" : "message \(number)") + String(repeating: ".", count: padding)
        return Envelope(
            from: sender,
            to: conformance.recipient,
            id: "message-\(number)",
            content: .message(Message(text: text))
        )
    }

    private func expectDelivery(_ deliveries: [SimulatedDelivery], _ instance: SimulatedInstance) {
        simulation.calmDown()
        simulation.settle()
        for delivery in deliveries where !delivery.isDelivered {
            let said = delivery.outcomes.map { "\($0)" }.joined(separator: ", ")
            simulation.violate(
                .expectation,
                "\(delivery.envelope.id) was not delivered over a quiet network: \(said.isEmpty ? "nothing was said" : said)",
                by: instance
            )
        }
    }

    private func deliverAgain(_ deliveries: [SimulatedDelivery], _ instance: SimulatedInstance) {
        simulation.settle()
        for delivery in deliveries { instance.deliverAgain(delivery) }
    }

    private func deliverUnknown(_ instance: SimulatedInstance) {
        if instance.answersUnknownExtension() {
            simulation.violate(.expectation, "extension() answers an id that there is not", by: instance)
        }
        let delivery = instance.deliver(message(99, isMarked: false))
        delivery.kindOverride = 999
        simulation.settle()
        if case .failed = delivery.outcome { return }
        simulation.violate(.expectation, "an envelope of an unknown kind was not settled as failed", by: instance)
    }
}
