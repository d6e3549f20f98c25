import ProviderKit
import ProviderTestKit
import Testing

/// Each planted bug is found, by the rule that it breaks, within so many seeds of one check.
///
/// One after the other: some bugs keep objects in a global variable.
@Suite(.serialized) struct PlantedBugTests {
    struct Plant: Sendable, CustomTestStringConvertible {
        var bug: LineProvider.Bug
        var check: Conformance.Check
        var rules: Set<Violation.Rule>
        var seeds = 20
        var bytesPerSecond: Int?

        var testDescription: String { bug.rawValue }
    }

    static let plants: [Plant] = [
        Plant(bug: .dropsWhileDown, check: .connectionLoss, rules: [.lost]),
        Plant(bug: .keepsTimer, check: .connectionLoss, rules: [.streamAfterClosed]),
        Plant(bug: .keepsRepeating, check: .startAndStop, rules: [.timersLeft]),
        Plant(bug: .completesTwice, check: .slowPeer, rules: [.settledTwice], bytesPerSecond: 100),
        Plant(bug: .completesUntaken, check: .slowPeer, rules: [.settledWithoutTaking], bytesPerSecond: 100),
        Plant(bug: .forgetsOnLoss, check: .randomFaults, rules: [.forgotten]),
        Plant(bug: .reorders, check: .randomFaults, rules: [.reordered]),
        Plant(bug: .reordersInbound, check: .messages, rules: [.reorderedInbound]),
        Plant(bug: .ignoresHigh, check: .slowPeer, rules: [.ignoredHigh], bytesPerSecond: 100),
        Plant(bug: .writesAfterClosed, check: .connectionLoss, rules: [.streamAfterClosed]),
        Plant(bug: .submitsInStop, check: .startAndStop, rules: [.callInStop]),
        Plant(bug: .dropsWhenBusy, check: .routerBusy, rules: [.lostInbound]),
        Plant(bug: .submitsTwice, check: .messages, rules: [.submittedTwice]),
        Plant(bug: .neverReady, check: .slowPeer, rules: [.neverReady], bytesPerSecond: 100),
        Plant(bug: .connectsEarly, check: .startAndStop, rules: [.callBeforeStart]),
        Plant(bug: .logsInDestroy, check: .startAndStop, rules: [.callAfterDestroy]),
        Plant(bug: .keepsSessions, check: .startAndStop, rules: [.objectsLeft]),
        Plant(bug: .neverCloses, check: .startAndStop, rules: [.streamsLeft]),
        Plant(bug: .readsNothing, check: .messages, rules: [.lostInbound]),
        Plant(bug: .dropsRedelivered, check: .duplicates, rules: [.forgotten]),
        Plant(bug: .neverCloses, check: .drainAtWork, rules: [.streamsLeft]),
        Plant(bug: .writesAfterClosed, check: .halfOpen, rules: [.streamAfterClosed]),
        Plant(bug: .submitsInStop, check: .stopAtWork, rules: [.callInStop]),
    ]

    @Test(arguments: plants)
    func aPlantedBugIsFound(_ plant: Plant) throws {
        LineProvider.kept = []
        defer { LineProvider.kept = [] }
        var conformance = lineConformance(plant.bug, bytesPerSecond: plant.bytesPerSecond)
        conformance.seedCount = plant.seeds
        let failure = #expect(throws: ConformanceFailure.self) { try conformance.run(plant.check) }
        let violation = try #require(failure).violation
        #expect(plant.rules.contains(violation.rule), "\(violation)")
        #expect(violation.description.contains("seed \(violation.seed)"))
    }

    @Test func wrongSettingsThatAreTakenAreFound() throws {
        var conformance = lineConformance(.none)
        conformance.refused = [["server": "im.example", "domain": "line.example"]]
        let failure = #expect(throws: ConformanceFailure.self) { try conformance.run(.refusedSettings) }
        #expect(failure?.violation.rule == .settingsNotRefused)
    }

    @Test func rightSettingsThatAreRefusedAreFound() throws {
        var conformance = lineConformance(.none)
        conformance.settings["domain"] = "no domain"
        let failure = #expect(throws: ConformanceFailure.self) { try conformance.run(.startAndStop) }
        #expect(failure?.violation.rule == .settingsRefused)
    }

    @Test func aStartThatFailsIsFound() throws {
        var conformance = lineConformance(.none)
        conformance.prepare = { $0.foreignClaims = ["line.example"] }
        let failure = #expect(throws: ConformanceFailure.self) { try conformance.run(.startAndStop) }
        #expect(failure?.violation.rule == .notStarted)
    }

    @Test func everyBugIsPlanted() {
        #expect(Set(Self.plants.map(\.bug)) == Set(LineProvider.Bug.allCases).subtracting([.none]))
    }
}
