import HostServices
import ProviderTestKit
import Router
import Testing

/// The simulated host answers as the real one does, and calls as it does: one plugin goes through one table of legal and
/// illegal uses on both, and the two records of it are the same, entry by entry.
@Suite(.timeLimit(.minutes(1))) struct ParityTests {
    /// All uses on one real router, once.
    private static let real = Task { try await RealWorld.play(Use.all) }

    @Test(arguments: Array(Use.all.enumerated()))
    func theSimulationDoesAsTheHostDoes(_ index: Int, _ use: Use) async throws {
        let real = try await Self.real.value
        let record = try #require(real.records[use.name])
        let simulated = try SimulatedWorld.play(use, id: "p\(index)")
        #expect(real.stuckAt[use.name] == nil, "on the real host")
        #expect(simulated.stuckAt == nil, "on the simulated host")
        #expect(record.differences(from: simulated.record) == [], "real | simulated")
        #expect(record.lines["mistakes"] == nil)
        #expect(simulated.violation?.rule == use.breaks, "\(simulated.violation.map { "\($0)" } ?? "none was broken")")
    }

    @Test func theLimitsAreTheHosts() {
        let (real, simulated) = (ServiceLimits(), HostLimits())
        #expect(simulated.streamsMax == real.streamsMax && simulated.listenersMax == real.listenersMax)
        #expect(simulated.timersMax == real.timersMax && simulated.timerDelayMsMax == real.timerDelayMsMax)
        #expect(simulated.resolutionsMax == real.resolutionsMax)
        #expect(simulated.writeBufferMax == real.writeBufferMax && simulated.writeHighWater == real.writeHighWater)
        #expect(simulated.inputMax == real.frameMax && simulated.inputMaxMax == real.heldInputMax)
        #expect(simulated.connectTimeout == .milliseconds(Int64(real.connectTimeoutMs)))
        #expect(simulated.handshakeTimeout == .milliseconds(Int64(real.handshakeTimeoutMs)))
        #expect(simulated.finishTimeout == .milliseconds(Int64(real.finishTimeoutMs)))
        #expect(simulated.lingerTimeout == .milliseconds(Int64(real.lingerTimeoutMs)))
        #expect(simulated.udpSocketsMax == real.udpSocketsMax && simulated.httpRequestsMax == real.httpRequestsMax)
        #expect(simulated.httpTimeout == .milliseconds(Int64(real.httpTimeoutMs)))
        #expect(UInt64(simulated.httpTimeoutMsMax) == real.httpTimeoutMsMax)
        #expect(simulated.httpFieldsMax == real.httpFieldsMax && simulated.httpHeadMax == real.httpHeadMax)
        #expect(simulated.httpRequestBodyMax == real.httpRequestBodyMax && simulated.httpBodyMax == real.httpBodyMax)
        #expect(simulated.httpStreamMax == real.httpStreamMax)
        #expect(Int(simulated.httpRedirectsMax) == real.httpRedirectsMax)
        #expect(RouterConditions().settleTime == RouterLimits().settleTime)
        #expect(RouterConditions().laneMax == RouterLimits().laneCapacity)
        #expect(RouterConditions().inFlightMax == RouterLimits().inFlightMax)
    }

    @Test func everyUseHasANameOfItsOwn() {
        #expect(Set(Use.all.map(\.name)).count == Use.all.count)
    }
}

/// A simulation that is not like the host is found out.
@Suite struct DriftTests {
    struct Drift: Sendable, CustomTestStringConvertible {
        var use: String
        var change: @Sendable (Simulation) -> Void

        var testDescription: String { use }
    }

    static let drifts: [Drift] = [
        Drift(use: "there is a limit to the timers") { $0.limits.timersMax -= 1 },
        Drift(use: "a timer's delay has a limit") { $0.limits.timerDelayMsMax += 1 },
        Drift(use: "there is a limit to the questions") { $0.limits.resolutionsMax = 300 },
        Drift(use: "there is a limit to the listeners") { $0.limits.listenersMax = 15 },
        Drift(use: "a buffer at the mark is high, and writable again") {
            $0.limits.writeHighWater += 1
        },
        Drift(use: "connect with the greatest input_max") { $0.limits.inputMaxMax -= 1 },
        Drift(use: "a message with a cookie is answered") { $0.router.busyOneIn = 1 },
        Drift(use: "the answer to a name with addresses") { $0.network.breakName("two.example") },
        Drift(use: "bytes go both ways, and the end comes in order") { $0.network.conditions.refuseOneIn = 1 },
    ]

    @Test(arguments: drifts)
    func aDriftIsFound(_ drift: Drift) throws {
        let use = try #require(Use.all.first { $0.name == drift.use })
        let right = try SimulatedWorld.play(use, id: "p0")
        let wrong = try SimulatedWorld.play(use, id: "p0", drift.change)
        #expect(wrong.record.differences(from: right.record) != [])
    }
}
