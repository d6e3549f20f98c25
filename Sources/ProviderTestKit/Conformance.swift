public import ProviderKit

/// The network side of a plugin under test: peers that speak its protocol, as far as the tests need it.
public protocol ScriptedNetwork: AnyObject {
    /// Gives hosts their names and has peers listen; called before the instance starts.
    func setUp(_ network: SimulatedNetwork)

    /// The instance runs: the moment to connect to its listeners.
    func started(_ instance: SimulatedInstance)

    /// Has a user of the network send a message with this text, by ``PeerConnection/say(_:_:)``.
    ///
    /// If there is no connection to send it on, nothing is to be done.
    func say(_ message: Marker)

    /// Whether the words of a message's text are in the bytes as they are, so that they can be followed.
    var isReadable: Bool { get }
}

extension ScriptedNetwork {
    /// Does nothing: the plugin connects by itself.
    public func started(_ instance: SimulatedInstance) {}
    /// Does nothing: no user of the network speaks.
    public func say(_ message: Marker) {}
    /// It is.
    public var isReadable: Bool { true }
}

/// The checks that every provider plugin passes.
///
/// In a test of Swift Testing:
///
///     @Test(arguments: Conformance.Check.allCases)
///     func conforms(_ check: Conformance.Check) throws {
///         try Conformance(TestedPlugin(HelloProvider.self), settings: […], to: address).run(check)
///     }
public struct Conformance {
    /// The plugin.
    public var plugin: TestedPlugin
    /// Settings that it must take, as an operator writes them.
    public var settings: [String: String]
    /// Settings that it must refuse.
    public var refused: [[String: String]] = []
    /// The domains of the organisation.
    public var homeDomains: [String]
    /// A user of the network, whom messages go to.
    public var recipient: Address
    /// Home users, who write messages.
    public var senders: [Address]
    /// Makes the network side for one run; nil: there is none.
    public var network: (() -> any ScriptedNetwork)?
    /// Adds what an instance is to have before it starts, such as certificates.
    public var prepare: (SimulatedInstance) -> Void = { _ in }
    /// How many seeds each check tries.
    public var seedCount = 20
    /// How many places for one fault are tried for each seed.
    public var faultPlacesMax = 40

    /// The conformance of a plugin.
    ///
    /// - Parameters:
    ///   - settings: valid ones.
    ///   - homeDomains: the domains of the organisation; its users write the messages.
    ///   - recipient: an address of its network.
    ///   - network: makes the network side anew for each run.
    public init(
        _ plugin: TestedPlugin,
        settings: [String: String],
        homeDomains: [String] = ["home.example"],
        to recipient: Address,
        network: (() -> any ScriptedNetwork)? = nil
    ) {
        self.plugin = plugin
        self.settings = settings
        self.recipient = recipient
        self.network = network
        self.homeDomains = homeDomains
        senders = ["alice", "bob", "carol"].compactMap {
            Address(user: $0, domain: homeDomains.first ?? "home.example")
        }
    }

    /// What is checked.
    public enum Check: String, Sendable, CaseIterable {
        /// The descriptor and the provider table are complete.
        case description
        /// Valid settings are taken, and what is started stops.
        case startAndStop
        /// Wrong settings are refused with a reason.
        case refusedSettings
        /// An instance can be destroyed that was never started.
        case destroyWithoutStart
        /// A claim that belongs to another instance, and a port that is taken, break nothing.
        case refusedClaim
        /// Messages go both ways.
        case messages
        /// The router often has no room.
        case routerBusy
        /// The router refuses what is submitted.
        case routerRefusal
        /// Peers read slowly, and little fits into the network.
        case slowPeer
        /// An envelope that was delivered is offered once more.
        case duplicates
        /// The connection is lost, at each place once.
        case connectionLoss
        /// The connection falls silent, at each place once.
        case halfOpen
        /// Bytes come that are no protocol, at each place once.
        case garbage
        /// Datagrams are lost, doubled and overtaken, and web servers close the connections that were kept.
        case lossyNetwork
        /// The network takes seconds, and the router takes back what is held for two of them.
        case overdue
        /// All kinds of faults, at random.
        case randomFaults
        /// The instance is drained in the midst of its work.
        case drainAtWork
        /// The instance is stopped in the midst of its work.
        case stopAtWork
        /// Kinds of envelopes and extensions that the plugin cannot know.
        case unknownThings
        /// The same seed takes the same way twice.
        case repeatability
    }

    /// Makes all checks.
    ///
    /// - Throws: ``ConformanceFailure``, the first.
    public func run() throws(ConformanceFailure) {
        for check in Check.allCases { try run(check) }
    }

    /// Makes one check, with ``seedCount`` seeds.
    ///
    /// - Throws: ``ConformanceFailure``.
    public func run(_ check: Check) throws(ConformanceFailure) {
        for seed in 0..<UInt64(seedCount) { try run(check, seed: seed) }
    }

    /// Makes one check with one seed, to see a failure again.
    ///
    /// - Throws: ``ConformanceFailure``.
    public func run(_ check: Check, seed: UInt64) throws(ConformanceFailure) {
        switch check {
        case .connectionLoss: try eachPlace(check, seed, .cut)
        case .halfOpen: try eachPlace(check, seed, .halfOpen)
        case .garbage: try eachPlace(check, seed, .garbage(64))
        case .repeatability:
            let first = try play(check, seed, .random(oneIn: 20))
            let second = try play(check, seed, .random(oneIn: 20))
            guard first.traceHash != second.traceHash else { return }
            second.violate(
                .notRepeatable,
                "the same seed took two ways: \(first.traceHash)",
                by: second.instances.first
            )
            try report(check, second)
        case .randomFaults: _ = try play(check, seed, .random(oneIn: 15))
        default: _ = try play(check, seed, .none)
        }
    }

    /// Plays the scenario without a fault, and then with one at each step of it.
    private func eachPlace(_ check: Check, _ seed: UInt64, _ fault: Fault) throws(ConformanceFailure) {
        let steps = try play(check, seed, .none).network.steps
        let distance = max(1, steps / faultPlacesMax)
        for step in stride(from: 1 + Int(seed) % distance, through: steps, by: distance) {
            _ = try play(check, seed, .at(step, fault))
        }
    }

    /// Plays one scenario to its end.
    private func play(_ check: Check, _ seed: UInt64, _ faults: FaultPlan) throws(ConformanceFailure) -> Simulation {
        let simulation = Simulation(seed: seed)
        simulation.faults = faults
        let scenario = Scenario(self, check, simulation)
        scenario.play()
        try report(check, simulation)
        return simulation
    }

    private func report(_ check: Check, _ simulation: Simulation) throws(ConformanceFailure) {
        if let violation = simulation.violation { throw ConformanceFailure(check: check, violation: violation) }
    }
}

/// A check that a plugin did not pass.
public struct ConformanceFailure: Error, CustomStringConvertible {
    /// The check.
    public let check: Conformance.Check
    /// The rule that was broken, with seed and trace.
    public let violation: Violation

    /// All of it, for people.
    public var description: String { "\(check.rawValue): \(violation)" }
}
